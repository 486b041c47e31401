#include "tests/bench/bench_run.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "tests/bench/bench.h"

enum { CCACHE_FILES = 20 };

extern char **environ;

pid_t bench_start(const char *folder, char *const *argv)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) != 0)
        bench_die("cannot start %s", argv[0]);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

uint64_t bench_run(const char *folder, char *const *argv)
{
    uint64_t started = lwb_clock_ns();
    pid_t pid = bench_start(folder, argv);
    int status;

    if (waitpid(pid, &status, 0) != pid || status != 0)
        bench_die("%s failed", argv[0]);
    return lwb_clock_ns() - started;
}

const char *bench_find_program(const char *name, char *out, size_t size)
{
    const char *path = getenv("PATH");

    while (path && *path) {
        int len = (int)strcspn(path, ":");

        (void)snprintf(out, size, "%.*s/%s", len, path, name);
        if (access(out, X_OK) == 0)
            return out;
        path += len + (path[len] == ':');
    }
    return NULL;
}

/* ---- files --------------------------------------------------------------------------------- */

void bench_make_folder(char *out)
{
    const char *temporary = getenv("TMPDIR");

    (void)snprintf(out, 256, "%s/lwb-bench-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(out))
        bench_die("cannot make %s", out);
}

void bench_make_folders(const char *path)
{
    struct lwb_error err;

    if (lwb_file_make_dirs(path, 0777, &err) < 0)
        bench_die("%s", err.text);
}

void bench_write_file(const char *path, const char *text)
{
    struct lwb_error err;

    if (lwb_file_write(path, lwb_bytes_text(text), 0666, &err) < 0)
        bench_die("%s", err.text);
}

void bench_remove_folder(const char *path)
{
    struct lwb_error err;

    if (lwb_file_remove_tree(path, &err) < 0)
        bench_die("%s", err.text);
}

/* ---- ccache -------------------------------------------------------------------------------- */

uint64_t bench_ccache_hit(const struct bench_ccache *peer, unsigned round)
{
    char source[300], object[300];
    char *argv[] = { (char *)peer->ccache,
                     (char *)peer->compiler,
                     (char *)"-c",
                     source,
                     (char *)"-o",
                     object,
                     NULL };

    (void)snprintf(source, sizeof(source), "%s/f%u.c", peer->folder, round % CCACHE_FILES);
    (void)snprintf(object, sizeof(object), "%s/f%u.o", peer->folder, round % CCACHE_FILES);
    return bench_run(peer->folder, argv);
}

bool bench_ccache_prepare(struct bench_ccache *peer, const char *folder)
{
    char path[300], text[64];

    if (!bench_find_program("ccache", peer->ccache, sizeof(peer->ccache)) ||
        !bench_find_program("cc", peer->compiler, sizeof(peer->compiler)))
        return false;
    (void)snprintf(peer->folder, sizeof(peer->folder), "%s", folder);
    (void)snprintf(path, sizeof(path), "%s/ccache", folder);
    bench_make_folders(path);
    (void)setenv("CCACHE_DIR", path, 1);
    for (unsigned i = 0; i < CCACHE_FILES; i++) {
        (void)snprintf(path, sizeof(path), "%s/f%u.c", folder, i);
        (void)snprintf(text, sizeof(text), "int f%u(void) { return %u; }\n", i, i);
        bench_write_file(path, text);
        (void)bench_ccache_hit(peer, i);
    }
    return true;
}
