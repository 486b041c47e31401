#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/plan/olean.h"

/*
 * Files that imitate .olean files: a header of any layout and a heap image that
 * holds a list of imports and nothing else.
 */
struct fake_olean {
    enum lwb_olean_layout layout;
    const char *version; /* layout D; NULL: "4.20.0" */
    const char *githash; /* layouts C and D; NULL: 40 zeros */
    const char *imports; /* "A.B C": separated by blanks */
    const char *extra;   /* bytes that make its content another; NULL */
};

/* Append the file's bytes. */
void fake_olean_append(struct lwb_buf *out, const struct fake_olean *olean);

/* Write it to `path`, with its folders. */
void fake_olean_write(const char *path, const struct fake_olean *olean);
