#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/strvec.h"
#include "lwbuild/worker/exit_status.h"

/*
 * One run of a program that speaks no frames, a compiler for example, from
 * start to end. It leads a session and process group of its own, so nobody is
 * asked for a password, and nothing that it has started is left when the call
 * returns. stdin is empty; stdout and stderr are one stream.
 */
struct lwb_tool {
    const char *const *argv;              /* argv[0]: a path, or a name for PATH; NULL at the end */
    const char *cwd;                      /* NULL: ours */
    const struct lwb_strvec *environment; /* all of it; NULL: ours */
    uint64_t timeout_ms;                  /* 0: none */
    uint64_t stop_grace_ms;               /* between SIGTERM and SIGKILL when it is ended */
    int stop_fd;                          /* readable when it shall end; -1: never */
    size_t max_output;                    /* bytes kept of what it says: the last ones */

    void (*said)(void *ctx, struct lwb_bytes output); /* as it comes; NULL: nobody listens */
    void *ctx;
};

#define LWB_TOOL_DEFAULTS                                                                          \
    ((struct lwb_tool){ .stop_grace_ms = 2000, .stop_fd = -1, .max_output = 64 * 1024 })

/*
 * LWB_OK when it has ended by itself, however: see *status. LWB_ERR_SPAWN when
 * it cannot be started, LWB_ERR_TIMEOUT and LWB_ERR_CANCELLED when it was
 * ended. But for the first, the end of its output is appended to `output`.
 */
int lwb_tool_run(const struct lwb_tool *tool, struct lwb_exit *status, struct lwb_buf *output,
                 struct lwb_error *err);
