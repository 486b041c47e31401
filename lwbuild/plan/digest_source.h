#pragma once

#include "lwbuild/base/digest.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/strvec.h"

/*
 * Where a plan gets content digests of files from. The plan does not know that
 * a cache exists; the driver hands it one that remembers by stat.
 */
struct lwb_digest_source {
    /* 1 and *out, 0 if there is no such file. `st`, if not NULL, is what the file looked like. */
    int (*file)(void *ctx, const char *path, struct lwb_digest *out, struct lwb_file_stat *st,
                struct lwb_error *err);
    /* Optional (NULL): these files will be asked for soon, one after the other. */
    void (*ahead)(void *ctx, const struct lwb_strvec *paths);
    bool by_content; /* dates say nothing: a question that is put by them is not asked */
    /* Optional (NULL): answers to derived questions, such as the digest of an import closure. */
    int (*recall)(void *ctx, const struct lwb_digest *question, struct lwb_digest *answer);
    void (*remember)(void *ctx, const struct lwb_digest *question, const struct lwb_digest *answer);
    void *ctx;
    int64_t (*now_s)(void *ctx); /* optional: the time of day; the clock's when NULL */
};
