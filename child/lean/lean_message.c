#include "child/lean/lean_message.h"

#include <ctype.h>

#include "lwbuild/base/alloc.h"

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

/* In quotes that differ by version. */
static bool tells_of_sorry(struct lwb_bytes text)
{
    static const char start[] = "declaration uses ";

    return lwb_bytes_start_with(text, start) && lwb_bytes_contain(text, "sorry") &&
           !memchr(text.ptr + sizeof(start) - 1, ' ', text.len - (sizeof(start) - 1));
}

/* A stable kind for what only newer Leans name, so that all versions answer alike. */
static struct lwb_bytes known_code(const struct lwb_diagnostic *message)
{
    if (message->code.len > 0 && !lwb_bytes_is(message->code, no_kind))
        return message->code;
    if (message->severity == LWB_SEVERITY_WARNING && tells_of_sorry(message->message))
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

/* ---- paths in texts -------------------------------------------------------------------------- */

static int reroot_text(struct lwb_bytes *text, const char *from, const char *to,
                       struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(TEXT_MAX);
    struct lwb_bytes rest = *text;
    size_t len = strlen(from);
    char *made;

    if (!lwb_bytes_contain(rest, from))
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

/* ---- questions ---------------------------------------------------------------------------- */

bool lwb_lean_messages_have_error(const struct lwb_lean_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        if (messages->items[i].severity == LWB_SEVERITY_ERROR)
            return true;
    return false;
}

/* "[Meta.isDefEq] ...", or a trace that was left out somewhere in a message. */
static bool is_trace(struct lwb_bytes text)
{
    size_t i = 1;

    while (i < text.len && (isalnum((unsigned char)text.ptr[i]) || text.ptr[i] == '.'))
        i++;
    return (text.len > i + 1 && text.ptr[0] == '[' && i > 1 &&
            memcmp(text.ptr + i, "] ", 2) == 0) ||
           lwb_bytes_contain(text, "(trace hidden)");
}

bool lwb_lean_messages_may_be_reworded(const struct lwb_lean_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++) {
        const struct lwb_diagnostic *message = &messages->items[i];

        if (message->severity == LWB_SEVERITY_INFORMATION
                ? is_trace(message->message)
                : !lwb_bytes_is(message->code, "hasSorry"))
            return true;
    }
    return false;
}
