#include "lwbuild/worker/stderr_ring.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/utf8.h"

void lwb_stderr_ring_init(struct lwb_stderr_ring *ring, size_t size)
{
    *ring = (struct lwb_stderr_ring){ .size = size };
}

void lwb_stderr_ring_release(struct lwb_stderr_ring *ring)
{
    lwb_free(ring->bytes);
    ring->bytes = NULL;
}

void lwb_stderr_ring_put(struct lwb_stderr_ring *ring, struct lwb_bytes bytes)
{
    size_t at;
    size_t first;

    if (!ring->bytes && bytes.len)
        ring->bytes = lwb_alloc(ring->size);
    if (!ring->bytes || !ring->size) {
        ring->total += bytes.len;
        return;
    }
    if (bytes.len > ring->size) {
        ring->total += bytes.len - ring->size;
        bytes = lwb_bytes(bytes.ptr + (bytes.len - ring->size), ring->size);
    }
    at = ring->total % ring->size;
    first = bytes.len < ring->size - at ? bytes.len : ring->size - at;
    memcpy(ring->bytes + at, bytes.ptr, first);
    memcpy(ring->bytes, bytes.ptr + first, bytes.len - first);
    ring->total += bytes.len;
}

static void unroll(const struct lwb_stderr_ring *ring, struct lwb_buf *out)
{
    size_t at = ring->total % ring->size;

    if (ring->total > ring->size)
        lwb_buf_append(out, ring->bytes + at, ring->size - at);
    lwb_buf_append(out, ring->bytes, at ? at : (ring->total ? ring->size : 0));
}

/* ESC [ parameters letter, as terminals are told about colours. */
static size_t escape_len(struct lwb_bytes text)
{
    size_t len = 2;

    if (text.len < 2 || text.ptr[0] != '\x1b' || text.ptr[1] != '[')
        return 0;
    while (len < text.len && (unsigned char)text.ptr[len] < 0x40)
        len++;
    return len < text.len ? len + 1 : len;
}

static void append_without_escapes(struct lwb_buf *out, struct lwb_bytes text)
{
    while (text.len) {
        size_t skip = escape_len(text);

        if (!skip) {
            lwb_buf_append_char(out, *text.ptr);
            skip = 1;
        }
        text = lwb_bytes(text.ptr + skip, text.len - skip);
    }
}

/* What is left of `text` when it is cut to its last `max` bytes, at a line's start if possible. */
static struct lwb_bytes last_lines(struct lwb_bytes text, size_t max, bool already_cut)
{
    const char *newline;

    if (text.len > max) {
        text = lwb_bytes(text.ptr + (text.len - max), max);
        already_cut = true;
    }
    newline = already_cut && text.len ? memchr(text.ptr, '\n', text.len - 1) : NULL;
    if (newline)
        text = lwb_bytes(newline + 1, text.len - (size_t)(newline + 1 - text.ptr));
    return text;
}

void lwb_stderr_ring_tail(const struct lwb_stderr_ring *ring, size_t max, struct lwb_buf *out)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf raw = LWB_BUF(ring->size);
    LWB_AUTO(lwb_buf_release) struct lwb_buf plain = LWB_BUF(ring->size);
    struct lwb_bytes text;

    if (!ring->bytes)
        return;
    unroll(ring, &raw);
    append_without_escapes(&plain, lwb_buf_bytes(&raw));
    text = last_lines(lwb_buf_bytes(&plain), max, ring->total > ring->size);
    while (text.len && ((unsigned char)text.ptr[0] & 0xC0) == 0x80) /* cut inside a character */
        text = lwb_bytes(text.ptr + 1, text.len - 1);
    lwb_utf8_append_repaired(out, text);
}
