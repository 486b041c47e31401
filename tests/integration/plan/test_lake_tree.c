#include "tests/support/test.h"

#include "tests/integration/plan/plan_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/toolchain.h"
#include "tests/support/fake_olean.h"
#include "tests/support/lake_artifact.h"

/* Packages that Lake keeps in its artifact cache, as a plan sees them. */
struct lake_fixture {
    struct plan_fixture plan;
    char trees[300];
    char cache[300];
    char lib[300]; /* of package p */
    char variable[350];
    const char *environment[2];
};

static int64_t later(void *ctx)
{
    (void)ctx;
    return lwb_clock_wall_s() + 3600;
}

static int setup(void **state)
{
    static struct lake_fixture f;
    const struct scratch *scratch = &f.plan.scratch;

    plan_fixture_init(&f.plan);
    plan_fixture_target(&f.plan, "X");
    f.plan.digests.source.now_s = later;
    (void)snprintf(f.trees, sizeof(f.trees), "%s", scratch_path(scratch, "trees"));
    (void)snprintf(f.cache, sizeof(f.cache), "%s", scratch_path(scratch, "lake"));
    (void)snprintf(f.lib, sizeof(f.lib), "%s", scratch_path(scratch, "p/.lake/build/lib/lean"));
    (void)snprintf(f.variable, sizeof(f.variable), "LAKE_CACHE_DIR=%s", f.cache);
    f.environment[0] = f.variable;
    f.plan.config.environment = f.environment;
    f.plan.config.trees = f.trees;
    scratch_write(scratch, "X.lean", "import A.B\n");
    scratch_write(scratch, "lakefile.toml",
                  "name = \"x\"\n[[lean_lib]]\nname = \"X\"\n"
                  "[[require]]\nname = \"p\"\npath = \"p\"\n"
                  "[[require]]\nname = \"q\"\npath = \"q\"\n");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct lake_fixture *f = *state;

    plan_fixture_release(&f->plan);
    return 0;
}

static const char *build(struct lake_fixture *f, const char *stem, const char *imports,
                         const char *content)
{
    const struct lake_artifact module = {
        .cache = f->cache,
        .lib = f->lib,
        .stem = stem,
        .imports = imports,
        .payload = content,
    };

    return lake_artifact_build(&module);
}

static void write_olean(struct lake_fixture *f, const char *name, const char *content)
{
    const struct fake_olean olean = { .layout = LWB_OLEAN_D, .imports = "", .extra = content };

    fake_olean_write(scratch_path(&f->plan.scratch, name), &olean);
}

static int try_key(struct lake_fixture *f, const struct lwb_digest_source *digests,
                   struct lwb_digest *key)
{
    const struct lwb_key_context context = { .host_digest = "00" };
    LWB_AUTO(lwb_plan_destroy) struct lwb_plan *plan = NULL;
    int rc = lwb_plan_create(&plan, &f->plan.config, digests, &f->plan.err);

    *key = (struct lwb_digest){ 0 };
    return rc < 0 ? rc : lwb_plan_key(key, plan, 0, &context, NULL, NULL, &f->plan.err);
}

/* The entry of the search path that package p has. */
static const char *place_of_p(struct lake_fixture *f)
{
    plan_fixture_make(&f->plan);
    return lwb_plan_search_path(f->plan.plan)->items[0];
}

static bool is_in_trees(struct lake_fixture *f, const char *path)
{
    return lwb_path_is_below(f->trees, path);
}

static void a_package_that_has_its_files_needs_no_tree(void **state)
{
    struct lake_fixture *f = *state;
    const char *b = build(f, "A/B", "", "b");
    char artifact[500];

    assert_true(is_in_trees(f, place_of_p(f)));
    (void)snprintf(artifact, sizeof(artifact), "%s/artifacts/%s", f->cache, b);
    assert_int_equal(
        link(artifact, scratch_path(&f->plan.scratch, "p/.lake/build/lib/lean/A/B.olean")), 0);
    assert_string_equal(place_of_p(f), f->lib);
    /* Traces of other things than modules are none of ours. */
    scratch_write(&f->plan.scratch, "p/.lake/build/lib/lean/libA.so.trace", "{}");
    assert_string_equal(place_of_p(f), f->lib);
}

static void write_hash_of_b(struct lake_fixture *f, const char *hash)
{
    char text[17];

    (void)snprintf(text, sizeof(text), "%s", hash);
    scratch_write(&f->plan.scratch, "p/.lake/build/lib/lean/A/B.olean.hash", text);
}

/* As after an edit was built and taken back: Lake knows the result and leaves the .olean. */
static void an_olean_of_an_earlier_build_does_not_count(void **state)
{
    struct lake_fixture *f = *state;
    const char *b = build(f, "A/B", "", "b");
    struct lwb_digest expected;
    struct lwb_digest key;
    size_t recalled;

    assert_int_equal(try_key(f, &f->plan.digests.source, &expected), LWB_OK);
    write_olean(f, "p/.lake/build/lib/lean/A/B.olean", "earlier");
    write_hash_of_b(f, "0123456789abcdef");
    assert_true(is_in_trees(f, place_of_p(f)));
    assert_int_equal(try_key(f, &f->plan.digests.source, &key), LWB_OK);
    assert_int_equal(lwb_digest_compare(&key, &expected), 0);
    write_hash_of_b(f, b);
    assert_string_equal(place_of_p(f), f->lib);
    recalled = f->plan.digests.n_recalled;
    assert_string_equal(place_of_p(f), f->lib);
    assert_int_equal(f->plan.digests.n_recalled, recalled + 1);
}

static void a_tree_is_found_again_by_how_the_traces_look(void **state)
{
    struct lake_fixture *f = *state;
    char first[600];
    size_t recalled;

    (void)build(f, "A/B", "", "b");
    (void)snprintf(first, sizeof(first), "%s", place_of_p(f));
    recalled = f->plan.digests.n_recalled;
    assert_string_equal(place_of_p(f), first);
    assert_int_equal(f->plan.digests.n_recalled, recalled + 1);
    (void)build(f, "A/B", "", "another");
    assert_string_not_equal(place_of_p(f), first);
    (void)build(f, "A/B", "", "b"); /* other traces that say the same */
    assert_string_equal(place_of_p(f), first);
}

/*
 * A tree is as new as the plan that has made it, which is no reason to distrust
 * what it leads to.
 */
static void closures_behind_a_new_tree_are_remembered(void **state)
{
    struct lake_fixture *f = *state;
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = later(NULL) } };
    struct lwb_digest first;
    struct lwb_digest again;
    size_t n_files;

    (void)build(f, "A/B", "", "b");
    assert_int_equal(utimensat(AT_FDCWD, place_of_p(f), times, 0), 0);
    assert_int_equal(try_key(f, &f->plan.digests.source, &first), LWB_OK);
    n_files = f->plan.digests.n_files;
    assert_int_equal(try_key(f, &f->plan.digests.source, &again), LWB_OK);
    assert_int_equal(f->plan.digests.n_files, n_files); /* nothing was looked into */
    assert_int_equal(lwb_digest_compare(&first, &again), 0);
}

/* Neither the tree, by its traces, nor that an artifact has the content of its name. */
static void nothing_is_recalled_by_dates_where_content_counts(void **state)
{
    struct lake_fixture *f = *state;
    struct lwb_digest first;
    struct lwb_digest again;
    size_t recalled;

    (void)build(f, "A/B", "", "b");
    assert_int_equal(try_key(f, &f->plan.digests.source, &first), LWB_OK);
    recalled = f->plan.digests.n_recalled;
    f->plan.digests.source.by_content = true;
    assert_int_equal(try_key(f, &f->plan.digests.source, &again), LWB_OK);
    assert_int_equal(f->plan.digests.n_recalled, recalled);
    assert_int_equal(lwb_digest_compare(&first, &again), 0);
}

static void what_is_touched_just_now_is_not_remembered(void **state)
{
    struct lake_fixture *f = *state;

    f->plan.digests.source.now_s = NULL;
    (void)build(f, "A/B", "", "b");
    (void)place_of_p(f);
    (void)place_of_p(f);
    assert_int_equal(f->plan.digests.n_recalled, 0);
}

static void a_folder_hides_what_comes_later_as_ever(void **state)
{
    struct lake_fixture *f = *state;

    (void)build(f, "C/D", "", "d");
    scratch_write(&f->plan.scratch, "p/.lake/build/lib/lean/A/B.trace", "{}");
    write_olean(f, "q/.lake/build/lib/lean/A/B.olean", "q's own");
    plan_fixture_fail(&f->plan, LWB_ERR_MISSING_IMPORT, "p/.lake/build/lib/lean, which holds A");
}

static void lakes_before_4_22_have_no_artifact_cache(void **state)
{
    struct lake_fixture *f = *state;
    struct lwb_toolchain toolchain = { .prefix = f->cache, .major = 4, .minor = 21 };

    (void)build(f, "A/B", "", "b");
    write_olean(f, "lake/lib/lean/Init.olean", "");
    f->plan.config.toolchain = &toolchain;
    plan_fixture_fail(&f->plan, LWB_ERR_MISSING_IMPORT, "that cache is not where lwbuild looks");
    toolchain.minor = 22;
    assert_true(is_in_trees(f, place_of_p(f)));
}

static void a_source_that_was_edited_makes_it_stale(void **state)
{
    static const char trace[] =
        "{\"schemaVersion\": \"2025-09-10\", \"depHash\": \"00\","
        " \"inputs\": [[\"Lean 4.29.1, commit v4.29.1\", \"3d61e039494cc2df\"],"
        " [\"/elsewhere/A/B.lean\", \"0000000000000000\"]], \"outputs\": {\"o\": [\"%s\"],"
        " \"i\": \"0\", \"c\": \"0\"}}";
    struct lake_fixture *f = *state;
    const char *name = build(f, "A/B", "", "b");
    struct lwb_digest key;
    char text[1000];

    (void)snprintf(text, sizeof(text), trace, name);
    scratch_write(&f->plan.scratch, "p/.lake/build/lib/lean/A/B.trace", text);
    assert_int_equal(try_key(f, &f->plan.digests.source, &key), LWB_OK);
    scratch_write(&f->plan.scratch, "p/A/B.lean", "-- edited\n");
    assert_int_equal(try_key(f, &f->plan.digests.source, &key), LWB_ERR_STALE_IMPORT);
    assert_int_equal(unlink(scratch_path(&f->plan.scratch, "p/A/B.lean")), 0);
    assert_int_equal(try_key(f, &f->plan.digests.source, &key), LWB_OK);
}

/* ---- whatever happens, memory says what there is -------------------------------------------- */

enum { ROUNDS = 300, KEPT = 8 };

struct random_world {
    struct lake_fixture *f;
    unsigned seed;
    char artifacts[KEPT][500]; /* made so far */
    unsigned n_artifacts;
    char away[550];
};

static unsigned choose(struct random_world *world, unsigned n)
{
    world->seed = world->seed * 1103515245U + 12345U;
    return world->seed >> 16 & 0x7fff ? (world->seed >> 16) % n : 0;
}

static void rebuild(struct random_world *world)
{
    static const char *const contents[] = { "one", "two", "three" };
    const char *content = contents[choose(world, 3)];
    bool c = choose(world, 2);
    const char *name = build(world->f, c ? "A/C" : "A/B", c ? "" : "A.C", content);

    (void)snprintf(world->artifacts[world->n_artifacts++ % KEPT], sizeof(world->artifacts[0]),
                   "%s/artifacts/%s", world->f->cache, name);
}

static void evict_or_bring_back(struct random_world *world)
{
    const char *path = world->artifacts[choose(world, KEPT)];

    (void)snprintf(world->away, sizeof(world->away), "%s.away", path);
    if (*path && rename(path, world->away) != 0)
        (void)rename(world->away, path);
}

static void damage(struct random_world *world)
{
    const char *path = world->artifacts[choose(world, KEPT)];

    (void)truncate(path, (off_t)choose(world, 100));
}

/* A file of the build folder comes or goes. */
static void toggle_file(struct random_world *world)
{
    static const char *const names[] = {
        "p/.lake/build/lib/lean/A/B.olean",      "p/.lake/build/lib/lean/A/C.olean",
        "p/.lake/build/lib/lean/A/B.trace",      "p/.lake/build/lib/lean/A/C.trace",
        "p/.lake/build/lib/lean/A/C.olean.hash",
    };
    unsigned i = choose(world, 5);

    if (unlink(scratch_path(&world->f->plan.scratch, names[i])) == 0)
        return;
    if (i < 2)
        write_olean(world->f, names[i], choose(world, 2) ? "four" : "five");
    else
        scratch_write(&world->f->plan.scratch, names[i], i < 4 ? "{}" : "0123456789abcdef");
}

static void compare_with_a_fresh_look(struct random_world *world, unsigned round)
{
    struct lwb_digest_source forgetful = world->f->plan.digests.source;
    struct lwb_digest remembered;
    struct lwb_digest fresh;
    int with;
    int without;

    forgetful.recall = NULL;
    forgetful.remember = NULL;
    without = try_key(world->f, &forgetful, &fresh);
    with = try_key(world->f, &world->f->plan.digests.source, &remembered);
    if (with != without || lwb_digest_compare(&remembered, &fresh) != 0)
        fail_msg("round %u: %d, but %d when nothing is remembered: %s", round, with, without,
                 world->f->plan.err.text);
}

static void memory_never_differs_from_a_fresh_look(void **state)
{
    struct random_world world = { .f = *state, .seed = 22 };
    unsigned accepted = 0;

    rebuild(&world);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct lwb_digest ignored;

        switch (choose(&world, 5)) {
        case 0:
        case 1:
            rebuild(&world);
            break;
        case 2:
            evict_or_bring_back(&world);
            break;
        case 3:
            toggle_file(&world);
            break;
        default:
            if (choose(&world, 4) == 0)
                damage(&world);
        }
        compare_with_a_fresh_look(&world, round);
        accepted += try_key(world.f, &world.f->plan.digests.source, &ignored) == LWB_OK;
    }
    /* Both answers came often enough to mean something. */
    assert_true(accepted > ROUNDS / 10 && accepted < ROUNDS - ROUNDS / 10);
}

#define LAKE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAKE_TEST(a_package_that_has_its_files_needs_no_tree),
        LAKE_TEST(an_olean_of_an_earlier_build_does_not_count),
        LAKE_TEST(a_tree_is_found_again_by_how_the_traces_look),
        LAKE_TEST(closures_behind_a_new_tree_are_remembered),
        LAKE_TEST(nothing_is_recalled_by_dates_where_content_counts),
        LAKE_TEST(what_is_touched_just_now_is_not_remembered),
        LAKE_TEST(a_folder_hides_what_comes_later_as_ever),
        LAKE_TEST(lakes_before_4_22_have_no_artifact_cache),
        LAKE_TEST(a_source_that_was_edited_makes_it_stale),
        LAKE_TEST(memory_never_differs_from_a_fresh_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
