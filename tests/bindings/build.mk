# Lisp is compiled once, before hosts that run at the same time would all do it.
ifeq ($(SANITIZE),)
LISP_READY := $(BUILD)/lisp-cache/ready
TEST_NEEDS += $(LISP_READY)

$(LISP_READY): scripts/lisp-cache $(LISP_COPIES) $(BUILD)/lisp/$(SONAME)
	@mkdir -p $(@D)
	$(call say,lisp,$(@D))BUILD=$(abspath $(BUILD)) scripts/lisp-cache
	@touch $@
endif
