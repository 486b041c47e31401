#include "lwbuild/worker/process_internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * How an exit is noticed: a pidfd becomes readable. Where there is none to be
 * had (before Linux 5.3, in some sandboxes, or for want of descriptors),
 * SIGCHLD says that somebody has ended, and everybody looks at his own child.
 */

/* Whether it has ended: 1, 0 when not, -1 when somebody else has waited for it. */
static int has_ended(const struct lwb_process *process)
{
    siginfo_t info = { 0 };

    if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return -1;
    return info.si_pid != 0;
}

/*
 * As long as the leader is not waited for, nobody else can have his number, and
 * so it is his group that is killed. Afterwards that could be anybody's.
 */
static bool end_group_and_wait(struct lwb_process *process, int *status)
{
    (void)kill(-process->pid, SIGKILL); /* what it started must not hold its pipes */
    return waitpid(process->pid, status, WNOHANG) == process->pid;
}

static void look(struct lwb_process *process)
{
    int ended = has_ended(process);
    int status;

    if (ended == 0)
        return;
    lwb_process_unwatch_exit(process);
    if (ended > 0 && end_group_and_wait(process, &status))
        lwb_process_on_exit(process, &status);
    else
        lwb_process_on_exit(process, NULL);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    look(poll->data);
}

static void on_signal(uv_signal_t *handle, int sig)
{
    (void)sig;
    look(handle->data);
}

static int watch_descriptor(struct lwb_process *process)
{
    int rc;

    process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (process->pidfd < 0)
        return -errno;
    rc = uv_poll_init(process->loop, &process->exit_poll, process->pidfd);
    if (rc < 0) {
        close(process->pidfd);
        process->pidfd = -1;
        return rc;
    }
    lwb_process_adopt(process, &process->exit_poll);
    return uv_poll_start(&process->exit_poll, UV_READABLE, on_readable);
}

static int watch_signal(struct lwb_process *process)
{
    int rc = uv_signal_init(process->loop, &process->exit_signal);

    if (rc < 0)
        return rc;
    lwb_process_adopt(process, &process->exit_signal);
    rc = uv_signal_start(&process->exit_signal, on_signal, SIGCHLD);
    if (rc == 0)
        (void)raise(SIGCHLD); /* it may have ended before we listened */
    return rc;
}

int lwb_process_watch_exit(struct lwb_process *process)
{
    return watch_descriptor(process) == 0 ? 0 : watch_signal(process);
}

void lwb_process_unwatch_exit(struct lwb_process *process)
{
    lwb_process_close_handle(&process->exit_poll);
    lwb_process_close_handle(&process->exit_signal);
    if (process->pidfd >= 0)
        close(process->pidfd);
    process->pidfd = -1;
}
