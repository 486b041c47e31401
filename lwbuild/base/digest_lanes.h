#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lwbuild/base/digest.h"

/*
 * The inner loop of SHA-256 over several messages at once: one vector holds the
 * same word of each. Pure; who pads the messages and feeds them is digest_feed.h.
 */
enum { LWB_DIGEST_LANES = 8, LWB_DIGEST_BLOCK = 64 };

/* The lane is the inner index. */
struct lwb_digest_lanes {
    uint32_t state[8][LWB_DIGEST_LANES];
};

enum lwb_digest_lanes_by {
    LWB_DIGEST_BY_NONE, /* one message after the other is faster, or there is no other way */
    LWB_DIGEST_BY_AVX2,
    LWB_DIGEST_BY_AVX512,
};

/*
 * What this processor has, and what it does best, which is no lanes where SHA-256
 * is an instruction.
 */
enum lwb_digest_lanes_by lwb_digest_lanes_has(void);
enum lwb_digest_lanes_by lwb_digest_lanes_best(void);

/* A new message begins in this lane. */
void lwb_digest_lanes_start(struct lwb_digest_lanes *lanes, size_t lane);

/* As many blocks of each lane. `by` is something that the processor has, and not NONE. */
void lwb_digest_lanes_update(struct lwb_digest_lanes *lanes,
                             const unsigned char *const data[LWB_DIGEST_LANES], size_t n_blocks,
                             enum lwb_digest_lanes_by by);

/* The digest of a lane's message, which was padded by its writer. */
struct lwb_digest lwb_digest_lanes_end(const struct lwb_digest_lanes *lanes, size_t lane);
