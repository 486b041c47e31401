#include "tests/support/fault_calls.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

struct armed {
    atomic_int call;
    atomic_long countdown;
    atomic_bool fired;
};

static struct armed *armed;
static bool is_pipe_of_child[1024]; /* by descriptor */

static const char *const names[] = {
    [FAULT_PIPE] = "pipe",       [FAULT_SPAWN] = "spawn",     [FAULT_READ] = "read",
    [FAULT_WRITE] = "write",     [FAULT_FCNTL] = "fcntl",     [FAULT_IOCTL] = "ioctl",
    [FAULT_WAITPID] = "waitpid", [FAULT_KILL] = "kill",       [FAULT_OPEN] = "open",
    [FAULT_OPENDIR] = "opendir", [FAULT_PRLIMIT] = "prlimit", [FAULT_PIDFD] = "pidfd_open",
};

const char *fault_call_name(enum fault_call call)
{
    return names[call];
}

void fault_call_arm(enum fault_call call, long n)
{
    if (!armed) {
        void *memory =
            mmap(NULL, sizeof(*armed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
            abort();
        armed = memory;
    }
    memset(is_pipe_of_child, 0, sizeof(is_pipe_of_child));
    atomic_store(&armed->fired, false);
    atomic_store(&armed->countdown, n);
    atomic_store(&armed->call, (int)call);
}

bool fault_call_disarm(void)
{
    if (!armed)
        return false;
    atomic_store(&armed->call, FAULT_CALLS);
    return atomic_load(&armed->fired);
}

/* Is this the call that fails? Then errno says how. */
static bool fails(enum fault_call call, int error)
{
    if (!armed || atomic_load(&armed->call) != (int)call ||
        atomic_fetch_sub(&armed->countdown, 1) != 0)
        return false;
    atomic_store(&armed->fired, true);
    errno = error;
    return true;
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (!function)
        abort();
    return function;
}
/* A data pointer cannot be cast to a function pointer in C: it is copied. */
#define REAL(name)                                                                                 \
    static __typeof__(name) *next;                                                                 \
    if (!next)                                                                                     \
    *(void **)&next = real(#name)

static bool is_watched(int fd)
{
    return fd >= 0 && fd < 1024 && is_pipe_of_child[fd];
}

/* ---- starting -------------------------------------------------------------------------- */

/* The worker makes a child's pipes with flags; libuv's own for errors of exec has none. */
int uv_pipe(uv_file fds[2], int read_flags, int write_flags)
{
    REAL(uv_pipe);
    int rc = fails(FAULT_PIPE, EMFILE) ? UV_EMFILE : next(fds, read_flags, write_flags);

    if (rc == 0 && (read_flags || write_flags))
        is_pipe_of_child[fds[0]] = is_pipe_of_child[fds[1]] = true;
    return rc;
}

int close(int fd)
{
    REAL(close);
    if (is_watched(fd))
        is_pipe_of_child[fd] = false;
    return next(fd);
}

int pipe2(int fds[2], int flags)
{
    REAL(pipe2);
    return fails(FAULT_PIPE, EMFILE) ? -1 : next(fds, flags);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const environment[])
{
    REAL(posix_spawn);
    return fails(FAULT_SPAWN, EAGAIN) ? EAGAIN
                                      : next(pid, path, actions, attributes, argv, environment);
}

/* ---- talking --------------------------------------------------------------------------- */

ssize_t read(int fd, void *data, size_t len)
{
    REAL(read);
    return is_watched(fd) && fails(FAULT_READ, EIO) ? -1 : next(fd, data, len);
}

ssize_t write(int fd, const void *data, size_t len)
{
    REAL(write);
    return is_watched(fd) && fails(FAULT_WRITE, EIO) ? -1 : next(fd, data, len);
}

static int fcntl_or_fail(int (*next)(int fd, int order, ...), int fd, int order, void *argument)
{
    return fails(FAULT_FCNTL, EPERM) ? -1 : next(fd, order, argument);
}

int fcntl(int fd, int order, ...)
{
    REAL(fcntl);
    va_list args;
    void *argument;

    va_start(args, order);
    argument = va_arg(args, void *);
    va_end(args);
    return fcntl_or_fail(next, fd, order, argument);
}

int fcntl64(int fd, int order, ...)
{
    REAL(fcntl64);
    va_list args;
    void *argument;

    va_start(args, order);
    argument = va_arg(args, void *);
    va_end(args);
    return fcntl_or_fail(next, fd, order, argument);
}

int ioctl(int fd, unsigned long order, ...)
{
    REAL(ioctl);
    va_list args;
    void *argument;

    va_start(args, order);
    argument = va_arg(args, void *);
    va_end(args);
    return fails(FAULT_IOCTL, EPERM) ? -1 : next(fd, order, argument);
}

/* ---- ending ---------------------------------------------------------------------------- */

pid_t waitpid(pid_t pid, int *status, int options)
{
    REAL(waitpid);
    return fails(FAULT_WAITPID, ECHILD) ? -1 : next(pid, status, options);
}

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    REAL(waitid);
    return type == P_PID && fails(FAULT_WAITPID, ECHILD) ? -1 : next(type, id, info, options);
}

int kill(pid_t pid, int sig)
{
    REAL(kill);
    return fails(FAULT_KILL, EPERM) ? -1 : next(pid, sig);
}

/* ---- looking --------------------------------------------------------------------------- */

int open(const char *path, int flags, ...)
{
    REAL(open);
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = va_arg(args, mode_t);
    va_end(args);
    return fails(FAULT_OPEN, EMFILE) ? -1 : next(path, flags, mode);
}

DIR *opendir(const char *path)
{
    REAL(opendir);
    return fails(FAULT_OPENDIR, EMFILE) ? NULL : next(path);
}

int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *limit,
            struct rlimit *old)
{
    REAL(prlimit);
    return fails(FAULT_PRLIMIT, EPERM) ? -1 : next(pid, resource, limit, old);
}

long syscall(long number, ...)
{
    REAL(syscall);
    va_list args;
    long a[6];

    va_start(args, number);
    for (unsigned i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    return number == SYS_pidfd_open && fails(FAULT_PIDFD, ENOSYS)
               ? -1
               : next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
