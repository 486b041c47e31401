#include "child/lean/lean_message.h"

#include <ctype.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/utf8.h"

enum { TEXT_MAX = 64 * 1024 * 1024 };

/* Lean's name for "this has no kind". */
static const char no_kind[] = "[anonymous]";

static void release_message(struct lwb_diagnostic *message)
{
    lwb_free((char *)message->code.ptr);
    lwb_free((char *)message->message.ptr);
}

void lwb_lean_messages_release(struct lwb_lean_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        release_message(&messages->items[i]);
    lwb_free(messages->items);
    *messages = (struct lwb_lean_messages){ 0 };
}

static bool starts_with(struct lwb_bytes text, const char *start)
{
    size_t len = strlen(start);

    return text.len >= len && memcmp(text.ptr, start, len) == 0;
}

static bool contains(struct lwb_bytes text, const char *part)
{
    return text.len > 0 && memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/* A stable kind for what only newer Leans name, so that all versions answer alike. */
static struct lwb_bytes known_code(const struct lwb_diagnostic *message)
{
    if (message->code.len > 0 && !lwb_bytes_is(message->code, no_kind))
        return message->code;
    if (message->severity == LWB_SEVERITY_WARNING &&
        (lwb_bytes_is(message->message, "declaration uses 'sorry'") ||
         lwb_bytes_is(message->message, "declaration uses `sorry`")))
        return lwb_bytes_text("hasSorry");
    return lwb_bytes("", 0);
}

int lwb_lean_messages_add(struct lwb_lean_messages *messages,
                          const struct lwb_diagnostic *diagnostic, struct lwb_error *err)
{
    struct lwb_diagnostic copy = *diagnostic;
    struct lwb_bytes code = known_code(diagnostic);
    struct lwb_bytes text = diagnostic->message;

    if (lwb_grow(&messages->items, &messages->cap, messages->count, sizeof(*messages->items)) < 0)
        return lwb_fail_memory(err);
    copy.code = lwb_bytes(lwb_strndup(code.len ? code.ptr : "", code.len), code.len);
    copy.message = lwb_bytes(lwb_strndup(text.len ? text.ptr : "", text.len), text.len);
    if (!copy.code.ptr || !copy.message.ptr) {
        release_message(&copy);
        return lwb_fail_memory(err);
    }
    messages->items[messages->count++] = copy;
    return LWB_OK;
}

/* ---- a worker's diagnostics ------------------------------------------------------------- */

static int read_position(const cJSON *range, const char *which, const struct lwb_lean_lines *lines,
                         int64_t *line, int64_t *column, struct lwb_error *err)
{
    const cJSON *position = NULL;
    int64_t units = 0;
    int rc = lwb_json_get_object(range, which, &position, err);

    if (rc == LWB_OK)
        rc = lwb_json_get_int(position, "line", line, err);
    if (rc == LWB_OK)
        rc = lwb_json_get_int(position, "character", &units, err);
    if (rc < 0)
        return rc;
    *column = lwb_lean_lines_column(lines, *line, units);
    ++*line;
    return LWB_OK;
}

static enum lwb_severity lsp_severity(int64_t number)
{
    if (number == 1)
        return LWB_SEVERITY_ERROR;
    return number == 2 ? LWB_SEVERITY_WARNING : LWB_SEVERITY_INFORMATION;
}

static int add_lsp_item(struct lwb_lean_messages *messages, const cJSON *item,
                        const struct lwb_lean_lines *lines, struct lwb_error *err)
{
    struct lwb_diagnostic message = { 0 };
    const cJSON *range;
    const char *text = "";
    const char *code = lwb_json_text(lwb_json_find(item, "code"));
    int64_t severity = 1; /* without one it is up to the client: take it for the worst */
    bool silent = false;
    int rc = lwb_json_opt_bool(item, "isSilent", false, &silent, err);

    if (rc == LWB_OK)
        rc = lwb_json_opt_int(item, "severity", 1, &severity, err);
    /* The command line would not print it, and yet exit with 1. */
    if (rc == LWB_OK && silent && severity == 1)
        rc = lwb_fail(err, LWB_ERR_FORMAT, "an error that Lean keeps to itself");
    if (rc < 0 || silent)
        return rc;
    /* `range` ends with its first line, fullRange (since March 2021) where it really ends. */
    rc = lwb_json_find(item, "fullRange") ? lwb_json_get_object(item, "fullRange", &range, err)
                                          : lwb_json_get_object(item, "range", &range, err);
    if (rc == LWB_OK)
        rc = read_position(range, "start", lines, &message.line, &message.column, err);
    if (rc == LWB_OK)
        rc = read_position(range, "end", lines, &message.end_line, &message.end_column, err);
    if (rc == LWB_OK)
        rc = lwb_json_get_text(item, "message", &text, err);
    if (rc < 0)
        return rc;
    message.severity = lsp_severity(severity);
    message.code = code ? lwb_bytes_text(code) : lwb_bytes("", 0);
    message.message = lwb_bytes_text(text);
    return lwb_lean_messages_add(messages, &message, err);
}

int lwb_lean_messages_add_lsp(struct lwb_lean_messages *messages, const cJSON *list,
                              const struct lwb_lean_lines *lines, struct lwb_error *err)
{
    const cJSON *item;
    int rc = LWB_OK;

    cJSON_ArrayForEach(item, list)
    {
        rc = add_lsp_item(messages, item, lines, err);
        if (rc < 0)
            break;
    }
    return rc;
}

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

int lwb_lean_messages_add_json(struct lwb_lean_messages *messages, struct lwb_bytes output,
                               struct lwb_error *err)
{
    while (output.len > 0) {
        LWB_AUTO(lwb_json_free) cJSON *json = NULL;
        struct lwb_bytes line = take_line(&output);
        struct lwb_error not_json;

        if (line.len == 0 || line.ptr[0] != '{' || lwb_json_parse(&json, line, &not_json) < 0)
            continue;
        if (add_json_object(messages, json, err) < 0)
            return err->code;
    }
    return LWB_OK;
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

    if (!starts_with(*rest, literal))
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
        const char *at = output.ptr;
        struct lwb_bytes line = take_line(&output);
        struct lwb_diagnostic next;

        if (!take_position(&line, file, failed, &next)) {
            open = true;
            continue;
        }
        if (open && add_text_message(messages, &current, start, at, err) < 0)
            return err->code;
        current = next;
        start = line.ptr;
        open = true;
    }
    return open ? add_text_message(messages, &current, start, end, err) : LWB_OK;
}

/* ---- paths in texts -------------------------------------------------------------------------- */

static int reroot_text(struct lwb_bytes *text, const char *from, const char *to,
                       struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(TEXT_MAX);
    struct lwb_bytes rest = *text;
    size_t len = strlen(from);
    char *made;

    if (!contains(rest, from))
        return LWB_OK;
    while (rest.len > 0) {
        const char *found = memmem(rest.ptr, rest.len, from, len);
        size_t before = found ? (size_t)(found - rest.ptr) : rest.len;

        lwb_buf_append(&out, rest.ptr, before);
        if (found)
            lwb_buf_append_text(&out, to);
        before += found ? len : 0;
        rest = lwb_bytes(rest.ptr + before, rest.len - before);
    }
    len = out.len;
    made = lwb_buf_take(&out);
    if (!made)
        return lwb_fail_memory(err);
    lwb_free((char *)text->ptr);
    *text = lwb_bytes(made, len);
    return LWB_OK;
}

int lwb_lean_messages_reroot(struct lwb_lean_messages *messages, const char *from, const char *to,
                             struct lwb_error *err)
{
    int rc = LWB_OK;

    for (size_t i = 0; rc == LWB_OK && i < messages->count; i++)
        rc = reroot_text(&messages->items[i].message, from, to, err);
    return rc;
}

/* ---- judgement ---------------------------------------------------------------------------------
 */

/* Lean gave up at a limit that has more to do with the machine and settings than with the proof. */
static bool is_limit(struct lwb_bytes text)
{
    return contains(text, "(deterministic) timeout") ||
           contains(text, "maximum number of heartbeats") ||
           contains(text, "maximum recursion depth has been reached");
}

static bool is_memory(struct lwb_bytes text)
{
    return contains(text, "excessive memory consumption detected") ||
           contains(text, "memory limit exceeded");
}

static bool is_import_failure(struct lwb_bytes text)
{
    static const char *const starts[] = {
        "unknown package '",     "unknown module prefix '", "object file '",
        "failed to read file '", "failed to open file '",   "unknown module '",
        "failed to open '",      "failed to read '",
    };

    for (size_t i = 0; i < LWB_COUNT(starts); i++)
        if (starts_with(text, starts[i]))
            return !starts_with(text, "unknown package '[anonymous]'");
    return false;
}

bool lwb_lean_messages_have_error(const struct lwb_lean_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        if (messages->items[i].severity == LWB_SEVERITY_ERROR)
            return true;
    return false;
}

bool lwb_lean_messages_are_shortened(const struct lwb_lean_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        if (contains(messages->items[i].message, "(trace hidden)"))
            return true;
    return false;
}

bool lwb_lean_messages_blame_imports(const struct lwb_lean_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++) {
        const struct lwb_diagnostic *message = &messages->items[i];

        if (message->severity != LWB_SEVERITY_ERROR)
            continue;
        /* The first error counts: all that follows is about an empty environment. */
        return is_import_failure(message->message);
    }
    return false;
}

static struct lwb_lean_judgement no_verdict(enum lwb_reason reason)
{
    return (struct lwb_lean_judgement){ LWB_VERDICT_NONE, reason, false };
}

/* Exit code 1 or a barrier with errors: Lean's no, if it says where. */
static struct lwb_lean_judgement judge_errors(const struct lwb_lean_messages *messages)
{
    bool located = false;
    bool limit = false;

    if (lwb_lean_messages_blame_imports(messages))
        return no_verdict(LWB_REASON_IMPORT);
    for (size_t i = 0; i < messages->count; i++) {
        const struct lwb_diagnostic *message = &messages->items[i];

        if (message->severity != LWB_SEVERITY_ERROR)
            continue;
        if (is_memory(message->message))
            return no_verdict(LWB_REASON_MEMORY);
        located = located || message->line >= 0;
        limit = limit || is_limit(message->message);
    }
    if (!located)
        return no_verdict(LWB_REASON_NO_MESSAGE);
    return (struct lwb_lean_judgement){ LWB_VERDICT_REJECTED,
                                        limit ? LWB_REASON_LIMIT : LWB_REASON_NONE, !limit };
}

struct lwb_lean_judgement lwb_lean_judge(const struct lwb_lean_messages *messages,
                                         const struct lwb_lean_ending *ending)
{
    struct lwb_lean_judgement judgement;

    if (ending->timed_out)
        return no_verdict(LWB_REASON_TIME);
    if (ending->overflow)
        return no_verdict(LWB_REASON_OVERFLOW);
    if (!ending->finished || ending->signal || ending->exit_code > 1)
        return no_verdict(LWB_REASON_CRASH);
    if (ending->exit_code == 1 || lwb_lean_messages_have_error(messages))
        judgement = judge_errors(messages);
    else
        judgement = (struct lwb_lean_judgement){ LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true };
    /* Lean goes on after a panic with some default value: its word counts, but is not kept. */
    if (ending->panicked && judgement.verdict != LWB_VERDICT_NONE) {
        judgement.storable = false;
        judgement.reason = LWB_REASON_PANIC;
    }
    return judgement;
}
