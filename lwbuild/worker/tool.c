/*
 * A loop of one poll: output, the stop descriptor, and the clock. The end of
 * the output and the end of the process come in either order, and what the
 * process has started may hold the output open for good; so the process is
 * what counts: when it is gone, its group is killed and the pipe is drained.
 */
#include "lwbuild/worker/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/worker/launch.h"
#include "lwbuild/worker/stderr_ring.h"

extern char **environ;

enum {
    CHUNK = 16 * 1024,
    LOOK_MS = 50, /* an exit is noticed this late when the output stays open */
    SOON_MS = 1,  /* and when it is closed: most programs exit then */
};

struct run {
    const struct lwb_tool *tool;
    struct lwb_stderr_ring ring;
    pid_t pid; /* and group */
    int output;
    uint64_t deadline_ns; /* 0: none */
    uint64_t kill_ns;     /* of SIGKILL, once SIGTERM was sent; 0 before */
    enum lwb_code ended;  /* why we have ended it; LWB_OK while we have not */
};

/* ---- starting ------------------------------------------------------------------------------- */

static int spawn(struct run *run, int pipe_end, struct lwb_error *err)
{
    const struct lwb_tool *tool = run->tool;
    const struct lwb_launch launch = {
        .program = tool->argv[0],
        .argv = (char *const *)(uintptr_t)tool->argv,
        .environment = tool->environment ? tool->environment->items : environ,
        .cwd = tool->cwd,
        .stdio = { -1, pipe_end, pipe_end },
        .search = true,
    };
    int rc = lwb_launch(&run->pid, &launch);

    if (rc == 0)
        return LWB_OK;
    errno = rc;
    return lwb_fail_errno(err, LWB_ERR_SPAWN, "cannot start %s", tool->argv[0]);
}

static int start(struct run *run, struct lwb_error *err)
{
    int ends[2];
    int rc;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "no pipe");
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    rc = spawn(run, ends[1], err);
    (void)close(ends[1]);
    if (rc < 0) {
        (void)close(ends[0]);
        return rc;
    }
    run->output = ends[0];
    if (run->tool->timeout_ms)
        run->deadline_ns = lwb_clock_ns() + run->tool->timeout_ms * 1000000;
    return LWB_OK;
}

/* ---- listening ------------------------------------------------------------------------------ */

/* All that is there now. Closes the pipe at its end. */
static void read_output(struct run *run)
{
    char chunk[CHUNK];
    ssize_t got;

    while (run->output >= 0 && (got = read(run->output, chunk, sizeof(chunk))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return;
        lwb_stderr_ring_put(&run->ring, lwb_bytes(chunk, (size_t)got));
        if (run->tool->said)
            run->tool->said(run->tool->ctx, lwb_bytes(chunk, (size_t)got));
    }
    if (run->output >= 0)
        (void)close(run->output);
    run->output = -1;
}

static void end(struct run *run, enum lwb_code why)
{
    if (run->ended != LWB_OK)
        return;
    run->ended = why;
    run->kill_ns = lwb_clock_ns() + run->tool->stop_grace_ms * 1000000;
    (void)kill(-run->pid, SIGTERM); /* ESRCH: it beat us to it */
}

static void check_the_clock(struct run *run)
{
    uint64_t now = lwb_clock_ns();

    if (run->deadline_ns && now >= run->deadline_ns)
        end(run, LWB_ERR_TIMEOUT);
    if (run->kill_ns && now >= run->kill_ns)
        (void)kill(-run->pid, SIGKILL);
}

static void wait_for_something(struct run *run)
{
    struct pollfd wanted[] = {
        { .fd = run->output, .events = POLLIN },
        { .fd = run->ended == LWB_OK ? run->tool->stop_fd : -1, .events = POLLIN },
    };

    if (poll(wanted, 2, run->output < 0 ? SOON_MS : LOOK_MS) <= 0)
        return;
    if (wanted[0].revents)
        read_output(run);
    if (wanted[1].revents)
        end(run, LWB_ERR_CANCELLED);
}

static bool is_running(const struct run *run)
{
    siginfo_t info = { 0 };

    return waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

/* Returns the status of waitpid; -1 when there is nobody to wait for. */
static int wait_until_gone(struct run *run)
{
    int status = -1;

    while (is_running(run)) {
        wait_for_something(run);
        check_the_clock(run);
    }
    (void)kill(-run->pid, SIGKILL); /* before it is waited for: then the number is anybody's */
    return waitpid(run->pid, &status, WNOHANG) == run->pid ? status : -1;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int fail_ended(const struct run *run, struct lwb_error *err)
{
    if (run->ended == LWB_ERR_CANCELLED)
        return lwb_fail(err, LWB_ERR_CANCELLED, "%s was cancelled", run->tool->argv[0]);
    (void)lwb_fail(err, LWB_ERR_TIMEOUT, "%s took longer than %llu s", run->tool->argv[0],
                   (unsigned long long)(run->tool->timeout_ms + 999) / 1000);
    err->facts.operation = "build";
    err->facts.ms = run->tool->timeout_ms;
    return err->code;
}

int lwb_tool_run(const struct lwb_tool *tool, struct lwb_exit *status, struct lwb_buf *output,
                 struct lwb_error *err)
{
    struct run run = { .tool = tool, .output = -1 };
    int waited;

    if (start(&run, err) < 0)
        return err->code;
    lwb_stderr_ring_init(&run.ring, tool->max_output);
    waited = wait_until_gone(&run);
    read_output(&run);
    if (run.output >= 0)
        (void)close(run.output); /* held by a process that has left the group */
    lwb_stderr_ring_tail(&run.ring, tool->max_output, output);
    lwb_stderr_ring_release(&run.ring);
    *status = (struct lwb_exit){
        .known = waited != -1,
        .code = waited != -1 && WIFEXITED(waited) ? WEXITSTATUS(waited) : 0,
        .signal = waited != -1 && WIFSIGNALED(waited) ? WTERMSIG(waited) : 0,
        .killed = run.kill_ns != 0,
    };
    return run.ended == LWB_OK ? LWB_OK : fail_ended(&run, err);
}
