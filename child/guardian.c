#include "child/guardian.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child/harden.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/proc_tree.h"

enum {
    AT_ONCE = 64,     /* of its children are killed; the next look finds the others */
    LOOK_MS = 5,      /* between two looks, when nobody dies */
    PATIENCE_MS = 100 /* for what cannot be killed: less than a parent waits for the end */
};

/* Wait for everybody that has ended. Returns whether the worker was among them. */
static bool reap(pid_t worker, int *status)
{
    bool ended = false;
    pid_t pid;
    int how;

    while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
        if (pid != worker)
            continue;
        *status = how;
        ended = true;
    }
    return ended;
}

/*
 * Nobody is waited for between the look and the kill, so that each number is
 * still that of a child of ours. Killing a child hands us its children.
 */
static void kill_everybody(const sigset_t *watched)
{
    const struct timespec look = { .tv_nsec = LOOK_MS * 1000 * 1000 };
    uint64_t end_ms = lwb_clock_ms() + PATIENCE_MS;
    pid_t children[AT_ONCE];
    size_t count;
    int ignored;

    while ((count = lwb_proc_children(getpid(), children, AT_ONCE)) > 0 &&
           lwb_clock_ms() < end_ms) {
        for (size_t i = 0; i < count; i++)
            (void)kill(children[i], SIGKILL);
        (void)sigtimedwait(watched, NULL, &look);
        (void)reap(0, &ignored);
    }
}

static _Noreturn void end_by_signal(int sig)
{
    sigset_t just_this;

    lwb_harden_no_core_dumps();
    (void)signal(sig, SIG_DFL);
    (void)sigemptyset(&just_this);
    (void)sigaddset(&just_this, sig);
    (void)kill(getpid(), sig);
    (void)sigprocmask(SIG_UNBLOCK, &just_this, NULL);
    _exit(128 + sig);
}

static _Noreturn void guard(pid_t worker, const sigset_t *watched)
{
    bool ended = false;
    int status = 0;
    int told = 0; /* the signal that says to end */

    (void)close(STDIN_FILENO); /* the pipes are the worker's: their ends say something */
    (void)close(STDOUT_FILENO);
    lwb_harden_close_from(STDERR_FILENO + 1);
    while (!ended && !told) {
        int sig = sigwaitinfo(watched, NULL);

        if (sig == SIGCHLD)
            ended = reap(worker, &status);
        else if (sig > 0)
            told = sig;
    }
    kill_everybody(watched);
    if (told)
        end_by_signal(told);
    if (WIFSIGNALED(status))
        end_by_signal(WTERMSIG(status));
    _exit(WEXITSTATUS(status));
}

static int become_worker(pid_t guardian, const sigset_t *mask, struct lwb_error *err)
{
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    return lwb_harden_die_with_parent(guardian, SIGKILL, err);
}

int lwb_guardian_start(int parent_pid, struct lwb_error *err)
{
    pid_t guardian = getpid();
    sigset_t watched;
    sigset_t before;
    pid_t worker;
    int rc = 1;

    (void)sigemptyset(&watched);
    (void)sigaddset(&watched, SIGCHLD);
    (void)sigaddset(&watched, SIGTERM);
    (void)sigaddset(&watched, SIGINT);
    (void)sigaddset(&watched, SIGHUP);
    (void)signal(SIGCHLD, SIG_DFL);
    if (sigprocmask(SIG_BLOCK, &watched, &before) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot become a guardian");
    if (parent_pid)
        rc = lwb_harden_die_with_parent(parent_pid, SIGTERM, err);
    if (rc <= 0)
        return rc;
    worker = fork();
    if (worker < 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot start the process to guard");
    if (worker > 0)
        guard(worker, &watched);
    return become_worker(guardian, &before, err);
}
