# Measuring programs. bench/plain, bench/gnutls and bench/libtls are the bases; bench/shim uses the shared library as a
# stranger would, bench/*_bench.c look inside and have everything by its inside name.
BENCH_ROOMS := plain shim gnutls libtls
BENCH_PROGRAMS := $(addprefix $(BUILD)/bench/,$(BENCH_ROOMS))
BENCH_INSIDE := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard bench/*_bench.c)))
bench_objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard bench/$(1)/*.c)) bench/meter.c)
BENCH_OBJECTS := $(foreach room,$(BENCH_ROOMS),$(call bench_objects,$(room))) $(BENCH_INSIDE:$(BUILD)/%=$(BUILD)/obj/%.o)

$(sort $(BENCH_OBJECTS)): $(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc,$<)$(CC) $(CC_FLAGS) -MMD -MP -c -o $@ $<

$(BENCH_INSIDE): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/libinternal.a
	@mkdir -p $(@D)
	$(call say,ld,$@)$(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $< $(BUILD)/libinternal.a $(BACKEND_LIBS) $(SYSTEM_LIBS)

$(BUILD)/bench/plain: $(call bench_objects,plain)
$(BUILD)/bench/plain: BENCH_LIBS := -lssl -lcrypto
$(BUILD)/bench/gnutls: $(call bench_objects,gnutls)
$(BUILD)/bench/gnutls: BENCH_LIBS := -lgnutls
$(BUILD)/bench/libtls: $(call bench_objects,libtls)
$(BUILD)/bench/libtls: BENCH_LIBS := -ltls
$(BUILD)/bench/shim: $(call bench_objects,shim) $(BUILD)/libtlsshim.so.1 $(BUILD)/libtlsshim.so
$(BUILD)/bench/shim: BENCH_LIBS := -L$(BUILD) -Wl,-rpath,$(abspath $(BUILD)) -ltlsshim
$(BENCH_PROGRAMS):
	@mkdir -p $(@D)
	$(call say,ld,$@)$(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(BENCH_LIBS) -lpthread

-include $(sort $(BENCH_OBJECTS:.o=.d))

.PHONY: bench-programs
bench-programs: $(BENCH_PROGRAMS) $(BENCH_INSIDE) modules
