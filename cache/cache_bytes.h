#pragma once

#include <endian.h>
#include <string.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/digest.h"

/*
 * Fields of stored values <-> bytes, big-endian and length-prefixed. Reading
 * goes on with zeros after the first thing that does not fit; ask once at the
 * end (lwb_reader_is_done).
 */
void lwb_put_u64(struct lwb_buf *out, uint64_t value);
void lwb_put_bytes(struct lwb_buf *out, struct lwb_bytes bytes);
void lwb_put_text(struct lwb_buf *out, const char *text);
void lwb_put_digest(struct lwb_buf *out, const struct lwb_digest *digest);

struct lwb_reader {
    struct lwb_bytes rest;
    bool ok;
};

static inline struct lwb_reader lwb_reader(struct lwb_bytes bytes)
{
    return (struct lwb_reader){ bytes, true };
}

/* The next `len` bytes, or NULL and the end of reading. */
static inline const char *lwb_take(struct lwb_reader *in, size_t len)
{
    const char *at = in->rest.ptr;

    if (!in->ok || in->rest.len < len) {
        in->ok = false;
        return NULL;
    }
    in->rest = lwb_bytes(at + len, in->rest.len - len);
    return at;
}

static inline uint8_t lwb_take_u8(struct lwb_reader *in)
{
    const char *at = lwb_take(in, 1);

    return at ? (uint8_t)*at : 0;
}

static inline uint32_t lwb_take_u32(struct lwb_reader *in)
{
    const char *at = lwb_take(in, sizeof(uint32_t));
    uint32_t value = 0;

    if (at)
        memcpy(&value, at, sizeof(value));
    return be32toh(value);
}

static inline uint64_t lwb_take_u64(struct lwb_reader *in)
{
    const char *at = lwb_take(in, sizeof(uint64_t));
    uint64_t value = 0;

    if (at)
        memcpy(&value, at, sizeof(value));
    return be64toh(value);
}

/* Borrowed. */
static inline struct lwb_bytes lwb_take_bytes(struct lwb_reader *in)
{
    size_t len = lwb_take_u32(in);
    const char *at = lwb_take(in, len);

    return at ? lwb_bytes(at, len) : lwb_bytes("", 0);
}

const char *lwb_take_text(struct lwb_reader *in); /* borrowed; "" when there is none */
struct lwb_digest lwb_take_digest(struct lwb_reader *in);

/* All was there, and nothing is left. */
static inline bool lwb_reader_is_done(const struct lwb_reader *in)
{
    return in->ok && in->rest.len == 0;
}

/* The digest that `bytes` are; -1 if they are of another length. */
int lwb_digest_from(struct lwb_digest *out, struct lwb_bytes bytes);
