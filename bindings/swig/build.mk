# The compiled raw modules of Lua 5.4 and Python.

LUA_INCLUDE ?= $(firstword $(wildcard /usr/include/lua5.4 /usr/local/include/lua5.4))
PYTHON_INCLUDE ?= $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')

SWIG_SOURCES := $(wildcard bindings/swig/*.i)
# SWIG writes code of its own into these files: it is compiled without this project's warnings.
MODULE_CC = $(CC) -std=gnu11 $(CFLAGS) -Wall -Iinclude -I$(GEN)/swig -fPIC -fvisibility=hidden -shared
MODULE_LIBS = -L$(BUILD) -ltlsshim -Wl,-rpath,'$$ORIGIN'

ifneq ($(wildcard $(LUA_INCLUDE)/lua.h),)
MODULES += $(BUILD)/lua/tlsshim/swig.so
endif
ifneq ($(wildcard $(PYTHON_INCLUDE)/Python.h),)
MODULES += $(BUILD)/python/tlsshim/_swig.so
endif

$(GEN)/swig/lua.c: $(SWIG_SOURCES) $(GEN)/swig/calls.i $(GEN)/swig/abi.h
	$(call say,swig,$@)swig -lua -Ibindings/swig -I$(GEN)/swig -o $@ bindings/swig/tlsshim.i

$(GEN)/swig/python.c: $(SWIG_SOURCES) bindings/swig/fastcall.py $(GEN)/swig/calls.i $(GEN)/swig/abi.h
	$(call say,swig,$@)swig -python -Ibindings/swig -I$(GEN)/swig -outdir $(@D) -o $@ bindings/swig/tlsshim.i && \
	  $(PYTHON) bindings/swig/fastcall.py $@

$(BUILD)/lua/tlsshim/swig.so: $(GEN)/swig/lua.c $(BUILD)/flags | $(LINK) $(BUILD)/lua/tlsshim/$(SONAME)
	$(call say,so,$@)$(MODULE_CC) -I$(LUA_INCLUDE) -o $@ $< $(MODULE_LIBS)

$(BUILD)/python/tlsshim/_swig.so: $(GEN)/swig/python.c $(BUILD)/flags | $(LINK) $(BUILD)/python/tlsshim/$(SONAME)
	$(call say,so,$@)$(MODULE_CC) -I$(PYTHON_INCLUDE) -o $@ $< $(MODULE_LIBS)
