# Allocation failures: test/nomem/test_*.c, one Check program each.

nomem_src := $(sort $(wildcard test/nomem/test_*.c))
nomem_shared := $(filter-out $(nomem_src),$(wildcard test/nomem/*.c))
nomem_bin := $(patsubst test/nomem/%.c,$B/test/nomem/%,$(nomem_src))

# The allocator runs before and beneath a sanitizer's runtime.
$B/obj/test/nomem/alloc.o: sanitize := $(if $(findstring address,$(SANITIZE)),-DALLOC_UNDER_ASAN)

$B/test/nomem/%: $B/obj/test/nomem/%.o $(call objects,$(nomem_shared)) $(call objects,$(wildcard test/unit/plan/world*.c)) $B/libcontroller.a $B/libkube.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(all_ldflags) -rdynamic -o $@ $^ $(check_libs) $(pkg_libs)

nomem-programs: $(nomem_bin)

nomem: $(nomem_bin) ## lets each allocation of each operation fail in turn; best with SANITIZE=address,undefined
	$(Q)test/run-unit $(nomem_bin)

.PHONY: nomem nomem-programs
