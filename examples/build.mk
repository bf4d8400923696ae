# The example in C, built as a stranger would: header, shared library, nothing else.

EXAMPLES := $(addprefix $(BUILD)/,$(basename $(wildcard examples/*.c)))

$(EXAMPLES): $(BUILD)/%: %.c $(HEADERS) $(FLAGS_STAMP) | $(SHARED) $(LINK)
	@mkdir -p $(@D)
	$(call say,ld,$@)$(CC) -std=c11 -Iinclude $(CFLAGS) $(WARNINGS) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $< \
	  -L$(BUILD) -ltlsshim -Wl,-rpath,'$$ORIGIN/..'

.PHONY: examples
examples: $(EXAMPLES)
	@:
TEST_NEEDS += $(EXAMPLES)
