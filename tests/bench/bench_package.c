#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache/cache.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "lwbuild/plan/plan.h"
#include "tests/bench/bench.h"
#include "tests/support/package_tree.h"

/*
 * What does a large Lake package cost as a dependency? A project whose module
 * imports all of a package the size of Mathlib, planned up to its key:
 *
 *   package_first     by a user who never saw the package, against reading and hashing its files
 *   package_again     by a second project of the same user, against one stat per file
 *   package_other     by a project that requires one more package, so that the search path differs
 *
 *   bench_package [modules (8000)] [rounds (5)] [bytes of a module (32768)]
 */
static char root[256];
static unsigned n_rounds = 5;
static struct package_tree package = { .name = "Big", .n_modules = 8000, .module_bytes = 32768 };
static struct package_tree small = { .name = "Small", .n_modules = 10, .module_bytes = 1000 };

/* Processor time, of the kernel too: nothing here waits, and these machines are shared. */
static uint64_t processor_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- floors ------------------------------------------------------------------------------ */

static uint64_t read_and_hash(void)
{
    static char buffer[1024 * 1024];
    struct lwb_hasher *hasher = lwb_hasher_create();
    uint64_t started = processor_ns();

    for (unsigned i = 0; i < package.n_modules; i++) {
        int fd = open(package_tree_module(&package, i), O_RDONLY | O_CLOEXEC);
        ssize_t got;

        while ((got = read(fd, buffer, sizeof(buffer))) > 0)
            lwb_hasher_update(hasher, buffer, (size_t)got);
        if (fd < 0 || got < 0)
            bench_die("cannot read %s", package_tree_module(&package, i));
        (void)lwb_hasher_end(hasher);
        close(fd);
    }
    started = processor_ns() - started;
    lwb_hasher_destroy(hasher);
    return started;
}

static uint64_t stat_all(void)
{
    uint64_t started = processor_ns();
    struct stat st;

    for (unsigned i = 0; i < package.n_modules; i++)
        if (stat(package_tree_module(&package, i), &st) != 0)
            bench_die("cannot stat %s", package_tree_module(&package, i));
    return processor_ns() - started;
}

/* ---- plans ------------------------------------------------------------------------------- */

static int digest_file(void *ctx, const char *path, struct lwb_digest *out,
                       struct lwb_file_stat *st, struct lwb_error *err)
{
    return lwb_cache_file_digest(ctx, path, out, st, err);
}

static void ahead(void *ctx, const struct lwb_strvec *paths)
{
    lwb_cache_file_digests_ahead(ctx, paths);
}

static int recall(void *ctx, const struct lwb_digest *question, struct lwb_digest *answer)
{
    struct lwb_error ignored;

    return lwb_cache_recall(ctx, question, answer, &ignored) == 1;
}

static void keep(void *ctx, const struct lwb_digest *question, const struct lwb_digest *answer)
{
    struct lwb_error ignored;

    (void)lwb_cache_remember(ctx, question, answer, &ignored);
}

/* The package was built long ago. */
static int64_t later(void *ctx)
{
    (void)ctx;
    return lwb_clock_wall_s() + 3600;
}

static void make_key(const char *project, struct lwb_cache *cache)
{
    const struct lwb_digest_source digests = { .file = digest_file,
                                               .ahead = ahead,
                                               .recall = recall,
                                               .remember = keep,
                                               .ctx = cache,
                                               .now_s = later };
    const struct lwb_plan_config config = { .cwd = project, .host = "echo" };
    const struct lwb_key_context context = { .host_digest = "00" };
    LWB_AUTO(lwb_plan_destroy) struct lwb_plan *plan = NULL;
    struct lwb_digest key;
    struct lwb_error err;

    if (lwb_plan_create(&plan, &config, &digests, &err) < 0 ||
        lwb_plan_key(&key, plan, 0, &context, NULL, NULL, &err) < 0)
        bench_die("%s", err.text);
}

/* A run: the cache is opened, and what was learned is in it afterwards. */
static uint64_t run(const char *project)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf warning = LWB_BUF(1000);
    char dir[300];
    const struct lwb_cache_config config = { .dir = dir };
    uint64_t started = processor_ns();
    struct lwb_cache *cache = NULL;
    struct lwb_error err;

    (void)snprintf(dir, sizeof(dir), "%s/cache", root);
    if (lwb_cache_open(&cache, &config, &warning, &err) < 0)
        bench_die("%s", err.text);
    make_key(project, cache);
    lwb_cache_close(cache);
    return processor_ns() - started;
}

/* ---- measuring --------------------------------------------------------------------------- */

static char projects[3][300];

static void make_trees(void)
{
    static char dirs[2][300];

    (void)snprintf(root, sizeof(root), "%s/lwb-bench-XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(root))
        bench_die("cannot make %s", root);
    (void)snprintf(dirs[0], sizeof(dirs[0]), "%s/big", root);
    (void)snprintf(dirs[1], sizeof(dirs[1]), "%s/small", root);
    package.dir = dirs[0];
    small.dir = dirs[1];
    (void)package_tree_make(&package);
    (void)package_tree_make(&small);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(projects[i], sizeof(projects[i]), "%s/project%d", root, i);
        package_tree_user(projects[i], &package, i == 2 ? &small : NULL);
    }
}

static void forget_all(void)
{
    char dir[300];
    struct lwb_error err;

    (void)snprintf(dir, sizeof(dir), "%s/cache", root);
    if (lwb_file_remove_tree(dir, &err) < 0)
        bench_die("%s", err.text);
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "package_first", "package_again", "package_other" };
    struct bench_series hashing;
    struct bench_series looking;
    struct bench_series runs[3];
    struct lwb_error err;

    if (argc > 1)
        package.n_modules = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        n_rounds = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        package.module_bytes = strtoul(argv[3], NULL, 10);
    make_trees();
    bench_series_init(&hashing, "open_read_hash", n_rounds);
    bench_series_init(&looking, "stat", 3 * (size_t)n_rounds);
    for (int i = 0; i < 3; i++)
        bench_series_init(&runs[i], names[i], n_rounds);
    for (unsigned round = 0; round < n_rounds; round++) {
        forget_all();
        bench_add(&hashing, read_and_hash());
        for (int i = 0; i < 3; i++) {
            bench_add(&looking, stat_all());
            bench_add(&runs[i], run(projects[i]));
        }
    }
    bench_print(&runs[0], &hashing, 1);
    bench_print(&runs[1], &looking, 1);
    bench_print(&runs[2], &looking, 1);
    return lwb_file_remove_tree(root, &err) < 0;
}
