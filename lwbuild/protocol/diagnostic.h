#pragma once

#include <stdint.h>

#include "lwbuild/base/buf.h"

/*
 * One message of a host about a file, in Lean's own terms: lines from 1,
 * columns from 0 in code points. Positions that are not known are -1. Paths
 * are not part of it: whoever prints it knows which file was meant, and a
 * stored message stays true when the tree is moved (design rule T9).
 */
enum lwb_severity {
    LWB_SEVERITY_INFORMATION,
    LWB_SEVERITY_WARNING,
    LWB_SEVERITY_ERROR,
};

struct lwb_diagnostic {
    enum lwb_severity severity;
    int64_t line;
    int64_t column;
    int64_t end_line;
    int64_t end_column;
    struct lwb_bytes code;    /* stable kind such as "hasSorry"; empty if none */
    struct lwb_bytes message; /* rendered text, no trailing newline added or removed */
};

/*
 * Stands in message texts where Lean named the source root itself ("You might
 * need to open '<root>' as a workspace"). Whoever prints the message puts the
 * root of its own run in.
 */
#define LWB_DIAGNOSTIC_ROOT "$LWBUILD_SOURCE_ROOT"

/* "information", "warning", "error". */
const char *lwb_severity_name(enum lwb_severity severity);

/* Returns 0, or -1 for another word. */
int lwb_severity_parse(enum lwb_severity *out, const char *name);
