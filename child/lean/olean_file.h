#pragma once

#include "lwbuild/base/error.h"
#include "lwbuild/base/olean_header.h"

/*
 * Is this file a whole `.olean`? On a full disk `lean -o` leaves a cut one and
 * exits with 0, and whoever imports that dies of SIGSEGV (design rule T5).
 * Lean's objects are written in order, the root one last, so a cut file has
 * lost its root.
 *
 * The module system writes a module as several files, whose addresses follow
 * one another, and does not write again what an earlier file holds. When that
 * is all there is (a module that only imports says the same to everybody), a
 * later file is a header and the address of a root in an earlier one.
 */
enum lwb_olean_state {
    LWB_OLEAN_WHOLE,
    LWB_OLEAN_ABSENT,
    LWB_OLEAN_FOREIGN, /* no known header */
    LWB_OLEAN_CUT,     /* the root object is not inside */
};

enum lwb_olean_place {
    LWB_OLEAN_FIRST, /* the only file of its module, or the one whose addresses come first */
    LWB_OLEAN_LATER, /* another may have been written before it */
};

/* Returns the state, or a negative code when the file cannot be read. */
int lwb_olean_inspect(const char *path, enum lwb_olean_place place, struct lwb_error *err);

/* "is cut", for a sentence about the file. */
const char *lwb_olean_describe(enum lwb_olean_state state);
