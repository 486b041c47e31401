#!/bin/sh
# Sources are formatted by clang-format 14; other versions lay code out differently.
# usage: format.sh <root>; exits 77 where there is no clang-format 14.
cd "$1" || exit 2

for tool in clang-format-14 clang-format; do
    "$tool" --version 2>/dev/null | grep -q 'version 14\.' && break
    tool=
done
[ -n "$tool" ] || { echo "skipped: no clang-format 14 here"; exit 77; }
find lwbuild cache child tests -name '*.[ch]' ! -path 'tests/lint/planted/*' 2>/dev/null |
    xargs "$tool" --dry-run -Werror
