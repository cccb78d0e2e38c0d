# A thin front for cargo, and the installation that cargo does not have.
# `make help` lists the targets. GNU make.

CARGO      ?= cargo
CC         ?= cc
FEATURES   ?=
FUZZ_SECONDS ?= 600

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
DESTDIR    ?=

# Where cargo leaves what it builds.
TARGET  = $(or $(CARGO_TARGET_DIR),target)
RELEASE = $(TARGET)$(addprefix /,$(CARGO_BUILD_TARGET))/release

# What a program needs beside libfactor2.a: rustc's native-static-libs on Linux, which a test asks rustc for,
# without -lgcc_s. The compiler adds that itself, or with -static its static form, -lgcc_eh.
STATIC_LIBS = -lutil -lrt -lpthread -lm -ldl -lc

# sudo drops CARGO_TARGET_DIR. So a build elsewhere leaves a link, and $(call built,FOLDER,LINK) is where
# the link leads, or without one the folder.
ELSEWHERE = $(CARGO_TARGET_DIR)$(CARGO_BUILD_TARGET)
leave_link = @mkdir -p target && rm -f target/$(2) $(if $(ELSEWHERE),&& ln -s "$$(cd "$(1)" && pwd)" target/$(2))
built = $(if $(ELSEWHERE),$(1),$(patsubst %/.,%,$(or $(wildcard target/$(2)/.),$(1))))

.PHONY: build cargo help demo demo-web test tools header fuzz soak bench install install-strip uninstall pam install-pam deb clean

build: cargo ## the library, shared and static; FEATURES="memory sqlite" has these stores only
	$(CARGO) build --release --locked $(if $(strip $(FEATURES)),--no-default-features --features "$(FEATURES)")
	$(call leave_link,$(RELEASE),built-release)

cargo: # a cargo that is missing or too old is told before anything fails
	@sh packaging/check_cargo.sh $(CARGO)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

demo: build ## enrol a user: QR code in the terminal, PNG beside it, a right and a wrong code
	@mkdir -p "$(TARGET)/demo"
	$(CC) -O2 -Iinclude -o "$(TARGET)/demo/enroll" examples-c/enroll.c "$(RELEASE)/libfactor2.a" $(STATIC_LIBS)
	"$(TARGET)/demo/enroll" "Example Shop" alice@example.com "$(TARGET)/demo/factor2-qr.png"

demo-web: build ## a web login with the second factor on this machine: builds it, starts it, prints its address
	@sh tests/tools.sh libmicrohttpd libcrypt
	@mkdir -p "$(TARGET)/demo"
	$(CC) -O2 -Iinclude -o "$(TARGET)/demo/web_login" examples-c/web_login.c examples-c/web/*.c \
	    "$(RELEASE)/libfactor2.a" -lmicrohttpd -lcrypt $(STATIC_LIBS)
	"$(TARGET)/demo/web_login" $(PORT)

test: cargo tools ## everything that can be checked; the last line is the test runner's count
	$(call if_there,fmt,--check,formatting is not checked: rustfmt is not installed (Debian: rustfmt-web))
	$(call if_there,clippy,--locked --all-targets --all-features -- -D warnings,lints are not checked: clippy \
	    is not installed (Debian: rust-web-clippy))
	$(CARGO) build --release --locked
	$(CARGO) test --locked --lib --test suite

tools: ## the programs that the tests need: installs them (Debian, root) or names the missing ones
	@sh tests/tools.sh

# $(call if_there,COMMAND,ARGUMENTS,WHAT IS SKIPPED): rustup brings these two commands, Debian's cargo-web does not.
if_there = @if $(CARGO) $(1) --version >/dev/null 2>&1; then \
    echo "$(CARGO) $(1) $(2)"; $(CARGO) $(1) $(2); else echo "SKIPPED: $(3)" >&2; fi

header: cargo ## writes include/factor2.h and README's picture anew from the source
	FACTOR2_BLESS=1 $(CARGO) test --locked --test suite -- --exact \
	    header::committed_header_is_current readme::its_picture_is_what_the_library_draws

fuzz: cargo ## fuzzes every target for FUZZ_SECONDS
	sh tests/fuzz/run.sh $(FUZZ_SECONDS)

soak: cargo ## the guard's races and crashes at length: some minutes
	FACTOR2_RACE_ROUNDS=1000 FACTOR2_KILLS=10000 $(CARGO) test --locked --test suite guard

bench: build ## side by side with the C libraries that programs use instead; writes benches/results.md
	CC="$(CC)" sh benches/run.sh

# An installation takes what was built, and builds only when there is nothing, and never as root.
build_first = { [ "$$(id -u)" != 0 ] || { echo "make $@: nothing is built yet: run 'make $(1)' first, not as root" >&2; exit 1; }; \
    $(MAKE) --no-print-directory $(1); }

install: RELEASE := $(call built,$(RELEASE),built-release)
install: ## into PREFIX, LIBDIR, INCLUDEDIR under DESTDIR, from what `make` has built
	@test -f "$(RELEASE)/libfactor2.so" && test -f "$(RELEASE)/libfactor2.a" || $(call build_first,build)
	@$(INSTALLER) install

install-strip: ## the same without symbols and debug information
	@INSTALL_STRIP=1 $(MAKE) --no-print-directory install

uninstall: ## removes what install put there; give it the same variables
	@$(INSTALLER) uninstall

PAM      = $(TARGET)/pam
PAMFLAGS = -std=c99 -O2 -fPIC -fstack-protector-strong -fvisibility=hidden -Iinclude -Wl,-z,relro,-z,now
SBINDIR ?= $(PREFIX)/sbin
# Where libpam looks for modules.
PAMDIR  ?= /usr/lib/$(shell $(CC) -print-multiarch)/security
# What the module and factor2-enroll take when they are not told otherwise.
PAMSTATE = /var/lib/factor2

pam: build ## the PAM module and factor2-enroll, into target/pam; see README
	@mkdir -p "$(PAM)"
	$(CC) $(PAMFLAGS) -Wl,-z,nodelete -shared $(CPPFLAGS) $(CFLAGS) -o "$(PAM)/pam_factor2.so" \
	    examples-c/pam_factor2.c "$(RELEASE)/libfactor2.so" -lpam $(LDFLAGS)
	$(CC) $(PAMFLAGS) -pie $(CPPFLAGS) $(CFLAGS) -o "$(PAM)/factor2-enroll" \
	    examples-c/factor2_enroll.c "$(RELEASE)/libfactor2.so" $(LDFLAGS)
	$(call leave_link,$(PAM),built-pam)

install-pam: PAM := $(call built,$(PAM),built-pam)
install-pam: ## what `make pam` has built: into PAMDIR and SBINDIR, and the folder for the secrets
	@test -f "$(PAM)/pam_factor2.so" && test -f "$(PAM)/factor2-enroll" || $(call build_first,pam)
	install -d -m 0755 "$(DESTDIR)$(PAMDIR)" "$(DESTDIR)$(SBINDIR)"
	install -d -m 0700 "$(DESTDIR)$(PAMSTATE)" "$(DESTDIR)$(PAMSTATE)/users"
	install -m 0644 "$(PAM)/pam_factor2.so" "$(DESTDIR)$(PAMDIR)/pam_factor2.so"
	install -m 0755 "$(PAM)/factor2-enroll" "$(DESTDIR)$(SBINDIR)/factor2-enroll"
	@rm -rf "$(PAM)/man8" && mkdir -p "$(PAM)/man8" && sh packaging/man.sh 8 "$(PAM)/man8"
	install -d -m 0755 "$(DESTDIR)$(MANDIR)/man8"
	install -m 0644 "$(PAM)"/man8/* "$(DESTDIR)$(MANDIR)/man8"

DEB = $(TARGET)/deb

deb: pam ## Debian packages of the library and the PAM module, into target/deb
	@sh packaging/deb.sh "$(DEB)"

INSTALLER = sh packaging/install.sh
export PREFIX LIBDIR INCLUDEDIR MANDIR DESTDIR RELEASE STATIC_LIBS

clean: ## removes what was built
	$(CARGO) clean
