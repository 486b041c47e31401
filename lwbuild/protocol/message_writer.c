#include "lwbuild/protocol/message_internal.h"

#include "lwbuild/protocol/frame.h"

/* Structs to frames: what the encoders are written with. */

enum {
    DECIMAL_DIGITS = 20, /* of any uint64_t */
    HEAD_ROOM = 192,
};

static char *put(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}
#define PUT(at, text) put((at), (text), sizeof(text) - 1)

static char *put_decimal(char *at, uint64_t value)
{
    char digits[DECIMAL_DIGITS];
    size_t first = sizeof(digits);

    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return put(at, digits + first, sizeof(digits) - first);
}

/*
 * The head is in every frame, and most frames are small: it is put together first,
 * then appended.
 */
void lwb_writer_begin(struct lwb_writer *writer, struct lwb_buf *out,
                      const struct lwb_message_head *head, uint32_t limit)
{
    const char *type = lwb_message_type_name(head->type);
    char text[HEAD_ROOM];
    char *at = text;

    at = PUT(at, "\0\0\0\0{\"version\":");
    at = put_decimal(at, LWB_PROTOCOL_VERSION);
    at = PUT(at, ",\"generation\":");
    at = put_decimal(at, head->generation);
    at = PUT(at, ",\"request\":");
    at = put_decimal(at, head->request);
    at = PUT(at, ",\"type\":\"");
    at = put(at, type, strlen(type));
    at = PUT(at, "\"");
    *writer = (struct lwb_writer){ .out = out, .start = out->len, .limit = limit };
    lwb_buf_append(out, text, (size_t)(at - text));
}

/* Keys are ours and need no escapes. */
static void put_key(struct lwb_writer *writer, const char *key)
{
    size_t len = strlen(key);
    char *at = lwb_buf_reserve(writer->out, len + 4);

    if (!at)
        return;
    if (!writer->first)
        *at++ = ',';
    *at++ = '"';
    at = put(at, key, len);
    at = PUT(at, "\":");
    *at = '\0';
    writer->out->len = (size_t)(at - writer->out->ptr);
    writer->first = false;
}

void lwb_writer_text(struct lwb_writer *writer, const char *key, const char *value)
{
    if (value)
        lwb_writer_bytes(writer, key, lwb_bytes_text(value));
}

void lwb_writer_bytes(struct lwb_writer *writer, const char *key, struct lwb_bytes value)
{
    put_key(writer, key);
    lwb_json_append_string(writer->out, value);
}

/* Larger numbers would not survive a double; no count of ours comes near. */
static uint64_t clamp(uint64_t value)
{
    return value < (uint64_t)LWB_JSON_INT_MAX ? value : (uint64_t)LWB_JSON_INT_MAX;
}

void lwb_writer_count(struct lwb_writer *writer, const char *key, uint64_t value)
{
    put_key(writer, key);
    lwb_buf_append_decimal(writer->out, clamp(value));
}

void lwb_writer_int(struct lwb_writer *writer, const char *key, int64_t value, int64_t silent)
{
    if (value == silent)
        return;
    put_key(writer, key);
    if (value < 0)
        lwb_buf_append_char(writer->out, '-');
    lwb_buf_append_decimal(writer->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void lwb_writer_flag(struct lwb_writer *writer, const char *key, bool value)
{
    put_key(writer, key);
    lwb_buf_append_text(writer->out, value ? "true" : "false");
}

void lwb_writer_strings(struct lwb_writer *writer, const char *key, const struct lwb_strvec *list)
{
    if (!list)
        return;
    lwb_writer_list(writer, key);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            lwb_buf_append_char(writer->out, ',');
        lwb_json_append_text(writer->out, list->items[i]);
    }
    lwb_writer_list_end(writer);
}

void lwb_writer_streams(struct lwb_writer *writer, const struct lwb_stream_count *streams,
                        size_t n_streams)
{
    if (!n_streams)
        return;
    lwb_writer_list(writer, "streams");
    for (size_t i = 0; i < n_streams; i++) {
        lwb_writer_open(writer, i == 0);
        lwb_writer_text(writer, "stream", streams[i].stream);
        lwb_writer_count(writer, "rows", streams[i].rows);
        lwb_writer_close(writer);
    }
    lwb_writer_list_end(writer);
}

void lwb_writer_list(struct lwb_writer *writer, const char *key)
{
    put_key(writer, key);
    lwb_buf_append_char(writer->out, '[');
}

void lwb_writer_open(struct lwb_writer *writer, bool first)
{
    lwb_buf_append_text(writer->out, first ? "{" : ",{");
    writer->first = true;
}

void lwb_writer_close(struct lwb_writer *writer)
{
    lwb_buf_append_char(writer->out, '}');
}

void lwb_writer_list_end(struct lwb_writer *writer)
{
    lwb_buf_append_char(writer->out, ']');
    writer->first = false;
}

static int fail_too_large(size_t len, uint32_t limit, struct lwb_error *err)
{
    (void)lwb_fail(err, LWB_ERR_LIMIT, "message of %zu bytes, at most %u allowed", len, limit);
    err->facts.current = len;
    err->facts.limit = limit;
    return err->code;
}

/* Why the frame is not there. What was appended is only a part of it, so its length is a guess. */
static int fail_writer(const struct lwb_writer *writer, size_t len, struct lwb_error *err)
{
    const struct lwb_buf *out = writer->out;
    size_t room = out->max - writer->start;

    if (len <= writer->limit && !out->full)
        return lwb_fail_memory(err);
    if (room < (size_t)writer->limit + LWB_FRAME_HEADER)
        return fail_too_large(len, (uint32_t)room, err);
    return fail_too_large(len > writer->limit ? len : (size_t)writer->limit + 1, writer->limit,
                          err);
}

int lwb_writer_end(struct lwb_writer *writer, struct lwb_bytes attachment, struct lwb_error *err)
{
    struct lwb_buf *out = writer->out;
    size_t written;
    size_t len;

    lwb_buf_append_char(out, '}');
    written = out->len - writer->start;
    len = written > LWB_FRAME_HEADER ? written - LWB_FRAME_HEADER : 0;
    if (attachment.ptr)
        len += attachment.len + 1;
    if (len <= writer->limit && attachment.ptr) {
        lwb_buf_append_char(out, '\n');
        lwb_buf_append_bytes(out, attachment);
    }
    if (len > writer->limit || !lwb_buf_ok(out)) {
        (void)fail_writer(writer, len, err);
        out->len = writer->start;
        out->failed = false;
        if (out->ptr)
            out->ptr[out->len] = '\0';
        return err->code;
    }
    for (unsigned i = 0; i < LWB_FRAME_HEADER; i++)
        out->ptr[writer->start + i] = (char)(len >> (24 - 8 * i));
    return LWB_OK;
}

int lwb_plain_encode(struct lwb_buf *out, const struct lwb_message_head *head, uint32_t limit,
                     struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    return lwb_writer_end(&writer, lwb_bytes(NULL, 0), err);
}
