#include "cache/cache_bytes.h"

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
    const char *at = lwb_take(in, sizeof(digest.bytes));

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
