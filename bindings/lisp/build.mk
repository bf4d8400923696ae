# Installing the Lisp system, where ASDF looks by itself below /usr and /usr/local.

LISP_DIR ?= $(PREFIX)/share/common-lisp/source/tlsshim

.PHONY: install-lisp
install:: install-lisp
install-lisp: $(LISP_COPIES)
	install -d $(call to,$(LISP_DIR))
	install -m 644 $(BUILD)/lisp/*.lisp $(BUILD)/lisp/*.asd $(call to,$(LISP_DIR))/
	ln -sf $(LIBDIR)/$(SONAME) $(call to,$(LISP_DIR))/$(SONAME)

uninstall::
	rm -rf $(call to,$(LISP_DIR))

# Each implementation compiles the system and what it stands on once, before tests and the demo load it side by side.
LISP_CACHE = (:output-translations (t ("$(abspath $(BUILD))/lisp-cache" :implementation)) :ignore-inherited-configuration)
LISP_LOAD = (progn (require :asdf) (funcall (intern "LOAD-SYSTEM" :asdf) "tlsshim"))
LISP_COMPILED := $(if $(SANITIZE),,$(BUILD)/lisp-cache/sbcl.stamp $(BUILD)/lisp-cache/ecl.stamp)
sbcl_load = sbcl --noinform --no-userinit --no-sysinit --disable-debugger --eval '$(LISP_LOAD)' --quit
ecl_load = ecl --norc --eval '$(LISP_LOAD)' --eval '(ext:quit 0)'

$(LISP_COMPILED): $(BUILD)/lisp-cache/%.stamp: $(LISP_COPIES) $(BUILD)/lisp/$(SONAME) $(SHARED)
	@mkdir -p $(@D)
	@echo '  $*   the Lisp system'
	@CL_SOURCE_REGISTRY='$(abspath $(BUILD))/lisp:' ASDF_OUTPUT_TRANSLATIONS='$(LISP_CACHE)' $($*_load) >$(@D)/$*.log 2>&1 \
	  || { tail -n 30 $(@D)/$*.log; exit 1; }
	@touch $@
TEST_NEEDS += $(LISP_COMPILED)
