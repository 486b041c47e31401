#include "lwbuild/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void lwb_file_stat_from(struct lwb_file_stat *out, const struct stat *st)
{
    *out = (struct lwb_file_stat){
        .device = (uint64_t)st->st_dev,
        .inode = (uint64_t)st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime_ns = nanoseconds(st->st_mtim),
        .ctime_ns = nanoseconds(st->st_ctim),
    };
}

bool lwb_file_stat_equal(const struct lwb_file_stat *a, const struct lwb_file_stat *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

int lwb_file_stat(struct lwb_file_stat *out, const char *path, struct lwb_error *err)
{
    struct stat st;

    if (stat(path, &st) == 0) {
        lwb_file_stat_from(out, &st);
        return 1;
    }
    if (errno == ENOENT || errno == ENOTDIR)
        return 0;
    return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot stat %s", path);
}

bool lwb_file_stat_is_racy(const struct lwb_file_stat *st, int64_t now_ns)
{
    /* Kernels stamp files by their timer tick, at most 10 ms. */
    const int64_t tick = 20 * 1000000;
    const int64_t second = 1000000000;
    /*
     * Nobody sets this one, so whole seconds are all that the file system keeps,
     * FAT every other.
     */
    const bool coarse = st->ctime_ns % second == 0;
    const int64_t span = coarse ? 2 * second + tick : tick;

    return st->mtime_ns + span >= now_ns || st->ctime_ns + span >= now_ns;
}

static int open_temporary(struct lwb_buf *name, const char *path, mode_t mode,
                          struct lwb_error *err)
{
    static unsigned serial;
    int fd;

    for (int attempt = 0; attempt < 100; attempt++) {
        lwb_buf_clear(name);
        lwb_buf_format(name, "%s.tmp.%ld.%u", path, (long)getpid(), serial++);
        if (!lwb_buf_ok(name))
            return lwb_fail_memory(err);
        fd = open(name->ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EEXIST)
            break;
    }
    if (fd < 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot write %s", path);
    return fd;
}

int lwb_file_now(int64_t *out, const char *dir, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_free_text) char *probe = lwb_path_join(dir, ".lwbuild-clock");
    struct stat st;
    int fd;
    int rc = LWB_OK;

    if (!probe)
        return lwb_fail_memory(err);
    fd = open_temporary(&name, probe, 0600, err);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) == 0)
        *out = nanoseconds(st.st_mtim);
    else
        rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot stat %s", name.ptr);
    close(fd);
    (void)unlink(name.ptr);
    return rc;
}

/* read(2) that is not interrupted. */
static ssize_t read_some(int fd, void *into, size_t room)
{
    ssize_t got;

    do
        got = read(fd, into, room);
    while (got < 0 && errno == EINTR);
    return got;
}

/* A short read of a regular file is its end. */
static int read_all(struct lwb_buf *out, int fd, size_t expected, bool regular,
                    struct lwb_error *err)
{
    for (;;) {
        /* One byte more than expected, so that the same read sees the end. */
        size_t room = expected > out->len ? expected - out->len + 1 : 64 * 1024;
        size_t left = out->max - out->len;
        char one;
        char *end = left ? lwb_buf_reserve(out, room < left ? room : left) : &one;
        ssize_t got;

        if (!end)
            return lwb_fail_memory(err);
        got = read_some(fd, end, left ? (room < left ? room : left) : 1);
        if (got < 0)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot read");
        if (got == 0)
            return LWB_OK;
        if (!left)
            return lwb_fail(err, LWB_ERR_LIMIT, "larger than %zu bytes", out->max);
        out->len += (size_t)got;
        out->ptr[out->len] = '\0';
        if (regular && (size_t)got < room && (size_t)got < left)
            return LWB_OK;
    }
}

int lwb_file_read(struct lwb_buf *out, const char *path, struct lwb_file_stat *st,
                  struct lwb_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat found;
    int rc;

    if (fd < 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot open %s", path);
    if (fstat(fd, &found) != 0) {
        rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot stat %s", path);
    } else if (S_ISDIR(found.st_mode)) {
        rc = lwb_fail(err, LWB_ERR_SYSTEM, "%s is a directory", path);
    } else {
        rc = read_all(out, fd, out->len + (size_t)found.st_size, S_ISREG(found.st_mode), err);
        if (rc < 0)
            (void)lwb_error_context(err, "%s", path);
        else if (st)
            lwb_file_stat_from(st, &found);
    }
    close(fd);
    return rc;
}

int lwb_file_write_fd(int fd, struct lwb_bytes content, struct lwb_error *err)
{
    while (content.len) {
        ssize_t put = write(fd, content.ptr, content.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot write");
        content = lwb_bytes(content.ptr + put, content.len - (size_t)put);
    }
    return LWB_OK;
}

int lwb_file_write(const char *path, struct lwb_bytes content, mode_t mode, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);
    int fd = open_temporary(&name, path, mode, err);
    int rc;

    if (fd < 0)
        return fd;
    rc = lwb_file_write_fd(fd, content, err);
    if (rc < 0)
        (void)lwb_error_context(err, "%s", path);
    if (close(fd) != 0 && rc == LWB_OK)
        rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot write %s", path);
    if (rc == LWB_OK && rename(name.ptr, path) != 0)
        rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot write %s", path);
    if (rc < 0)
        (void)unlink(name.ptr);
    return rc;
}

int lwb_file_write_if_changed(const char *path, struct lwb_bytes content, mode_t mode,
                              struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf old = LWB_BUF(content.len + 1);
    struct lwb_error ignored;
    int rc;

    if (lwb_file_read(&old, path, NULL, &ignored) == LWB_OK &&
        lwb_bytes_equal(lwb_buf_bytes(&old), content))
        return 0;
    rc = lwb_file_write(path, content, mode, err);
    return rc < 0 ? rc : 1;
}

static int make_dir(const char *path, mode_t mode, struct lwb_error *err)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return LWB_OK;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return LWB_OK;
    return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot make directory %s", path);
}

int lwb_file_make_dirs(const char *path, mode_t mode, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *partial = lwb_strdup(path);
    int rc;

    if (!partial)
        return lwb_fail_memory(err);
    for (char *slash = partial + 1; *slash; slash++) {
        if (*slash != '/')
            continue;
        *slash = '\0';
        rc = make_dir(partial, mode, err);
        if (rc < 0)
            return rc;
        *slash = '/';
    }
    return make_dir(partial, mode, err);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path) != 0 && errno != ENOENT;
}

int lwb_file_remove_tree(const char *path, struct lwb_error *err)
{
    enum { OPEN_DIRS = 16 };

    if (nftw(path, remove_entry, OPEN_DIRS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return LWB_OK;
    return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot remove %s", path);
}
