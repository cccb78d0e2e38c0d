# A thin front for cargo, and the installation that cargo does not have.
# `make help` lists the targets. GNU make.

CARGO      ?= cargo
CC         ?= cc
FEATURES   ?=
FUZZ_SECONDS ?= 600

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR    ?=

# Where cargo leaves what it builds.
TARGET  = $(or $(CARGO_TARGET_DIR),target)
RELEASE = $(TARGET)$(addprefix /,$(CARGO_BUILD_TARGET))/release

# What a program needs beside libfactor2.a: rustc's native-static-libs on Linux. A test asks rustc.
STATIC_LIBS = -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc

.PHONY: build help demo demo-web test tools header fuzz soak bench install install-strip uninstall clean

build: ## the library, shared and static; FEATURES="memory sqlite" has these stores only
	$(CARGO) build --release --locked $(if $(strip $(FEATURES)),--no-default-features --features "$(FEATURES)")

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

test: tools ## everything that can be checked; the last line is the test runner's count
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --all-features -- -D warnings
	$(CARGO) build --release --locked
	$(CARGO) test --locked --lib --test suite

tools: ## the programs that the tests need: installs them (Debian, root) or names the missing ones
	@sh tests/tools.sh

header: ## writes include/factor2.h and README's picture anew from the source
	FACTOR2_BLESS=1 $(CARGO) test --locked --test suite -- --exact \
	    header::committed_header_is_current readme::its_picture_is_what_the_library_draws

fuzz: ## fuzzes every target for FUZZ_SECONDS
	sh tests/fuzz/run.sh $(FUZZ_SECONDS)

soak: ## the guard's races and crashes at length: half an hour and more
	FACTOR2_RACE_ROUNDS=1000 FACTOR2_KILLS=10000 $(CARGO) test --locked --test suite guard

bench: build ## side by side with the C libraries that programs use instead; writes benches/results.md
	CC="$(CC)" sh benches/run.sh

# Takes what `make` has built and builds only when there is nothing, so that
# `make && sudo make install` never runs cargo as root.
install: ## into PREFIX, LIBDIR, INCLUDEDIR under DESTDIR, from what `make` has built
	@test -f "$(RELEASE)/libfactor2.so" && test -f "$(RELEASE)/libfactor2.a" || $(MAKE) --no-print-directory build
	@$(INSTALLER) install

install-strip: ## the same without symbols and debug information
	@INSTALL_STRIP=1 $(MAKE) --no-print-directory install

uninstall: ## removes what install put there; give it the same variables
	@$(INSTALLER) uninstall

INSTALLER = sh packaging/install.sh
export PREFIX LIBDIR INCLUDEDIR DESTDIR RELEASE STATIC_LIBS

clean: ## removes what was built
	$(CARGO) clean
