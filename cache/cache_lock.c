#include "cache/cache_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lwbuild/base/attributes.h"
#include "lwbuild/base/clock.h"

int lwb_lock_open(int *fd, const char *path, struct lwb_error *err)
{
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot open %s", path);
    return LWB_OK;
}

static bool flock_now(int fd, int operation)
{
    int rc;

    do {
        rc = flock(fd, operation | LOCK_NB);
    } while (rc != 0 && errno == EINTR);
    return rc == 0;
}

/*
 * A blocking flock has no time-out, and a stopped process may hold the lock for
 * ever: so ask again, quickly at first, since the lock is held for about a
 * millisecond as a rule.
 */
static int take(int fd, int operation, int ms, struct lwb_error *err)
{
    const uint64_t deadline = lwb_clock_ms() + (uint64_t)ms;
    long pause_us = 200;

    while (!flock_now(fd, operation)) {
        struct timespec pause = { 0, pause_us * 1000 };

        if (errno != EWOULDBLOCK)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot lock the cache");
        if (lwb_clock_ms() >= deadline)
            return lwb_fail(err, LWB_ERR_BUSY, "the cache is locked by another process");
        (void)nanosleep(&pause, NULL);
        if (pause_us < 10 * 1000)
            pause_us += pause_us / 2;
    }
    return LWB_OK;
}

int lwb_lock_take(int fd, int ms, struct lwb_error *err)
{
    return take(fd, LOCK_EX, ms, err);
}

int lwb_lock_share(int fd, int ms, struct lwb_error *err)
{
    return take(fd, LOCK_SH, ms, err);
}

bool lwb_lock_is_current(int fd, const char *path)
{
    struct stat open_file;
    struct stat named;

    return fstat(fd, &open_file) == 0 && stat(path, &named) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

bool lwb_lock_try(int fd)
{
    return flock_now(fd, LOCK_EX);
}

void lwb_lock_release(int fd)
{
    (void)flock(fd, LOCK_UN);
}

bool lwb_path_is_on_network(const char *path)
{
    static const uint32_t network[] = {
        0x00006969, /* NFS */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB2 */
        0x0000517b, /* SMB */
        0x65735546, /* FUSE: sshfs and friends; the local ones lose little */
        0x01021997, /* 9P */
        0x0bd00bd0, /* Lustre */
        0x47504653, /* GPFS */
        0x00c36400, /* Ceph */
        0x5346414f, /* AFS */
        0x6b414653, /* kAFS */
        0x73757245, /* Coda */
    };
    struct statfs fs;

    if (statfs(path, &fs) != 0)
        return false;
    for (size_t i = 0; i < LWB_COUNT(network); i++)
        if ((uint32_t)fs.f_type == network[i])
            return true;
    return false;
}
