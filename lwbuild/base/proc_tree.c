#include "lwbuild/base/proc_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/file.h"

enum { MAX_PATH = 80, MAX_TEXT = 32 * 1024, MAX_ENVIRONMENT = 4 * 1024 * 1024 };

struct list {
    pid_t *pids;
    size_t count;
    size_t max;
};

static void add(struct list *list, pid_t pid)
{
    if (pid > 0 && list->count < list->max)
        list->pids[list->count++] = pid;
}

/* Returns the length, or -1. One read: the kernel makes these texts as they are read. */
static ssize_t read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, size - 1);

    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    return len;
}

bool lwb_proc_stat(pid_t pid, pid_t *parent, char *state)
{
    char path[MAX_PATH];
    char text[MAX_TEXT];
    const char *at;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (read_text(path, text, sizeof(text)) <= 0)
        return false;
    at = strrchr(text, ')'); /* behind the name, which may hold anything */
    if (!at || strlen(at) < 5)
        return false;
    *state = at[2];
    *parent = (pid_t)strtol(at + 3, NULL, 10);
    return true;
}

/* A kernel without the lists of children: ask everybody. */
static void search_everywhere(pid_t pid, struct list *list)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    while (proc && (entry = readdir(proc))) {
        pid_t other = (pid_t)strtol(entry->d_name, NULL, 10);
        pid_t parent;
        char state;

        if (other > 0 && lwb_proc_stat(other, &parent, &state) && parent == pid)
            add(list, other);
    }
    if (proc)
        closedir(proc);
}

static bool read_children(pid_t pid, const char *thread, struct list *list)
{
    char path[MAX_PATH];
    char text[MAX_TEXT];
    char *at = text;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%.12s/children", (int)pid, thread);
    if (read_text(path, text, sizeof(text)) < 0)
        return false;
    while (*at >= '0' && *at <= '9') {
        add(list, (pid_t)strtol(at, &at, 10));
        at += *at == ' ';
    }
    return true;
}

size_t lwb_proc_children(pid_t pid, pid_t *out, size_t max)
{
    struct list list = { .pids = out, .max = max };
    char path[MAX_PATH];
    struct dirent *entry;
    bool listed = false;
    DIR *threads;

    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    threads = opendir(path);
    if (!threads)
        return 0;
    while ((entry = readdir(threads)))
        if (entry->d_name[0] != '.')
            listed |= read_children(pid, entry->d_name, &list);
    closedir(threads);
    if (!listed)
        search_everywhere(pid, &list);
    return list.count;
}

bool lwb_proc_has_variable(pid_t pid, const char *variable)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MAX_ENVIRONMENT);
    size_t size = strlen(variable) + 1; /* the NUL behind it is compared, too */
    struct lwb_error ignored;
    char path[MAX_PATH];
    const char *at;

    (void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    if (lwb_file_read(&text, path, NULL, &ignored) < 0)
        return false;
    at = text.len ? memmem(text.ptr, text.len, variable, size) : NULL;
    return at && (at == text.ptr || at[-1] == '\0');
}

bool lwb_proc_group_lives(pid_t group)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    bool lives = proc == NULL; /* not known: say yes */

    while (!lives && (entry = readdir(proc))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        pid_t parent;
        char state;

        lives = pid > 0 && getpgid(pid) == group && lwb_proc_stat(pid, &parent, &state) &&
                state != 'Z' && state != 'X';
    }
    if (proc)
        closedir(proc);
    return lives;
}
