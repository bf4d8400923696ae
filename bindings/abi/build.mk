# The header as data: abi.json and everything that is made from it.

GEN := $(BUILD)/gen
ABI_SOURCES := $(sort $(wildcard bindings/abi/*.py))
ABI_STAMP := $(BUILD)/abi.stamp
GENERATED += $(ABI_STAMP)

# One run makes all the files; each is rewritten only if it changes.
$(ABI_STAMP): $(HEADERS) $(ABI_SOURCES)
	@mkdir -p $(@D)
	$(call say,abi,$(BUILD)/abi.json)$(PYTHON) bindings/abi/generate.py --include include --out $(BUILD)
	@touch $@
