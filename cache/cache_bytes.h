#pragma once

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

uint8_t lwb_take_u8(struct lwb_reader *in);
uint32_t lwb_take_u32(struct lwb_reader *in);
uint64_t lwb_take_u64(struct lwb_reader *in);
struct lwb_bytes lwb_take_bytes(struct lwb_reader *in); /* borrowed */
const char *lwb_take_text(struct lwb_reader *in);       /* borrowed; "" when there is none */
struct lwb_digest lwb_take_digest(struct lwb_reader *in);

/* All was there, and nothing is left. */
static inline bool lwb_reader_is_done(const struct lwb_reader *in)
{
    return in->ok && in->rest.len == 0;
}

/* The digest that `bytes` are; -1 if they are of another length. */
int lwb_digest_from(struct lwb_digest *out, struct lwb_bytes bytes);
