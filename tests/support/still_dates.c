/*
 * To be preloaded: a file system on which an edit does not show in the dates of
 * files whose names end in "lean" or "trace", as it is where a server or a virtual machine
 * answers out of an old memory. Everything else is as it is.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_still(const char *path)
{
    size_t len = strlen(path);

    return (len >= 4 && strcmp(path + len - 4, "lean") == 0) ||
           (len >= 5 && strcmp(path + len - 5, "trace") == 0);
}

static void hold(const char *path, struct stat *st)
{
    const struct timespec then = { .tv_sec = 1600000000 };

    if (is_still(path))
        st->st_mtim = st->st_ctim = then;
}

int fstatat(int folder, const char *restrict path, struct stat *restrict st, int flags)
{
    int (*real)(int, const char *, struct stat *, int) =
        (int (*)(int, const char *, struct stat *, int))dlsym(RTLD_NEXT, "fstatat");
    int rc = real(folder, path, st, flags);

    if (rc == 0)
        hold(path, st);
    return rc;
}

int stat(const char *restrict path, struct stat *restrict st)
{
    return fstatat(AT_FDCWD, path, st, 0);
}

int fstat(int fd, struct stat *st)
{
    int (*real)(int, struct stat *) = (int (*)(int, struct stat *))dlsym(RTLD_NEXT, "fstat");
    char link[64], path[4096];
    int rc = real(fd, st);
    ssize_t len;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = rc == 0 ? readlink(link, path, sizeof(path) - 1) : -1;
    if (len > 0) {
        path[len] = '\0';
        hold(path, st);
    }
    return rc;
}
