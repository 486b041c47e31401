#include "tests/support/memory_cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int put(const struct memory_cgroup *cgroup, const char *name, uint64_t value)
{
    char path[200];
    char text[32];
    int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    int fd;
    int rc;

    (void)snprintf(path, sizeof(path), "%s/%s", cgroup->dir, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    rc = fd >= 0 && write(fd, text, (size_t)len) == len ? 0 : -1;
    if (fd >= 0)
        close(fd);
    return rc;
}

/* `limit` is the file that there must be, `swap` one that there may be. */
static int make_in(struct memory_cgroup *cgroup, const char *root, const char *limit,
                   const char *swap, uint64_t bytes, uint64_t swap_bytes)
{
    (void)snprintf(cgroup->dir, sizeof(cgroup->dir), "%s/lwbuild-test-%d", root, (int)getpid());
    if (mkdir(cgroup->dir, 0700) != 0)
        return -1;
    if (put(cgroup, limit, bytes) == 0) {
        (void)put(cgroup, swap, swap_bytes);
        return 0;
    }
    memory_cgroup_remove(cgroup);
    return -1;
}

int memory_cgroup_make(struct memory_cgroup *cgroup, uint64_t bytes)
{
    if (make_in(cgroup, "/sys/fs/cgroup", "memory.max", "memory.swap.max", bytes, 0) == 0)
        return 0;
    return make_in(cgroup, "/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                   "memory.memsw.limit_in_bytes", bytes, bytes);
}

int memory_cgroup_add(const struct memory_cgroup *cgroup, pid_t pid)
{
    return put(cgroup, "cgroup.procs", (uint64_t)pid);
}

void memory_cgroup_remove(const struct memory_cgroup *cgroup)
{
    (void)rmdir(cgroup->dir);
}
