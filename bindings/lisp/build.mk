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
