#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/plan/plan.h"
#include "tests/bench/bench.h"

/*
 * What does a plan cost? N modules of some 3 KB that import ten others each,
 * against opening, reading and hashing the same files; then their keys, and the
 * anonymous memory that a plan with keys takes above that of a fresh process.
 *
 *   bench_plan [modules (10000)] [rounds (11)]
 */
enum { PER_FOLDER = 100, IMPORTS = 10, BODY = 2800 };

static char root[256];
static unsigned n_modules = 10000;
static unsigned n_rounds = 11;

/* Processor time, of the kernel too: nothing here waits, and these machines are shared. */
static uint64_t processor_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void module_path(char *out, size_t size, unsigned i)
{
    (void)snprintf(out, size, "%s/Library/Part%03u/Module%02u.lean", root, i / PER_FOLDER,
                   i % PER_FOLDER);
}

static void write_module(unsigned i, unsigned *seed)
{
    char path[512];
    struct lwb_buf text = LWB_BUF(64 * 1024);
    struct lwb_error err;

    for (unsigned k = 0; i && k < IMPORTS; k++) {
        unsigned other = (unsigned)rand_r(seed) % i;

        lwb_buf_format(&text, "import Library.Part%03u.Module%02u\n", other / PER_FOLDER,
                       other % PER_FOLDER);
    }
    while (text.len < BODY)
        lwb_buf_format(&text, "theorem t%zu : %u + 1 = 1 + %u := Nat.add_comm _ _\n", text.len, i,
                       i);
    module_path(path, sizeof(path), i);
    if (lwb_file_write(path, lwb_buf_bytes(&text), 0666, &err) < 0)
        bench_die("%s", err.text);
    lwb_buf_release(&text);
}

static void make_tree(void)
{
    char path[512];
    struct lwb_error err;
    unsigned seed = 1;

    (void)snprintf(root, sizeof(root), "%s/lwb-bench-XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(root))
        bench_die("cannot make %s", root);
    for (unsigned i = 0; i < n_modules; i++) {
        if (i % PER_FOLDER == 0) {
            (void)snprintf(path, sizeof(path), "%s/Library/Part%03u", root, i / PER_FOLDER);
            if (lwb_file_make_dirs(path, 0777, &err) < 0)
                bench_die("%s", err.text);
        }
        write_module(i, &seed);
    }
    (void)snprintf(path, sizeof(path), "%s/lean-toolchain", root);
    if (lwb_file_write(path, lwb_bytes_text("none\n"), 0666, &err) < 0)
        bench_die("%s", err.text);
}

/* Open, read, hash, close: what no planner can do without. */
static uint64_t read_and_hash(void)
{
    struct lwb_hasher *hasher = lwb_hasher_create();
    static char buffer[1024 * 1024];
    uint64_t started = processor_ns();

    for (unsigned i = 0; i < n_modules; i++) {
        char path[512];
        ssize_t got;
        int fd;

        module_path(path, sizeof(path), i);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        got = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer));
        if (got < 0)
            bench_die("cannot read %s", path);
        lwb_hasher_update(hasher, buffer, (size_t)got);
        (void)lwb_hasher_end(hasher);
        close(fd);
    }
    started = processor_ns() - started;
    lwb_hasher_destroy(hasher);
    return started;
}

static int no_file(void *ctx, const char *path, struct lwb_digest *out, struct lwb_file_stat *st,
                   struct lwb_error *err)
{
    (void)ctx;
    (void)path;
    (void)out;
    (void)st;
    (void)err;
    return 0;
}

static struct lwb_plan *make_plan(void)
{
    const struct lwb_digest_source digests = { .file = no_file };
    const struct lwb_plan_config config = { .cwd = root, .host = "echo" };
    struct lwb_plan *plan = NULL;
    struct lwb_error err;

    if (lwb_plan_create(&plan, &config, &digests, &err) < 0)
        bench_die("%s", err.text);
    if (lwb_plan_module_count(plan) != n_modules)
        bench_die("planned %zu modules", lwb_plan_module_count(plan));
    return plan;
}

static void make_keys(struct lwb_plan *plan)
{
    struct lwb_digest *artifacts = lwb_alloc_array(n_modules, sizeof(*artifacts));
    const struct lwb_key_context context = { .host_digest = "00", .artifacts = artifacts };
    struct lwb_error err;

    for (size_t i = 0; i < n_modules; i++)
        if (lwb_plan_key(&artifacts[i], plan, i, &context, NULL, NULL, &err) < 0)
            bench_die("%s", err.text);
    lwb_free(artifacts);
}

static long anonymous_kib(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;

    while (status && fgets(line, sizeof(line), status))
        if (sscanf(line, "RssAnon: %ld", &kib) == 1)
            break;
    if (status)
        (void)fclose(status);
    return kib;
}

/* In a process of its own, so that nothing that was freed before counts. */
static void measure_memory(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        long before;
        long planned;
        struct lwb_plan *plan;

        lwb_hasher_destroy(lwb_hasher_create()); /* libcrypto's own tables */
        before = anonymous_kib();
        plan = make_plan();
        planned = anonymous_kib();
        make_keys(plan);
        printf("{\"name\":\"plan_memory\",\"items\":%u,\"plan_kib\":%ld,\"with_keys_kib\":%ld}\n",
               n_modules, planned - before, anonymous_kib() - before);
        (void)fflush(stdout);
        _exit(0);
    }
    (void)waitpid(pid, NULL, 0);
}

static void measure_times(void)
{
    struct bench_series floor;
    struct bench_series plans;
    struct bench_series keys;

    bench_series_init(&floor, "open_read_hash", n_rounds);
    bench_series_init(&plans, "plan", n_rounds);
    bench_series_init(&keys, "keys", n_rounds);
    (void)read_and_hash();
    for (unsigned i = 0; i < n_rounds; i++) {
        struct lwb_plan *plan;
        uint64_t started;

        bench_add(&floor, read_and_hash());
        started = processor_ns();
        plan = make_plan();
        bench_add(&plans, processor_ns() - started);
        started = processor_ns();
        make_keys(plan);
        bench_add(&keys, processor_ns() - started);
        lwb_plan_destroy(plan);
    }
    bench_print(&floor, NULL, n_modules);
    bench_print(&plans, &floor, n_modules);
    bench_print(&keys, &floor, n_modules);
    bench_series_release(&floor);
    bench_series_release(&plans);
    bench_series_release(&keys);
}

int main(int argc, char **argv)
{
    struct lwb_error err;

    if (argc > 1)
        n_modules = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        n_rounds = (unsigned)strtoul(argv[2], NULL, 10);
    make_tree();
    measure_memory();
    measure_times();
    return lwb_file_remove_tree(root, &err) < 0;
}
