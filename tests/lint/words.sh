#!/bin/sh
# Things that are not kept in a file: comments in // form, notes to do something later, paths of a
# particular machine, blanks at the end of a line.
# usage: words.sh <root>; prints each line that breaks a rule, exits 1 if there was one.
cd "$1" || exit 2
broken=0

# Text files of ours; those that must hold odd bytes to test something are left out.
texts=$(find . \( -path ./build -o -path ./.git -o -path ./tests/lint \
    -o -name corpus -o -name data -o -name fixtures \) -prune -o \
    -type f \( -name '*.[ch]' -o -name '*.cmake' -o -name '*.in' -o -name CMakeLists.txt \
    -o -name '*.md' -o -name '*.sh' -o -name '*.json' -o -name bootstrap -o -name run \) -print)
sources=$(printf '%s\n' "$texts" | grep '\.[ch]$')
[ -n "$sources" ] || { echo "no sources below $1"; exit 2; }

# refuse <what> <extended regex> <file>...
refuse() {
    what=$1 pattern=$2
    shift 2
    if found=$(grep -nE "$pattern" /dev/null "$@"); then
        printf '%s\n' "$found" | sed "s|\$|    <- $what|"
        broken=1
    fi
}

# The lists hold names without blanks, and are to be split.
# shellcheck disable=SC2086
{
    refuse "comments are /* */" '(^|[ ;{}])//( |$|[A-Za-z])' $sources
    refuse "do it, or say why not" '\<(TODO|FIXME|XXX|HACK)\>' $texts
    refuse "a path of one machine" '(^|[^A-Za-z0-9_./-])/(home|root|work|Users)/[A-Za-z]' $texts
    refuse "blanks at the end" '[[:blank:]]+$' $texts
}
exit "$broken"
