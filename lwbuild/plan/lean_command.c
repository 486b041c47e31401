#include "lwbuild/plan/lean_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"

enum { LIMIT_MS = 10 * 1000 };

static int spawn(pid_t *pid, int *output, const char *lean, const char *argument,
                 struct lwb_error *err)
{
    static char *const environment[] = { (char *)"PATH=/usr/bin:/bin", (char *)"LC_ALL=C", NULL };
    char *const arguments[] = { (char *)lean, (char *)argument, NULL };
    posix_spawn_file_actions_t actions;
    int ends[2];
    int rc;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot make a pipe");
    (void)posix_spawn_file_actions_init(&actions);
    rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (rc == 0)
        rc = posix_spawn(pid, lean, &actions, NULL, arguments, environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (rc == 0) {
        *output = ends[0];
        return LWB_OK;
    }
    close(ends[0]);
    errno = rc;
    return lwb_fail_errno(err, LWB_ERR_SPAWN, "cannot run %s", lean);
}

static int left_ms(uint64_t deadline)
{
    uint64_t now = lwb_clock_ms();

    return now < deadline ? (int)(deadline - now) : 0;
}

/* 1 at the end of the output, 0 when time is over. */
static int drain(struct lwb_buf *out, int fd, uint64_t deadline, struct lwb_error *err)
{
    struct pollfd poller = { .fd = fd, .events = POLLIN };
    char chunk[4096];

    for (;;) {
        int ready = poll(&poller, 1, left_ms(deadline));
        ssize_t got;

        if (ready == 0)
            return 0;
        if (ready < 0 && errno == EINTR)
            continue;
        got = ready < 0 ? -1 : read(fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot read its output");
        if (got == 0)
            return 1;
        lwb_buf_append(out, chunk, (size_t)got);
    }
}

/* Whoever closes its output is as good as gone, but need not be: ask until it is. */
static int reap(pid_t pid, uint64_t deadline, int *status)
{
    enum { PAUSE_MS = 5 };

    for (;;) {
        bool over = left_ms(deadline) == 0;
        pid_t got;

        if (over)
            (void)kill(pid, SIGKILL);
        got = waitpid(pid, status, over ? 0 : WNOHANG);
        if (got == pid)
            return 1;
        if (got < 0 && errno != EINTR)
            return 0;
        (void)poll(NULL, 0, PAUSE_MS);
    }
}

int lwb_lean_ask(struct lwb_buf *out, const char *lean, const char *argument, struct lwb_error *err)
{
    uint64_t deadline = lwb_clock_ms() + LIMIT_MS;
    int status = -1;
    int output = -1;
    pid_t pid;
    int rc = spawn(&pid, &output, lean, argument, err);

    if (rc < 0)
        return rc;
    rc = drain(out, output, deadline, err);
    close(output);
    if (rc <= 0)
        (void)kill(pid, SIGKILL);
    if (!reap(pid, deadline, &status) && rc >= 0)
        rc = lwb_fail(err, LWB_ERR_WAIT, "%s cannot be waited for", lean);
    if (rc == 0)
        return lwb_fail(err, LWB_ERR_TIMEOUT, "%s %s said nothing for %d s", lean, argument,
                        LIMIT_MS / 1000);
    if (rc > 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        return lwb_fail(err, LWB_ERR_CHILD_EXITED, "%s %s failed", lean, argument);
    return rc < 0 ? rc : LWB_OK;
}
