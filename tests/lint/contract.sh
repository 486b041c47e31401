#!/bin/sh
# Whatever tests/CONTRACT.md, tests/LEAN.md and tests/bench/GOALS.md name is there: files, and words of sources.
#
#   contract.sh ROOT
set -eu
cd "$1"
[ -f tests/CONTRACT.md ] || exit 77

# With these in front a file may be left out of its folder, as it is in the tables.
folders="tests tests/integration tests/integration/worker tests/bench lwbuild .
    tests/integration/lean tests/integration/plan tests/integration/driver tests/unit/base
    tests/unit/child_lean tests/lean tests/cmake/cases tests/support child/lean lwbuild/plan lwbuild/driver
    lwbuild/base"

is_file() {
    for folder in $folders; do
        for end in "" .c; do
            [ ! -f "$folder/$1$end" ] || return 0
        done
    done
    return 1
}

words=$(mktemp)
trap 'rm -f "$words"' EXIT
find tests lwbuild child examples -name '*.[ch]' -exec cat {} + 2>/dev/null |
    tr -c 'A-Za-z0-9_-' '\n' | sort -u >"$words"

# check DOCUMENT
check() {
    [ -f "$1" ] || return 0
    for name in $(grep -o '`[^` ]*`' "$1" | tr -d '`' | sort -u); do
        case $name in
            ...* | .*) continue ;; # the end of a name whose beginning stands before it; a kind of file
            */) [ ! -d "$name" ] || continue ;;
        esac
        is_file "$name" || [ -d "tests/$name" ] || [ -d "$name" ] || grep -qxF -e "$name" "$words" || {
            echo "$1: there is no $name"
            bad=1
        }
    done
}

bad=0
check tests/CONTRACT.md
check tests/LEAN.md
check tests/bench/GOALS.md
exit $bad
