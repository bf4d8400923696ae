# The header as data: abi.json and everything that is made from it; and the bindings, assembled in build/lua,
# build/python and build/lisp as they would be installed.

GEN := $(BUILD)/gen
ABI_SOURCES := $(sort $(wildcard bindings/abi/*.py))
ABI_STAMP := $(BUILD)/abi.stamp
GENERATED += $(ABI_STAMP)

# One run makes all the files; each is rewritten only if it changes.
$(ABI_STAMP): $(HEADERS) $(ABI_SOURCES)
	@mkdir -p $(@D)
	$(call say,abi,$(BUILD)/abi.json)$(PYTHON) bindings/abi/generate.py --include include --out $(BUILD)
	@touch $@

MADE_LUA := $(BUILD)/gen/lua/tlsshim/ffi_calls.lua
MADE_PYTHON := $(BUILD)/gen/python/tlsshim/ctypes.py
MADE_LISP := $(BUILD)/gen/lisp/raw.lisp
$(MADE_LUA) $(MADE_PYTHON) $(MADE_LISP) $(GEN)/swig/calls.i $(GEN)/swig/abi.h: $(ABI_STAMP) ;

# --- what needs no tool: copies --------------------------------------------------------------------------------------

LUA_FILES := $(patsubst bindings/lua/%,%,$(wildcard bindings/lua/*.lua bindings/lua/*/*.lua))
PYTHON_FILES := $(patsubst bindings/python/%,%,$(wildcard bindings/python/tlsshim/*.py bindings/python/tlsshim/*.pyi \
  bindings/python/tlsshim/py.typed))
LISP_FILES := $(patsubst bindings/lisp/%,%,$(wildcard bindings/lisp/*.lisp bindings/lisp/*.asd))

LUA_COPIES := $(addprefix $(BUILD)/lua/,$(LUA_FILES)) $(BUILD)/lua/tlsshim/ffi_calls.lua
PYTHON_COPIES := $(addprefix $(BUILD)/python/,$(PYTHON_FILES)) $(BUILD)/python/tlsshim/ctypes.py
LISP_COPIES := $(addprefix $(BUILD)/lisp/,$(LISP_FILES)) $(BUILD)/lisp/raw.lisp

copy = @mkdir -p $(@D) && cp $< $@
$(addprefix $(BUILD)/lua/,$(LUA_FILES)): $(BUILD)/lua/%: bindings/lua/%
	$(copy)
$(addprefix $(BUILD)/python/,$(PYTHON_FILES)): $(BUILD)/python/%: bindings/python/%
	$(copy)
$(addprefix $(BUILD)/lisp/,$(LISP_FILES)): $(BUILD)/lisp/%: bindings/lisp/%
	$(copy)
$(BUILD)/lua/tlsshim/ffi_calls.lua: $(MADE_LUA)
	$(copy)
$(BUILD)/python/tlsshim/ctypes.py: $(MADE_PYTHON)
	$(copy)
$(BUILD)/lisp/raw.lisp: $(MADE_LISP)
	$(copy)

# Each binding finds the library beside itself.
LIBRARY_LINKS := $(addsuffix /$(SONAME),$(BUILD)/lua/tlsshim $(BUILD)/python/tlsshim)
$(LIBRARY_LINKS): | $(SHARED)
	@mkdir -p $(@D) && ln -sf ../../$(SONAME) $@
$(BUILD)/lisp/$(SONAME): | $(SHARED)
	@mkdir -p $(@D) && ln -sf ../$(SONAME) $@

GENERATED += $(LUA_COPIES) $(PYTHON_COPIES) $(LISP_COPIES) $(if $(SHIM_SOURCES),$(LIBRARY_LINKS) $(BUILD)/lisp/$(SONAME))
