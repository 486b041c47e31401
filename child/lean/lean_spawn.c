#include "child/lean/lean_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"

/* From a command to a process with three pipes, or to nothing at all. */

void lwb_lean_command_release(struct lwb_lean_command *command)
{
    lwb_strvec_release(&command->arguments);
    lwb_strvec_release(&command->environment);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

struct pipes {
    int in[2], out[2], err[2];
    int failure[2]; /* closed by a successful exec, else carries errno */
};

static void close_pipes(struct pipes *pipes)
{
    int *all = &pipes->in[0];

    for (size_t i = 0; i < sizeof(*pipes) / sizeof(int); i++)
        close_fd(&all[i]);
}

static int open_pipes(struct pipes *pipes)
{
    *pipes = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
    if (pipe2(pipes->in, O_CLOEXEC) < 0 || pipe2(pipes->out, O_CLOEXEC) < 0 ||
        pipe2(pipes->err, O_CLOEXEC) < 0 || pipe2(pipes->failure, O_CLOEXEC) < 0)
        return -1;
    return 0;
}

/* A copy of `fd` that is none of 0, 1, 2, whatever the caller had closed. */
static int above_standard(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* In the new process. Only calls that are safe after fork. */
static void become(const struct lwb_lean_command *command, char *const argv[], struct pipes *pipes,
                   pid_t parent)
{
    int in = above_standard(pipes->in[0]);
    int out = above_standard(pipes->out[1]);
    int err = above_standard(pipes->err[1]);
    int failure = above_standard(pipes->failure[1]);
    sigset_t none;
    int sys;

    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(127);
    /* Whatever else is open here is none of its business. */
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(err, 2) >= 0 && chdir(command->folder) == 0)
        (void)execve(command->program, argv, command->environment.items);
    sys = errno;
    if (write(failure, &sys, sizeof(sys)) < 0)
        _exit(126);
    _exit(127);
}

/* argv with the program in front; the strings stay the command's. */
static char **make_argv(const struct lwb_lean_command *command)
{
    char **argv = lwb_alloc_array(command->arguments.count + 2, sizeof(*argv));

    if (!argv)
        return NULL;
    argv[0] = (char *)command->program;
    for (size_t i = 0; i < command->arguments.count; i++)
        argv[i + 1] = command->arguments.items[i];
    return argv;
}

/* errno of a failed exec, 0 when the program runs. */
static int read_failure(int fd)
{
    int sys = 0;
    ssize_t n;

    do {
        n = read(fd, &sys, sizeof(sys));
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(sys) ? sys : 0;
}

static void reap(pid_t pid, int *status)
{
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        continue;
}

static void adopt(struct lwb_lean_process *process, struct pipes *pipes, pid_t pid)
{
    *process = (struct lwb_lean_process){
        .pid = pid,
        .pid_fd = pidfd_open(pid, 0),
        .in = pipes->in[1],
        .out = pipes->out[0],
        .err = pipes->err[0],
        .complaint = LWB_BUF(2 * LWB_LEAN_STDERR_KEPT),
        .line = LWB_BUF(LWB_LEAN_LINE_KEPT),
    };
    pipes->in[1] = pipes->out[0] = pipes->err[0] = -1;
    (void)fcntl(process->in, F_SETFL, O_NONBLOCK);
    (void)fcntl(process->out, F_SETFL, O_NONBLOCK);
    (void)fcntl(process->err, F_SETFL, O_NONBLOCK);
}

int lwb_lean_process_start(struct lwb_lean_process *process, const struct lwb_lean_command *command,
                           struct lwb_error *err)
{
    LWB_AUTO(lwb_free) void *argv = make_argv(command);
    struct pipes pipes;
    pid_t parent = getpid();
    pid_t pid;
    int sys;

    if (!argv)
        return lwb_fail_memory(err);
    if (open_pipes(&pipes) < 0) {
        close_pipes(&pipes);
        return lwb_fail_errno(err, LWB_ERR_SPAWN, "pipes for %s", command->program);
    }
    pid = fork();
    if (pid == 0)
        become(command, argv, &pipes, parent);
    if (pid < 0) {
        close_pipes(&pipes);
        return lwb_fail_errno(err, LWB_ERR_SPAWN, "%s", command->program);
    }
    close_fd(&pipes.failure[1]);
    sys = read_failure(pipes.failure[0]);
    if (sys) {
        close_pipes(&pipes);
        reap(pid, NULL);
        errno = sys;
        return lwb_fail_errno(err, LWB_ERR_SPAWN, "cannot run %s in %s", command->program,
                              command->folder);
    }
    adopt(process, &pipes, pid);
    close_pipes(&pipes);
    return LWB_OK;
}
