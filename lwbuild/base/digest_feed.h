#pragma once

#include "lwbuild/base/digest_lanes.h"

/*
 * The contents of many files, hashed by the thread that calls: several at a time
 * where the processor does that well, else one after the other. The digests are
 * the same as those of lwb_digest_fd.
 */
struct lwb_digest_feed {
    /* The next file, open for reading, and what to call it; -1, any number of times, at the end. */
    int (*next)(void *ctx, size_t *file);
    /* Called once for each file, in any order; NULL: it could not be read. Closes `fd`. */
    void (*done)(void *ctx, size_t file, int fd, const struct lwb_digest *digest);
    void *ctx;
};

/* `by` is something that the processor has (lwb_digest_lanes_best). Fails before the first file. */
int lwb_digest_feed_run(const struct lwb_digest_feed *feed, enum lwb_digest_lanes_by by,
                        struct lwb_error *err);
