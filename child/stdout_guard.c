#include "child/stdout_guard.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { FIRST_PRIVATE = 3 };

static int move_away(int fd, const char *name, struct lwb_error *err)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_PRIVATE);

    if (moved < 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "%s is not usable", name);
    return moved;
}

/* Point `fd` at /dev/null. */
static int silence(int fd, struct lwb_error *err)
{
    int null = open("/dev/null", O_RDWR);
    int rc = null < 0 ? -1 : dup2(null, fd);

    if (rc < 0)
        (void)lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot use /dev/null");
    if (null >= 0 && null != fd)
        (void)close(null);
    return rc < 0 ? err->code : LWB_OK;
}

static int redirect(struct lwb_error *err)
{
    int rc = LWB_OK;

    if (fcntl(STDERR_FILENO, F_GETFD) < 0)
        rc = silence(STDERR_FILENO, err);
    if (rc == LWB_OK)
        rc = silence(STDIN_FILENO, err);
    if (rc == LWB_OK && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot redirect stdout");
    return rc;
}

int lwb_stdout_guard_take(struct lwb_stdout_guard *out, struct lwb_error *err)
{
    struct lwb_stdout_guard guard;

    guard.in = move_away(STDIN_FILENO, "stdin", err);
    if (guard.in < 0)
        return guard.in;
    guard.out = move_away(STDOUT_FILENO, "stdout", err);
    if (guard.out < 0 || redirect(err) < 0) {
        (void)close(guard.in);
        if (guard.out >= 0)
            (void)close(guard.out);
        return err->code;
    }
    /* What is printed now belongs among the lines of stderr, in their order. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    *out = guard;
    return LWB_OK;
}
