#pragma once

#include "lwbuild/base/error.h"

/*
 * Is this file a whole `.olean`? On a full disk `lean -o` leaves a cut one and
 * exits with 0, and whoever imports that dies of SIGSEGV (design rule T5).
 *
 * Known layouts: a 16-byte marker (until August 2021); the same and a base
 * address (until 4.3); "olean" version 1 with the commit (from 4.4); version 2
 * or 3 with flags, Lean version and commit (from about 4.15). Behind it lie
 * Lean's objects, the root one last, so a cut file has lost its root.
 */
enum lwb_olean_state {
    LWB_OLEAN_WHOLE,
    LWB_OLEAN_ABSENT,
    LWB_OLEAN_UNKNOWN, /* no known header */
    LWB_OLEAN_CUT,     /* the root object is not inside */
};

/* Returns the state, or a negative code when the file cannot be read. */
int lwb_olean_inspect(const char *path, struct lwb_error *err);

/* "is cut", for a sentence about the file. */
const char *lwb_olean_describe(enum lwb_olean_state state);
