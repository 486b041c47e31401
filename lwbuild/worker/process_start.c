#include "lwbuild/worker/process_internal.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"

/*
 * From pipes to a running child. The pipes are ours and inherited by number;
 * uv_spawn making them itself breaks the loop of libuv 1.52 when descriptors
 * run out.
 */

/* Three pipes: [0] is read from, [1] is written to. */
struct pipes {
    uv_file input[2];
    uv_file output[2];
    uv_file errors[2];
};

static void close_fd(uv_file *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pipes(struct pipes *pipes)
{
    close_fd(&pipes->input[0]);
    close_fd(&pipes->input[1]);
    close_fd(&pipes->output[0]);
    close_fd(&pipes->output[1]);
    close_fd(&pipes->errors[0]);
    close_fd(&pipes->errors[1]);
}

static int make_pipes(struct pipes *pipes)
{
    int rc;

    *pipes = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
    rc = uv_pipe(pipes->input, 0, UV_NONBLOCK_PIPE);
    if (rc == 0)
        rc = uv_pipe(pipes->output, UV_NONBLOCK_PIPE, 0);
    if (rc == 0)
        rc = uv_pipe(pipes->errors, UV_NONBLOCK_PIPE, 0);
    return rc;
}

/* The descriptor belongs to the handle from here on. */
static int open_pipe(struct lwb_process *process, uv_pipe_t *pipe, uv_file *fd)
{
    int rc = uv_pipe_init(process->loop, pipe, 0);

    if (rc < 0)
        return rc;
    lwb_process_adopt(process, pipe);
    rc = uv_pipe_open(pipe, *fd);
    if (rc == 0)
        *fd = -1;
    return rc;
}

static int spawn(struct lwb_process *process, const struct pipes *pipes)
{
    const struct lwb_worker_config *config = process->config;
    char *empty[] = { NULL };
    size_t n = config->arguments->count;
    char **argv = lwb_alloc_array(n + 4, sizeof(*argv));
    char parent[16];
    uv_stdio_container_t stdio[] = {
        { .flags = UV_INHERIT_FD, .data.fd = pipes->input[0] },
        { .flags = UV_INHERIT_FD, .data.fd = pipes->output[1] },
        { .flags = UV_INHERIT_FD, .data.fd = pipes->errors[1] },
    };
    uv_process_options_t options = {
        .file = config->executable,
        .args = argv,
        .env = config->environment->items ? config->environment->items : empty,
        .cwd = config->cwd,
        .stdio = stdio,
        .stdio_count = 3,
        .exit_cb = lwb_process_on_exit,
        .flags = UV_PROCESS_DETACHED, /* setsid: a session and group of its own */
    };
    int rc;

    if (!argv)
        return UV_ENOMEM;
    argv[0] = (char *)config->executable;
    for (size_t i = 0; i < n; i++)
        argv[i + 1] = config->arguments->items[i];
    (void)snprintf(parent, sizeof(parent), "%d", (int)getpid());
    argv[n + 1] = "--parent-pid"; /* so that it can tell whether we are still there */
    argv[n + 2] = parent;
    rc = uv_spawn(process->loop, &process->handle, &options);
    lwb_free(argv);
    lwb_process_adopt(process, &process->handle); /* also when it failed */
    return rc;
}

static void fail_start(struct lwb_process *process, int rc)
{
    const char *path = process->config->executable;
    const char *cwd = process->config->cwd;
    enum lwb_code code = LWB_ERR_SPAWN;

    if (cwd && access(cwd, X_OK) != 0)
        (void)lwb_fail(&process->cause, code, "cannot run in %s: %s", cwd, uv_strerror(rc));
    else {
        if (rc == UV_ENOENT && access(path, F_OK) != 0)
            code = LWB_ERR_CHILD_NOT_FOUND;
        else if (rc == UV_EACCES)
            code = LWB_ERR_CHILD_NOT_EXECUTABLE;
        (void)lwb_fail(&process->cause, code, "%s: %s", path, uv_strerror(rc));
    }
    process->cause.sys = -rc;
    lwb_process_close_all(process);
}

void lwb_process_start(struct lwb_process *process)
{
    struct pipes pipes;
    int rc;

    assert(process->phase == NEW);
    process->phase = RUNNING;
    (void)uv_timer_init(process->loop, &process->timer);
    (void)uv_timer_init(process->loop, &process->deadline);
    (void)uv_timer_init(process->loop, &process->tick);
    (void)uv_timer_init(process->loop, &process->resume);
    lwb_process_adopt(process, &process->timer);
    lwb_process_adopt(process, &process->deadline);
    lwb_process_adopt(process, &process->tick);
    lwb_process_adopt(process, &process->resume);
    process->oom_kills_before = lwb_oom_kills(LWB_VMSTAT);
    rc = make_pipes(&pipes);
    if (rc == 0)
        rc = open_pipe(process, &process->input, &pipes.input[1]);
    if (rc == 0)
        rc = open_pipe(process, &process->output, &pipes.output[0]);
    if (rc == 0)
        rc = open_pipe(process, &process->errors, &pipes.errors[0]);
    if (rc == 0)
        rc = spawn(process, &pipes);
    close_pipes(&pipes);
    if (rc < 0) {
        fail_start(process, rc);
        return;
    }
    process->pid = process->handle.pid;
    lwb_process_start_reading(process);
}
