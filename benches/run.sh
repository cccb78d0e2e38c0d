#!/bin/sh
# Compares factor2, through its C ABI, with the C libraries that a program would use instead.
# Prints two tables, and writes them to benches/results.md. Run it by `make bench`, on a machine with
# nothing else to do.
set -eu

cd "$(dirname "$0")/.."

has_header() {
    printf '#include <stddef.h>\n#include <stdio.h>\n#include <%s>\n' "$1" |
        "$CC" -fsyntax-only -x c - 2>/dev/null
}

# The Debian packages of everything that is not there.
missing() {
    for row in liboath/oath.h:liboath-dev qrencode.h:libqrencode-dev png.h:libpng-dev \
        sqlite3.h:libsqlite3-dev hiredis/hiredis.h:libhiredis-dev; do
        has_header "${row%:*}" || echo "${row#*:}"
    done
    command -v redis-server >/dev/null || echo redis-server
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@" >&2
}

absent=$(missing)
if [ -n "$absent" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    # shellcheck disable=SC2086 # one word for each package
    install_packages $absent || { apt-get update -q >&2 && install_packages $absent; } || true
    absent=$(missing)
fi
if [ -n "$absent" ]; then
    echo "make bench compares with libraries that are missing here; in Debian they are in:" >&2
    echo "$absent" | sed 's/^/  /' >&2
    exit 1
fi

scratch=$(mktemp -d)
server=
clean_up() {
    [ -z "$server" ] || kill "$server"
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

compile() {
    program=$scratch/$1
    shift
    "$CC" -std=c11 -D_DEFAULT_SOURCE -O2 -Wall -Wextra -Iinclude -o "$program" "$@"
}
# What programs look for when they run is the library's SONAME.
cp "$RELEASE/libfactor2.so" "$scratch/libfactor2.so.0"
shared="$scratch/libfactor2.so.0 -Wl,-rpath,$scratch"
# shellcheck disable=SC2086 # several words
compile bench benches/main.c benches/harness.c benches/calls.c benches/crowd.c benches/pictures.c \
    benches/codes.c benches/life.c benches/guard_memory.c benches/guard_sqlite.c benches/guard_redis.c \
    $shared -loath -lqrencode -lpng -lsqlite3 -lhiredis -lpthread
# shellcheck disable=SC2086
compile allocations benches/allocations.c benches/calls.c $shared
compile nobody benches/nobody.c benches/calls.c $shared -lm
compile footprint benches/footprint.c -ldl
# shellcheck disable=SC2086
compile enroll examples-c/enroll.c "$RELEASE/libfactor2.a" $STATIC_LIBS

redis-server --port 0 --unixsocket "$scratch/redis" --dir "$scratch" --save '' --appendonly no \
    >"$scratch/redis.log" &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ ! -S "$scratch/redis" ] || break
    sleep 0.5
done

version() {
    dpkg-query -W -f '${Package} ${Version}' "$1" 2>/dev/null || echo "$1, version unknown"
}

machine() {
    # shellcheck source=/dev/null
    system=$(. /etc/os-release && echo "$PRETTY_NAME")
    model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
    echo "$model, $(nproc) cores; $system, $(uname -m), Linux $(uname -r | cut -d- -f1);"
    echo "$(rustc --version | cut -d' ' -f1,2), $("$CC" --version | head -n 1);"
    echo "$(version liboath-dev), $(version libqrencode-dev), $(version libpng-dev), $(version zlib1g),"
    echo "$(version libsqlite3-dev), $(version libhiredis-dev), $(version redis-server)."
}

report() {
    cat <<'END'
# Benchmarks

Written by `make bench`: factor2 through its C ABI, JSON in and JSON out, beside C libraries called bare, both from C.
In each round every case runs once, for some milliseconds; `least` is the time of one call in the round that was
disturbed least, `median` that in the middle one. What factor2 has is computed from the former.

END
    machine
    echo
    mkdir "$scratch/stores"
    "$scratch/bench" "$scratch/stores" "$scratch/redis" src/guard/redis/redis.lua "${ROUNDS:-101}"
    "$scratch/allocations"
    "$scratch/nobody"
    "$scratch/footprint" "$scratch/libfactor2.so.0" "$scratch/enroll" bob@example.com "$scratch/qr.png"
}

report >"$scratch/results.md"
cat "$scratch/results.md"
cp "$scratch/results.md" benches/results.md
