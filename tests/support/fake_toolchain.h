#pragma once

#include "tests/support/scratch.h"

/*
 * A toolchain folder whose bin/lean is fake_lean, below a scratch folder. What
 * the eras differ in: enum fake_era in fake_lean_internal.h.
 */
struct fake_toolchain {
    char prefix[300];
    const char *version; /* what such a Lean calls itself */
};

/* "2021-07", "2021-11", "2022-12", "4.8", "4.12", "4.22", "4.34", and then NULL. */
const char *fake_toolchain_era(size_t i);

/* Whether a worker's words about what is wrong are those of the command line: from 4.1 on. */
bool fake_toolchain_rejects_warm(const char *era);

void fake_toolchain_make(struct fake_toolchain *toolchain, const struct scratch *scratch,
                         const char *era);
