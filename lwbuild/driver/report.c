#include "lwbuild/driver/report.h"

#include <string.h>

#include "lwbuild/base/json.h"

enum { MAX_TEXT = 64 * 1024 * 1024 };

/* ESCAPE 'r' stands for the source root, ESCAPE ESCAPE for the character itself. */
static const char escape = '\x1A';

static bool starts_with(struct lwb_bytes text, const char *word, size_t len)
{
    return len > 1 && text.len >= len && memcmp(text.ptr, word, len) == 0;
}

/* How much of the start of text names the root: by its path, or as the host writes it. */
static size_t root_at(struct lwb_bytes text, const char *root, size_t root_len)
{
    size_t word_len = sizeof(LWB_DIAGNOSTIC_ROOT) - 1;

    if (starts_with(text, root, root_len))
        return root_len;
    return starts_with(text, LWB_DIAGNOSTIC_ROOT, word_len) ? word_len : 0;
}

static void append_marked(struct lwb_buf *out, struct lwb_bytes text, const char *root)
{
    size_t root_len = strlen(root);

    for (size_t i = 0; i < text.len;) {
        size_t named = root_at(lwb_bytes(text.ptr + i, text.len - i), root, root_len);

        if (named) {
            lwb_buf_append_char(out, escape);
            lwb_buf_append_char(out, 'r');
            i += named;
            continue;
        }
        if (text.ptr[i] == escape)
            lwb_buf_append_char(out, escape);
        lwb_buf_append_char(out, text.ptr[i++]);
    }
}

static void append_rooted(struct lwb_buf *out, const char *text, const char *root)
{
    for (; *text; text++) {
        if (*text != escape) {
            lwb_buf_append_char(out, *text);
        } else if (text[1] == 'r') {
            lwb_buf_append_text(out, root);
            text++;
        } else if (text[1] == escape) {
            lwb_buf_append_char(out, escape);
            text++;
        }
    }
}

void lwb_report_append(struct lwb_buf *report, const struct lwb_diagnostic *diagnostic,
                       const char *root)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MAX_TEXT);
    bool first = true;

    append_marked(&text, diagnostic->message, root);
    if (!lwb_buf_ok(&text))
        report->failed = true;
    lwb_buf_append_char(report, '{');
    lwb_json_member_text(report, &first, "severity", lwb_severity_name(diagnostic->severity));
    if (diagnostic->line >= 0) {
        lwb_json_member_int(report, &first, "line", diagnostic->line);
        lwb_json_member_int(report, &first, "column", diagnostic->column);
    }
    if (diagnostic->end_line >= 0) {
        lwb_json_member_int(report, &first, "end_line", diagnostic->end_line);
        lwb_json_member_int(report, &first, "end_column", diagnostic->end_column);
    }
    if (diagnostic->code.len)
        lwb_json_member_bytes(report, &first, "code", diagnostic->code);
    lwb_json_member_bytes(report, &first, "message", lwb_buf_bytes(&text));
    lwb_buf_append_text(report, "}\n");
}

struct visit {
    const char *root;
    int (*call)(void *ctx, const struct lwb_diagnostic *diagnostic);
    void *ctx;
};

static int visit_line(struct lwb_bytes line, const struct visit *visit, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MAX_TEXT);
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_diagnostic diagnostic = { 0 };
    const char *severity, *code, *message;

    if (lwb_json_parse(&json, line, err) < 0 ||
        lwb_json_get_text(json, "severity", &severity, err) < 0 ||
        lwb_json_opt_int(json, "line", -1, &diagnostic.line, err) < 0 ||
        lwb_json_opt_int(json, "column", -1, &diagnostic.column, err) < 0 ||
        lwb_json_opt_int(json, "end_line", -1, &diagnostic.end_line, err) < 0 ||
        lwb_json_opt_int(json, "end_column", -1, &diagnostic.end_column, err) < 0 ||
        lwb_json_opt_text(json, "code", "", &code, err) < 0 ||
        lwb_json_get_text(json, "message", &message, err) < 0)
        return err->code;
    if (lwb_severity_parse(&diagnostic.severity, severity))
        return lwb_fail(err, LWB_ERR_FORMAT, "unknown severity \"%s\"", severity);
    append_rooted(&text, message, visit->root);
    if (!lwb_buf_ok(&text))
        return lwb_fail_memory(err);
    diagnostic.code = lwb_bytes_text(code);
    diagnostic.message = lwb_buf_bytes(&text);
    return visit->call(visit->ctx, &diagnostic);
}

int lwb_report_visit(struct lwb_bytes report, const char *root,
                     int (*visit)(void *ctx, const struct lwb_diagnostic *diagnostic), void *ctx,
                     struct lwb_error *err)
{
    const struct visit each = { root, visit, ctx };

    while (report.len) {
        const char *newline = memchr(report.ptr, '\n', report.len);
        size_t len = newline ? (size_t)(newline - report.ptr) : report.len;
        int rc = visit_line(lwb_bytes(report.ptr, len), &each, err);

        if (rc)
            return rc;
        len += newline ? 1 : 0;
        report = lwb_bytes(report.ptr + len, report.len - len);
    }
    return 0;
}
