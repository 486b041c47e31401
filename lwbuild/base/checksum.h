#pragma once

#include <stddef.h>

/*
 * 128 bits against accidents: flipped bits, cut values, values under the wrong
 * name. Many times faster than a digest, and no protection at all from somebody
 * who wants to deceive: names and keys are digests.
 *
 * It is XXH3 of 128 bits (libxxhash, whose format is fixed since its version
 * 0.8), with 64 bits made of the name as its seed.
 */
struct lwb_checksum {
    unsigned char bytes[16];
};

enum { LWB_CHECKSUM_NAME = 32 };

/* The checksum of `data` under a name. */
struct lwb_checksum lwb_checksum_of(const unsigned char name[LWB_CHECKSUM_NAME], const void *data,
                                    size_t len);
