#include <poll.h>
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
#include "tests/bench/bench_run.h"

/*
 * What does a build cost in which nothing has changed? The whole program over N
 * unchanged modules, against stat-ing the same N files by their absolute paths
 * in one process (and against starting a process that does nothing, which both
 * pay); against ninja over a graph of N up-to-date edges, and against ccache,
 * which is asked file by file, where these are installed. Then: everything from
 * the cache, the snapshot lost; and one leaf edited: until the child has the
 * request (a file that it makes tells when), beside a run without an edit and
 * one start of a child; and until the run is over.
 *
 *   bench_noop [modules [rounds]]     (1,000, 10,000 and 100,000)
 */
enum { PER_FOLDER = 100 };

static char root[256];
static int marks = -1; /* inotify on the folder in which the child makes its file */
static unsigned n_modules;

static void module_path(char *out, size_t size, unsigned i)
{
    (void)snprintf(out, size, "%s/src/D%03u/M%02u.lean", root, i / PER_FOLDER, i % PER_FOLDER);
}

static void make_tree(void)
{
    char path[512];
    struct lwb_buf list = LWB_BUF(64 * 1024 * 1024);

    bench_make_folder(root);
    (void)snprintf(path, sizeof(path), "%s/build", root);
    bench_make_folders(path);
    (void)snprintf(path, sizeof(path), "%s/marks", root);
    bench_make_folders(path);
    marks = inotify_init1(IN_CLOEXEC);
    if (inotify_add_watch(marks, path, IN_MOVED_TO) < 0)
        bench_die("cannot watch %s", path);
    for (unsigned i = 0; i < n_modules; i++) {
        char text[64];

        if (i % PER_FOLDER == 0) {
            (void)snprintf(path, sizeof(path), "%s/src/D%03u", root, i / PER_FOLDER);
            bench_make_folders(path);
        }
        module_path(path, sizeof(path), i);
        (void)snprintf(text, sizeof(text), "def m%u := %u\n", i, i);
        bench_write_file(path, text);
        lwb_buf_format(&list, "D%03u/M%02u.lean\n", i / PER_FOLDER, i % PER_FOLDER);
    }
    (void)snprintf(path, sizeof(path), "%s/list", root);
    bench_write_file(path, lwb_buf_text(&list));
    lwb_buf_release(&list);
}

/* In src/. */
static pid_t start(char *const *argv)
{
    char source[300];

    (void)snprintf(source, sizeof(source), "%s/src", root);
    return bench_start(source, argv);
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
    return bench_run(root, argv);
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
    bench_write_file(path, text);
}

/* ---- peers --------------------------------------------------------------------------------- */

/*
 * One edge per module whose output is newer than its source. They are marked as
 * the generator's, so that ninja does not want to have run them itself.
 */
static void make_ninja_graph(void)
{
    struct lwb_buf text = LWB_BUF(256 * 1024 * 1024);
    char path[512];

    lwb_buf_append_text(&text, "rule check\n  command = true\n  generator = 1\n");
    for (unsigned i = 0; i < n_modules; i++) {
        char source[512];

        module_path(source, sizeof(source), i);
        (void)snprintf(path, sizeof(path), "%s/ninja/M%u", root, i);
        bench_write_file(path, "");
        lwb_buf_format(&text, "build M%u: check %s\n", i, source);
    }
    (void)snprintf(path, sizeof(path), "%s/ninja/build.ninja", root);
    bench_write_file(path, lwb_buf_text(&text));
    lwb_buf_release(&text);
}

static uint64_t run_ninja(const char *ninja)
{
    char folder[300];
    char *argv[] = { (char *)ninja, (char *)"-C", folder, (char *)"--quiet", NULL };

    (void)snprintf(folder, sizeof(folder), "%s/ninja", root);
    return bench_run(root, argv);
}

/* ---- measuring ----------------------------------------------------------------------------- */

struct peers {
    const char *ninja; /* NULL: not installed */
    char ninja_path[512];
    bool has_ccache;
    struct bench_ccache ccache;
};

static void make_peers(struct peers *peers)
{
    char path[300];

    peers->ninja = bench_find_program("ninja", peers->ninja_path, sizeof(peers->ninja_path));
    (void)snprintf(path, sizeof(path), "%s/ninja", root);
    bench_make_folders(path);
    if (peers->ninja)
        make_ninja_graph();
    (void)snprintf(path, sizeof(path), "%s/cc", root);
    bench_make_folders(path);
    peers->has_ccache = bench_ccache_prepare(&peers->ccache, path);
}

enum { EMPTY, STAT, NOOP, NINJA, CCACHE, HITS, NOOP_AND_CHILD, SENT, EDITED, N_SERIES };

static void measure_round(char *self, unsigned round, const struct peers *peers,
                          struct bench_series *series)
{
    uint64_t until_sent;

    bench_add(&series[EMPTY], run_floor(self, "--nothing"));
    bench_add(&series[STAT], run_floor(self, "--stat"));
    bench_add(&series[NOOP], run_lwbuild());
    if (peers->ninja)
        bench_add(&series[NINJA], run_ninja(peers->ninja));
    if (peers->has_ccache)
        bench_add(&series[CCACHE], bench_ccache_hit(&peers->ccache, round));
    drop_snapshot();
    bench_add(&series[HITS], run_lwbuild());
    bench_add(&series[NOOP_AND_CHILD], run_lwbuild() + run_child());
    edit_one(round);
    bench_add(&series[EDITED], run_edited(&until_sent));
    bench_add(&series[SENT], until_sent);
    (void)run_lwbuild(); /* the edit may have been too fresh for the snapshot */
}

static void print_all(struct bench_series *series)
{
    static const int floors[N_SERIES] = {
        [NOOP] = STAT,   [NINJA] = STAT,          [CCACHE] = EMPTY,
        [HITS] = STAT,   [SENT] = NOOP_AND_CHILD, [EDITED] = HITS,
        [EMPTY] = EMPTY, [STAT] = STAT,           [NOOP_AND_CHILD] = NOOP_AND_CHILD,
    };

    for (int i = 0; i < N_SERIES; i++)
        if (series[i].count)
            bench_print(&series[i], floors[i] == i ? NULL : &series[floors[i]],
                        i == EMPTY || i == CCACHE ? 1 : n_modules);
}

static void measure(char *self, unsigned modules, unsigned rounds)
{
    static const char *const names[N_SERIES] = {
        [EMPTY] = "spawn",
        [STAT] = "stat",
        [NOOP] = "noop",
        [NINJA] = "ninja_noop",
        [CCACHE] = "ccache_hit_of_one_file",
        [HITS] = "all_hits_snapshot_lost",
        [NOOP_AND_CHILD] = "noop_and_start_of_child",
        [SENT] = "one_leaf_edited_child_has_it",
        [EDITED] = "one_leaf_edited",
    };
    struct bench_series series[N_SERIES];
    struct peers peers;
    char title[N_SERIES][64];

    n_modules = modules;
    make_tree();
    make_peers(&peers);
    for (int i = 0; i < N_SERIES; i++) {
        (void)snprintf(title[i], sizeof(title[i]), "%s_%u", names[i], modules);
        bench_series_init(&series[i], title[i], rounds);
    }
    printf("{\"name\":\"first_check_echo_host_%u\",\"n\":1,\"median_ns\":%llu}\n", modules,
           (unsigned long long)run_lwbuild());
    (void)run_lwbuild();
    for (unsigned i = 0; i < rounds; i++)
        measure_round(self, i, &peers, series);
    print_all(series);
    for (int i = 0; i < N_SERIES; i++)
        bench_series_release(&series[i]);
    close(marks);
    bench_remove_folder(root);
}

int main(int argc, char **argv)
{
    unsigned modules = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 15;
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
    if (argc > 1 && (modules < 1 || modules > 1000000 || rounds < 1 || rounds > 1000))
        bench_die("usage: bench_noop [modules [rounds]]");
    (void)setenv("LWBUILD_CHILD", LWB_ECHO_CHILD, 1);
    if (argc > 1) {
        measure(self, modules, rounds);
        return 0;
    }
    measure(self, 1000, 31);
    measure(self, 10000, 15);
    measure(self, 100000, 5);
    return 0;
}
