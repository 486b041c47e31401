#include "tests/support/recording_call.h"

#include "lwbuild/base/alloc.h"

void recording_call_clear(struct lwb_call *call)
{
    for (size_t i = 0; i < call->n_diagnostics; i++) {
        lwb_free((char *)call->diagnostics[i].code.ptr);
        lwb_free((char *)call->diagnostics[i].message.ptr);
    }
    lwb_free(call->diagnostics);
    *call = (struct lwb_call){ .fail_after = call->fail_after };
}

int lwb_call_progress(struct lwb_call *call, const char *phase, uint64_t current,
                      const uint64_t *total)
{
    (void)snprintf(call->progress, sizeof(call->progress), "%s %llu of %lld", phase,
                   (unsigned long long)current, total ? (long long)*total : -1LL);
    call->n_progress++;
    return LWB_OK;
}

int lwb_call_diagnostic(struct lwb_call *call, const struct lwb_diagnostic *diagnostic)
{
    struct lwb_diagnostic *copy;

    if (call->fail_after && call->n_diagnostics == call->fail_after)
        return LWB_ERR_SHUTDOWN;
    if (lwb_grow(&call->diagnostics, &call->cap, call->n_diagnostics, sizeof(*copy)) < 0)
        return LWB_ERR_MEMORY;
    copy = &call->diagnostics[call->n_diagnostics++];
    *copy = *diagnostic;
    copy->code.ptr = lwb_strndup(diagnostic->code.ptr, diagnostic->code.len);
    copy->message.ptr = lwb_strndup(diagnostic->message.ptr, diagnostic->message.len);
    return LWB_OK;
}

int lwb_call_row(struct lwb_call *call LWB_UNUSED, const char *stream LWB_UNUSED,
                 struct lwb_bytes row LWB_UNUSED)
{
    return LWB_OK;
}

const char *recording_call_text(const struct lwb_call *call, const char *file, struct lwb_buf *out)
{
    for (size_t i = 0; i < call->n_diagnostics; i++) {
        const struct lwb_diagnostic *message = &call->diagnostics[i];

        if (message->severity != LWB_SEVERITY_INFORMATION)
            lwb_buf_format(out, "%s:%lld:%lld: %s: ", file, (long long)message->line,
                           (long long)message->column, lwb_severity_name(message->severity));
        lwb_buf_append_bytes(out, message->message);
        if (message->message.len == 0 || message->message.ptr[message->message.len - 1] != '\n')
            lwb_buf_append_char(out, '\n');
    }
    return lwb_buf_text(out);
}
