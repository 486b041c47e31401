#include "tests/support/test.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child/lean/lean_worker.h"
#include "lwbuild/base/buf.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "tests/bench/bench.h"
#include "tests/support/real_lean.h"

/*
 * What do warm workers gain? Files that nobody imports, checked in turns: one
 * `lean` process per file under ninja -j2; lwbuild with two workers that looks
 * no result up (--recache), but knows this Lean; the same with an empty cache,
 * as a user's first check ever, which also digests the .olean files of the
 * imports; and two floors: two `lean --worker` processes that are fed the same
 * documents and nothing else is done, and one `lean` over one file that holds
 * all bodies, which is about what the bodies themselves cost, on one core.
 *
 *   bench_lean [files (100)] [rounds (5)] [only this kind of files]
 *
 * Last, whether as many workers as there are processors was the right number:
 * each of them imports everything at the same time as the others.
 */
static char root[256];
static unsigned n_files = 100;
static unsigned n_rounds = 5;
static unsigned n_jobs = 2;
static struct lwb_toolchain toolchain;

struct kind {
    const char *name;
    const char *header;
    const char *body; /* with one %u for a number of its own */
    unsigned share;   /* of n_files, in percent */
};

static const struct kind kinds[] = {
    { "import-lean", "import Lean\n",
      "theorem t%u (a b : Nat) : a + b = b + a := Nat.add_comm a b\n"
      "example : 2 + 2 = 4 := rfl\n",
      100 },
    { "init-only", "",
      "theorem t%u (a b : Nat) : a + b = b + a := Nat.add_comm a b\n"
      "example : 2 + 2 = 4 := rfl\n",
      100 },
    { "heavy-bodies", "",
      "def sum%u (n : Nat) : Nat := do\n  let mut x := 0\n  for i in [0:n] do\n"
      "    x := x + i %% 7\n  return x\n#eval sum%u 1000000\n",
      8 },
};

static void write_text(const char *name, const struct lwb_buf *text)
{
    char path[512];
    struct lwb_error err;

    (void)snprintf(path, sizeof(path), "%s/%s", root, name);
    if (!lwb_buf_ok(text) || lwb_file_write(path, lwb_buf_bytes(text), 0666, &err) < 0)
        bench_die("%s", path);
}

/* The body with its number put in wherever it wants it. */
static void append_body(struct lwb_buf *out, const char *body, unsigned number)
{
    for (; *body; body++) {
        if (strncmp(body, "%u", 2) == 0) {
            lwb_buf_format(out, "%u", number);
            body++;
        } else if (strncmp(body, "%%", 2) == 0) {
            lwb_buf_append_char(out, '%');
            body++;
        } else {
            lwb_buf_append_char(out, *body);
        }
    }
}

static void write_sources(const struct kind *kind, unsigned count)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf ninja = LWB_BUF(1024 * 1024);
    LWB_AUTO(lwb_buf_release) struct lwb_buf all = LWB_BUF(1024 * 1024);

    lwb_buf_format(&ninja, "rule lean\n  command = %s/bin/lean $in > $out\n", toolchain.prefix);
    lwb_buf_append_text(&all, kind->header);
    for (unsigned i = 0; i < count; i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf one = LWB_BUF(1024 * 1024);
        char name[32];

        lwb_buf_append_text(&one, kind->header);
        append_body(&one, kind->body, i);
        append_body(&all, kind->body, i);
        (void)snprintf(name, sizeof(name), "L%u.lean", i);
        write_text(name, &one);
        lwb_buf_format(&ninja, "build L%u.out: lean L%u.lean\n", i, i);
    }
    write_text("build.ninja", &ninja);
    write_text("all.txt", &all);
}

/* Runs a command in the folder, its output dropped; returns the time it took. */
static uint64_t run(char *const argv[])
{
    uint64_t start = lwb_clock_ns();
    int status;
    pid_t pid = fork();

    if (pid < 0)
        bench_die("fork");
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        if (chdir(root) < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(126);
        (void)execvp(argv[0], argv);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        bench_die("%s failed in %s", argv[0], root);
    return lwb_clock_ns() - start;
}

static uint64_t run_ninja(unsigned count)
{
    char *clean[] = { "sh", "-c", "rm -f *.out .ninja_log .ninja_deps", NULL };
    char *argv[] = { "ninja", "-j2", NULL };

    (void)count; /* build.ninja knows */
    (void)run(clean);
    return run(argv);
}

static uint64_t run_lwbuild(unsigned count)
{
    char command[1024];
    char *argv[] = { "sh", "-c", command, NULL };

    (void)snprintf(command, sizeof(command),
                   "exec '%s' check --recache --cache cache --jobs %u --toolchain '%s' "
                   "$(seq -f 'L%%g.lean' 0 %u)",
                   LWB_PROGRAM, n_jobs, toolchain.prefix, count - 1);
    return run(argv);
}

static uint64_t run_lwbuild_first(unsigned count)
{
    char *forget[] = { "rm", "-rf", "cache", NULL };

    (void)run(forget);
    return run_lwbuild(count);
}

static uint64_t run_one_file(unsigned count)
{
    char lean[600];
    char *argv[] = { lean, "all.txt", NULL };

    (void)count;
    (void)snprintf(lean, sizeof(lean), "%s/bin/lean", toolchain.prefix);
    return run(argv);
}

/* Every second file, one after the other, by one worker; ends the process. */
static void serve(const struct lwb_lean_setup *setup, unsigned first, unsigned count)
{
    struct lwb_lean_worker worker = { 0 };
    char path[300];

    for (unsigned i = first; i < count; i += 2) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1024 * 1024);
        LWB_AUTO(lwb_lean_answer_release) struct lwb_lean_answer answer = { 0 };
        struct lwb_lean_question question = { .file = path };
        struct lwb_error err;

        (void)snprintf(path, sizeof(path), "%s/L%u.lean", root, i);
        if (lwb_file_read(&text, path, NULL, &err) < 0)
            _exit(1);
        question.document = lwb_buf_bytes(&text);
        if (lwb_lean_worker_ask(&worker, setup, &question, &answer, &err) != 1)
            _exit(1);
    }
    lwb_lean_worker_stop(&worker);
    _exit(0);
}

static uint64_t run_bare(unsigned count)
{
    LWB_AUTO(lwb_lean_setup_release) struct lwb_lean_setup setup = { 0 };
    struct lwb_open_request request = {
        .toolchain = toolchain.prefix,
        .toolchain_version = toolchain.version,
        .source_root = root,
        .scratch = root,
    };
    struct lwb_error err;
    uint64_t start = lwb_clock_ns();
    pid_t pids[2];
    int status;

    if (lwb_lean_setup_init(&setup, &request, &err) < 0)
        bench_die("%s", err.text);
    for (unsigned i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            serve(&setup, i, count);
    }
    for (unsigned i = 0; i < 2; i++)
        if (waitpid(pids[i], &status, 0) != pids[i] || status != 0)
            bench_die("a bare worker failed");
    return lwb_clock_ns() - start;
}

/* The ways, in the order in which they are printed; the ratio is to another one of them. */
enum way { ONE_FILE, BARE, WARM, FIRST, EACH, N_WAYS };

static const struct {
    const char *name;
    uint64_t (*run)(unsigned count);
    int against; /* the way that it is compared with; -1: none */
} ways[N_WAYS] = {
    [ONE_FILE] = { "one file with all bodies", run_one_file, -1 },
    [BARE] = { "two bare workers", run_bare, ONE_FILE },
    [WARM] = { "lwbuild", run_lwbuild, BARE },
    [FIRST] = { "lwbuild, empty cache", run_lwbuild_first, WARM },
    [EACH] = { "a process per file", run_ninja, WARM }, /* so many times faster lwbuild is */
};

static void measure(const struct kind *kind)
{
    unsigned count = n_files * kind->share / 100 ? n_files * kind->share / 100 : 1;
    struct bench_series series[N_WAYS];
    char names[N_WAYS][64];

    write_sources(kind, count);
    for (int way = 0; way < N_WAYS; way++) {
        (void)snprintf(names[way], sizeof(names[way]), "%s: %s", kind->name, ways[way].name);
        bench_series_init(&series[way], names[way], n_rounds);
    }
    (void)run_lwbuild(count); /* everything is read once */
    for (unsigned i = 0; i < n_rounds; i++) {
        /* FIRST leaves behind what WARM needs, so it comes before it either way. */
        static const enum way orders[2][N_WAYS] = { { EACH, FIRST, WARM, BARE, ONE_FILE },
                                                    { FIRST, BARE, WARM, ONE_FILE, EACH } };

        for (int k = 0; k < N_WAYS; k++) {
            enum way way = orders[i % 2][k];

            bench_add(&series[way], ways[way].run(count));
        }
    }
    for (int way = 0; way < N_WAYS; way++)
        bench_print(&series[way], ways[way].against < 0 ? NULL : &series[ways[way].against], count);
    for (int way = 0; way < N_WAYS; way++)
        bench_series_release(&series[way]);
}

/* How much longer it takes with this number of workers than with the best one. */
static void measure_jobs(unsigned usual)
{
    enum { MOST = 4 };
    struct bench_series series[MOST];
    struct bench_series *best = &series[0];
    char name[64];

    write_sources(&kinds[0], n_files);
    (void)snprintf(name, sizeof(name), "%s: as many workers as processors", kinds[0].name);
    for (unsigned i = 0; i < MOST; i++)
        bench_series_init(&series[i], name, n_rounds);
    for (unsigned round = 0; round < n_rounds; round++) {
        for (unsigned i = 0; i < MOST; i++) {
            unsigned k = round % 2 ? MOST - 1 - i : i;

            n_jobs = k + 1;
            bench_add(&series[k], run_lwbuild(n_files));
        }
    }
    for (unsigned i = 1; i < MOST; i++)
        if (bench_percentile(&series[i], 50) < bench_percentile(best, 50))
            best = &series[i];
    bench_print(&series[usual <= MOST ? usual - 1 : MOST - 1], best, n_files);
    for (unsigned i = 0; i < MOST; i++)
        bench_series_release(&series[i]);
}

int main(int argc, char **argv)
{
    struct lwb_error err;

    if (argc > 1)
        n_files = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        n_rounds = (unsigned)strtoul(argv[2], NULL, 10);
    if (!n_files || !n_rounds)
        bench_die("usage: bench_lean [files] [rounds] [kind]");
    real_lean_find(&toolchain);
    (void)printf("{\"lean\":\"%s\"}\n", toolchain.version);
    (void)snprintf(root, sizeof(root), "/tmp/bench_lean.XXXXXX");
    if (!mkdtemp(root) || setenv("LWBUILD_CHILD", LWB_CHILD, 1) < 0)
        bench_die("mkdtemp");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (argc <= 3 || strcmp(argv[3], kinds[i].name) == 0)
            measure(&kinds[i]);
    if (argc <= 3 || strcmp(argv[3], kinds[0].name) == 0)
        measure_jobs((unsigned)sysconf(_SC_NPROCESSORS_ONLN));
    (void)lwb_file_remove_tree(root, &err);
    lwb_toolchain_release(&toolchain);
    return 0;
}
