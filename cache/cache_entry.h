#pragma once

#include "cache/cache.h"
#include "lwbuild/base/checksum.h"

/*
 * What is stored <-> bytes; no I/O. Every stored value ends with a seal, a
 * checksum of its kind, its key and its bytes: a flipped bit, a
 * value under another key or the rest of another version is not a value.
 */
enum {
    LWB_CACHE_ENTRY_MAX = 32 * 1024 * 1024, /* one stored result */
    LWB_SEAL_SIZE = sizeof(struct lwb_checksum),
};

/* Append the seal of what stands in `body` from offset `from` on. */
void lwb_seal(struct lwb_buf *body, size_t from, char kind, const struct lwb_digest *key);

/* Whether the seal is right; takes it off then. */
bool lwb_unseal(struct lwb_bytes *body, char kind, const struct lwb_digest *key);

/* Append an entry, unsealed; ask lwb_buf_ok afterwards. */
void lwb_cache_entry_encode(struct lwb_buf *out, const struct lwb_cache_entry *entry);

/*
 * Fill `out` from an unsealed body; strings and bytes are borrowed from it.
 * `artifacts`, of `*cap` items, belongs to the caller and grows as needed.
 */
int lwb_cache_entry_decode(struct lwb_cache_entry *out, struct lwb_cache_artifact **artifacts,
                           size_t *cap, struct lwb_bytes body, struct lwb_error *err);
