#!/bin/sh
# Makes sure that every program the tests need is there. On Debian, as root, it installs what is missing;
# elsewhere it names each missing program and the Debian package that has it, and fails. With arguments, it
# looks at these rows only.
set -eu
only="$*"

# builds COMPILER LANGUAGE [FLAG]: a program with a system header compiles and links.
builds() {
    compiler=$1 language=$2
    shift 2
    printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' |
        "$compiler" "$@" -x "$language" -o "$scratch" -
}

# has HEADER LIBRARY: a C program with that header links to that library.
has() {
    printf '#include <%s>\nint main(void) { return 0; }\n' "$1" |
        cc -x c -o "$scratch" - -x none "-l$2"
}

# Debian names the sanitizers' package after clang's version, which is known once clang is there.
clang_version() {
    clang -dumpversion 2>/dev/null | cut -d. -f1
}

# Whether a row is asked for: all are, if none is named.
wanted() {
    case " $only " in
    "  " | *" $1 "*) return 0 ;;
    esac
    return 1
}

# Prints `what|packages` for every row whose check fails. A row: what | its check | Debian packages.
missing() {
    while IFS='|' read -r what check packages; do
        wanted "$what" || continue
        eval "$check" </dev/null >/dev/null 2>&1 || echo "$what|$packages"
    done <<END
cc|builds cc c|gcc libc6-dev
g++|builds g++ c++|g++
clang|builds clang c|clang
clang++|builds clang++ c++|clang g++
clang-format|clang-format --version|clang-format
clang's sanitizers|builds clang c -fsanitize=fuzzer-no-link,address|libclang-rt-$(clang_version)-dev
build-essential|dpkg -s build-essential|build-essential
nm|nm --version|binutils
readelf|readelf --version|binutils
strip|strip --version|binutils
valgrind|valgrind -q true|valgrind
zbarimg|zbarimg --version|zbar-tools
ZXingReader|command -v ZXingReader|zxing-cpp-tools
qrencode|qrencode --version|qrencode
rsvg-convert|rsvg-convert --version|librsvg2-bin
oathtool|oathtool --version|oathtool
cmake|cmake --version|cmake
pkg-config|pkg-config --version|pkg-config
pngcheck|command -v pngcheck|pngcheck
python3|python3 --version|python3
nlohmann/json.hpp|g++ -E -x c++ -include nlohmann/json.hpp -|nlohmann-json3-dev
openssl|openssl version|openssl
the system's authorities|test -f /etc/ssl/certs/ca-certificates.crt|ca-certificates
go and gofmt|go version && command -v gofmt|golang-go
man|man --version|man-db
mandoc|command -v mandoc|mandoc
groff|groff --version|groff-base
dh|command -v dh_installman|debhelper
dpkg-buildpackage|dpkg-buildpackage --version|dpkg-dev
lintian|lintian --version|lintian
fakeroot|fakeroot --version|fakeroot
redis-cli|redis-cli --version|redis-tools
redis-check-rdb, which is redis-server as well|redis-check-rdb --version|redis-tools
jansson|has jansson.h jansson|libjansson-dev
zlib|has zlib.h z|zlib1g-dev
libmicrohttpd|has microhttpd.h microhttpd|libmicrohttpd-dev
libcrypt|has crypt.h crypt|libcrypt-dev
libsodium|has sodium.h sodium|libsodium-dev
chromium|chromium --version|chromium fonts-dejavu-core
chromedriver|chromedriver --version|chromium-driver
curl|curl --version|curl
optipng|optipng --version|optipng
PAM's headers|test -f /usr/include/security/pam_modules.h|libpam0g-dev
pamtester|command -v pamtester|pamtester
google-authenticator|google-authenticator --help|libpam-google-authenticator
pam_oath|ls /lib/*/security/pam_oath.so|libpam-oath
sshd|test -x /usr/sbin/sshd|openssh-server
ssh|ssh -V|openssh-client
bindfs|bindfs --version|bindfs
unshare and setpriv|unshare --version && setpriv --version|util-linux
ruby, which is gem as well|gem --version|ruby
ruby's ffi|ruby -e 'require "ffi"'|ruby-ffi
ruby's minitest|ruby -e 'require "minitest"'|ruby-minitest
END
}

install_packages() {
    # The tests start their own servers: none is to run on the machine because of them.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        policy=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 0755 "$policy"
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@"
}

scratch=$(mktemp)
policy=
trap 'rm -f "$scratch" ${policy:+"$policy"}' EXIT

absent=$(missing)
if [ -n "$absent" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    # Twice at most: the second round is for the packages whose name depends on the first.
    for round in first second; do
        packages=$(echo "$absent" | cut -d'|' -f2 | tr ' ' '\n' | grep -v -e '--' | sort -u)
        # shellcheck disable=SC2086 # one word for each package
        install_packages $packages || { apt-get update -q && install_packages $packages; } || break
        absent=$(missing)
        [ -n "$absent" ] || break
    done
fi

if [ -n "$absent" ]; then
    echo "The tests need these programs, which are missing or do not work; Debian's package beside each:" >&2
    echo "$absent" | sed 's/^\([^|]*\)|\(.*\)$/  \1 (\2)/; s/libclang-rt--dev/libclang-rt-VERSION-dev/' >&2
    exit 1
fi
