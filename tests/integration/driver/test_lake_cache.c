#include "tests/support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "tests/integration/driver/echo_project.h"
#include "tests/support/fake_olean.h"
#include "tests/support/fake_toolchain.h"
#include "tests/support/lake_artifact.h"

/*
 * A package whose .olean files lie in Lake's artifact cache: the real lwbuild
 * and its real child, with a fake lean of the module-system era behind them that
 * looks its imports up on LEAN_PATH as Lean does.
 */
struct lake_world {
    struct echo_project project; /* src/ requires the package src/p by path */
    struct fake_toolchain toolchain;
    char lib[400];   /* of the package */
    char cache[400]; /* Lake's */
    char lake_cache_dir[450];
};

static const char *in(struct lake_world *world, const char *name)
{
    return scratch_path(&world->project.scratch, name);
}

static void make_toolchain(struct lake_world *world)
{
    const struct fake_olean init = { .layout = LWB_OLEAN_D, .imports = "" };

    fake_toolchain_make(&world->toolchain, &world->project.scratch, "4.34");
    fake_olean_write(in(world, "toolchain-4.34/lib/lean/Init.olean"), &init);
    scratch_write(&world->project.scratch, "toolchain-4.34/include/lean/version.h",
                  "#define LEAN_VERSION_MAJOR 4\n#define LEAN_VERSION_MINOR 34\n"
                  "#define LEAN_VERSION_PATCH 0\n#define LEAN_VERSION_IS_RELEASE 1\n");
    scratch_write(&world->project.scratch, "toolchain-4.34/include/lean/githash.h",
                  "#define LEAN_GITHASH \"0123\"\n");
}

static int setup(void **state)
{
    struct lake_world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    scratch_make(&world->project.scratch);
    make_toolchain(world);
    (void)snprintf(world->lib, sizeof(world->lib), "%s", in(world, "src/p/.lake/build/lib/lean"));
    (void)snprintf(world->cache, sizeof(world->cache), "%s", in(world, "lake cache"));
    (void)snprintf(world->lake_cache_dir, sizeof(world->lake_cache_dir), "LAKE_CACHE_DIR=%s",
                   world->cache);
    scratch_write(&world->project.scratch, "build/.keep", "");
    echo_project_write(&world->project, "lakefile.toml",
                       "name = \"x\"\n[[lean_lib]]\nname = \"X\"\n[[require]]\nname = \"p\"\n"
                       "path = \"p\"\n");
    echo_project_write(&world->project, "p/lakefile.toml",
                       "name = \"p\"\n[[lean_lib]]\nname = \"P\"\n");
    echo_project_write(&world->project, "X.lean", "import P.A\n--! requires b\n");
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct lake_world *world = *state;

    scratch_remove(&world->project.scratch);
    free(world);
    return 0;
}

/* P.A, which imports P.B, which provides `what`. */
static const char *build(struct lake_world *world, const char *what, bool module_system,
                         enum lake_notation notation)
{
    char payload[200];
    struct lake_artifact b = {
        .cache = world->cache,
        .lib = world->lib,
        .stem = "P/B",
        .imports = "",
        .payload = payload,
        .module_system = module_system,
        .notation = notation,
    };
    struct lake_artifact a = b;

    a.stem = "P/A";
    a.imports = "P.B";
    a.payload = "import P.B\n";
    a.module_system = false;
    (void)lake_artifact_build(&a);
    (void)snprintf(payload, sizeof(payload), "%sprovide %s\n",
                   module_system ? "fake\nmodule\n" : "", what);
    return lake_artifact_build(&b);
}

static void start(struct program_handle *handle, struct lake_world *world, const char *const *words)
{
    const char *const environment[] = { "LWBUILD_CHILD=" LWB_REAL_CHILD,
                                        "MAKEFLAGS=", world->lake_cache_dir, NULL };
    const char *argv[32] = { LWB_PROGRAM,   "check",
                             "--host",      "lean",
                             "--cache",     in(world, "cache"),
                             "--toolchain", world->toolchain.prefix };
    size_t n = 8;

    while (*words)
        argv[n++] = *words++;
    program_start(handle, &(struct program){ argv, environment, in(world, "src") });
}

static void check(struct program_run *run, struct lake_world *world, const char *const *words)
{
    struct program_handle handle;

    start(&handle, world, words);
    program_wait(run, &handle);
}

static const char *const nothing[] = { NULL };

static void expect(struct lake_world *world, int code, const char *says)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    check(&run, world, nothing);
    ASSERT_RUN(run, code);
    if (says && code == 1)
        ASSERT_SAYS(run.out, says);
    else if (says)
        ASSERT_SAYS(run.err, says);
}

static void expect_checked(struct lake_world *world, long count)
{
    static const char *const words[] = { "--format", "json", NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    check(&run, world, words);
    ASSERT_RUN(run, 0);
    assert_int_equal(echo_project_total(&run, "checked"), count);
}

/* Trees in lwbuild's cache; *unfinished of them nobody has finished. */
static size_t count_trees(struct lake_world *world, size_t *unfinished)
{
    DIR *dir = opendir(in(world, "cache/trees"));
    const struct dirent *entry;
    size_t count = 0;

    *unfinished = 0;
    while (dir && (entry = readdir(dir)) != NULL) {
        count += entry->d_name[0] != '.' && strncmp(entry->d_name, "tmp.", 4) != 0;
        *unfinished += strncmp(entry->d_name, "tmp.", 4) == 0;
    }
    if (dir)
        closedir(dir);
    return count;
}

static void expect_trees(struct lake_world *world, size_t count)
{
    size_t unfinished;

    assert_int_equal(count_trees(world, &unfinished), count);
    assert_int_equal(unfinished, 0);
}

static const char *artifact(struct lake_world *world, const char *name)
{
    static char path[600];

    (void)snprintf(path, sizeof(path), "%s/artifacts/%s", world->cache, name);
    return path;
}

/* ---- what works ------------------------------------------------------------------------------ */

static void modules_in_lakes_cache_are_imported(void **state)
{
    struct lake_world *world = *state;

    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    assert_int_not_equal(access(in(world, "src/p/.lake/build/lib/lean/P/A.olean"), F_OK), 0);
    expect(world, 0, NULL);
    expect_checked(world, 0);
    expect_trees(world, 1);
}

static void by_a_process_of_its_own_as_by_a_worker(void **state)
{
    static const char *const fresh[] = { "--isolation", "fresh", NULL };
    struct lake_world *world = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    echo_project_write(&world->project, "X/Y.lean", "import P.A\n--! requires b\n--! provides y\n");
    echo_project_write(&world->project, "X.lean", "import X.Y\nimport P.B\n--! requires y\n");
    expect_checked(world, 2);
    check(&run, world, fresh);
    ASSERT_RUN(run, 0);
}

static void hashes_in_decimal_are_older_lakes(void **state)
{
    struct lake_world *world = *state;

    (void)build(world, "b", true, LAKE_DECIMAL);
    expect(world, 0, NULL);
}

static void all_parts_of_a_module_come_along(void **state)
{
    struct lake_world *world = *state;

    (void)build(world, "b", true, LAKE_HEXADECIMAL);
    expect(world, 0, NULL);
    echo_project_write(&world->project, "X.lean", "import P.A\n--! requires c\n");
    expect(world, 1, "unknown identifier 'c'");
}

/* As after a branch was switched: what had to be built lies there, what was known does not. */
static void the_other_modules_come_from_the_build_folder(void **state)
{
    const struct fake_olean olean = {
        .layout = LWB_OLEAN_D,
        .imports = "P.B",
        .extra = "import P.B\nprovide c\n",
    };
    const struct fake_olean left_over = { .layout = LWB_OLEAN_D, .imports = "" };
    struct lake_world *world = *state;

    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    fake_olean_write(in(world, "src/p/.lake/build/lib/lean/P/C.olean"), &olean);
    echo_project_write(&world->project, "X.lean",
                       "import P.A\nimport P.C\n--! requires b\n--! requires c\n");
    expect(world, 0, NULL);
    /* What an earlier build has left there: Lake notes the hash of what it makes. */
    fake_olean_write(in(world, "src/p/.lake/build/lib/lean/P/B.olean"), &left_over);
    expect(world, 1, "unknown identifier 'b'");
    echo_project_write(&world->project, "p/.lake/build/lib/lean/P/B.olean.hash",
                       "0123456789abcdef\n");
    expect(world, 0, NULL);
}

static void without_a_cache_of_ours_too(void **state)
{
    static const char *const words[] = { "--no-cache", NULL };
    struct lake_world *world = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    check(&run, world, words);
    ASSERT_RUN(run, 0);
    expect_trees(world, 0);
}

static void whatever_was_rebuilt_is_checked_against(void **state)
{
    struct lake_world *world = *state;

    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    expect(world, 0, NULL);
    (void)build(world, "c", false, LAKE_HEXADECIMAL);
    expect(world, 1, "unknown identifier 'b'");
    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    expect_checked(world, 0); /* this content is known */
    expect_trees(world, 2);
}

static void edit_in_place(const char *path, struct lwb_bytes content)
{
    int fd;

    assert_int_equal(chmod(path, 0644), 0);
    fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content.ptr, content.len), content.len);
    close(fd);
}

static void expect_by_content(struct lake_world *world, int code)
{
    static const char *const words[] = { "--by-content", NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    const char *options = getenv("ASAN_OPTIONS");
    char more[4096];

    (void)snprintf(more, sizeof(more), "%s:verify_asan_link_order=0", options ? options : "");
    assert_int_equal(setenv("ASAN_OPTIONS", more, 1), 0);
    assert_int_equal(setenv("LD_PRELOAD", STILL_DATES, 1), 0);
    check(&run, world, words);
    assert_int_equal(unsetenv("LD_PRELOAD"), 0);
    ASSERT_RUN(run, code);
}

/* On a file system whose dates stand still (still_dates.c). */
static void by_content_traces_are_read_whatever_their_dates_say(void **state)
{
    struct lake_world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf other = LWB_BUF(1 << 20);
    const char *trace = in(world, "src/p/.lake/build/lib/lean/P/B.trace");
    struct lwb_error err;

    (void)build(world, "c", false, LAKE_HEXADECIMAL);
    assert_int_equal(lwb_file_read(&other, trace, NULL, &err), LWB_OK);
    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    expect_by_content(world, 0);
    edit_in_place(in(world, "src/p/.lake/build/lib/lean/P/B.trace"), lwb_buf_bytes(&other));
    expect_by_content(world, 1);
}

static void nor_is_an_artifact_believed_for_its_dates(void **state)
{
    struct lake_world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf other = LWB_BUF(1 << 20);
    const char *c = build(world, "c", false, LAKE_HEXADECIMAL);
    const char *b = build(world, "b", false, LAKE_HEXADECIMAL);
    struct lwb_error err;

    expect_by_content(world, 0);
    assert_int_equal(lwb_file_read(&other, artifact(world, c), NULL, &err), LWB_OK);
    edit_in_place(artifact(world, b), lwb_buf_bytes(&other));
    expect_by_content(world, 3);
}

/* ---- upkeep ---------------------------------------------------------------------------------- */

static void a_build_tool_is_told_of_traces_and_not_of_links(void **state)
{
    const char *words[5] = { "--stamp", NULL, "--depfile", NULL, NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf depfile = LWB_BUF(1 << 20);
    struct lake_world *world = *state;
    struct lwb_error err;

    words[1] = in(world, "build/stamp");
    words[3] = in(world, "build/stamp.d");
    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    check(&run, world, words);
    ASSERT_RUN(run, 0);
    assert_int_equal(lwb_file_read(&depfile, words[3], NULL, &err), LWB_OK);
    ASSERT_SAYS(depfile, "/src/p/.lake/build/lib/lean/P/A.trace");
    ASSERT_SAYS(depfile, "/src/p/.lake/build/lib/lean/P/B.trace");
    assert_null(strstr(lwb_buf_text(&depfile), "/trees/"));
    assert_null(strstr(lwb_buf_text(&depfile), "/artifacts/"));
}

/* A file of the build folder that nothing but itself tells of. */
static void and_of_files_that_have_no_trace(void **state)
{
    const struct fake_olean olean = { .layout = LWB_OLEAN_D, .imports = "" };
    const char *words[5] = { "--stamp", NULL, "--depfile", NULL, NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf depfile = LWB_BUF(1 << 20);
    struct lake_world *world = *state;
    struct lwb_error err;

    words[1] = in(world, "build/stamp");
    words[3] = in(world, "build/stamp.d");
    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    fake_olean_write(in(world, "src/p/.lake/build/lib/lean/P/C.olean"), &olean);
    echo_project_write(&world->project, "X.lean", "import P.A\nimport P.C\n--! requires b\n");
    check(&run, world, words);
    ASSERT_RUN(run, 0);
    assert_int_equal(lwb_file_read(&depfile, words[3], NULL, &err), LWB_OK);
    ASSERT_SAYS(depfile, "/src/p/.lake/build/lib/lean/P/C.olean");
}

static void many_at_once_make_one_tree(void **state)
{
    enum { N = 8 };
    struct lake_world *world = *state;
    struct program_handle handles[N];

    (void)build(world, "b", true, LAKE_HEXADECIMAL);
    for (int i = 0; i < N; i++)
        start(&handles[i], world, nothing);
    for (int i = 0; i < N; i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };

        program_wait(&run, &handles[i]);
        ASSERT_RUN(run, 0);
    }
    expect_trees(world, 1);
}

static void clear_away(struct lake_world *world, const char *command)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    echo_project_command(&run, &world->project, command, nothing);
    ASSERT_RUN(run, 0);
}

static void age(struct lake_world *world, int64_t seconds)
{
    DIR *dir = opendir(in(world, "cache/trees"));
    const struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 0 } };
        char path[700];

        (void)snprintf(path, sizeof(path), "%s/%s/used", in(world, "cache/trees"), entry->d_name);
        times[1].tv_sec = time(NULL) - seconds;
        if (entry->d_name[0] != '.')
            assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    }
    closedir(dir);
}

static void trees_go_when_they_were_not_used(void **state)
{
    const int64_t day_s = 24 * 60 * 60;
    struct lake_world *world = *state;

    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    expect(world, 0, NULL);
    clear_away(world, "cache trim");
    expect_trees(world, 1);
    age(world, 8 * day_s);
    echo_project_write(&world->project, "X.lean", "import P.A\n--! requires b\n-- again\n");
    expect(world, 0, NULL); /* used again */
    clear_away(world, "cache trim");
    expect_trees(world, 1);
    age(world, 8 * day_s);
    clear_away(world, "cache trim");
    expect_trees(world, 0);
    expect_checked(world, 0); /* made anew, and no reason to check anything */
    expect_trees(world, 1);
    clear_away(world, "cache clear");
    expect_trees(world, 0);
    expect(world, 0, NULL);
}

/* ---- where Lake's cache is ------------------------------------------------------------------- */

static void move_cache(struct lake_world *world, const char *to)
{
    struct lwb_error err;
    char parent[500];

    (void)snprintf(parent, sizeof(parent), "%s/..", in(world, to));
    assert_int_equal(lwb_file_make_dirs(in(world, to), 0777, &err), LWB_OK);
    assert_int_equal(rmdir(in(world, to)), 0);
    assert_int_equal(rename(world->cache, in(world, to)), 0);
    (void)snprintf(world->cache, sizeof(world->cache), "%s", in(world, to));
}

static void lakes_cache_is_where_lake_looks(void **state)
{
    struct lake_world *world = *state;
    const char *home = getenv("HOME");
    char kept[600];

    (void)snprintf(kept, sizeof(kept), "%s", home ? home : "");
    assert_int_equal(setenv("HOME", in(world, "home"), 1), 0);
    assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    expect(world, 0, NULL);
    (void)snprintf(world->lake_cache_dir, sizeof(world->lake_cache_dir), "LAKE_CACHE_DIR=");
    move_cache(world, "src/.lake/cache");
    expect(world, 0, NULL);
    move_cache(world, "toolchain-4.34/lake/cache");
    expect(world, 3, "that cache is not where lwbuild looks");
    assert_int_equal(unsetenv("LAKE_CACHE_DIR"), 0);
    (void)snprintf(world->lake_cache_dir, sizeof(world->lake_cache_dir), "NONE=");
    expect(world, 0, NULL);
    move_cache(world, "home/.cache/lake");
    expect(world, 0, NULL);
    assert_int_equal(setenv("XDG_CACHE_HOME", in(world, "xdg"), 1), 0);
    expect(world, 3, "that cache is not where lwbuild looks");
    move_cache(world, "xdg/lake");
    expect(world, 0, NULL);
    assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
    assert_int_equal(*kept ? setenv("HOME", kept, 1) : unsetenv("HOME"), 0);
}

/* ---- what does not --------------------------------------------------------------------------- */

static void an_artifact_that_has_gone_is_named(void **state)
{
    struct lake_world *world = *state;
    const char *b = build(world, "b", false, LAKE_HEXADECIMAL);
    char kept[700];

    expect(world, 0, NULL);
    (void)snprintf(kept, sizeof(kept), "%s.kept", artifact(world, b));
    assert_int_equal(rename(artifact(world, b), kept), 0);
    expect(world, 3, "P.A: imports P.B, for which there is no .olean file on the search path");
    expect(world, 3, b);
    expect(world, 3, "run `lake build` again");
    assert_int_equal(rename(kept, artifact(world, b)), 0);
    expect(world, 0, NULL);
}

static void one_that_is_imported_directly_too(void **state)
{
    struct lake_world *world = *state;
    const char *b = build(world, "b", false, LAKE_HEXADECIMAL);

    echo_project_write(&world->project, "X.lean", "import P.B\n--! requires b\n");
    assert_int_equal(unlink(artifact(world, b)), 0);
    expect(world, 3, "X.lean:1: imports P.B: no P/B.lean in ");
    expect(world, 3, "/src/p/.lake/build/lib/lean, which holds P: Lake has built it, but ");
    expect(world, 3, b);
}

static void an_artifact_with_another_content_is_refused(void **state)
{
    struct lake_world *world = *state;
    const char *b = build(world, "b", false, LAKE_HEXADECIMAL);
    struct lwb_error err;

    expect(world, 0, NULL);
    assert_int_equal(chmod(artifact(world, b), 0644), 0);
    assert_int_equal(truncate(artifact(world, b), 40), 0);
    expect(world, 3, "P.B: ");
    expect(world, 3, "does not have the content that its name says");
    assert_int_equal(lwb_file_write(artifact(world, b), lwb_bytes_text(""), 0644, &err), LWB_OK);
    expect(world, 3, "does not have the content that its name says");
    assert_int_equal(unlink(artifact(world, b)), 0);
    assert_int_equal(mkdir(artifact(world, b), 0755), 0);
    expect(world, 3, "does not have the content that its name says");
}

static void write_trace(struct lake_world *world, const char *text)
{
    echo_project_write(&world->project, "p/.lake/build/lib/lean/P/B.trace", text);
}

static void a_trace_that_says_nothing_is_named(void **state)
{
    static const char *const traces[] = {
        "",
        "8211434568912783",
        "{\"schemaVersion\": \"2025-09-10\", \"outputs\": {\"o\": [\"01234567",
        "{\"outputs\": {\"o\": [\"0123456789abcde.olean\"]}}",
        "{\"outputs\": [\"0123456789abcdef.olean\"]}",
        "{\"outputs\": {\"o\": [\"../../x.olean\"]}}",
    };
    struct lake_world *world = *state;

    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    for (size_t i = 0; i < LWB_COUNT(traces); i++) {
        write_trace(world, traces[i]);
        expect(world, 3, "which artifact it is cannot be read in ");
        expect(world, 3,
               "/src/p/.lake/build/lib/lean/P/B.trace: build the package again with "
               "LAKE_RESTORE_ARTIFACTS=true");
    }
}

static void a_cache_that_cannot_be_used_is_none(void **state)
{
    struct lake_world *world = *state;

    (void)build(world, "b", false, LAKE_HEXADECIMAL);
    scratch_write(&world->project.scratch, "file", "");
    (void)snprintf(world->lake_cache_dir, sizeof(world->lake_cache_dir), "LAKE_CACHE_DIR=%s",
                   in(world, "file"));
    expect(world, 3, "that cache is not where lwbuild looks: set LAKE_CACHE_DIR as for Lake");
    (void)snprintf(world->lake_cache_dir, sizeof(world->lake_cache_dir), "LAKE_CACHE_DIR=%s",
                   world->cache);
    if (geteuid() == 0) /* whom no mode keeps out */
        return;
    assert_int_equal(chmod(world->cache, 0), 0);
    expect(world, 3, "that cache is not where lwbuild looks");
    assert_int_equal(chmod(world->cache, 0755), 0);
    expect(world, 0, NULL);
}

#define WITH_LAKE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LAKE(modules_in_lakes_cache_are_imported),
        WITH_LAKE(by_a_process_of_its_own_as_by_a_worker),
        WITH_LAKE(hashes_in_decimal_are_older_lakes),
        WITH_LAKE(all_parts_of_a_module_come_along),
        WITH_LAKE(the_other_modules_come_from_the_build_folder),
        WITH_LAKE(without_a_cache_of_ours_too),
        WITH_LAKE(whatever_was_rebuilt_is_checked_against),
        WITH_LAKE(by_content_traces_are_read_whatever_their_dates_say),
        WITH_LAKE(nor_is_an_artifact_believed_for_its_dates),
        WITH_LAKE(a_build_tool_is_told_of_traces_and_not_of_links),
        WITH_LAKE(and_of_files_that_have_no_trace),
        WITH_LAKE(many_at_once_make_one_tree),
        WITH_LAKE(trees_go_when_they_were_not_used),
        WITH_LAKE(lakes_cache_is_where_lake_looks),
        WITH_LAKE(an_artifact_that_has_gone_is_named),
        WITH_LAKE(one_that_is_imported_directly_too),
        WITH_LAKE(an_artifact_with_another_content_is_refused),
        WITH_LAKE(a_trace_that_says_nothing_is_named),
        WITH_LAKE(a_cache_that_cannot_be_used_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
