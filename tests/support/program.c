#include "tests/support/test.h"

#include "tests/support/program.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/strvec.h"

extern char **environ;

enum { MAX_OUTPUT = 256 * 1024 * 1024 };

static bool is_overridden(const char *entry, const char *const *added)
{
    size_t len = strcspn(entry, "=");

    for (; added && *added; added++)
        if (strncmp(entry, *added, len) == 0 && (*added)[len] == '=')
            return true;
    return false;
}

static void make_environment(struct lwb_strvec *out, const char *const *added)
{
    for (char **entry = environ; *entry; entry++)
        if (!is_overridden(*entry, added))
            assert_int_equal(lwb_strvec_append(out, *entry), 0);
    for (; added && *added; added++)
        assert_int_equal(lwb_strvec_append(out, *added), 0);
}

void program_start(struct program_handle *handle, const struct program *program)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec environment = { 0 };
    posix_spawn_file_actions_t actions;
    int rc;

    make_environment(&environment, program->environment);
    handle->out_fd = memfd_create("out", MFD_CLOEXEC);
    handle->err_fd = memfd_create("err", MFD_CLOEXEC);
    assert_true(handle->out_fd >= 0 && handle->err_fd >= 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, handle->out_fd, 1);
    posix_spawn_file_actions_adddup2(&actions, handle->err_fd, 2);
    if (program->cwd)
        posix_spawn_file_actions_addchdir_np(&actions, program->cwd);
    rc = posix_spawn(&handle->pid, program->argv[0], &actions, NULL,
                     (char *const *)(uintptr_t)program->argv, environment.items);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        fail_msg("cannot start %s: %s", program->argv[0], strerror(rc));
}

static void read_back(struct lwb_buf *out, int fd)
{
    *out = LWB_BUF(MAX_OUTPUT);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    for (;;) {
        char *room = lwb_buf_reserve(out, 64 * 1024);
        ssize_t got;

        assert_non_null(room);
        *room = '\0'; /* a program may say nothing */
        got = read(fd, room, 64 * 1024);
        assert_true(got >= 0);
        if (got == 0)
            break;
        out->len += (size_t)got;
        out->ptr[out->len] = '\0';
    }
    close(fd);
}

void program_wait(struct program_run *run, struct program_handle *handle)
{
    struct rusage usage = { 0 };
    int status;
    pid_t ended;

    do
        ended = wait4(handle->pid, &status, 0, &usage);
    while (ended < 0 && errno == EINTR);
    assert_int_equal(ended, handle->pid);
    run->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    run->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    run->max_rss_kib = usage.ru_maxrss;
    read_back(&run->out, handle->out_fd);
    read_back(&run->err, handle->err_fd);
}

void program_run(struct program_run *run, const struct program *program)
{
    struct program_handle handle;

    program_start(&handle, program);
    program_wait(run, &handle);
}

bool program_has_child_of(pid_t pid)
{
    struct dirent *entry;
    DIR *proc = opendir("/proc");
    bool found = false;

    assert_non_null(proc);
    while (!found && (entry = readdir(proc))) {
        char path[300], line[4096], wanted[32];
        ssize_t len;
        int fd;

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        (void)snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        len = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
        if (fd >= 0)
            close(fd);
        if (len <= 0)
            continue;
        (void)snprintf(wanted, sizeof(wanted), "%ld", (long)pid);
        for (char *word = line; word < line + len; word += strlen(word) + 1)
            if (strcmp(word, "--parent-pid") == 0 && word + 13 < line + len)
                found |= strcmp(word + 13, wanted) == 0;
    }
    closedir(proc);
    return found;
}

void program_run_release(struct program_run *run)
{
    lwb_buf_release(&run->out);
    lwb_buf_release(&run->err);
}
