# Fuzz targets: test/fuzz/fuzz_<name>.c, each with a corpus in test/fuzz/corpus/<name>.

fuzz_src := $(sort $(wildcard test/fuzz/fuzz_*.c))
fuzz_sanitizers := fuzzer-no-link,address,undefined
fuzz_make = $(MAKE) --no-print-directory B=build/fuzz CC="$(or $(FUZZ_CC),clang)" SANITIZE=$(fuzz_sanitizers) CFLAGS=-Wno-sign-conversion

# With libFuzzer's main(), or with that of replay.c.
fuzz_main = $(if $(findstring fuzzer,$(SANITIZE)),-fsanitize=fuzzer,$B/obj/test/fuzz/replay.o)
$B/test/fuzz/%: $B/obj/test/fuzz/%.o $B/obj/test/fuzz/replay.o $B/libcontroller.a $B/libkube.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(all_ldflags) -o $@ $< $(fuzz_main) $B/libcontroller.a $B/libkube.a $(pkg_libs)

fuzz-programs: $(patsubst test/fuzz/%.c,$B/test/fuzz/%,$(fuzz_src))

fuzz: ## FUZZ_SECONDS (60) of libFuzzer, shared by the targets (FUZZ="json split": these); what breaks one is kept in build/fuzz
	$(Q)$(fuzz_make) fuzz-programs
	$(Q)test/fuzz/run build/fuzz/test/fuzz $(or $(FUZZ_SECONDS),60) $(FUZZ)

fuzz-replay: fuzz-programs ## runs the fuzz targets on their corpora
	$(Q)test/fuzz/replay $B/test/fuzz

.PHONY: fuzz fuzz-programs fuzz-replay
