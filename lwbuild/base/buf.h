#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lwbuild/base/attributes.h"

/* A borrowed piece of text or data; not NUL-terminated. */
struct lwb_bytes {
    const char *ptr;
    size_t len;
};

static inline struct lwb_bytes lwb_bytes(const void *ptr, size_t len)
{
    return (struct lwb_bytes){ ptr, len };
}

static inline struct lwb_bytes lwb_bytes_text(const char *text)
{
    return (struct lwb_bytes){ text, strlen(text) };
}

static inline bool lwb_bytes_equal(struct lwb_bytes a, struct lwb_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool lwb_bytes_is(struct lwb_bytes a, const char *text)
{
    return lwb_bytes_equal(a, lwb_bytes_text(text));
}

static inline bool lwb_bytes_start_with(struct lwb_bytes text, const char *start)
{
    size_t len = strlen(start);

    return text.len >= len && memcmp(text.ptr, start, len) == 0;
}

bool lwb_bytes_contain(struct lwb_bytes text, const char *part);

/* memcmp order, shorter first among equals. */
int lwb_bytes_compare(struct lwb_bytes a, struct lwb_bytes b);

/*
 * Growing bytes with a limit and a memory of failure: append freely, ask
 * lwb_buf_ok() once at the end. After a failed append (out of memory, or more
 * than `max` bytes) the content stays as it was and further appends do
 * nothing. NUL-terminated once anything was appended.
 */
struct lwb_buf {
    char *ptr; /* NULL while empty */
    size_t len;
    size_t cap;
    size_t max; /* bytes, without the NUL; stated where the buffer is made */
    bool failed;
    bool full; /* when failed: because of max, and not of memory */
};

#define LWB_BUF(limit) ((struct lwb_buf){ .max = (limit) })

void lwb_buf_release(struct lwb_buf *buf);
LWB_DEFINE_AUTO(struct lwb_buf, lwb_buf_release);

/* Empty again, memory kept, failure forgotten. */
void lwb_buf_clear(struct lwb_buf *buf);

void lwb_buf_append(struct lwb_buf *buf, const void *data, size_t len);
void lwb_buf_append_bytes(struct lwb_buf *buf, struct lwb_bytes bytes);
void lwb_buf_append_text(struct lwb_buf *buf, const char *text);
void lwb_buf_append_char(struct lwb_buf *buf, char c);
void lwb_buf_format(struct lwb_buf *buf, const char *format, ...) LWB_PRINTF(2, 3);
void lwb_buf_append_decimal(struct lwb_buf *buf, uint64_t value);
void lwb_buf_append_u32be(struct lwb_buf *buf, uint32_t value);

/* Room for `len` more bytes; NULL (and failed) if there cannot be. Commit with buf->len += n. */
char *lwb_buf_reserve(struct lwb_buf *buf, size_t len);

/* Drop the first `len` bytes. */
void lwb_buf_consume(struct lwb_buf *buf, size_t len);

bool lwb_buf_ok(const struct lwb_buf *buf);

/* Never NULL: "" while empty. Borrowed. */
const char *lwb_buf_text(const struct lwb_buf *buf);

static inline struct lwb_bytes lwb_buf_bytes(const struct lwb_buf *buf)
{
    return (struct lwb_bytes){ buf->ptr, buf->len };
}

/* Hand the bytes over (NUL-terminated; NULL when failed); the buffer is empty afterwards. */
char *lwb_buf_take(struct lwb_buf *buf);
