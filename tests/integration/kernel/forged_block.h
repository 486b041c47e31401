#pragma once

#include "tests/integration/kernel/export_builder.h"

/*
 * A line that declares an inductive type by hand, with the recursor that
 * belongs to it, unless the file is to claim something else. The type has no
 * parameters and no indices, and at most one universe parameter; each of at
 * most two constructors takes one field or none.
 */
enum { FORGED_CTORS = 2 };

struct forged {
    const char *type, *rec, *ctors[FORGED_CTORS];
    const char *level;             /* the universe parameter, NULL: none */
    unsigned sort;                 /* what the type lives in */
    unsigned fields[FORGED_CTORS]; /* expressions + 1, 0: none */
    int n_ctors;
    bool large; /* the recursor goes into every sort */

    /* What the file claims without its being so. */
    int fields_less;                    /* of each constructor */
    bool k, swapped_rules, no_types;    /* no_types: the list of types is empty */
    const char *more_ctors, *more_recs; /* entries behind those that belong there */
    bool rec_twice;
};

void forge(struct builder *b, const struct forged *f);
