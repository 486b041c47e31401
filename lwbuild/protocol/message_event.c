#include "lwbuild/protocol/message_internal.h"

/* Events: progress, diagnostics, rows. */

static const struct lwb_bytes no_attachment;

int lwb_progress_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                        const struct lwb_progress *value, uint32_t limit, struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "phase", value->phase);
    lwb_writer_count(&writer, "current", value->current);
    if (value->has_total)
        lwb_writer_count(&writer, "total", value->total);
    lwb_writer_count(&writer, "elapsed_ns", value->elapsed_ns);
    return lwb_writer_end(&writer, no_attachment, err);
}

int lwb_progress_decode(struct lwb_progress *out, struct lwb_message *message,
                        struct lwb_error *err)
{
    struct lwb_progress value = { .has_total = lwb_message_has(message, "total") };

    if (lwb_message_get_text(message, "phase", &value.phase, err) < 0 ||
        lwb_message_get_count(message, "current", &value.current, err) < 0 ||
        lwb_message_count(message, "total", &value.total, err) < 0 ||
        lwb_message_count(message, "elapsed_ns", &value.elapsed_ns, err) < 0)
        return lwb_message_bad(message, err);
    *out = value;
    return LWB_OK;
}

/* The text travels as the attachment: messages are long and would be escaped and copied otherwise.
 */
int lwb_diagnostic_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                          const struct lwb_diagnostic *value, uint32_t limit, struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "severity", lwb_severity_name(value->severity));
    lwb_writer_int(&writer, "line", value->line, -1);
    lwb_writer_int(&writer, "column", value->column, -1);
    lwb_writer_int(&writer, "end_line", value->end_line, -1);
    lwb_writer_int(&writer, "end_column", value->end_column, -1);
    if (value->code.len)
        lwb_writer_bytes(&writer, "code", value->code);
    return lwb_writer_end(&writer, value->message.ptr ? value->message : lwb_bytes("", 0), err);
}

static int decode_position(struct lwb_message *message, const char *key, int64_t *out,
                           struct lwb_error *err)
{
    int rc = lwb_message_opt_int(message, key, -1, out, err);

    if (rc == LWB_OK && *out < -1)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "\"%s\" is negative", key);
    return rc;
}

int lwb_diagnostic_decode(struct lwb_diagnostic *out, struct lwb_message *message,
                          struct lwb_error *err)
{
    struct lwb_diagnostic value = { .message = message->attachment };
    const char *severity;
    const char *code;

    if (lwb_message_get_text(message, "severity", &severity, err) < 0 ||
        decode_position(message, "line", &value.line, err) < 0 ||
        decode_position(message, "column", &value.column, err) < 0 ||
        decode_position(message, "end_line", &value.end_line, err) < 0 ||
        decode_position(message, "end_column", &value.end_column, err) < 0 ||
        lwb_message_opt_text(message, "code", "", &code, err) < 0)
        return lwb_message_bad(message, err);
    if (lwb_severity_parse(&value.severity, severity))
        return lwb_message_bad_word(message, "severity", severity, err);
    if (!value.message.ptr) {
        (void)lwb_fail(err, LWB_ERR_PROTOCOL, "no attachment");
        return lwb_message_bad(message, err);
    }
    value.code = lwb_bytes_text(code);
    *out = value;
    return LWB_OK;
}

int lwb_rows_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                    const struct lwb_rows *value, uint32_t limit, struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "stream", value->stream);
    lwb_writer_count(&writer, "first", value->first);
    lwb_writer_count(&writer, "count", value->count);
    return lwb_writer_end(&writer, value->packed.ptr ? value->packed : lwb_bytes("", 0), err);
}

int lwb_rows_decode(struct lwb_rows *out, struct lwb_message *message, struct lwb_error *err)
{
    struct lwb_rows value = { .packed = message->attachment };

    if (lwb_message_get_text(message, "stream", &value.stream, err) < 0 ||
        lwb_message_get_count(message, "first", &value.first, err) < 0 ||
        lwb_message_get_count(message, "count", &value.count, err) < 0)
        return lwb_message_bad(message, err);
    if (!value.packed.ptr) {
        (void)lwb_fail(err, LWB_ERR_PROTOCOL, "no attachment");
        return lwb_message_bad(message, err);
    }
    *out = value;
    return LWB_OK;
}

int lwb_rows_next(struct lwb_bytes *packed, struct lwb_bytes *row)
{
    const unsigned char *b = (const unsigned char *)packed->ptr;
    size_t len;

    if (packed->len == 0)
        return 0;
    if (packed->len < 4)
        return -1;
    len = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    if (len > packed->len - 4)
        return -1;
    *row = lwb_bytes(packed->ptr + 4, len);
    *packed = lwb_bytes(packed->ptr + 4 + len, packed->len - 4 - len);
    return 1;
}
