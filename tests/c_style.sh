#!/bin/sh
# Checks that all C and C++ is formatted as .clang-format says; with the argument -i, formats it so.
# Only versions of clang-format that were tried are asked, because others may lay out a line in another way.
set -eu
cd "$(dirname "$0")/.."

case $(clang-format --version 2>/dev/null) in
*"version 14."* | *"version 19."*) ;;
"")
    echo "SKIPPED: the formatting of C is not checked: clang-format is not installed (Debian: clang-format)" >&2
    exit 0
    ;;
*)
    echo "SKIPPED: the formatting of C is not checked: that needs clang-format 14 or 19" >&2
    exit 0
    ;;
esac
# The C header is written by cbindgen.
find benches examples-c include pam tests \( -name '*.[ch]' -o -name '*.[ch]pp' \) \
    ! -path include/factor2.h -exec clang-format "${1:---dry-run}" -Werror {} +
