# libkube as a library of its own: the shared library, its examples, its installation.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR ?=
INSTALL ?= install
OBJCOPY ?= objcopy

soname := libkube.so.0
shared_library := $B/libkube.so.$(VERSION)
public_headers := $(sort $(wildcard lib/include/kube/*.h))
lib_private := $(filter-out libcjson,$(packages))

# One build of the objects serves both libraries. Only what the public headers declare is visible (kube/decls.h).
$B/obj/lib/%.o: code_model := -fPIC -fvisibility=hidden -fno-semantic-interposition

$(shared_library): $(call objects,$(lib_src))
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) -shared -Wl,-soname,$(soname) $(if $(SANITIZE),,-Wl$(comma)-z$(comma)defs) $(filter-out -pie,$(all_ldflags)) -o $@ $^ $(pkg_libs)

$B/examples/%: $B/obj/lib/examples/%.o $B/libkube.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(all_ldflags) -o $@ $^ $(pkg_libs)

# The installed archive is one object in which everything else is local: no name of ours meets one of the program's.
$B/install/libkube.o: $(call objects,$(lib_src))
	@mkdir -p $(@D)
	$(Q)$(CC) -r -nostdlib $(sanitize) -o $@ $^
	$(Q)$(OBJCOPY) --localize-hidden $@

$B/install/libkube.a: $B/install/libkube.o
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

under_prefix = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))
$B/install/%.pc: lib/%.pc.in FORCE
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(call under_prefix,$(LIBDIR))|; s|@INCLUDEDIR@|$(call under_prefix,$(INCLUDEDIR))|' \
		-e 's|@VERSION@|$(VERSION)|; s|@PRIVATE@|$(lib_private)|' $< > $@

to_libdir := $B/install/libkube.a $(shared_library)
to_pkgconfig := $B/install/libkube.pc $B/install/libkube-static.pc

install: all $(to_libdir) $(to_pkgconfig) ## installs the controller and libkube under PREFIX (/usr/local)
	$(Q)$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/kube
	$(Q)$(INSTALL) -m 755 $B/patchwright-controller $(DESTDIR)$(BINDIR)
	$(Q)$(INSTALL) -m 644 $(public_headers) $(DESTDIR)$(INCLUDEDIR)/kube
	$(Q)$(INSTALL) -m 644 $(to_libdir) $(DESTDIR)$(LIBDIR)
	$(Q)ln -sf $(notdir $(shared_library)) $(DESTDIR)$(LIBDIR)/$(soname)
	$(Q)ln -sf $(soname) $(DESTDIR)$(LIBDIR)/libkube.so
	$(Q)$(INSTALL) -m 644 $(to_pkgconfig) $(DESTDIR)$(LIBDIR)/pkgconfig

uninstall: ## removes what install put there
	$(Q)rm -f $(DESTDIR)$(BINDIR)/patchwright-controller
	$(Q)rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,$(notdir $(to_libdir)) $(soname) libkube.so $(addprefix pkgconfig/,$(notdir $(to_pkgconfig))))
	$(Q)rm -rf $(DESTDIR)$(INCLUDEDIR)/kube

test-install: ## installs into a temporary folder and builds programs against it
	$(Q)test/install/run

FORCE:

.PHONY: install uninstall test-install FORCE
