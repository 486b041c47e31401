#pragma once

#include <stddef.h>

#include "lwbuild/base/attributes.h"

/*
 * 128 bits against accidents: flipped bits, cut values, values under the wrong
 * name. Several times faster than a digest on small values, and no protection
 * at all from somebody who wants to deceive: names and keys are digests.
 */
struct lwb_checksum {
    unsigned char bytes[16];
};

struct lwb_checker;

/* NULL when memory is out. */
struct lwb_checker *lwb_checker_create(void);
void lwb_checker_destroy(struct lwb_checker *checker);
LWB_DEFINE_AUTO_PTR(struct lwb_checker, lwb_checker_destroy);

enum { LWB_CHECKSUM_NAME = 32 };

/* The checksum of `data` under a name, which should look random, as a digest does. */
struct lwb_checksum lwb_checksum_of(struct lwb_checker *checker,
                                    const unsigned char name[LWB_CHECKSUM_NAME], const void *data,
                                    size_t len);
