# The lists of tests/abi are rewritten on purpose only.
.PHONY: symbols
symbols: library
	@BUILD=$(abspath $(BUILD)) TOP=$(TOP) tests/abi/symbols_test.py --rewrite
