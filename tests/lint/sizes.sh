#!/bin/sh
# Functions of at most 80 lines. Files above 300 lines are worth another look and are named; above
# 800 they are refused.
# usage: sizes.sh <root>; exits 1 if something is too long.
cd "$1" || exit 2

# The formatter puts the braces of a function, and only those, into the first column.
find lwbuild cache child tests -name '*.[ch]' ! -path 'tests/lint/planted/*' 2>/dev/null | sort |
    xargs awk '
    function end_of_file() {
        if (lines > 800) { print name ": " lines " lines, at most 800"; broken = 1 }
        else if (lines > 300) print name ": " lines " lines (look again at 300)"
    }
    FNR == 1 { if (name != "") end_of_file(); name = FILENAME }
    { lines = FNR }
    /^\{/ { start = FNR }
    /^\}/ && start {
        if (FNR - start - 1 > 80) {
            print FILENAME ":" start ": a function of " FNR - start - 1 " lines, at most 80"
            broken = 1
        }
        start = 0
    }
    END { end_of_file(); exit broken }'
