#!/bin/sh
# deb.sh FOLDER: Debian packages in FOLDER, of what `make pam` has built. Called by the Makefile, from the
# top of the source tree. Needs Debian's debhelper and libpam0g-dev.
set -eu

folder=${1:?a folder}
command -v dh >/dev/null || { echo "make deb: debhelper is missing: apt install debhelper" >&2; exit 1; }

version=$(sed -n 's/^#define FACTOR2_VERSION "\(.*\)"/\1/p' include/factor2.h)
maintainer=$(sed -n 's/^Maintainer: //p' packaging/debian/control)
day=$(date -uR ${SOURCE_DATE_EPOCH:+-d "@$SOURCE_DATE_EPOCH"})

rm -rf "$folder"
mkdir -p "$folder/build"
cp -R packaging/debian "$folder/build/debian"

# The revision sorts before Debian's own -1, should Debian have a package one day.
cat >"$folder/build/debian/changelog" <<END
factor2 ($version-0upstream1) unstable; urgency=medium

  * Built from factor2 $version; its changes are in changelog.gz.

 -- $maintainer  $day
END

# The list that only grows is Debian's symbols file in other words.
{
    echo 'libfactor2.so.0 libfactor2-0 #MINVER#'
    echo '* Build-Depends-Package: libfactor2-dev'
    sed 's/^\([^ ]*\) \(.*\)/ \1@Base \2/' tests/abi/symbols.txt
} >"$folder/build/debian/libfactor2-0.symbols"

FACTOR2_SOURCE=$PWD
export FACTOR2_SOURCE
(cd "$folder/build" && DPKG_GENSYMBOLS_CHECK_LEVEL=4 dpkg-buildpackage --build=binary --no-sign)
rm -rf "$folder/build"
