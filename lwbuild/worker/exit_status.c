#include "lwbuild/worker/exit_status.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/file.h"

bool lwb_exit_is_clean(const struct lwb_exit *status)
{
    return status->known && !status->signal && !status->code && !status->killed;
}

void lwb_exit_describe(const struct lwb_exit *status, char *text, size_t size)
{
    const char *name = status->signal ? sigabbrev_np(status->signal) : NULL;

    if (!status->known)
        (void)snprintf(text, size, "cannot be waited for");
    else if (!status->signal)
        (void)snprintf(text, size, "exited with status %d", status->code);
    else if (name)
        (void)snprintf(text, size, "killed by SIG%s%s", name,
                       status->out_of_memory ? ", out of memory" : "");
    else
        (void)snprintf(text, size, "killed by signal %d", status->signal);
}

int lwb_exit_fail(const struct lwb_exit *status, struct lwb_error *err)
{
    enum lwb_code code = LWB_ERR_CHILD_EXITED;
    char text[80];

    if (!status->known)
        code = LWB_ERR_WAIT;
    else if (status->signal)
        code = LWB_ERR_CHILD_ABORTED;
    lwb_exit_describe(status, text, sizeof(text));
    (void)lwb_fail(err, code, "%s", text);
    err->facts.status = status->code;
    err->facts.signal = status->signal;
    err->facts.out_of_memory = status->out_of_memory;
    return code;
}

uint64_t lwb_oom_kills(const char *vmstat_path)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(64 * 1024);
    struct lwb_error ignored;
    const char *line;

    if (lwb_file_read(&text, vmstat_path, NULL, &ignored) < 0)
        return 0;
    line = strstr(lwb_buf_text(&text), "\noom_kill ");
    return line ? strtoull(line + strlen("\noom_kill "), NULL, 10) : 0;
}
