#!/bin/sh
# Says what is missing before cargo fails for a reason that nobody understands: an old one cannot
# even read Cargo.toml. Called by the Makefile with the cargo that it will use.
set -u
cargo=$*

needed=$(sed -n 's/^rust-version *= *"\(.*\)".*/\1/p' Cargo.toml)
# Not in the source tree, whose Cargo.toml an old cargo would refuse.
said=$(cd / && $cargo --version 2>/dev/null)
runs=$?
found=$(echo "$said" | sed -n 's/^cargo \([0-9]*\.[0-9]*\).*/\1/p')

refuse() {
    cat >&2 <<END
factor2 needs Rust $needed or newer, and $1.
On Debian 12 and 13, whose own cargo is too old: apt install cargo-web rustc-web
Elsewhere: https://rustup.rs
END
    exit 1
}

[ "$runs" = 0 ] || refuse "'$cargo' does not run"
# What tells no version is a wrapper: cargo itself will complain.
[ -n "$found" ] || exit 0
newer=$(printf '%s\n%s\n' "$needed" "$found" | sort -t . -k 1,1n -k 2,2n | tail -n 1)
[ "$newer" = "$found" ] || refuse "'$cargo' is of version $found"
