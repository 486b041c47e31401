#pragma once

#include <stdint.h>

#include "lwbuild/base/buf.h"

/*
 * The last bytes a child said on stderr. Everything is taken, so that the
 * child never blocks; only the end is kept.
 */
struct lwb_stderr_ring {
    char *bytes; /* made at the first byte */
    size_t size;
    uint64_t total; /* bytes ever put in; the next goes to total % size */
};

void lwb_stderr_ring_init(struct lwb_stderr_ring *ring, size_t size);
void lwb_stderr_ring_release(struct lwb_stderr_ring *ring);

/* Without memory the bytes are only counted. */
void lwb_stderr_ring_put(struct lwb_stderr_ring *ring, struct lwb_bytes bytes);

/*
 * Append at most `max` bytes of the end, whole lines where there is more than
 * one, invalid UTF-8 replaced, escape sequences of terminals removed.
 */
void lwb_stderr_ring_tail(const struct lwb_stderr_ring *ring, size_t max, struct lwb_buf *out);
