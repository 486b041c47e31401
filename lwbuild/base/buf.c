#include "lwbuild/base/buf.h"

#include <stdio.h>

#include "lwbuild/base/alloc.h"

bool lwb_bytes_contain(struct lwb_bytes text, const char *part)
{
    return text.len > 0 && memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

int lwb_bytes_compare(struct lwb_bytes a, struct lwb_bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;

    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

void lwb_buf_release(struct lwb_buf *buf)
{
    lwb_free(buf->ptr);
    *buf = (struct lwb_buf){ .max = buf->max };
}

void lwb_buf_clear(struct lwb_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->ptr)
        buf->ptr[0] = '\0';
}

static size_t capacity_for(const struct lwb_buf *buf, size_t needed)
{
    size_t cap = buf->cap ? buf->cap : 64;

    /*
     * Past half of the limit, the rest at once: growing by each append would copy
     * it all each time.
     */
    while (cap < needed)
        cap = cap < buf->max / 2 || buf->max == SIZE_MAX ? cap * 2 : buf->max + 1;
    return cap;
}

char *lwb_buf_reserve(struct lwb_buf *buf, size_t len)
{
    size_t cap;
    char *grown;

    if (buf->failed)
        return NULL;
    if (len > buf->max || buf->len > buf->max - len) {
        buf->failed = true;
        buf->full = true;
        return NULL;
    }
    if (buf->len + len + 1 > buf->cap) {
        cap = capacity_for(buf, buf->len + len + 1);
        grown = lwb_realloc(buf->ptr, cap);
        if (!grown) {
            buf->failed = true;
            buf->full = false;
            return NULL;
        }
        buf->ptr = grown;
        buf->cap = cap;
        buf->ptr[buf->len] = '\0';
    }
    return buf->ptr + buf->len;
}

void lwb_buf_append(struct lwb_buf *buf, const void *data, size_t len)
{
    char *end = lwb_buf_reserve(buf, len);

    if (!end)
        return;
    if (len)
        memcpy(end, data, len);
    buf->len += len;
    buf->ptr[buf->len] = '\0';
}

void lwb_buf_append_bytes(struct lwb_buf *buf, struct lwb_bytes bytes)
{
    lwb_buf_append(buf, bytes.ptr, bytes.len);
}

void lwb_buf_append_text(struct lwb_buf *buf, const char *text)
{
    lwb_buf_append(buf, text, strlen(text));
}

void lwb_buf_append_char(struct lwb_buf *buf, char c)
{
    lwb_buf_append(buf, &c, 1);
}

void lwb_buf_append_u32be(struct lwb_buf *buf, uint32_t value)
{
    unsigned char bytes[4] = { (unsigned char)(value >> 24), (unsigned char)(value >> 16),
                               (unsigned char)(value >> 8), (unsigned char)value };

    lwb_buf_append(buf, bytes, sizeof(bytes));
}

/* Messages are full of numbers, and printf is slow. */
void lwb_buf_append_decimal(struct lwb_buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    lwb_buf_append(buf, digits + at, sizeof(digits) - at);
}

void lwb_buf_format(struct lwb_buf *buf, const char *format, ...)
{
    va_list args;
    char *end;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    end = len < 0 ? NULL : lwb_buf_reserve(buf, (size_t)len);
    if (!end) {
        buf->failed = true;
        return;
    }
    va_start(args, format);
    (void)vsnprintf(end, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

void lwb_buf_consume(struct lwb_buf *buf, size_t len)
{
    if (len >= buf->len) {
        lwb_buf_clear(buf);
        return;
    }
    memmove(buf->ptr, buf->ptr + len, buf->len - len + 1);
    buf->len -= len;
}

bool lwb_buf_ok(const struct lwb_buf *buf)
{
    return !buf->failed;
}

const char *lwb_buf_text(const struct lwb_buf *buf)
{
    return buf->ptr ? buf->ptr : "";
}

char *lwb_buf_take(struct lwb_buf *buf)
{
    char *taken;

    if (!buf->ptr && !buf->failed)
        lwb_buf_append(buf, "", 0);
    taken = buf->failed ? NULL : LWB_TAKE(buf->ptr);
    lwb_buf_release(buf);
    return taken;
}
