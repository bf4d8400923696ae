# The test of wrong peers has its table, their chains and their talk in a folder of its own.

WRONG_PARTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/flow/wrong/*.c))

$(WRONG_PARTS): $(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc,$<)$(CC) $(TEST_CC_FLAGS) -MMD -MP -c -o $@ $<

-include $(WRONG_PARTS:.o=.d)

$(BUILD)/tests/flow/wrong_peer_test: $(WRONG_PARTS)
$(BUILD)/tests/flow/wrong_peer_test: SUPPORT_OBJECTS += $(WRONG_PARTS)
