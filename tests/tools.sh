#!/bin/sh
# Sees that every program the tests need is there. On Debian, as root, it installs what is missing;
# elsewhere it names each missing one and the Debian package that has it, and fails.
set -eu

# builds COMPILER LANGUAGE [FLAG]: a program with a system header compiles and links.
builds() {
    compiler=$1 language=$2
    shift 2
    printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' |
        "$compiler" "$@" -x "$language" -o "$scratch" -
}

# Debian names the sanitizers' package after clang's version, which is known once clang is there.
clang_version() {
    clang -dumpversion 2>/dev/null | cut -d. -f1
}

# Prints `what|packages` for every row whose check fails. A row: what | its check | Debian packages.
missing() {
    while IFS='|' read -r what check packages; do
        eval "$check" </dev/null >/dev/null 2>&1 || echo "$what|$packages"
    done <<END
cc|builds cc c|gcc libc6-dev
g++|builds g++ c++|g++
clang|builds clang c|clang
clang++|builds clang++ c++|clang g++
clang's sanitizers|builds clang c -fsanitize=fuzzer-no-link,address|libclang-rt-$(clang_version)-dev
nm|nm --version|binutils
readelf|readelf --version|binutils
strip|strip --version|binutils
valgrind|valgrind -q true|valgrind
zbarimg|zbarimg --version|zbar-tools
oathtool|oathtool --version|oathtool
cmake|cmake --version|cmake
pkg-config|pkg-config --version|pkg-config
pngcheck|command -v pngcheck|pngcheck
python3|python3 --version|python3
openssl|openssl version|openssl
redis-cli|redis-cli --version|redis-tools
redis-check-rdb, which is redis-server as well|redis-check-rdb --version|redis-tools
ruby, which is gem as well|gem --version|ruby
ruby's ffi|ruby -e 'require "ffi"'|ruby-ffi
ruby's minitest|ruby -e 'require "minitest"'|ruby-minitest
END
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@"
}

scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT

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
