#!/bin/sh
# Puts the built library, its headers, manual pages, pkg-config and CMake descriptions in place, or removes them.
# Called by the Makefile, from the top of the source tree, with its variables in the environment.
set -eu

refuse() { printf 'make %s: %s\n' "$action" "$*" >&2; exit 1; }

action=${1:?install or uninstall}

for name in PREFIX LIBDIR INCLUDEDIR MANDIR; do
    eval "value=\$$name"
    case $value/ in
        / | [!/]* | */./* | */../*)
            refuse "$name must be an absolute path without . and .., not '$value'" ;;
    esac
    # pkg-config hands its flags to a shell, and no escape in them is understood everywhere.
    case $value in
        *[[:space:]]* | *[\"\'\`\$\&\|\;\<\>\(\)\\\#\*\?!{}@]* | *\[* | *\]*)
            refuse "$name must have no space, quote or other character special to a shell: '$value'" ;;
    esac
    value=$(printf '%s' "$value" | sed 's|//*|/|g; s|\(.\)/$|\1|')
    eval "$name=\$value"
done

toml_version() { sed -n "/^\[$1\]/,/^\[/s/^version *= *\"\(.*\)\".*/\1/p" Cargo.toml; }

version=$(toml_version package)
library_version=$(toml_version package.metadata.capi.library)
abi=${library_version%%.*}
[ -n "$version" ] && [ -n "$abi" ] || refuse "Cargo.toml does not tell the version"

lib=$DESTDIR$LIBDIR
include=$DESTDIR$INCLUDEDIR
man3=$DESTDIR$MANDIR/man3
cmake=$lib/cmake/factor2

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/man3"
sh packaging/man.sh 3 "$scratch/man3"

if [ "$action" = uninstall ]; then
    rm -f "$lib/libfactor2.so.$library_version" "$lib/libfactor2.so.$abi" "$lib/libfactor2.so" \
        "$lib/libfactor2.a" "$include/factor2.h" "$include/factor2.hpp" "$lib/pkgconfig/factor2.pc" "$lib/pkgconfig/factor2-shared.pc" \
        "$cmake/factor2-config.cmake" "$cmake/factor2-config-version.cmake"
    for page in "$scratch"/man3/*; do rm -f "$man3/${page##*/}"; done
    rmdir "$cmake" 2>/dev/null || : # something else may be in it
    exit
fi

for kind in so a; do
    [ -f "$RELEASE/libfactor2.$kind" ] ||
        refuse "there is no libfactor2.$kind in $RELEASE: run make first, as the user who builds"
done

# The same folder, told from PREFIX where it lies under it: both descriptions can then be moved.
from_prefix() {
    case $1/ in
        "${PREFIX%/}"/*) printf '%s' "$2${1#"${PREFIX%/}"}" ;;
        *) printf '%s' "$1" ;;
    esac
}
# The way from LIBDIR/cmake/factor2 back to PREFIX.
case $(from_prefix "$LIBDIR" .) in
    /*) cmake_prefix=$PREFIX ;;
    *) cmake_prefix='${_factor2_here}/../..'$(from_prefix "$LIBDIR" '' | sed 's|/[^/]*|/..|g') ;;
esac

describe() {
    target=$2/$(basename "$1" .in)
    sed -e "s|@PREFIX@|$PREFIX|g" \
        -e "s|@LIBDIR@|$(from_prefix "$LIBDIR" '${prefix}')|g" \
        -e "s|@INCLUDEDIR@|$(from_prefix "$INCLUDEDIR" '${prefix}')|g" \
        -e "s|@CMAKE_PREFIX@|$cmake_prefix|g" \
        -e "s|@CMAKE_INCLUDEDIR@|$(from_prefix "$INCLUDEDIR" '${_factor2_prefix}')|g" \
        -e "s|@STATIC_LIBS@|$STATIC_LIBS|g" \
        -e "s|@CMAKE_STATIC_LIBS@|$(echo "$STATIC_LIBS" | tr ' ' ';')|g" \
        -e "s|@VERSION@|$version|g" -e "s|@MAJOR@|${version%%.*}|g" -e "s|@ABI@|$abi|g" \
        "$1" >"$scratch/description"
    install -m 0644 "$scratch/description" "$target"
}

install -d -m 0755 "$lib" "$include" "$man3" "$lib/pkgconfig" "$cmake"
install -m 0755 "$RELEASE/libfactor2.so" "$lib/libfactor2.so.$library_version"
install -m 0644 "$RELEASE/libfactor2.a" "$lib/libfactor2.a"
if [ -n "${INSTALL_STRIP:-}" ]; then
    "${STRIP:-strip}" --strip-unneeded "$lib/libfactor2.so.$library_version"
    "${STRIP:-strip}" --strip-debug "$lib/libfactor2.a"
fi
ln -sf "libfactor2.so.$library_version" "$lib/libfactor2.so.$abi"
ln -sf "libfactor2.so.$abi" "$lib/libfactor2.so"
install -m 0644 include/factor2.h include/factor2.hpp "$include"
install -m 0644 "$scratch"/man3/* "$man3"
describe packaging/factor2.pc.in "$lib/pkgconfig"
describe packaging/factor2-shared.pc.in "$lib/pkgconfig"
describe packaging/factor2-config.cmake.in "$cmake"
describe packaging/factor2-config-version.cmake.in "$cmake"

echo "factor2 $version: libraries in $lib, headers in $include"
if [ -z "$DESTDIR" ]; then
    echo "If programs do not find libfactor2.so.$abi at run time, refresh the dynamic linker's cache: ldconfig"
fi
