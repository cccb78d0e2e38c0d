#!/bin/sh
# tests/fuzz/run.sh SECONDS [TARGET...]: fuzzes the C library, all targets at once when none is named.
#
# The library is built by the stable toolchain with LLVM's coverage counters and AddressSanitizer, with
# debug assertions and overflow checks; clang adds libFuzzer. Everything goes to target/fuzz.
set -eu

case ${1:-} in
'' | *[!0-9]* | 0)
    echo "usage: $0 SECONDS [TARGET...]" >&2
    exit 2
    ;;
esac
seconds=$1
shift
cd "$(dirname "$0")/../.."
sources=tests/fuzz
out=${CARGO_TARGET_DIR:-target}/fuzz
clang=${CLANG:-clang}
[ $# -gt 0 ] || set -- config verify create reprepare stored sealed recovery import

fail() {
    echo "fuzz: $*" >&2
    exit 1
}

check_tools() {
    command -v "$clang" >/dev/null || fail "needs clang (Debian: apt-get install clang)"
    printf '#include <jansson.h>\n#include <zlib.h>\n' | "$clang" -fsyntax-only -x c - 2>"$out/probe.log" ||
        fail "needs Jansson and zlib (Debian: apt-get install libjansson-dev zlib1g-dev)"
    echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }' |
        "$clang" -fsanitize=fuzzer,address -x c -o "$out/probe" - 2>"$out/probe.log" && return
    version=$("$clang" -dumpversion | cut -d. -f1)
    cat "$out/probe.log" >&2
    fail "needs clang's libFuzzer and AddressSanitizer (Debian: apt-get install libclang-rt-$version-dev)"
}

# Without the stores that a fuzzed config could send to files and servers.
build_library() (
    unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET
    RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$out/library" cargo rustc --quiet --locked --lib --crate-type staticlib \
        --no-default-features --features memory --config "$sources/instrumented.toml" --profile fuzz ||
        fail "the library does not build"
    library=$out/library/fuzz/libfactor2.a
    grep -q __asan_report "$library" || fail "AddressSanitizer is not in $library"
    cp "$library" "$out/libfactor2.a"
)

# Only the library is instrumented for coverage, so that the counters prove that it is.
build_target() {
    mkdir -p "$out/$1"
    rm -f "$out/$1"/*.o
    for file in "$1" fuzz json pasted picture uri; do
        "$clang" -std=c99 -g -O1 -Wall -Wextra -Werror -fsanitize=address -Iinclude \
            -c "$sources/$file.c" -o "$out/$1/$file.o" || fail "$file.c does not compile"
    done
    "$clang" -fsanitize=fuzzer,address "$out/$1"/*.o "$out/libfactor2.a" -ljansson -lz \
        -o "$out/$1/$1" ||
        fail "$1 does not link"
}

# Each line of the seeds is one input.
write_corpus() {
    rm -rf "$out/$1/corpus"
    mkdir "$out/$1/corpus"
    awk -v dir="$out/$1/corpus" '{ file = dir "/seed" NR; printf "%s", $0 > file; close(file) }' \
        "$sources/seeds/$1.txt"
}

fuzz() {
    "$out/$1/$1" -max_total_time="$seconds" -max_len=2048 -timeout=60 -rss_limit_mb=1024 -print_final_stats=1 \
        -dict="$sources/dictionary.txt" -artifact_prefix="$out/$1/" "$out/$1/corpus" >"$out/$1/log" 2>&1
}

in_log() {
    sed -n "s/$2/\1/p" "$out/$1/log"
}

report_finding() {
    grep -a -v -e '^#[0-9]' -e 'NEW_FUNC' "$out/$1/log" | tail -n 60 >&2
    input=$(in_log "$1" '.*Test unit written to \(.*\)')
    [ -z "$input" ] || echo "fuzz: reproduce with: $out/$1/$1 $input" >&2
    echo "fuzz: $1 stopped; what it said is in $out/$1/log" >&2
}

# Coverage that starts high and grows says that the library is instrumented and was really run.
report_success() {
    runs=$(in_log "$1" '^stat::number_of_executed_units: *\([0-9]*\)')
    first=$(in_log "$1" '.*INITED cov: \([0-9]*\) .*')
    last=$(in_log "$1" '^#[0-9].* cov: \([0-9]*\) .*' | tail -n 1)
    echo "fuzz: $1: ${runs:-no} runs in $seconds s, coverage from ${first:-nothing} to ${last:-nothing}"
    [ "${first:-0}" -ge 500 ] && [ "${last:-0}" -gt "$first" ] && return
    echo "fuzz: $1: coverage must start at 500 at least and grow; is the library instrumented? See $out/$1/log" >&2
    return 1
}

mkdir -p "$out"
out=$(cd "$out" && pwd)
(
    flock 9
    check_tools
    build_library
    for target in "$@"; do
        build_target "$target"
    done
) 9>"$out/lock"

running=
for target in "$@"; do
    write_corpus "$target"
    fuzz "$target" &
    running="$running $target:$!"
done
status=0
for pair in $running; do
    target=${pair%:*}
    if wait "${pair#*:}"; then
        report_success "$target" || status=1
    else
        report_finding "$target"
        status=1
    fi
done
exit $status
