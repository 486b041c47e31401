#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache/cache.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/plan/plan.h"
#include "tests/support/package_tree.h"
#include "tests/support/scratch.h"

/*
 * A package such as Mathlib as a dependency, with the cache as the memory of a
 * user: its files are read and hashed once, whatever projects use it. What a
 * run has read is what the kernel says that this process has read.
 *
 * 300 modules; 8,000 when LWB_LONG_TESTS is set.
 */
struct world {
    struct scratch scratch;
    struct package_tree package;
    size_t package_bytes;
    struct lwb_cache *cache;
};

static int setup(void **state)
{
    static struct world world;

    world = (struct world){ 0 };
    scratch_make(&world.scratch);
    world.package = (struct package_tree){
        .dir = scratch_path(&world.scratch, "big"),
        .name = "Big",
        .n_modules = getenv("LWB_LONG_TESTS") ? 8000 : 300,
        .module_bytes = 32 * 1024,
    };
    world.package_bytes = package_tree_make(&world.package);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    scratch_remove(&world->scratch);
    return 0;
}

/* Bytes that this process got from read(2) and the like so far. */
static size_t bytes_read(void)
{
    FILE *io = fopen("/proc/self/io", "r");
    char line[100];
    size_t bytes = 0;

    assert_non_null(io);
    assert_non_null(fgets(line, sizeof(line), io));
    assert_int_equal(strncmp(line, "rchar: ", 7), 0);
    bytes = strtoul(line + 7, NULL, 10);
    (void)fclose(io);
    return bytes;
}

static int digest_file(void *ctx, const char *path, struct lwb_digest *out,
                       struct lwb_file_stat *st, struct lwb_error *err)
{
    struct world *world = ctx;

    return lwb_cache_file_digest(world->cache, path, out, st, err);
}

static void ahead(void *ctx, const struct lwb_strvec *paths)
{
    struct world *world = ctx;

    lwb_cache_file_digests_ahead(world->cache, paths);
}

static int recall(void *ctx, const struct lwb_digest *question, struct lwb_digest *answer)
{
    struct world *world = ctx;
    struct lwb_error ignored;

    return lwb_cache_recall(world->cache, question, answer, &ignored) == 1;
}

static void keep(void *ctx, const struct lwb_digest *question, const struct lwb_digest *answer)
{
    struct world *world = ctx;
    struct lwb_error err;

    assert_int_equal(lwb_cache_remember(world->cache, question, answer, &err), LWB_OK);
}

/* The files were written seconds ago; a package was built long ago. */
static int64_t later(void *ctx)
{
    (void)ctx;
    return lwb_clock_wall_s() + 3600;
}

/* One run of a project: the digest of all that its module imports, and what that took. */
static struct lwb_digest run(struct world *world, const char *project, size_t *read)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf warning = LWB_BUF(1000);
    const struct lwb_cache_config cache = { .dir = scratch_path(&world->scratch, "cache") };
    const struct lwb_plan_config config = { .cwd = scratch_path(&world->scratch, project),
                                            .host = "echo" };
    const struct lwb_digest_source digests = { .file = digest_file,
                                               .ahead = ahead,
                                               .recall = recall,
                                               .remember = keep,
                                               .ctx = world,
                                               .now_s = later };
    LWB_AUTO(lwb_plan_destroy) struct lwb_plan *plan = NULL;
    size_t before = bytes_read();
    uint64_t started = lwb_clock_ns();
    struct lwb_digest closure;
    struct lwb_error err;

    assert_int_equal(lwb_cache_open(&world->cache, &cache, &warning, &err), LWB_OK);
    assert_int_equal(lwb_plan_create(&plan, &config, &digests, &err), LWB_OK);
    assert_int_equal(lwb_plan_closure(&closure, plan, 0, NULL, &err), LWB_OK);
    lwb_cache_close(world->cache);
    *read = bytes_read() - before;
    print_message("%s: %zu KiB of %zu KiB read, %.1f ms\n", project, *read / 1024,
                  world->package_bytes / 1024, (double)(lwb_clock_ns() - started) / 1e6);
    return closure;
}

static void assert_same(struct lwb_digest a, struct lwb_digest b)
{
    assert_int_equal(lwb_digest_compare(&a, &b), 0);
}

/* The file system's clock ticks, and what was written in the last tick is not remembered. */
static void let_the_clock_move_on(struct world *world)
{
    struct stat before;
    struct stat now;

    assert_int_equal(stat(package_tree_module(&world->package, 0), &before), 0);
    do {
        scratch_write(&world->scratch, "clock", "");
        assert_int_equal(stat(scratch_path(&world->scratch, "clock"), &now), 0);
    } while (now.st_mtim.tv_sec * INT64_C(1000000000) + now.st_mtim.tv_nsec <
             before.st_mtim.tv_sec * INT64_C(1000000000) + before.st_mtim.tv_nsec + 50000000);
}

static void a_package_is_read_once_per_user(void **state)
{
    struct world *world = *state;
    struct lwb_digest first;
    size_t read;

    package_tree_user(scratch_path(&world->scratch, "one"), &world->package, NULL);
    package_tree_user(scratch_path(&world->scratch, "two"), &world->package, NULL);
    let_the_clock_move_on(world);
    first = run(world, "one", &read);
    assert_true(read >= world->package_bytes);
    assert_same(run(world, "one", &read), first);
    assert_true(read < world->package_bytes / 10);
    assert_same(run(world, "two", &read), first);
    assert_true(read < world->package_bytes / 10);
}

/* Another search path: closures are made anew, out of headers and remembered digests. */
static void a_project_with_more_packages_reads_headers_only(void **state)
{
    struct world *world = *state;
    const struct package_tree small = { .dir = scratch_path(&world->scratch, "small"),
                                        .name = "Small",
                                        .n_modules = 3,
                                        .module_bytes = 100 };
    struct lwb_digest first;
    size_t read;

    (void)package_tree_make(&small);
    package_tree_user(scratch_path(&world->scratch, "one"), &world->package, NULL);
    package_tree_user(scratch_path(&world->scratch, "more"), &world->package, &small);
    let_the_clock_move_on(world);
    first = run(world, "one", &read);
    assert_same(run(world, "more", &read), first);
    assert_true(read < world->package_bytes * 3 / 4);
}

static void a_module_that_was_built_again_is_seen(void **state)
{
    struct world *world = *state;
    struct lwb_digest first;
    struct lwb_digest second;
    size_t read;

    package_tree_user(scratch_path(&world->scratch, "one"), &world->package, NULL);
    let_the_clock_move_on(world);
    first = run(world, "one", &read);
    package_tree_change(&world->package, world->package.n_modules / 2, 1);
    let_the_clock_move_on(world);
    second = run(world, "one", &read);
    assert_int_not_equal(lwb_digest_compare(&first, &second), 0);
    assert_true(read < world->package_bytes * 3 / 4);
    assert_same(run(world, "one", &read), second);
    assert_true(read < world->package_bytes / 10);
    package_tree_change(&world->package, world->package.n_modules / 2, 0);
    assert_same(run(world, "one", &read), first);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_package_is_read_once_per_user),
        WORLD_TEST(a_project_with_more_packages_reads_headers_only),
        WORLD_TEST(a_module_that_was_built_again_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
