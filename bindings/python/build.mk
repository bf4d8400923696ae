# Installing the Python package, where Debian's python3 looks for packages below PREFIX.

PYTHON_DIR ?= $(PREFIX)/lib/python3$(if $(filter /usr,$(PREFIX)),,.$(PYTHON_MINOR))/dist-packages
PYTHON_MINOR = $(shell $(PYTHON) -c 'import sys; print(sys.version_info.minor)')

.PHONY: install-python
install:: install-python
install-python: $(PYTHON_COPIES)
	install -d $(call to,$(PYTHON_DIR))/tlsshim
	install -m 644 $(wildcard $(addprefix $(BUILD)/python/tlsshim/,*.py *.pyi py.typed)) $(call to,$(PYTHON_DIR))/tlsshim/
	if [ -f $(BUILD)/python/tlsshim/_swig.so ]; then \
	  install -m 755 $(BUILD)/python/tlsshim/_swig.so $(call to,$(PYTHON_DIR))/tlsshim/; \
	fi
	ln -sf $(LIBDIR)/$(SONAME) $(call to,$(PYTHON_DIR))/tlsshim/$(SONAME)

uninstall::
	rm -rf $(call to,$(PYTHON_DIR))/tlsshim
