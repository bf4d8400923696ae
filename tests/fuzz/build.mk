# Fuzz targets: tests/fuzz/NAME_target.c each, see fuzz.h. `make check` replays the seeds with any compiler, in the
# ordinary build; `make fuzz` builds all with clang's libFuzzer and sanitizers in build/fuzz and runs each target for
# FUZZ_SECONDS, FUZZ_JOBS at a time. FUZZ_TARGETS="session pkcs12" chooses.

FUZZ_SECONDS ?= 600
FUZZ_JOBS ?= 2
FUZZ_TARGETS ?= $(patsubst tests/fuzz/%_target.c,%,$(sort $(wildcard tests/fuzz/*_target.c)))

FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/*.c))
FUZZ_OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(FUZZ_SOURCES))
FUZZ_COMMON := $(patsubst %,$(BUILD)/obj/tests/fuzz/%.o,$(filter-out %_target replay,$(patsubst tests/fuzz/%.c,%,$(FUZZ_SOURCES))))
FUZZ_REPLAYS := $(patsubst tests/fuzz/%_target.c,$(BUILD)/tests/fuzz/replay_%,$(sort $(wildcard tests/fuzz/*_target.c)))
FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/fuzz_%)

$(FUZZ_OBJECTS): $(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc,$<)$(CC) $(TEST_CC_FLAGS) -MMD -MP -c -o $@ $<

-include $(FUZZ_OBJECTS:.o=.d)

FUZZ_LINK = $(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS)

$(FUZZ_REPLAYS): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/obj/tests/fuzz/%_target.o $(BUILD)/obj/tests/fuzz/replay.o \
  $(FUZZ_COMMON) $(SUPPORT_OBJECTS) $(INTERNAL)
	@mkdir -p $(@D)
	$(call say,ld,$@)$(FUZZ_LINK)
TEST_NEEDS += $(FUZZ_REPLAYS)

$(FUZZ_PROGRAMS): $(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/%_target.o $(FUZZ_COMMON) $(SUPPORT_OBJECTS) \
  $(INTERNAL)
	@mkdir -p $(@D)
	$(call say,ld,$@)$(FUZZ_LINK) -fsanitize=fuzzer

.PHONY: fuzz fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)
fuzz:
	@scripts/need build check fuzz
	@$(MAKE) $(PARALLEL) --no-print-directory fuzz-programs BUILD=build/fuzz CC=clang SANITIZE=address,undefined \
	  CFLAGS='-O1 -g -fsanitize=fuzzer-no-link'
	@BUILD=$(TOP)/build/fuzz TOP=$(TOP) FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_JOBS=$(FUZZ_JOBS) tests/fuzz/run $(FUZZ_TARGETS)
