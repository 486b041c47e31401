#pragma once

#include <stdint.h>

#include "lwbuild/base/buf.h"

/*
 * How an .olean file begins, in all layouts that there have been:
 *
 *     A  "oleanfile!!!!!!!"                                            to August 2021
 *     B  the same and a base address                                   to 4.3
 *     C  "olean" 1, commit, base address                               4.4 and later
 *     D  "olean" 2 or 3, flags, version, commit, base address          4.14 or so and later
 *
 * Behind it lies a heap image whose pointers are addresses, for the case that
 * the file is mapped at its base address; in A they count from the end of the
 * header. Where the root object is, the word behind the header says; in A it is
 * the last word of the file.
 */
enum lwb_olean_layout {
    LWB_OLEAN_UNKNOWN,
    LWB_OLEAN_A,
    LWB_OLEAN_B,
    LWB_OLEAN_C,
    LWB_OLEAN_D,
};

enum { LWB_OLEAN_HEADER_MAX = 88 };

struct lwb_olean_header {
    enum lwb_olean_layout layout;
    char version[34]; /* of the Lean that made it; "" in A to C */
    char githash[43]; /* "" in A and B */
    uint64_t size;    /* of the header */
    uint64_t base;    /* address of the first byte of the file; wraps below zero in A */
};

/*
 * `start` is the file's first LWB_OLEAN_HEADER_MAX bytes, or all it has. Returns
 * 1; 0 for what is no .olean, or one of a layout that is not known here; -1
 * when the file ends too early to tell.
 */
int lwb_olean_header_parse(struct lwb_olean_header *out, struct lwb_bytes start);
