# tlsshim: one Makefile, no configure step. `make help` lists the targets.
#
# Sources are found by wildcard: shim/*/*.c is the library, tools/*.c the command, tests/*/*_test.c and
# tests/*/*_test.{py,sh,lua} the tests, tests/*/*_host.c programs that script tests start. A room that needs rules of
# its own keeps them in bindings/<room>/build.mk or tests/<dir>/build.mk, which are included below; they add to
#   GENERATED  files that `all` makes from the headers
#   MODULES    language modules: part of `all` where their tools are installed, demanded by demo and check
#   TEST_NEEDS what tests want built beside the library, the command, modules and the test programs

BACKEND ?= shared
SANITIZE ?=
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
DESTDIR ?=
CFLAGS ?= -O2 -g
LDFLAGS ?=

ifeq ($(SANITIZE),)
  ifeq ($(BACKEND),static)
    BUILD ?= build/static
  endif
else ifeq ($(SANITIZE),thread)
  BUILD ?= build/tsan
else
  BUILD ?= build/asan
endif
BUILD ?= build

TOP := $(CURDIR)
VERSION := 0.1.0
SO := libtlsshim.so
SONAME := $(SO).1
PYTHON := /usr/bin/python3

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all

# --- flags -----------------------------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Werror
CPP := -D_GNU_SOURCE -DTLSSHIM_VERSION_TEXT='"$(VERSION)"' -Iinclude -Ishim -I$(BUILD)/gen
CC_FLAGS = -std=c11 $(CPP) $(CFLAGS) -fPIC -fvisibility=hidden -fstack-protector-strong $(WARNINGS) \
  -ffile-prefix-map=$(TOP)=. $(SANITIZE_FLAGS)
TEST_CC_FLAGS = $(CC_FLAGS) -Itests $(shell pkg-config --cflags check 2>/dev/null)

BACKEND_LIBS := -lssl -lcrypto
SO_FLAGS := -Wl,-soname,$(SONAME) -Wl,--version-script=shim/exports.map -Wl,-Bsymbolic -Wl,-z,nodelete \
  -Wl,-z,relro,-z,now -Wl,--as-needed

ifeq ($(BACKEND),static)
  CPP += -DTLSSHIM_BACKEND_STATIC
  BACKEND_LIBS := -l:libssl.a -l:libcrypto.a
  SO_FLAGS += -Wl,--exclude-libs,ALL
else ifneq ($(BACKEND),shared)
  $(error BACKEND is shared or static, not "$(BACKEND)")
endif

ifneq ($(SANITIZE),)
  SANITIZE_FLAGS := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
else
  SO_FLAGS += -Wl,--no-undefined
endif
SYSTEM_LIBS := -lidn2 -lpthread -ldl
# tests/support may say that the backend is not understood.
TEST_LIBS = -Wl,--wrap=sealer_understands_backend $(shell pkg-config --libs check 2>/dev/null) -Wl,--as-needed -lffi \
  $(BACKEND_LIBS) $(SYSTEM_LIBS)

# --- what there is ---------------------------------------------------------------------------------------------------

SHIM_SOURCES := $(sort $(wildcard shim/*/*.c))
TOOL_SOURCES := $(sort $(wildcard tools/*.c))
SUPPORT_SOURCES := $(sort $(wildcard tests/support/*.c))
TEST_SOURCES := $(sort $(wildcard tests/*/*_test.c))
HOST_SOURCES := $(sort $(wildcard tests/*/*_host.c))
HEADERS := include/tlsshim.h $(sort $(wildcard include/tlsshim/*.h))

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
programs = $(patsubst %.c,$(BUILD)/%,$(1))
SHIM_OBJECTS := $(call objects,$(SHIM_SOURCES))
TOOL_OBJECTS := $(call objects,$(TOOL_SOURCES))
SUPPORT_OBJECTS := $(call objects,$(SUPPORT_SOURCES))
TEST_OBJECTS := $(call objects,$(TEST_SOURCES) $(HOST_SOURCES))
TEST_PROGRAMS := $(call programs,$(TEST_SOURCES))
HOST_PROGRAMS := $(call programs,$(HOST_SOURCES))
UNIT_PROGRAMS := $(filter $(BUILD)/tests/unit/%,$(TEST_PROGRAMS))

SHARED := $(BUILD)/$(SONAME)
LINK := $(BUILD)/$(SO)
STATIC := $(BUILD)/libtlsshim.a
INTERNAL := $(BUILD)/libinternal.a
COMMAND := $(if $(TOOL_SOURCES),$(BUILD)/tlsshim)
FLAGS_STAMP := $(BUILD)/flags
GENERATED :=
MODULES :=
TEST_NEEDS :=

.PHONY: all
all: library

-include $(sort $(wildcard bindings/*/build.mk tests/*/build.mk bench/build.mk examples/build.mk))

# Nothing begins before it is known that the tools are there.
$(GENERATED) $(MODULES): | $(FLAGS_STAMP)

.PHONY: library modules
library: $(if $(SHIM_SOURCES),$(SHARED) $(LINK) $(STATIC) $(COMMAND))
modules: $(MODULES)
	@:
all: $(GENERATED) $(if $(shell command -v swig),$(MODULES))

# --- objects ---------------------------------------------------------------------------------------------------------

# Rewritten only when it changes, so that other flags, another compiler or another OpenSSL rebuild everything.
$(FLAGS_STAMP): FORCE
	@scripts/need --check build
	@mkdir -p $(@D)
	@{ $(CC) --version | head -n 1; echo '$(subst ','\'',$(CC) $(CC_FLAGS) $(LDFLAGS) $(SO_FLAGS) $(BACKEND_LIBS))'; \
	  echo '#include <openssl/opensslv.h>' | $(CC) -E -dM - | grep OPENSSL_FULL_VERSION_STR; } >$@.new; \
	  if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
.PHONY: FORCE
FORCE:

# A source that went away leaves the lists different, which no file's time shows.
SOURCES_STAMP := $(BUILD)/sources
$(SOURCES_STAMP): FORCE
	@mkdir -p $(@D)
	@echo '$(SHIM_SOURCES) $(TOOL_SOURCES) $(HEADERS)' >$@.new; if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# Every constant of the public headers by name, for tlsshim_constant.
$(BUILD)/gen/constants.inc: $(HEADERS) $(SOURCES_STAMP) Makefile
	@mkdir -p $(@D)
	@grep -oh 'TLSSHIM_[A-Z0-9_]* = -\{0,1\}[0-9]' $(HEADERS) | sed 's/ .*//; s/.*/{"&", &},/' >$@
$(BUILD)/obj/shim/base/library.o: $(BUILD)/gen/constants.inc

$(SHIM_OBJECTS) $(TOOL_OBJECTS): $(BUILD)/obj/%.o: %.c $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(call say,cc,$<)$(CC) $(CC_FLAGS) -MMD -MP -c -o $@ $<

$(TEST_OBJECTS) $(SUPPORT_OBJECTS): $(BUILD)/obj/%.o: %.c $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(call say,cc,$<)$(CC) $(TEST_CC_FLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(SHIM_OBJECTS) $(TOOL_OBJECTS) $(TEST_OBJECTS) $(SUPPORT_OBJECTS))

# A line an object; V=1 shows the commands.
V ?= 0
say = $(if $(filter 0,$(V)),@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,printf '  %-4s %s\n' $(1) $(2);) )

# --- library and command ---------------------------------------------------------------------------------------------

# Moved into place whole: who has it loaded, or loads it meanwhile, is not disturbed.
$(SHARED): $(SHIM_OBJECTS) shim/exports.map $(FLAGS_STAMP) $(SOURCES_STAMP)
	$(call say,so,$@)$(CC) -shared $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) $(SO_FLAGS) -o $@.new $(SHIM_OBJECTS) $(BACKEND_LIBS) $(SYSTEM_LIBS) && \
	  mv $@.new $@

$(LINK): $(SHARED)
	@ln -sf $(SONAME) $@

# Everything by its inside name, for the tests.
$(INTERNAL): $(SHIM_OBJECTS) $(SOURCES_STAMP)
	$(call say,ar,$@)rm -f $@ && $(AR) rcs $@ $(SHIM_OBJECTS)

# For hosts: one object in which only tlsshim_* is left as a name, so that nothing of a host's can collide.
# (Sanitizers keep tables under hidden names, so theirs stays as it is.)
ifeq ($(SANITIZE),)
$(STATIC): $(SHIM_OBJECTS) $(SOURCES_STAMP)
	$(call say,ar,$@)rm -f $@ && $(LD) -r -o $(BUILD)/obj/tlsshim.o $(SHIM_OBJECTS) && \
	  objcopy --wildcard --keep-global-symbol='tlsshim_*' $(BUILD)/obj/tlsshim.o && $(AR) rcs $@ $(BUILD)/obj/tlsshim.o
else
$(STATIC): $(INTERNAL)
	$(call say,ar,$@)cp $< $@
endif

$(BUILD)/tlsshim: $(TOOL_OBJECTS) $(STATIC)
	$(call say,ld,$@)$(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@.new $(TOOL_OBJECTS) $(STATIC) $(BACKEND_LIBS) \
	  $(SYSTEM_LIBS) && mv $@.new $@

# Where nobody said how parallel, the targets for users take the whole machine.
PARALLEL = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

# --- tests -----------------------------------------------------------------------------------------------------------

$(TEST_PROGRAMS): $(BUILD)/%: $(BUILD)/obj/%.o $(SUPPORT_OBJECTS) $(INTERNAL)
	@mkdir -p $(@D)
	$(call say,ld,$@)$(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $< $(SUPPORT_OBJECTS) $(INTERNAL) $(TEST_LIBS)

# Hosts that script tests start use the shared library as a stranger would.
$(HOST_PROGRAMS): $(BUILD)/%: $(BUILD)/obj/%.o $(SHARED) $(LINK)
	@mkdir -p $(@D)
	$(call say,ld,$@)$(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $< -L$(BUILD) -Wl,-rpath,$(abspath $(BUILD)) \
	  -Wl,--as-needed -ltlsshim $(BACKEND_LIBS) $(SYSTEM_LIBS)

.PHONY: tests
tests: all modules $(TEST_PROGRAMS) $(HOST_PROGRAMS) $(TEST_NEEDS)

RUN_TESTS = BUILD=$(abspath $(BUILD)) TOP=$(TOP) SANITIZE=$(SANITIZE) BACKEND=$(BACKEND) tests/run

.PHONY: quick check asan tsan
quick: $(UNIT_PROGRAMS)
	$(if $(UNIT_PROGRAMS),@$(RUN_TESTS) abi/format unit)

check:
	@scripts/need build demo check
	@$(MAKE) $(PARALLEL) --no-print-directory tests
	@$(RUN_TESTS)

asan:
	@$(MAKE) --no-print-directory check BUILD=build/asan SANITIZE=address,undefined CFLAGS='-O1 -g'

tsan:
	@scripts/need build check
	@$(MAKE) $(PARALLEL) --no-print-directory tsan-run BUILD=build/tsan SANITIZE=thread CFLAGS='-O1 -g'
.PHONY: tsan-run
tsan-run: $(filter $(BUILD)/tests/thread/%,$(TEST_PROGRAMS) $(HOST_PROGRAMS)) $(UNIT_PROGRAMS)
	@$(RUN_TESTS) unit thread fork

# --- running it ------------------------------------------------------------------------------------------------------

.PHONY: demo certs bench soak
demo:
	@scripts/need build demo
	@$(MAKE) $(PARALLEL) --no-print-directory all modules examples
	@echo 'making a private authority with server and client certificates ...'
	@$(MAKE) --no-print-directory certs
	@BUILD=$(abspath $(BUILD)) TOP=$(TOP) scripts/demo --certs certs

certs: $(BUILD)/tlsshim
	@BUILD=$(abspath $(BUILD)) TOP=$(TOP) scripts/certs

bench:
	@scripts/need build bench
	@$(MAKE) $(PARALLEL) --no-print-directory all bench-programs
	@BUILD=$(abspath $(BUILD)) TOP=$(TOP) bench/run

# Every test that looks at SOAK, then the stress again with each sanitizer watching.
SOAK_TESTS = $(shell grep -l SOAK tests/*/*_test.* | sed 's|^tests/||; s|_test\.[a-z]*$$||')
STRESS := thread/stress thread/flood
soak:
	@scripts/need build demo check
	@$(MAKE) $(PARALLEL) --no-print-directory tests
	@SOAK=1 $(RUN_TESTS) $(SOAK_TESTS)
	@$(MAKE) $(PARALLEL) --no-print-directory soak-stress BUILD=build/tsan SANITIZE=thread CFLAGS='-O1 -g'
	@$(MAKE) $(PARALLEL) --no-print-directory soak-stress BUILD=build/asan SANITIZE=address,undefined CFLAGS='-O1 -g'
	@$(MAKE) --no-print-directory fuzz

.PHONY: soak-stress
soak-stress: $(STRESS:%=$(BUILD)/tests/%_test)
	@SOAK=1 $(RUN_TESTS) $(STRESS)

# --- source form -----------------------------------------------------------------------------------------------------

.PHONY: format
format:
	@clang-format -i $$(git ls-files '*.c' '*.h')

# --- installing ------------------------------------------------------------------------------------------------------

to = $(DESTDIR)$(1)
DECLARATIONS := $(BUILD)/abi.json $(BUILD)/api.md $(BUILD)/gen/tlsshim.cdef.h

.PHONY: install uninstall clean
install:: library $(GENERATED)
	install -d $(call to,$(LIBDIR)/pkgconfig) $(call to,$(PREFIX)/include/tlsshim) $(call to,$(PREFIX)/share/tlsshim)
	install -m 755 $(SHARED) $(call to,$(LIBDIR)/$(SONAME))
	ln -sf $(SONAME) $(call to,$(LIBDIR)/$(SO))
	install -m 644 $(STATIC) $(call to,$(LIBDIR)/)
	install -m 644 include/tlsshim.h $(call to,$(PREFIX)/include/)
	install -m 644 include/tlsshim/*.h $(call to,$(PREFIX)/include/tlsshim/)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' scripts/tlsshim.pc.in \
	  >$(call to,$(LIBDIR)/pkgconfig/tlsshim.pc)
	install -m 644 $(DECLARATIONS) $(call to,$(PREFIX)/share/tlsshim/)
	$(if $(COMMAND),install -d $(call to,$(PREFIX)/bin) && install -m 755 $(COMMAND) $(call to,$(PREFIX)/bin/tlsshim))
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

uninstall::
	rm -f $(call to,$(LIBDIR)/$(SONAME)) $(call to,$(LIBDIR)/$(SO)) $(call to,$(LIBDIR)/libtlsshim.a) \
	  $(call to,$(LIBDIR)/pkgconfig/tlsshim.pc) $(call to,$(PREFIX)/include/tlsshim.h) $(call to,$(PREFIX)/bin/tlsshim)
	rm -rf $(call to,$(PREFIX)/include/tlsshim) $(call to,$(PREFIX)/share/tlsshim)

clean:
	rm -rf build

.PHONY: help
help:
	@echo 'make            the library (build/libtlsshim.so, .a), the tlsshim command, abi files, language modules'
	@echo 'make demo       installs what is missing, builds, and lets five language hosts do mutual TLS'
	@echo 'make check      installs what is missing, builds, runs all tests, ends with the counts'
	@echo 'make quick      the unit tests and the form of the sources alone, in seconds'
	@echo 'make asan       make check under AddressSanitizer and UndefinedBehaviorSanitizer, in build/asan'
	@echo 'make tsan       unit, thread and fork tests under ThreadSanitizer, in build/tsan'
	@echo 'make soak       the tests that gain by it at full length, the stress under each sanitizer, then make fuzz'
	@echo 'make fuzz       runs every fuzz target for FUZZ_SECONDS (600), FUZZ_JOBS (2) at a time, in build/fuzz'
	@echo 'make certs      fills certs/ with test certificates, made by the tlsshim command'
	@echo 'make bench      measures'
	@echo 'make format     clang-format over all C sources'
	@echo 'make symbols    accepts the present symbols, constants and ABI as the promised ones'
	@echo 'make install    into PREFIX (now $(PREFIX)), below DESTDIR if given'
	@echo 'make uninstall  takes away what install has put there'
	@echo 'make clean      removes build/'
	@echo
	@echo 'BACKEND=static  links OpenSSL in with hidden symbols (build/static), for hosts that export their own'
	@echo 'BUILD=dir CC=cc CFLAGS=... LDFLAGS=... V=1 work as usual'
