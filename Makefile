# Patchwright. `make help` lists the targets.
#
# Knobs (make VAR=value):
#   SANITIZE=address,undefined   builds with these sanitizers, into build/<names joined by dashes>
#   CC, CFLAGS, LDFLAGS          as usual; CFLAGS come after our own
#   V=1                          shows the commands
#   B=<folder>                   the build folder (default build)
#   PREFIX, DESTDIR              where `make install` puts things; also BINDIR, LIBDIR, INCLUDEDIR (lib/lib.mk)

CC ?= cc
SANITIZE ?=
comma := ,
B ?= build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))
Q := $(if $(V),,@)
VERSION := 0.1.0

packages := libcurl libcjson openssl libuv yaml-0.1 libmicrohttpd
pkg_cflags := $(shell pkg-config --cflags $(packages) 2>/dev/null | sed 's/-I/-isystem /g')
pkg_libs := $(shell pkg-config --libs $(packages) 2>/dev/null)
check_libs = $(shell pkg-config --libs check 2>/dev/null)

warnings := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wvla -Werror=implicit-function-declaration -Werror=incompatible-pointer-types
hardening := -fstack-protector-strong -fstack-clash-protection $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
sanitize := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
code_model := -fPIE
all_cflags = -std=gnu17 -O2 -g $(warnings) $(code_model) $(hardening) $(sanitize) -D_GNU_SOURCE -DKUBE_SHORT_NAMES -DPATCHWRIGHT_VERSION='"$(VERSION)"' -Ilib/include -I. $(pkg_cflags) $(CFLAGS)
all_ldflags := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(sanitize) $(LDFLAGS)

example_src := $(sort $(wildcard lib/examples/*.c))
lib_src := $(sort $(filter-out $(example_src),$(wildcard lib/*/*.c)))
controller_src := $(sort $(filter-out controller/cmd/main.c,$(wildcard controller/*/*.c)))
cmd_src := controller/cmd/main.c
agent_src := $(sort $(wildcard test/fleet/*.c))
probe_src := $(sort $(wildcard test/probe/*.c))
player_src := $(sort $(wildcard test/player/*.c))
sim_src := $(sort $(wildcard test/sim/*.c))
oracle_src := $(sort $(wildcard test/oracle/*.c))
bench_src := $(sort $(wildcard test/bench/*.c))
unit_src := $(sort $(wildcard test/unit/*/test_*.c))
objects = $(patsubst %.c,$B/obj/%.o,$(1))
unit_bin := $(patsubst test/unit/%.c,$B/test/%,$(unit_src))
programs := $B/patchwright-controller $B/fleet-agent $B/kube-probe $B/api-player $(patsubst lib/examples/%.c,$B/examples/%,$(example_src))

.DELETE_ON_ERROR:
.SECONDARY:

all: $(programs) ## builds the controller, the examples of libkube, and the programs of the tests (default)

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(filter Makefile %.mk,$(MAKEFILE_LIST)) | expand -t 20
	@sed -n '/^# Knobs/,/^$$/s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

$B/obj/%.o: %.c Makefile lib/lib.mk
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(CC) $(all_cflags) -MMD -MP -c -o $@ $<

$B/libkube.a: $(call objects,$(lib_src))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$B/libcontroller.a: $(call objects,$(controller_src))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$B/patchwright-controller: $(call objects,$(cmd_src)) $B/libcontroller.a $B/libkube.a
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(all_ldflags) -o $@ $^ $(pkg_libs)

$B/fleet-agent: $(call objects,$(agent_src)) $B/libkube.a
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(all_ldflags) -o $@ $^ $(pkg_libs)

$B/kube-probe: $(call objects,$(probe_src)) $B/libkube.a
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(all_ldflags) -o $@ $^ $(pkg_libs)

$B/api-player: $(call objects,$(player_src)) $B/libkube.a
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(all_ldflags) -o $@ $^ $(pkg_libs)

# What the tests of one area share: its .c files that are no programs.
shared_src = $(filter-out $(unit_src),$(wildcard test/unit/$(1)*.c))

.SECONDEXPANSION:
$B/test/%: $B/obj/test/unit/%.o $$(call objects,$$(call shared_src,$$(dir $$*))) $B/libcontroller.a $B/libkube.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(all_ldflags) -o $@ $^ $(check_libs) $(pkg_libs)

$B/sim: $(call objects,$(sim_src)) $B/libcontroller.a $B/libkube.a
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(all_ldflags) -o $@ $^ $(pkg_libs)

$B/answer: $(call objects,$(oracle_src)) $B/libcontroller.a $B/libkube.a
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(all_ldflags) -o $@ $^ $(pkg_libs)

$B/bench-plan: $(call objects,$(bench_src)) $B/libcontroller.a $B/libkube.a
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(all_ldflags) -o $@ $^ $(pkg_libs)

oracle: $B/answer ## asks Python's zoneinfo what windows and cron schedules mean, over 10,000 drawn cases
	$(Q)test/oracle/windows.py $B/answer $(ORACLE_FLAGS)

sim: $B/sim ## plays SEEDS (200) seeds of the whole controller in a simulated cluster, from FIRST (1); SEED=n: one, with its trace
	$(Q)$B/sim $(if $(SEED),--seed $(SEED),--first $(or $(FIRST),1) $(or $(SEEDS),200)) $(SIM_FLAGS)

sim-mutants: $B/sim ## breaks one rule after the other on purpose: the simulation must notice each (1 minute)
	$(Q)test/sim/mutants $B

sim-flags:
	@echo '$(filter-out -DPATCHWRIGHT%,$(all_cflags)) @ $(all_ldflags) $(pkg_libs)'

# The tests do not run bench-plan, but see that it builds.
unit-programs: $(unit_bin) $B/bench-plan

unit: $(unit_bin) ## builds and runs the unit tests of this build folder
	$(Q)test/run-unit $(unit_bin)

valgrind: $(unit_bin) ## runs the unit tests under valgrind: no leak, no invalid access
	$(Q)UNIT_LIGHT=1 CK_FORK=no CK_DEFAULT_TIMEOUT=600 CK_RUN_WITH="valgrind -q --leak-check=full --errors-for-leak-kinds=all --error-exitcode=99 --suppressions=test/valgrind.supp" test/run-unit $(unit_bin)

test: ## installs what is missing, then unit and integration tests: "N passed, N failed" (20 minutes the first time)
	$(Q)hack/setup build test
	$(Q)PATCHWRIGHT_INSTALL_GO=1 hack/cluster build
	$(Q)test/run

demo: ## a real control plane with 30 simulated nodes is patched, then a bad version is stopped (3 minutes once built)
	$(Q)hack/setup build
	$(Q)$(MAKE) --no-print-directory all
	$(Q)hack/demo

bench-rollout: all ## figures of a rollout over NODES (200) simulated nodes with PODS_PER_NODE (5) pods each
	$(Q)test/bench/rollout --nodes $(or $(NODES),200) --pods-per-node $(or $(PODS_PER_NODE),5)

bench-plan: $B/bench-plan ## what one plan of a rollout over NODES (200, 1000 and 5000) nodes costs, without a cluster
	$(Q)$B/bench-plan $(NODES)

bench-client: all ## memory and time of the controller's caches with NODES (5000) nodes and PODS (50000) pods, beside curl
	$(Q)test/bench/client --nodes $(or $(NODES),5000) --pods $(or $(PODS),50000)

lint: ## format, include directions, cppcheck, shellcheck, yamllint
	$(Q)hack/setup lint
	$(Q)hack/lint

tidy: ## formats the sources
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

clean: ## removes the build folder
	rm -rf build

include lib/lib.mk test/fuzz/fuzz.mk test/nomem/nomem.mk

-include $(shell find $B/obj -name '*.d' 2>/dev/null)

.PHONY: all help oracle sim sim-mutants sim-flags unit unit-programs valgrind test demo bench-rollout bench-plan bench-client lint tidy clean
