#!/bin/sh
# check_cargo.sh CARGO...: says what to do if cargo is missing, or older than Cargo.toml's rust-version. Called by
# the Makefile, from the top of the source tree.
set -eu

needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

refuse() {
    echo "make: $1: factor2 needs Rust $needed or newer." >&2
    echo "Debian 12 and 13: apt install cargo-web rustc-web. Elsewhere: https://rustup.rs" >&2
    exit 1
}

said=$("$@" --version 2>/dev/null) || refuse "'$*' does not run"
version=$(echo "$said" | sed -n 's/^cargo \([0-9]*\.[0-9]*\).*/\1/p')
# What says no version is a wrapper: cargo itself will tell.
[ -n "$version" ] || exit 0
[ "${version%.*}" -gt "${needed%.*}" ] ||
    { [ "${version%.*}" -eq "${needed%.*}" ] && [ "${version#*.}" -ge "${needed#*.}" ]; } ||
    refuse "cargo $version is too old"
