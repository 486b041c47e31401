#pragma once

#include "tests/support/scratch.h"

/*
 * A toolchain folder whose bin/lean is fake_lean, below a scratch folder.
 * Eras: "2021-07", "2021-11", "4.8", "4.22".
 */
struct fake_toolchain {
    char prefix[300];
    const char *version; /* what such a Lean calls itself */
};

void fake_toolchain_make(struct fake_toolchain *toolchain, const struct scratch *scratch,
                         const char *era);
