# The misuse tests call every function by the table that is made from the headers.

MISUSE_PARTS := $(addprefix $(BUILD)/obj/tests/misuse/,call.o stage.o samples.o table.o)
MISUSE_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/misuse/*_test.c))

$(filter-out %/table.o,$(MISUSE_PARTS)): $(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc,$<)$(CC) $(TEST_CC_FLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/tests/misuse/table.o: $(BUILD)/gen/misuse/table.c tests/misuse/table.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc,$<)$(CC) $(TEST_CC_FLAGS) -Itests/misuse -c -o $@ $<

$(BUILD)/gen/misuse/table.c: $(BUILD)/abi.stamp ;

-include $(MISUSE_PARTS:.o=.d)

$(MISUSE_TESTS): $(MISUSE_PARTS)
$(MISUSE_TESTS): SUPPORT_OBJECTS += $(MISUSE_PARTS)
