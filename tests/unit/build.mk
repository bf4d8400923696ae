# The test of codes and names goes through the same table that the library is built with.
$(BUILD)/obj/tests/unit/error_test.o: $(BUILD)/gen/constants.inc
