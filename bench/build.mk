# bench/*_bench.c: programs that measure and print, linked like the tests with everything by its inside name.
BENCH_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard bench/*_bench.c)))

$(patsubst $(BUILD)/%,$(BUILD)/obj/%.o,$(BENCH_PROGRAMS)): $(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc,$<)$(CC) $(CC_FLAGS) -MMD -MP -c -o $@ $<

$(BENCH_PROGRAMS): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/libinternal.a
	@mkdir -p $(@D)
	$(call say,ld,$@)$(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $< $(BUILD)/libinternal.a $(BACKEND_LIBS) $(SYSTEM_LIBS)

-include $(patsubst $(BUILD)/%,$(BUILD)/obj/%.d,$(BENCH_PROGRAMS))
bench: $(BENCH_PROGRAMS)
