#!/bin/sh
# man.sh SECTION FOLDER: writes the manual pages of section 3 or 8 into FOLDER, made from the comments
# of the header or of the programs. Runs at the top of the source tree.
set -eu

section=${1:?3 or 8} folder=${2:?a folder}
day=$(date -u ${SOURCE_DATE_EPOCH:+-d "@$SOURCE_DATE_EPOCH"} +%Y-%m-%d)

pages() {
    LC_ALL=C awk -v folder="$folder" -v day="$day" -f packaging/man_text.awk -f "packaging/man$section.awk" "$@"
}

case $section in
    3) pages include/factor2.h ;;
    8)
        for program in pam_factor2 factor2_enroll; do
            pages include/factor2.h pam/secret_file.h pam/machine_guard.h "pam/$program.c"
        done ;;
esac
