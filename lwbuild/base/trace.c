#include "lwbuild/base/trace.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/json.h"

enum { MAX_LINE = 64 * 1024 };

static int target = -1;
static uint64_t started_ns;

int lwb_trace_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    if (fd < 0)
        return -1;
    lwb_trace_close();
    target = fd;
    started_ns = lwb_clock_ns();
    return 0;
}

void lwb_trace_close(void)
{
    if (target >= 0)
        close(target);
    target = -1;
}

bool lwb_trace_is_on(void)
{
    return target >= 0;
}

void lwb_trace_write(const char *event, const struct lwb_trace_field *fields, unsigned long count)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf line = LWB_BUF(MAX_LINE);
    struct lwb_error ignored;
    uint64_t us = (lwb_clock_ns() - started_ns) / 1000;
    bool first = true;

    lwb_buf_append_char(&line, '{');
    lwb_json_member(&line, &first, "t");
    lwb_buf_format(&line, "%" PRIu64 ".%03" PRIu64, us / 1000, us % 1000);
    lwb_json_member_text(&line, &first, "event", event);
    for (unsigned long i = 0; i < count; i++) {
        if (fields[i].text)
            lwb_json_member_text(&line, &first, fields[i].key, fields[i].text);
        else
            lwb_json_member_int(&line, &first, fields[i].key, fields[i].number);
    }
    lwb_buf_append_text(&line, "}\n");
    if (lwb_buf_ok(&line)) /* a trace that cannot be written must not change what is traced */
        (void)lwb_file_write_fd(target, lwb_buf_bytes(&line), &ignored);
}
