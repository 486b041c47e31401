#include "lwbuild/worker/group_memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kB behind `key` in a text of "Key:   123 kB" lines. */
static uint64_t kilobytes(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static int process_memory(pid_t pid, uint64_t *bytes)
{
    char path[64];
    char text[4096];
    ssize_t len;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (len <= 0) /* ESRCH: it is a zombie */
        return -1;
    text[len] = '\0';
    *bytes = 1024 * (kilobytes(text, "\nPrivate_Dirty:") + kilobytes(text, "\nPrivate_Hugetlb:") +
                     kilobytes(text, "\nSwap:"));
    return 0;
}

int lwb_group_memory(pid_t group, uint64_t *bytes)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    uint64_t sum = 0;
    int result = -1;

    if (!proc)
        return -1;
    while ((entry = readdir(proc))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        uint64_t part;

        if (pid <= 0 || getpgid(pid) != group || process_memory(pid, &part))
            continue;
        sum += part;
        result = 0;
    }
    closedir(proc);
    if (result == 0)
        *bytes = sum;
    return result;
}
