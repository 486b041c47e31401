#pragma once

#include "lwbuild/base/error.h"
#include "lwbuild/base/olean_header.h"

/*
 * Is this file a whole `.olean`? On a full disk `lean -o` leaves a cut one and
 * exits with 0, and whoever imports that dies of SIGSEGV (design rule T5).
 * Lean's objects are written in order, the root one last, so a cut file has
 * lost its root.
 */
enum lwb_olean_state {
    LWB_OLEAN_WHOLE,
    LWB_OLEAN_ABSENT,
    LWB_OLEAN_FOREIGN, /* no known header */
    LWB_OLEAN_CUT,     /* the root object is not inside */
};

/* Returns the state, or a negative code when the file cannot be read. */
int lwb_olean_inspect(const char *path, struct lwb_error *err);

/* "is cut", for a sentence about the file. */
const char *lwb_olean_describe(enum lwb_olean_state state);
