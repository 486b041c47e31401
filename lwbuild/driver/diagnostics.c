#include "lwbuild/driver/diagnostics.h"

#include "lwbuild/base/json.h"

static const char *color_of(enum lwb_severity severity)
{
    return severity == LWB_SEVERITY_ERROR ? "\033[1;31m" : "\033[1;33m";
}

void lwb_diagnostic_print(struct lwb_buf *out, const char *file,
                          const struct lwb_diagnostic *diagnostic, bool color)
{
    if (diagnostic->severity != LWB_SEVERITY_INFORMATION) {
        lwb_buf_append_text(out, file);
        if (diagnostic->line >= 0)
            lwb_buf_format(out, ":%lld:%lld", (long long)diagnostic->line,
                           (long long)diagnostic->column);
        lwb_buf_append_text(out, ": ");
        if (color)
            lwb_buf_append_text(out, color_of(diagnostic->severity));
        lwb_buf_append_text(out, lwb_severity_name(diagnostic->severity));
        lwb_buf_append_text(out, color ? ":\033[0m " : ": ");
    }
    lwb_buf_append_bytes(out, diagnostic->message);
    if (!diagnostic->message.len || diagnostic->message.ptr[diagnostic->message.len - 1] != '\n')
        lwb_buf_append_char(out, '\n');
}

void lwb_diagnostic_json(struct lwb_buf *out, bool *first, const struct lwb_diagnostic *diagnostic)
{
    lwb_json_member_text(out, first, "severity", lwb_severity_name(diagnostic->severity));
    if (diagnostic->line >= 0) {
        lwb_json_member_int(out, first, "line", diagnostic->line);
        lwb_json_member_int(out, first, "column", diagnostic->column);
    }
    if (diagnostic->end_line >= 0) {
        lwb_json_member_int(out, first, "end_line", diagnostic->end_line);
        lwb_json_member_int(out, first, "end_column", diagnostic->end_column);
    }
    if (diagnostic->code.len)
        lwb_json_member_bytes(out, first, "code", diagnostic->code);
    lwb_json_member_bytes(out, first, "message", diagnostic->message);
}
