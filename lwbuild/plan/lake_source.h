#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * Lake itself, for a lakefile.lean of which lwbuild cannot tell what it says:
 * from its text to that of a lakefile.toml that says the same. The planner
 * starts nothing; whoever may start Lake hands this in.
 */
struct lwb_lake_source {
    int (*translate)(void *ctx, struct lwb_bytes lakefile, struct lwb_buf *toml,
                     struct lwb_error *err);
    void *ctx;
};
