# The lists of tests/abi are rewritten on purpose only.
.PHONY: symbols
symbols: library
	@BUILD=$(abspath $(BUILD)) TOP=$(TOP) tests/abi/symbols_test.py --rewrite

# A host with an OpenSSL of its own, and the flavour of the library that can live in it. Not under sanitizers: two
# copies of one run-time library are their business, not ours.
ifeq ($(SANITIZE)$(filter static,$(BACKEND)),)
OWN_OPENSSL := $(BUILD)/tests/abi/own_openssl
TEST_NEEDS += $(OWN_OPENSSL) static-flavour

$(OWN_OPENSSL): tests/abi/own_openssl.c $(HEADERS) $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(call say,ld,$@)$(CC) $(CC_FLAGS) -rdynamic -o $@ $< -Wl,--whole-archive -l:libssl.a -l:libcrypto.a \
	  -Wl,--no-whole-archive -ldl -lpthread

.PHONY: static-flavour
static-flavour:
	@$(MAKE) --no-print-directory BACKEND=static BUILD=$(BUILD)/static library
endif
