#include "cache/cache_bytes.h"

#include <string.h>

void lwb_put_u64(struct lwb_buf *out, uint64_t value)
{
    lwb_buf_append_u32be(out, (uint32_t)(value >> 32));
    lwb_buf_append_u32be(out, (uint32_t)value);
}

void lwb_put_bytes(struct lwb_buf *out, struct lwb_bytes bytes)
{
    lwb_buf_append_u32be(out, (uint32_t)bytes.len);
    lwb_buf_append_bytes(out, bytes);
}

/* The NUL is stored too, so that the text can be borrowed when it is read. */
void lwb_put_text(struct lwb_buf *out, const char *text)
{
    lwb_put_bytes(out, lwb_bytes(text, strlen(text) + 1));
}

void lwb_put_digest(struct lwb_buf *out, const struct lwb_digest *digest)
{
    lwb_buf_append(out, digest->bytes, sizeof(digest->bytes));
}

/* The next `len` bytes, or NULL and the end of reading. */
static const unsigned char *take(struct lwb_reader *in, size_t len)
{
    const char *at = in->rest.ptr;

    if (!in->ok || in->rest.len < len) {
        in->ok = false;
        return NULL;
    }
    in->rest = lwb_bytes(at + len, in->rest.len - len);
    return (const unsigned char *)at;
}

static uint64_t take_number(struct lwb_reader *in, size_t size)
{
    const unsigned char *at = take(in, size);
    uint64_t value = 0;

    for (size_t i = 0; at && i < size; i++)
        value = value << 8 | at[i];
    return value;
}

uint8_t lwb_take_u8(struct lwb_reader *in)
{
    return (uint8_t)take_number(in, 1);
}

uint32_t lwb_take_u32(struct lwb_reader *in)
{
    return (uint32_t)take_number(in, 4);
}

uint64_t lwb_take_u64(struct lwb_reader *in)
{
    return take_number(in, 8);
}

struct lwb_bytes lwb_take_bytes(struct lwb_reader *in)
{
    size_t len = lwb_take_u32(in);
    const unsigned char *at = take(in, len);

    return at ? lwb_bytes(at, len) : lwb_bytes("", 0);
}

const char *lwb_take_text(struct lwb_reader *in)
{
    struct lwb_bytes text = lwb_take_bytes(in);

    if (in->ok && (text.len == 0 || memchr(text.ptr, '\0', text.len) != text.ptr + text.len - 1))
        in->ok = false;
    return in->ok ? text.ptr : "";
}

struct lwb_digest lwb_take_digest(struct lwb_reader *in)
{
    struct lwb_digest digest = { { 0 } };
    const unsigned char *at = take(in, sizeof(digest.bytes));

    if (at)
        memcpy(digest.bytes, at, sizeof(digest.bytes));
    return digest;
}

int lwb_digest_from(struct lwb_digest *out, struct lwb_bytes bytes)
{
    if (bytes.len != sizeof(out->bytes))
        return -1;
    memcpy(out->bytes, bytes.ptr, sizeof(out->bytes));
    return 0;
}
