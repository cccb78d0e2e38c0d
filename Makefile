# A thin front for cargo, and the installation that cargo does not have.
# `make help` lists the targets. GNU make.

CARGO        ?= cargo
CC           ?= cc
FEATURES     ?=
FUZZ_SECONDS ?= 600

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
SBINDIR    ?= $(PREFIX)/sbin
# Where libpam looks for modules.
PAMDIR     ?= /usr/lib/$(shell $(CC) -print-multiarch)/security
DESTDIR    ?=

# Where cargo leaves what it builds.
TARGET  = $(or $(CARGO_TARGET_DIR),target)
RELEASE = $(TARGET)$(addprefix /,$(CARGO_BUILD_TARGET))/release
# Where make leaves what it builds.
DEMO    = $(TARGET)/demo
PAM     = $(TARGET)/pam
DEB     = $(TARGET)/deb

# `make` notes these two folders, and the installing targets read them there: sudo drops CARGO_TARGET_DIR
# from the environment. $(call noted,LINE,OTHERWISE)
NOTE  = target/built-in
noted = $(or $(if $(CARGO_TARGET_DIR)$(CARGO_BUILD_TARGET),,$(shell sed -n $1p $(NOTE) 2>/dev/null)),$2)
install install-pam: BUILT := $(call noted,1,$(TARGET))
install install-pam: RELEASE := $(call noted,2,$(RELEASE))
install install-pam: TARGET = $(BUILT)

# What a program needs beside libfactor2.a. It is what rustc names as native-static-libs on Linux, which a test
# compares, without the unwinder: compilers link that themselves, -lgcc_s, or -lgcc_eh with -static.
STATIC_LIBS = -lutil -lrt -lpthread -lm -ldl -lc

.PHONY: build cargo help demo demo-web check test lint tools header fuzz soak bench \
    install install-strip uninstall pam install-pam uninstall-pam deb clean
# cargo uses all cores by itself, and the order of prerequisites is meant.
.NOTPARALLEL:

build: cargo ## the library, shared and static; FEATURES=sqlite has that store only
	$(CARGO) build --release --locked $(if $(strip $(FEATURES)),--no-default-features --features "$(FEATURES)")
	@mkdir -p target && { (cd "$(TARGET)" && pwd) && (cd "$(RELEASE)" && pwd); } >$(NOTE)

cargo: # says so if there is none, or one that is too old
	@sh packaging/toolchain.sh $(CARGO)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

demo: build ## enroll a user: QR code in the terminal, PNG beside it, a right and a wrong code
	@mkdir -p "$(DEMO)"
	$(CC) -O2 -Iinclude -o "$(DEMO)/enroll" examples-c/enroll.c "$(RELEASE)/libfactor2.a" $(STATIC_LIBS)
	"$(DEMO)/enroll" alice@example.com "$(DEMO)/factor2-qr.png"

demo-web: build ## a web login with the second factor on this machine: builds it, starts it, prints its address
	@sh tests/tools.sh libmicrohttpd libcrypt
	@mkdir -p "$(DEMO)"
	$(CC) -O2 -Iinclude -o "$(DEMO)/web_login" examples-c/web_login.c examples-c/web/*.c \
	    "$(RELEASE)/libfactor2.a" -lmicrohttpd -lcrypt $(STATIC_LIBS)
	"$(DEMO)/web_login" --key "$(DEMO)/web_login.key" $(PORT)

# The flood of guesses is left to `make test`: it takes longer than all the rest.
check: lint ## what can be checked in a minute: formatting, clippy, unit tests, C tests that need cc alone
	@$(MAKE) --no-print-directory build FEATURES=
	$(CARGO) test --locked --lib
	$(CARGO) test --locked --test suite -- with_cc header:: --skip flood

test: cargo tools lint ## everything that can be checked; the last line is the test runner's count
	@$(MAKE) --no-print-directory build FEATURES=
	$(CARGO) test --locked --lib --test suite

lint: cargo # formatting and clippy, as far as their programs are there
	$(call if_there,fmt,--check,formatting is not checked: rustfmt is not installed (Debian: rustfmt-web))
	$(call if_there,clippy,--locked --all-targets --all-features -- -D warnings,lints are not checked: clippy \
	    is not installed (Debian: rust-web-clippy))
	@sh tests/c_style.sh

# $(call if_there,COMMAND,ARGUMENTS,WHAT IS SKIPPED): rustup brings these two commands, Debian's cargo-web does not.
if_there = @if $(CARGO) $(1) --version >/dev/null 2>&1; then \
    echo "$(CARGO) $(1) $(2)"; $(CARGO) $(1) $(2); else echo "SKIPPED: $(3)" >&2; fi

tools: ## the programs that the tests need: installs them (Debian, root) or names the missing ones
	@sh tests/tools.sh

header: ## writes include/factor2.h and README's picture anew from the source
	FACTOR2_BLESS=1 $(CARGO) test --locked --test suite -- --exact \
	    header::committed_header_is_current readme::its_picture_is_what_the_library_draws

fuzz: ## fuzzes every target for FUZZ_SECONDS
	sh tests/fuzz/run.sh $(FUZZ_SECONDS)

soak: ## the guard's races and crashes at length: some minutes
	FACTOR2_RACE_ROUNDS=1000 FACTOR2_KILLS=10000 $(CARGO) test --locked --test suite guard

bench: build ## side by side with the C libraries that programs use instead; writes benches/results.md
	CC="$(CC)" RELEASE="$(RELEASE)" STATIC_LIBS="$(STATIC_LIBS)" sh benches/run.sh

# Not by `export`: a test that installs elsewhere must not find these in its environment.
INSTALLER = PREFIX="$(PREFIX)" LIBDIR="$(LIBDIR)" INCLUDEDIR="$(INCLUDEDIR)" MANDIR="$(MANDIR)" DESTDIR="$(DESTDIR)" \
    RELEASE="$(RELEASE)" STATIC_LIBS="$(STATIC_LIBS)" sh packaging/install.sh

# Takes what `make` has built, and never builds: `sudo make install` must not run cargo as root.
install: ## into PREFIX, LIBDIR, INCLUDEDIR under DESTDIR, from what `make` has built
	@$(INSTALLER) install

install-strip: ## the same without symbols and debug information
	@INSTALL_STRIP=1 $(MAKE) --no-print-directory install

uninstall: ## removes what install put there; give it the same variables
	@$(INSTALLER) uninstall

PAMFLAGS = -std=c99 -O2 -fPIC -fstack-protector-strong -fvisibility=hidden -Iinclude -Wl,-z,relro,-z,now
# Where the module and factor2-enroll look when they are not told otherwise.
PAMSTATE = /var/lib/factor2

pam: build ## the PAM module and factor2-enroll, into target/pam; see docs/daemons.md
	@mkdir -p "$(PAM)"
	$(CC) $(PAMFLAGS) -Wl,-z,nodelete -shared $(CPPFLAGS) $(CFLAGS) -o "$(PAM)/pam_factor2.so" \
	    pam/pam_factor2.c "$(RELEASE)/libfactor2.so" -lpam $(LDFLAGS)
	$(CC) $(PAMFLAGS) -pie $(CPPFLAGS) $(CFLAGS) -o "$(PAM)/factor2-enroll" \
	    pam/factor2_enroll.c "$(RELEASE)/libfactor2.so" $(LDFLAGS)

install-pam: ## what `make pam` has built: into PAMDIR and SBINDIR, and the folder for the secrets
	@test -f "$(PAM)/pam_factor2.so" && test -f "$(PAM)/factor2-enroll" || \
	    { echo "make install-pam: nothing is built in $(PAM): run make pam first, not as root" >&2; exit 1; }
	install -d -m 0755 "$(DESTDIR)$(PAMDIR)" "$(DESTDIR)$(SBINDIR)" "$(DESTDIR)$(MANDIR)/man8"
	install -d -m 0700 "$(DESTDIR)$(PAMSTATE)" "$(DESTDIR)$(PAMSTATE)/users"
	install -m 0644 "$(PAM)/pam_factor2.so" "$(DESTDIR)$(PAMDIR)/pam_factor2.so"
	install -m 0755 "$(PAM)/factor2-enroll" "$(DESTDIR)$(SBINDIR)/factor2-enroll"
	@rm -rf "$(PAM)/man8" && mkdir -p "$(PAM)/man8" && sh packaging/man.sh 8 "$(PAM)/man8"
	install -m 0644 "$(PAM)"/man8/* "$(DESTDIR)$(MANDIR)/man8"

uninstall-pam: ## removes what install-pam put there, but no secret; give it the same variables
	@named=$$(grep -ls '^[^#]*pam_factor2' "$(DESTDIR)"/etc/pam.conf "$(DESTDIR)"/etc/pam.d/*); \
	    test -z "$$named" || printf '%s\n' 'Nobody can log in where pam_factor2 is still named. Take the line out of:' "$$named" >&2
	rm -f "$(DESTDIR)$(PAMDIR)/pam_factor2.so" "$(DESTDIR)$(SBINDIR)/factor2-enroll" \
	    "$(DESTDIR)$(MANDIR)/man8/pam_factor2.8" "$(DESTDIR)$(MANDIR)/man8/factor2-enroll.8"
	@rmdir "$(DESTDIR)$(PAMSTATE)/users" "$(DESTDIR)$(PAMSTATE)" 2>/dev/null || \
	    ! test -e "$(DESTDIR)$(PAMSTATE)" || echo "The users' secrets stay in $(DESTDIR)$(PAMSTATE)"

deb: pam ## Debian packages of the library and the PAM module, into target/deb
	@sh packaging/deb.sh "$(DEB)"

clean: ## removes what was built
	$(CARGO) clean
