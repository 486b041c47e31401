/*
 * What does it cost to rely on no date? `lwbuild check --by-content` over modules
 * of which none has changed, in turns with one process that opens, reads and
 * hashes the same files by their absolute paths: by SHA-256, which is lwbuild's
 * own, and by XXH3, which is about what reading costs. The dates are as good as
 * ever, so the last row is what they save.
 *
 *   bench_content [modules (10000) [rounds (15)]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lwbuild/base/digest.h"
#include "lwbuild/base/file.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_run.h"

enum { PER_FOLDER = 100, LINES = 75 };
enum { SHA256, XXH3, BY_CONTENT, BY_DATE, N_SERIES };

static char root[256];
static unsigned n_modules;

static void module_path(char *out, size_t size, unsigned i)
{
    (void)snprintf(out, size, "%s/src/D%03u/M%02u.lean", root, i / PER_FOLDER, i % PER_FOLDER);
}

/* About 5 KB each, as sources of Lean are. */
static void make_modules(void)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf list = LWB_BUF(64 << 20);
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1 << 20);
    char path[512];

    for (unsigned i = 0; i < n_modules; i++) {
        (void)snprintf(path, sizeof(path), "%s/src/D%03u", root, i / PER_FOLDER);
        if (i % PER_FOLDER == 0)
            bench_make_folders(path);
        lwb_buf_clear(&text);
        for (unsigned k = 0; k < LINES; k++)
            lwb_buf_format(
                &text, "theorem t%u_%u (a b : Nat) : a + b = b + a := Nat.add_comm a b\n", i, k);
        module_path(path, sizeof(path), i);
        bench_write_file(path, lwb_buf_text(&text));
        lwb_buf_format(&list, "D%03u/M%02u.lean\n", i / PER_FOLDER, i % PER_FOLDER);
    }
    (void)snprintf(path, sizeof(path), "%s/list", root);
    bench_write_file(path, lwb_buf_text(&list));
}

static uint64_t run_check(bool by_content)
{
    char folder[300];
    char *argv[] = { (char *)LWB_PROGRAM,
                     (char *)"check",
                     (char *)"--host",
                     (char *)"echo",
                     (char *)"--cache",
                     (char *)"../cache",
                     (char *)"@../list",
                     by_content ? (char *)"--by-content" : NULL,
                     NULL };

    (void)snprintf(folder, sizeof(folder), "%s/src", root);
    return bench_run(folder, argv);
}

/* This program again: one process that reads every file. */
static uint64_t run_floor(char *self, const char *what)
{
    char count[32];
    char *argv[] = { self, (char *)what, root, count, NULL };

    (void)snprintf(count, sizeof(count), "%u", n_modules);
    return bench_run(root, argv);
}

static int be_the_floor(const char *what)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(64 << 20);
    struct lwb_digest digest;
    struct lwb_error err;
    uint64_t all = 0;
    char path[512];

    for (unsigned i = 0; i < n_modules; i++) {
        module_path(path, sizeof(path), i);
        lwb_buf_clear(&text);
        if (lwb_file_read(&text, path, NULL, &err) < 0)
            return 1;
        if (strcmp(what, "--xxh3") == 0)
            all ^= XXH3_128bits(text.ptr, text.len).low64;
        else if (lwb_digest_bytes(&digest, lwb_buf_bytes(&text), &err) < 0)
            return 1;
    }
    return all == 1; /* used, so that it is computed */
}

static void measure(char *self, unsigned rounds)
{
    static const char *const names[N_SERIES] = {
        [SHA256] = "open, read, SHA-256",
        [XXH3] = "open, read, XXH3",
        [BY_CONTENT] = "none changed, by content",
        [BY_DATE] = "none changed, by dates",
    };
    struct bench_series series[N_SERIES];

    make_modules();
    for (int i = 0; i < N_SERIES; i++)
        bench_series_init(&series[i], names[i], rounds);
    (void)(run_check(true) + run_check(false));
    (void)run_check(false);
    for (unsigned i = 0; i < rounds; i++) {
        bench_add(&series[SHA256], run_floor(self, "--sha256"));
        bench_add(&series[BY_CONTENT], run_check(true));
        bench_add(&series[XXH3], run_floor(self, "--xxh3"));
        bench_add(&series[BY_DATE], run_check(false));
    }
    bench_print(&series[XXH3], NULL, n_modules);
    bench_print(&series[SHA256], &series[XXH3], n_modules);
    bench_print(&series[BY_CONTENT], &series[SHA256], n_modules);
    bench_print(&series[BY_DATE], &series[BY_CONTENT], n_modules);
    for (int i = 0; i < N_SERIES; i++)
        bench_series_release(&series[i]);
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 15;
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (argc == 4 && argv[1][0] == '-') {
        (void)snprintf(root, sizeof(root), "%s", argv[2]);
        n_modules = (unsigned)strtoul(argv[3], NULL, 10);
        return be_the_floor(argv[1]);
    }
    n_modules = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
    if (len <= 0 || argc > 3 || n_modules < 1 || n_modules > 100000 || rounds < 1)
        bench_die("usage: bench_content [modules [rounds]]");
    self[len] = '\0';
    (void)setenv("LWBUILD_CHILD", LWB_ECHO_CHILD, 1);
    bench_make_folder(root);
    measure(self, rounds);
    bench_remove_folder(root);
    return 0;
}
