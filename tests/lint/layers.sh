#!/bin/sh
# Which folder may include which, and which third-party headers: the layers point down only.
# usage: layers.sh <root>; prints each #include that breaks the table, exits 1 if there was one.
cd "$1" || exit 2

# folder | our folders it may include, besides itself | third-party headers, as prefixes
table='
lwbuild/base      |                                                            | cjson/ openssl/
lwbuild/protocol  | lwbuild/base                                               |
lwbuild/worker    | lwbuild/base lwbuild/protocol                              | uv.h
lwbuild/session   | lwbuild/base lwbuild/protocol lwbuild/worker               | uv.h
lwbuild/pool      | lwbuild/base lwbuild/protocol lwbuild/worker lwbuild/session | uv.h
lwbuild/plan      | lwbuild/base                                               |
cache             | lwbuild/base                                               | sqlite3.h
lwbuild/driver    | lwbuild/base lwbuild/protocol lwbuild/worker lwbuild/session lwbuild/pool lwbuild/plan cache | uv.h
child/kernel      | lwbuild/base                                               | gmp.h
child/lean        | lwbuild/base lwbuild/protocol child                        |
child             | lwbuild/base lwbuild/protocol child/kernel child/lean      |
'

find lwbuild cache child -name '*.[ch]' 2>/dev/null | sort | xargs awk -v table="$table" '
    BEGIN {
        n = split(table, rows, "\n")
        for (i = 1; i <= n; i++) {
            if (split(rows[i], columns, "|") < 3) continue
            folder = columns[1]; gsub(/ /, "", folder)
            known[folder] = 1
            ours[folder] = " " folder " " columns[2] " "
            theirs[folder] = columns[3]
        }
        third_party = "^(cjson/|openssl/|uv\\.h|sqlite3\\.h|gmp\\.h|lean/)"
    }

    # The longest row that the path lies in.
    function folder_of(path,    folder) {
        folder = path
        while (sub(/\/[^\/]*$/, "", folder))
            if (folder in known) return folder
        return ""
    }

    # What embedders include: lwbuild/lwbuild.h and its like, which may include anything.
    function is_public_face(path) { return path ~ /^lwbuild\/[^\/]*\.h$/ }

    function is_generated(path) { return path !~ /\// && path ~ /_digest\.h$/ }

    function allows(folder, header,    words, count, j) {
        count = split(theirs[folder], words, " ")
        for (j = 1; j <= count; j++)
            if (index(header, words[j]) == 1) return 1
        return 0
    }

    function report(text) {
        print FILENAME ":" FNR ": " text
        broken = 1
    }

    FNR == 1 {
        folder = folder_of(FILENAME)
        if (folder == "" && !is_public_face(FILENAME)) report("in no layer")
    }

    folder != "" && /^ *# *include *"/ {
        split($0, quoted, "\"")
        path = quoted[2]
        target = folder_of(path)
        if (is_generated(path) || is_public_face(path)) next
        if (target == "") report("not a path from the root: " path)
        else if (index(ours[folder], " " target " ") == 0) report(folder " must not include " target)
    }

    folder != "" && /^ *# *include *</ {
        split($0, quoted, /[<>]/)
        if (quoted[2] ~ third_party && !allows(folder, quoted[2]))
            report(folder " must not include <" quoted[2] ">")
    }

    END { exit broken }'
