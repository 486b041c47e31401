#include "child/lean/lean_message.h"

#include <ctype.h>

#include "lwbuild/base/utf8.h"

/* What the command line says: --json lines since 4.8, plain text before. */
enum { TEXT_MAX = 64 * 1024 * 1024 };

/* ---- --json ------------------------------------------------------------------------------- */

static int read_json_position(const cJSON *json, const char *key, int64_t *line, int64_t *column,
                              struct lwb_error *err)
{
    const cJSON *position = lwb_json_find(json, key);
    int rc;

    if (!position || cJSON_IsNull(position))
        return LWB_OK;
    rc = lwb_json_get_int(position, "line", line, err);
    return rc == LWB_OK ? lwb_json_get_int(position, "column", column, err) : rc;
}

/* Returns 1 if it was a message, 0 if it is some other object. */
static int add_json_object(struct lwb_lean_messages *messages, const cJSON *json,
                           struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(TEXT_MAX);
    struct lwb_diagnostic message = { .line = -1, .column = -1, .end_line = -1, .end_column = -1 };
    const char *severity = lwb_json_text(lwb_json_find(json, "severity"));
    const char *data = lwb_json_text(lwb_json_find(json, "data"));
    const char *caption = lwb_json_text(lwb_json_find(json, "caption"));
    const char *kind = lwb_json_text(lwb_json_find(json, "kind"));
    int rc;

    if (!severity || !data || lwb_severity_parse(&message.severity, severity) < 0)
        return 0;
    rc = read_json_position(json, "pos", &message.line, &message.column, err);
    if (rc == LWB_OK)
        rc = read_json_position(json, "endPos", &message.end_line, &message.end_column, err);
    if (rc < 0)
        return 0;
    if (caption && *caption)
        lwb_buf_format(&text, "%s:\n", caption);
    lwb_buf_append_text(&text, data);
    if (!lwb_buf_ok(&text))
        return lwb_fail_memory(err);
    message.message = lwb_bytes(lwb_buf_text(&text), text.len);
    message.code = kind ? lwb_bytes_text(kind) : lwb_bytes("", 0);
    rc = lwb_lean_messages_add(messages, &message, err);
    return rc < 0 ? rc : 1;
}

static struct lwb_bytes take_line(struct lwb_bytes *rest)
{
    const char *newline = memchr(rest->ptr, '\n', rest->len);
    struct lwb_bytes line =
        lwb_bytes(rest->ptr, newline ? (size_t)(newline - rest->ptr) : rest->len);
    size_t used = line.len + (newline ? 1 : 0);

    *rest = lwb_bytes(rest->ptr + used, rest->len - used);
    return line;
}

/* Whether an object begins here whose first member is one of a message. */
static bool looks_like_message(struct lwb_bytes text)
{
    static const char *const starts[] = {
        "{\"severity\":", "{\"pos\":",    "{\"keepFullRange\":", "{\"kind\":",    "{\"isSilent\":",
        "{\"fileName\":", "{\"endPos\":", "{\"data\":",          "{\"caption\":",
    };

    for (size_t i = 0; i < LWB_COUNT(starts); i++)
        if (lwb_bytes_start_with(text, starts[i]))
            return true;
    return false;
}

/* A message with a NUL in its text, or the start of one. It counts, though nobody can read it. */
static int add_unreadable(struct lwb_lean_messages *messages, struct lwb_bytes line,
                          struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(TEXT_MAX);
    struct lwb_diagnostic message = {
        .severity = LWB_SEVERITY_ERROR,
        .line = -1,
        .column = -1,
        .end_line = -1,
        .end_column = -1,
    };

    if (lwb_bytes_contain(line, "\"severity\":\"warning\""))
        message.severity = LWB_SEVERITY_WARNING;
    else if (lwb_bytes_contain(line, "\"severity\":\"information\""))
        message.severity = LWB_SEVERITY_INFORMATION;
    lwb_utf8_append_repaired(&text, line);
    if (!lwb_buf_ok(&text))
        return lwb_fail_memory(err);
    message.message = lwb_bytes(lwb_buf_text(&text), text.len);
    return lwb_lean_messages_add(messages, &message, err);
}

/*
 * What an import prints when it is initialized need not end with a newline, and
 * then the first message stands behind it.
 */
static int add_json_line(struct lwb_lean_messages *messages, struct lwb_bytes line,
                         struct lwb_error *err)
{
    struct lwb_bytes unreadable = { 0 };

    for (; line.len > 0; line = lwb_bytes(line.ptr + 1, line.len - 1)) {
        LWB_AUTO(lwb_json_free) cJSON *json = NULL;
        const char *brace = memchr(line.ptr, '{', line.len);
        struct lwb_error not_json;
        int rc = 0;

        if (!brace)
            break;
        line = lwb_bytes(brace, line.len - (size_t)(brace - line.ptr));
        if (!looks_like_message(line))
            continue;
        if (lwb_json_parse(&json, line, &not_json) == LWB_OK)
            rc = add_json_object(messages, json, err);
        if (rc != 0)
            return rc < 0 ? rc : LWB_OK;
        if (!unreadable.ptr && !json)
            unreadable = line;
    }
    return unreadable.ptr ? add_unreadable(messages, unreadable, err) : LWB_OK;
}

int lwb_lean_messages_add_json(struct lwb_lean_messages *messages, struct lwb_bytes output,
                               struct lwb_error *err)
{
    int rc = LWB_OK;

    while (rc == LWB_OK && output.len > 0)
        rc = add_json_line(messages, take_line(&output), err);
    return rc;
}

/* ---- plain text ---------------------------------------------------------------------------- */

/* "12" at the start; the rest behind it. */
static bool take_number(struct lwb_bytes *rest, int64_t *out)
{
    int64_t value = 0;
    size_t n = 0;

    for (; n < rest->len && n < 12 && isdigit((unsigned char)rest->ptr[n]); n++)
        value = value * 10 + (rest->ptr[n] - '0');
    if (n == 0)
        return false;
    *out = value;
    *rest = lwb_bytes(rest->ptr + n, rest->len - n);
    return true;
}

static bool take_literal(struct lwb_bytes *rest, const char *literal)
{
    size_t len = strlen(literal);

    if (!lwb_bytes_start_with(*rest, literal))
        return false;
    *rest = lwb_bytes(rest->ptr + len, rest->len - len);
    return true;
}

/* "<file>:<line>:<column>[-<line>:<column>]: error: ", and nothing less. */
static bool take_position(struct lwb_bytes *line, const char *file, bool failed,
                          struct lwb_diagnostic *message)
{
    struct lwb_bytes rest = *line;

    *message =
        (struct lwb_diagnostic){ .line = -1, .column = -1, .end_line = -1, .end_column = -1 };
    if (!take_literal(&rest, file) || !take_literal(&rest, ":") ||
        !take_number(&rest, &message->line) || !take_literal(&rest, ":") ||
        !take_number(&rest, &message->column))
        return false;
    if (take_literal(&rest, "-") &&
        (!take_number(&rest, &message->end_line) || !take_literal(&rest, ":") ||
         !take_number(&rest, &message->end_column)))
        return false;
    if (failed && take_literal(&rest, ": error: "))
        message->severity = LWB_SEVERITY_ERROR;
    else if (take_literal(&rest, ": warning: "))
        message->severity = LWB_SEVERITY_WARNING;
    else
        return false;
    *line = rest;
    return true;
}

/*
 * Adds what lies between `from` and `to`. Lean puts a newline behind a text that
 * has none, and so does whoever prints this, so that one is left out; with an
 * empty line at the end it may be the text's own.
 */
static int add_text_message(struct lwb_lean_messages *messages, struct lwb_diagnostic *message,
                            const char *from, const char *to, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf repaired = LWB_BUF(TEXT_MAX);
    size_t len = (size_t)(to - from);

    if (len > 0 && from[len - 1] == '\n' && (len == 1 || from[len - 2] != '\n'))
        len--;
    lwb_utf8_append_repaired(&repaired, lwb_bytes(from, len));
    if (!lwb_buf_ok(&repaired))
        return lwb_fail_memory(err);
    message->message = lwb_bytes(lwb_buf_text(&repaired), repaired.len);
    return lwb_lean_messages_add(messages, message, err);
}

/*
 * Where in a line a message begins; its length when none does. Not always at
 * the start: what an import prints when it is initialized need not end with a
 * newline.
 */
static size_t find_position(struct lwb_bytes line, const char *file, bool failed,
                            struct lwb_diagnostic *message, struct lwb_bytes *text)
{
    const char *end = line.ptr + line.len;
    const char *at = line.ptr;

    for (; at < end && (at = memmem(at, (size_t)(end - at), file, strlen(file))) != NULL; at++) {
        *text = lwb_bytes(at, (size_t)(end - at));
        if (take_position(text, file, failed, message))
            return (size_t)(at - line.ptr);
    }
    return line.len;
}

int lwb_lean_messages_add_text(struct lwb_lean_messages *messages, struct lwb_bytes output,
                               const char *file, bool failed, struct lwb_error *err)
{
    struct lwb_diagnostic current = { .severity = LWB_SEVERITY_INFORMATION,
                                      .line = -1,
                                      .column = -1,
                                      .end_line = -1,
                                      .end_column = -1 };
    const char *start = output.ptr;
    const char *end = output.ptr + output.len;
    bool open = false; /* a message has begun that is not added yet */

    while (output.len > 0) {
        struct lwb_bytes line = take_line(&output);
        struct lwb_diagnostic next;
        struct lwb_bytes text;
        size_t before = find_position(line, file, failed, &next, &text);

        open = open || before > 0 || line.len == 0;
        if (before == line.len)
            continue;
        if (open && add_text_message(messages, &current, start, line.ptr + before, err) < 0)
            return err->code;
        current = next;
        start = text.ptr;
        open = true;
    }
    return open ? add_text_message(messages, &current, start, end, err) : LWB_OK;
}
