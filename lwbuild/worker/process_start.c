#include "lwbuild/worker/process_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/worker/launch.h"

/*
 * From pipes to a running child. It is not uv_spawn that starts it: that copies
 * the page tables of the whole program before the child can become another
 * one, does not look at whether setsid has failed, and answers some failures
 * with abort().
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

/* A program that has closed its 0, 1 or 2 gets them back from pipe(2): they are not for this. */
static int move_up(uv_file *fd)
{
    int moved;

    if (*fd > STDERR_FILENO)
        return 0;
    moved = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (moved < 0)
        return -errno;
    close(*fd);
    *fd = moved;
    return 0;
}

static int make_pipe(uv_file ends[2], int read_flags, int write_flags)
{
    int rc = uv_pipe(ends, read_flags, write_flags);

    if (rc == 0)
        rc = move_up(&ends[0]);
    return rc == 0 ? move_up(&ends[1]) : rc;
}

static int make_pipes(struct pipes *pipes)
{
    int rc;

    *pipes = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
    rc = make_pipe(pipes->input, 0, UV_NONBLOCK_PIPE);
    if (rc == 0)
        rc = make_pipe(pipes->output, UV_NONBLOCK_PIPE, 0);
    if (rc == 0)
        rc = make_pipe(pipes->errors, UV_NONBLOCK_PIPE, 0);
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

/* The configured one, and by what its descendants are known. */
static char **make_environment(struct lwb_process *process)
{
    const struct lwb_strvec *configured = process->config->environment;
    char **environment = lwb_alloc_array(configured->count + 2, sizeof(*environment));

    if (!environment)
        return NULL;
    lwb_lineage_make(process->lineage);
    environment[0] = process->lineage;
    for (size_t i = 0; i < configured->count; i++)
        environment[i + 1] = configured->items[i];
    return environment;
}

/* The configured ones, and our pid, so that it can tell whether we are still there. */
static char **make_arguments(const struct lwb_worker_config *config, char *parent_pid)
{
    size_t n = config->arguments->count;
    char **argv = lwb_alloc_array(n + 4, sizeof(*argv));

    if (!argv)
        return NULL;
    argv[0] = (char *)config->executable;
    for (size_t i = 0; i < n; i++)
        argv[i + 1] = config->arguments->items[i];
    argv[n + 1] = "--parent-pid";
    argv[n + 2] = parent_pid;
    return argv;
}

static int spawn(struct lwb_process *process, const struct pipes *pipes)
{
    char parent_pid[16];
    char **argv = make_arguments(process->config, parent_pid);
    char **environment = make_environment(process);
    const struct lwb_launch launch = {
        .program = process->config->executable,
        .argv = argv,
        .environment = environment,
        .cwd = process->config->cwd,
        .stdio = { pipes->input[0], pipes->output[1], pipes->errors[1] },
    };
    int rc = UV_ENOMEM;

    (void)snprintf(parent_pid, sizeof(parent_pid), "%d", (int)getpid());
    if (argv && environment)
        rc = -lwb_launch(&process->pid, &launch);
    lwb_free(argv);
    lwb_free(environment);
    return rc;
}

/* Its end could not be noticed, so it comes now. */
static void end_unwatched(struct lwb_process *process)
{
    (void)kill(-process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    process->pid = 0;
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
    if (rc == 0) {
        rc = lwb_process_watch_exit(process);
        if (rc < 0)
            end_unwatched(process);
    }
    if (rc < 0)
        fail_start(process, rc);
    else
        lwb_process_start_reading(process);
}
