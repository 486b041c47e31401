#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "tests/bench/bench.h"

/*
 * What does a build cost in which nothing has changed? The whole program over N
 * unchanged modules, against stat-ing the same N files by their absolute paths
 * in one process (and against starting a process that does nothing, which both
 * pay). Then: everything from the cache, the snapshot lost; and one leaf edited:
 * until the child has the request (a file that it makes tells when), beside a
 * run without an edit and one start of a child; and until the run is over.
 *
 *   bench_noop [modules (10000)] [rounds (15)]
 */
extern char **environ;

enum { PER_FOLDER = 100 };

static char root[256];
static int marks = -1; /* inotify on the folder in which the child makes its file */
static unsigned n_modules = 10000;
static unsigned n_rounds = 15;

static void module_path(char *out, size_t size, unsigned i)
{
    (void)snprintf(out, size, "%s/src/D%03u/M%02u.lean", root, i / PER_FOLDER, i % PER_FOLDER);
}

static void write_file(const char *path, const char *text)
{
    struct lwb_error err;

    if (lwb_file_write(path, lwb_bytes_text(text), 0666, &err) < 0)
        bench_die("%s", err.text);
}

static void make_tree(void)
{
    char path[512];
    struct lwb_error err;
    struct lwb_buf list = LWB_BUF(64 * 1024 * 1024);

    (void)snprintf(root, sizeof(root), "%s/lwb-bench-XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(root))
        bench_die("cannot make %s", root);
    (void)snprintf(path, sizeof(path), "%s/build", root);
    if (lwb_file_make_dirs(path, 0777, &err) < 0)
        bench_die("%s", err.text);
    (void)snprintf(path, sizeof(path), "%s/marks", root);
    marks = inotify_init1(IN_CLOEXEC);
    if (lwb_file_make_dirs(path, 0777, &err) < 0 || inotify_add_watch(marks, path, IN_MOVED_TO) < 0)
        bench_die("cannot watch %s", path);
    for (unsigned i = 0; i < n_modules; i++) {
        char text[64];

        if (i % PER_FOLDER == 0) {
            (void)snprintf(path, sizeof(path), "%s/src/D%03u", root, i / PER_FOLDER);
            if (lwb_file_make_dirs(path, 0777, &err) < 0)
                bench_die("%s", err.text);
        }
        module_path(path, sizeof(path), i);
        (void)snprintf(text, sizeof(text), "def m%u := %u\n", i, i);
        write_file(path, text);
        lwb_buf_format(&list, "D%03u/M%02u.lean\n", i / PER_FOLDER, i % PER_FOLDER);
    }
    (void)snprintf(path, sizeof(path), "%s/list", root);
    write_file(path, lwb_buf_text(&list));
    lwb_buf_release(&list);
}

static pid_t start(char *const *argv)
{
    posix_spawn_file_actions_t actions;
    char source[300];
    pid_t pid;

    (void)snprintf(source, sizeof(source), "%s/src", root);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, source);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) != 0)
        bench_die("cannot start %s", argv[0]);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/* Run a program in src/ and return the time until it has been waited for. */
static uint64_t run(char *const *argv)
{
    uint64_t started = lwb_clock_ns();
    pid_t pid = start(argv);
    int status;

    if (waitpid(pid, &status, 0) != pid || status != 0)
        bench_die("%s failed", argv[0]);
    return lwb_clock_ns() - started;
}

static pid_t start_lwbuild(void)
{
    char cache[300], stamp[300], list[300];
    char *argv[] = { (char *)LWB_PROGRAM,
                     (char *)"check",
                     (char *)"--host",
                     (char *)"echo",
                     (char *)"--cache",
                     cache,
                     (char *)"--stamp",
                     stamp,
                     list,
                     NULL };

    (void)snprintf(cache, sizeof(cache), "%s/cache", root);
    (void)snprintf(stamp, sizeof(stamp), "%s/build/stamp", root);
    (void)snprintf(list, sizeof(list), "@%s/list", root);
    return start(argv);
}

static uint64_t wait_for(pid_t pid, uint64_t started)
{
    int status;

    if (waitpid(pid, &status, 0) != pid || status != 0)
        bench_die("lwbuild failed");
    return lwb_clock_ns() - started;
}

static uint64_t run_lwbuild(void)
{
    uint64_t started = lwb_clock_ns();

    return wait_for(start_lwbuild(), started);
}

/* The same, and when the child got the request for the module that was edited. */
static uint64_t run_edited(uint64_t *sent)
{
    struct pollfd poller = { .fd = marks, .events = POLLIN };
    uint64_t started = lwb_clock_ns();
    pid_t pid = start_lwbuild();
    char event[sizeof(struct inotify_event) + 256];

    if (poll(&poller, 1, 60000) != 1)
        bench_die("the child got no request");
    *sent = lwb_clock_ns() - started;
    if (read(marks, event, sizeof(event)) <= 0)
        bench_die("cannot read what was watched");
    return wait_for(pid, started);
}

/* A child that finds nobody to talk to. */
static uint64_t run_child(void)
{
    char *argv[] = { (char *)LWB_ECHO_CHILD, NULL };
    uint64_t started = lwb_clock_ns();
    int status;

    (void)waitpid(start(argv), &status, 0);
    return lwb_clock_ns() - started;
}

/* This program again, as the floor: one process that stats every file. */
static uint64_t run_floor(char *self, const char *what)
{
    char count[32];
    char *argv[] = { self, (char *)what, root, count, NULL };

    (void)snprintf(count, sizeof(count), "%u", n_modules);
    return run(argv);
}

static int be_the_floor(const char *what)
{
    for (unsigned i = 0; strcmp(what, "--stat") == 0 && i < n_modules; i++) {
        char path[512];
        struct stat st;

        module_path(path, sizeof(path), i);
        if (stat(path, &st) != 0)
            return 1;
    }
    return 0;
}

static void drop_snapshot(void)
{
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/build/stamp.snapshot", root);
    (void)unlink(path);
}

static void edit_one(unsigned round)
{
    char path[512], text[400];

    module_path(path, sizeof(path), round * 37 % n_modules);
    (void)snprintf(text, sizeof(text), "-- echo: touch %s/marks/got\ndef edited := %u\n", root,
                   round);
    write_file(path, text);
}

static void measure(char *self)
{
    struct bench_series empty, floor, noop, hits, noop_and_child, sent, edit;
    uint64_t first, until_sent;

    bench_series_init(&empty, "spawn", n_rounds);
    bench_series_init(&floor, "stat", n_rounds);
    bench_series_init(&noop, "noop", n_rounds);
    bench_series_init(&hits, "all_hits_snapshot_lost", n_rounds);
    bench_series_init(&noop_and_child, "noop_and_start_of_child", n_rounds);
    bench_series_init(&sent, "one_leaf_edited_child_has_it", n_rounds);
    bench_series_init(&edit, "one_leaf_edited", n_rounds);
    first = run_lwbuild();
    printf("{\"name\":\"first_check_echo_host\",\"n\":1,\"median_ns\":%llu,\"items\":%u}\n",
           (unsigned long long)first, n_modules);
    (void)run_lwbuild();
    for (unsigned i = 0; i < n_rounds; i++) {
        bench_add(&empty, run_floor(self, "--nothing"));
        bench_add(&floor, run_floor(self, "--stat"));
        bench_add(&noop, run_lwbuild());
        drop_snapshot();
        bench_add(&hits, run_lwbuild());
        bench_add(&noop_and_child, run_lwbuild() + run_child());
        edit_one(i);
        bench_add(&edit, run_edited(&until_sent));
        bench_add(&sent, until_sent);
        (void)run_lwbuild(); /* the edit may have been too fresh for the snapshot */
    }
    bench_print(&empty, NULL, 1);
    bench_print(&floor, NULL, n_modules);
    bench_print(&noop, &floor, n_modules);
    bench_print(&hits, &floor, n_modules);
    bench_print(&sent, &noop_and_child, n_modules);
    bench_print(&edit, &hits, n_modules);
    bench_series_release(&empty);
    bench_series_release(&floor);
    bench_series_release(&noop);
    bench_series_release(&hits);
    bench_series_release(&noop_and_child);
    bench_series_release(&sent);
    bench_series_release(&edit);
}

int main(int argc, char **argv)
{
    struct lwb_error err;
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (argc == 4 && argv[1][0] == '-') {
        (void)snprintf(root, sizeof(root), "%s", argv[2]);
        n_modules = (unsigned)strtoul(argv[3], NULL, 10);
        return be_the_floor(argv[1]);
    }
    if (len <= 0)
        bench_die("cannot find this program");
    self[len] = '\0';
    if (argc > 1)
        n_modules = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        n_rounds = (unsigned)strtoul(argv[2], NULL, 10);
    if (n_modules < 1 || n_modules > 1000000 || n_rounds < 1 || n_rounds > 1000)
        bench_die("usage: bench_noop [modules] [rounds]");
    (void)setenv("LWBUILD_CHILD", LWB_ECHO_CHILD, 1);
    make_tree();
    measure(self);
    return lwb_file_remove_tree(root, &err) < 0;
}
