# Tributary. `make` builds build/tributary; `make run` and `make test` need nothing but a Debian 12 machine.
#
#   make help lists the targets; V=1 shows the commands.

BUILD   ?= build
# One name for one folder, however it is given: dependency files hold it.
override BUILD := $(patsubst $(CURDIR)/%,%,$(BUILD))
PREFIX  ?= /usr/local
UNITDIR ?= $(PREFIX)/lib/systemd/system
# make's own defaults for these are cc, g++ and ar, which ?= would leave.
ifeq ($(origin CC),default)
CC      := gcc
endif
JOBS    ?= $(shell nproc)
OPTIMIZE ?= -O2 -g
PYTHON  ?= /usr/bin/python3

PACKAGES := libcurl libpq libpcre2-8 yaml-0.1 libmicrohttpd jansson icu-uc icu-i18n libidn2 sqlite3 \
            openssl libsodium libsystemd libxxhash
ifneq ($(shell command -v pkg-config),)
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
endif
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wformat=2 -Wvla \
           -Wno-unknown-warning-option -Wno-format-truncation
CWARN   := $(WARN) -Wstrict-prototypes -Wmissing-prototypes
HARDEN  ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
# Warnings are errors with the compilers of Debian 12, whose warnings we know; with others they are only shown.
WERROR  ?= $(if $(filter 12 14.0.6,$(shell $(CC) -dumpversion 2>/dev/null)),-Werror)
SANITIZE ?=
COMMON  := -D_GNU_SOURCE -I. -I$(BUILD)/gen $(PKG_CFLAGS) -pthread $(OPTIMIZE) $(HARDEN) $(SANITIZE) -MMD -MP
CFLAGS  := -std=c11 $(CWARN) $(WERROR) $(COMMON)
CXXFLAGS := -std=c++17 $(WARN) $(WERROR) $(COMMON)
LDFLAGS := -pthread -pie -Wl,-z,relro,-z,now $(SANITIZE)
LDLIBS  := $(PKG_LIBS) -lphonenumber -lstdc++ -lm

Q   := $(if $(V),,@)
SAY := @$(if $(V)$(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),:,printf '  %-5s %s\n')

BASE_SRC       := $(wildcard daemon/base/*.c)
RULES_SRC      := $(wildcard rules/*.c) $(wildcard rules/*.cc)
CONNECTORS_SRC := $(wildcard connectors/*.c)
DAEMON_SRC     := $(wildcard daemon/config/*.c daemon/accept/*.c daemon/resolve/*.c daemon/store/*.c \
                  daemon/events/*.c daemon/http/*.c daemon/console/*.c daemon/cli/*.c \
                  daemon/engine/*.c)
SQL_FILES      := $(sort $(wildcard sql/queries/*.sql sql/spool/*.sql)) $(sort $(wildcard sql/migrations/*.sql))
ASSET_FILES    := $(sort $(wildcard rules/packs/*.yaml rules/models/*.yaml rules/tables/* connectors/presets/*.yaml \
                  daemon/console/pages/* daemon/config/samples/*))
GENERATED      := $(BUILD)/gen/sql_text.c $(BUILD)/gen/assets.c

object  = $(patsubst %,$(BUILD)/obj/%.o,$(basename $(1)))
LIBS    := $(BUILD)/libdaemon.a $(BUILD)/libconnectors.a $(BUILD)/librules.a $(BUILD)/libbase.a
LINK_LIBS = -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS)

UNIT_SRC   := $(wildcard tests/unit/test_*.c)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SRC))

.PHONY: all help lib unit clean install uninstall deps run test test-all unit-build sanitize-build threads-build \
        fuzz-build fuzz-targets format threads lint bench fuzz e2e sanitize fault docs
.DELETE_ON_ERROR:
all: $(BUILD)/tributary

define HELP
make              build/tributary
make run          installs what is missing, builds, runs the sample in the foreground (Ctrl-C ends it)
make test         the same set-up, then every test
make install      program, systemd unit, manual page and a first configuration; PREFIX=/usr/local DESTDIR=
make uninstall    takes those away again; configuration and data stay
make deps         only the packages
make unit e2e fault lint sanitize threads    one kind of test; fuzz FUZZ_SECONDS=60
make bench bench-accuracy bench-latency    what is measured
make docs         after an option, a message or a golden view has changed
make format       clang-format decides
make clean        takes build/ away
endef
export HELP
help:
	@printf '%s\n' "$$HELP"

lib: $(LIBS)

-include tools/*.mk

$(BUILD)/tributary: $(BUILD)/obj/daemon/main.o $(LIBS)
	$(SAY) link $@
	$(Q)$(CXX) $(LDFLAGS) -o $@ $< $(LINK_LIBS)

# Other flags make other objects, and a source that is gone leaves its library: both are remembered in files.
remember = $(shell mkdir -p $(BUILD) && { echo '$(subst ','"'"',$(2))' | cmp -s - $(BUILD)/$(1) || \
             echo '$(subst ','"'"',$(2))' >$(BUILD)/$(1); })
FLAGS_FILE := $(BUILD)/flags
$(call remember,flags,$(CC) $(CFLAGS) $(CXX) $(CXXFLAGS) $(LDFLAGS))
$(call remember,sources,$(BASE_SRC) $(RULES_SRC) $(CONNECTORS_SRC) $(DAEMON_SRC))

$(BUILD)/libbase.a: $(call object,$(BASE_SRC)) $(BUILD)/obj/gen/assets.o
$(BUILD)/librules.a: $(call object,$(RULES_SRC)) $(RULES_GENERATED_OBJ)
$(BUILD)/libconnectors.a: $(call object,$(CONNECTORS_SRC))
$(BUILD)/libdaemon.a: $(call object,$(DAEMON_SRC)) $(BUILD)/obj/gen/sql_text.o
$(BUILD)/lib%.a: $(BUILD)/sources
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/tools/embed: tools/embed.c
	@mkdir -p $(@D)
	$(Q)$(CC) -O1 -Wall -o $@ $<
$(BUILD)/gen/sql_text.c: $(BUILD)/tools/embed $(SQL_FILES)
	@mkdir -p $(@D)
	$(Q)$< sql $(@D) $(SQL_FILES)
$(BUILD)/gen/sql_queries.h: $(BUILD)/gen/sql_text.c
$(BUILD)/gen/assets.c: $(BUILD)/tools/embed $(ASSET_FILES)
	@mkdir -p $(@D)
	$(Q)$< assets $(@D) $(ASSET_FILES)

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(SAY) cc $<
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<
$(BUILD)/obj/%.o: %.c $(FLAGS_FILE) | $(BUILD)/gen/sql_text.c
	@mkdir -p $(@D)
	$(SAY) cc $<
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<
$(BUILD)/obj/%.o: %.cc $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(SAY) c++ $<
	$(Q)$(CXX) $(CXXFLAGS) -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(LIBS)
	@mkdir -p $(@D)
	$(SAY) test $@
	$(Q)$(CC) $(CFLAGS) -o $@ $< $(LDFLAGS) $(LINK_LIBS) -lcmocka -lexpat
$(BUILD)/fuzz/%: tests/fuzz/%.c $(LIBS)
	@mkdir -p $(@D)
	$(SAY) fuzz $@
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $< $(LDFLAGS) $(LINK_LIBS)

FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
unit-build: $(UNIT_TESTS) $(patsubst tests/unit/drive_%.c,$(BUILD)/tests/drive_%,$(wildcard tests/unit/drive_*.c))
fuzz-targets: $(FUZZ_TARGETS)

# Builds in folders of their own. build/sanitize is clang with ASan and UBSan and serves the unit tests and the
# fuzzers; build/threads is clang with TSan.
CLANG := CC=clang-14 CXX=clang++-14 OPTIMIZE='-O1 -g -fno-omit-frame-pointer' HARDEN=-fPIE
ASAN  := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize=vptr -fno-sanitize-recover=undefined
sanitize-build:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize $(CLANG) SANITIZE='$(ASAN)' unit-build fuzz-targets
threads-build:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/threads $(CLANG) SANITIZE=-fsanitize=thread unit-build
fuzz-build:
	$(Q)$(MAKE) --no-print-directory $(CLANG) SANITIZE='$(ASAN)' fuzz-targets

# make fuzz FUZZ_SECONDS=3600: every fuzzer that long
FUZZ_SECONDS ?= 60
fuzz:
	@packaging/deps.sh test
	@$(PYTHON) tests/run_all.py --build $(BUILD) --only fuzz --fuzz-seconds $(FUZZ_SECONDS)

sanitize threads lint:
	@$(PYTHON) tests/run_all.py --build $(BUILD) --only $@

e2e fault: all
	@$(PYTHON) tests/run_all.py --build $(BUILD) --only $@

unit: $(UNIT_TESTS)
	@tests/unit/with_postgres.sh sh -c 'for test; do echo "== $$test"; $$test || exit 1; done' unit $(UNIT_TESTS)

format:
	clang-format-14 -i $$(git ls-files '*.c' '*.h' '*.cc')

# ---- what needs nothing but a Debian machine ----
# Packages are looked for when make starts, so what comes after their installation is a make of its own.
deps:
	@packaging/deps.sh test

run:
	@packaging/deps.sh run
	@$(MAKE) --no-print-directory -j$(JOBS) NO_DEPS=1 all
	@packaging/run-sample.sh $(BUILD)

test:
	@packaging/deps.sh test
	@$(MAKE) --no-print-directory -j$(JOBS) NO_DEPS=1 test-all

test-all: all
	@$(PYTHON) tests/run_all.py --build $(BUILD)

# The first configuration holds no secret and must be readable by the service's user: 0644, and where that user is made at
# once 0640 and its group's, so that secrets may be written into it.
CONFIG := $(DESTDIR)/etc/tributary/tributary.yaml
define INSTALLED
installed. Next:
  edit /etc/tributary/tributary.yaml
  tributary check
  systemctl daemon-reload && systemctl enable --now tributary
  journalctl -u tributary -f
docs/installing.md says more.
endef
export INSTALLED
install: all
	install -D -m 755 $(BUILD)/tributary $(DESTDIR)$(PREFIX)/bin/tributary
	install -D -m 644 packaging/tributary.service $(DESTDIR)$(UNITDIR)/tributary.service
	sed -i 's|@BINDIR@|$(PREFIX)/bin|' $(DESTDIR)$(UNITDIR)/tributary.service
	install -D -m 644 packaging/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/tributary.conf
	install -d $(DESTDIR)$(PREFIX)/share/man/man8
	$(BUILD)/tributary man | gzip -9n >$(DESTDIR)$(PREFIX)/share/man/man8/tributary.8.gz
	install -d $(DESTDIR)/etc/tributary
ifneq ($(DESTDIR),)
	test -e $(CONFIG) || install -m 644 daemon/config/samples/tributary.yaml $(CONFIG)
else
	systemd-sysusers $(PREFIX)/lib/sysusers.d/tributary.conf || adduser --system --group --no-create-home tributary
	test -e $(CONFIG) || install -m 640 daemon/config/samples/tributary.yaml $(CONFIG)
	chgrp tributary $(CONFIG)
	@printf '%s\n' "$$INSTALLED"
endif

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/tributary $(DESTDIR)$(UNITDIR)/tributary.service \
	    $(DESTDIR)$(PREFIX)/lib/sysusers.d/tributary.conf $(DESTDIR)$(PREFIX)/share/man/man8/tributary.8.gz
	@echo "left in place: $(DESTDIR)/etc/tributary and $(DESTDIR)/var/lib/tributary"

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj $(BUILD)/tests -name '*.d' 2>/dev/null)
