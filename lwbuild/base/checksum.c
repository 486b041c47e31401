#include "lwbuild/base/checksum.h"

#include <string.h>

/* Compiled in: a value of 200 bytes takes about as long as a call into a library. */
#define XXH_INLINE_ALL
#include <xxhash.h>

struct lwb_checksum lwb_checksum_of(const unsigned char name[LWB_CHECKSUM_NAME], const void *data,
                                    size_t len)
{
    XXH64_hash_t seed = XXH3_64bits(name, LWB_CHECKSUM_NAME);
    XXH128_canonical_t canonical;
    struct lwb_checksum sum;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSeed(data, len, seed));
    memcpy(sum.bytes, canonical.digest, sizeof(sum.bytes));
    return sum;
}
