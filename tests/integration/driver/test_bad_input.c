#include "tests/support/test.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/driver/echo_project.h"
#include "tests/support/fake_olean.h"

/* What is wrong gets one line that names it, and the exit code that belongs to it. */

static void assert_one_line(const struct program_run *run)
{
    const char *text = lwb_buf_text(&run->err);
    const char *newline = strchr(text, '\n');

    if (!newline || newline[1])
        fail_msg("not one line: %s", text);
}

/*
 * Root may read and write everything, and so may its programs, unless that is taken from them: for
 * good, from all that this one starts from here on. False when it cannot be taken.
 */
static bool programs_obey_modes(void)
{
    return geteuid() != 0 || (prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) == 0 &&
                              prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH, 0, 0, 0) == 0);
}

struct bad {
    const char *file, *content; /* written first, when set */
    const char *words[4];
    int code;
    const char *says;
};

static void check_each(struct echo_project *project, const struct bad *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };
        const char *const *w = cases[i].words;

        if (cases[i].file)
            echo_project_write(project, cases[i].file, cases[i].content);
        echo_project_check(&run, project, w[0], w[1], w[2], w[3], NULL);
        ASSERT_RUN(run, cases[i].code);
        ASSERT_SAYS(run.err, cases[i].says);
        assert_one_line(&run);
    }
}

static void words_and_files(void **state)
{
    static const struct bad cases[] = {
        { "F.lean", "", { "--frob" }, 2, "unknown option --frob" },
        { NULL, NULL, { "None.lean" }, 3, "None.lean" },
        { "H.lean", "", { "--host", "frob", "H.lean" }, 2, "--host takes auto, lean or kernel" },
        { "M.lean", "import Missing.One\n", { "M.lean" }, 3, "M.lean:1: imports Missing.One" },
        { "L.lean", "import L\n", { "L.lean" }, 3, "L" },
        { "U.lean", "def x := \xff\xfe\n", { "U.lean" }, 3, "UTF-8" },
        { "S.lean", "", { "--stamp", "no/such/dir/stamp", "S.lean" }, 2, "no/such/dir" },
        { "S.lean", "", { "--stamp=s", "--depfile=no/such/dir/d", "S.lean" }, 2, "no/such/dir" },
        { "I.lean", "", { "--input", "no-input", "I.lean" }, 3, "no-input" },
        { "A.lean", "", { "--project", "no/such/project", "A.lean" }, 3, "no/such/project" },
        { NULL, NULL, { NULL }, 3, "no lakefile.lean, lakefile.toml or lean-toolchain" },
        { "X.lean", "import A.B\n", { "X.lean" }, 3, "imports A.B" },
        { "X.lean", "", { "--source-root", "none", "X.lean" }, 3, "--source-root none: No such" },
        { "X.lean", "", { "--import-path", "X.lean", "X.lean" }, 3, "X.lean is not a folder" },
    };

    check_each(*state, cases, LWB_COUNT(cases));
}

static void lakefiles(void **state)
{
    static const struct bad cases[] = {
        { "lakefile.toml", "name = \"p\"\n", { NULL }, 3, "no module" },
        { "lakefile.toml",
          "name = \"p\"\n[[lean_lib]]\nname = 3\n",
          { NULL },
          3,
          "lakefile.toml: line 2: " },
        { "lakefile.toml", "name = \"p\"\n\n[[", { NULL }, 3, "lakefile.toml: line 3: " },
        { "lakefile.toml",
          "name = \"p\"\n[[lean_lib]]\nname = \"A\"\n",
          { "--library", "B" },
          3,
          "B" },
        { NULL, NULL, { "--package", "q" }, 3, "q" },
        { "lakefile.lean",
          "import Lake\nopen Lake DSL\n\nmacro \"x\" : term => `(1)\n",
          { NULL },
          3,
          "lakefile.lean: line 4: " },
    };

    check_each(*state, cases, LWB_COUNT(cases));
}

static void a_file_that_cannot_be_read(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    if (!programs_obey_modes())
        skip();
    echo_project_write(project, "A.lean", "");
    assert_int_equal(chmod(scratch_path(&project->scratch, "src/A.lean"), 0), 0);
    echo_project_check(&run, project, "A.lean", NULL);
    ASSERT_RUN(run, 3);
    ASSERT_SAYS(run.err, "A.lean: Permission denied");
    assert_one_line(&run);
}

/* Two libraries of a package have a module of the same name. */
static void a_module_that_is_there_twice(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    echo_project_write(*state, "lakefile.toml",
                       "name = \"p\"\n[[lean_lib]]\nname = \"A\"\nsrcDir = \"one\"\n"
                       "[[lean_lib]]\nname = \"B\"\nsrcDir = \"two\"\nroots = [\"A\"]\n");
    echo_project_write(*state, "one/A.lean", "");
    echo_project_write(*state, "two/A.lean", "");
    echo_project_check(&run, *state, "one/A.lean", "two/A.lean", NULL);
    ASSERT_RUN(run, 3);
    ASSERT_SAYS(run.err, "module A is both ");
    assert_one_line(&run);
}

/* ---- packages ---- */

static void write_package(struct echo_project *project, const char *imports)
{
    const struct fake_olean olean = { .layout = LWB_OLEAN_D, .imports = imports };

    echo_project_write(project, "lakefile.toml",
                       "name = \"p\"\n[[lean_lib]]\nname = \"X\"\n"
                       "[[require]]\nname = \"q\"\npath = \"q\"\n");
    echo_project_write(project, "X.lean", "import A.B\n");
    echo_project_write(project, "q/A/B.lean", "-- now\n");
    fake_olean_write(scratch_path(&project->scratch, "src/q/.lake/build/lib/A/B.olean"), &olean);
}

static void a_package_that_is_stale(void **state)
{
    LWB_AUTO(program_run_release) struct program_run stale = { 0 };
    LWB_AUTO(program_run_release) struct program_run told = { 0 };
    LWB_AUTO(program_run_release) struct program_run fine = { 0 };

    write_package(*state, "");
    echo_project_write(*state, "q/.lake/build/lib/A/B.trace",
                       "{\"inputs\": [[\"Lean 4.29.1, commit v4.29.1\", \"3d61e039494cc2df\"],"
                       " [\"/elsewhere/A/B.lean\", \"0123456789abcdef\"]]}");
    echo_project_check(&stale, *state, "X", NULL);
    ASSERT_RUN(stale, 5);
    ASSERT_SAYS(stale.err, "A.B was built from another source than ");
    echo_project_command(&told, *state, "plan", (const char *const[]){ "--host", "echo", NULL });
    ASSERT_RUN(told, 5);
    echo_project_write(*state, "q/.lake/build/lib/A/B.trace", "1234567890123");
    echo_project_check(&fine, *state, "X", NULL);
    ASSERT_RUN(fine, 0);
}

static void a_package_that_is_not_whole(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    write_package(*state, "A.C");
    echo_project_check(&run, *state, "X", NULL);
    ASSERT_RUN(run, 3);
    ASSERT_SAYS(run.err, "B.olean: imports A.C, for which there is no .olean file");
}

/* ---- caches and disks ---- */

static void a_cache_of_somebody_else(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    if (geteuid() != 0)
        skip();
    scratch_write(&project->scratch, "cache/x", "");
    assert_int_equal(chown(scratch_path(&project->scratch, "cache"), 12345, 12345), 0);
    echo_project_write(project, "A.lean", "");
    echo_project_check(&run, project, "A.lean", NULL);
    ASSERT_RUN(run, 0);
    ASSERT_SAYS(run.err, "belongs to another user: used read-only");
}

static void a_cache_that_cannot_be_written(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    if (!programs_obey_modes())
        skip();
    scratch_write(&project->scratch, "cache/x", "");
    assert_int_equal(chmod(scratch_path(&project->scratch, "cache"), 0500), 0);
    echo_project_write(project, "A.lean", "");
    echo_project_check(&run, project, "A.lean", NULL);
    assert_int_equal(chmod(scratch_path(&project->scratch, "cache"), 0700), 0);
    ASSERT_RUN(run, 0);
    ASSERT_SAYS(run.err, "is not writable: used read-only");
}

/* Fill what is left of a disk. */
static void fill(const char *path)
{
    static char chunk[64 * 1024];
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    while (fwrite(chunk, 1, sizeof(chunk), file) == sizeof(chunk))
        continue;
    (void)fclose(file);
}

static void a_cache_on_a_full_disk(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    const char *cache = scratch_path(&project->scratch, "cache");

    assert_int_equal(mkdir(cache, 0700), 0);
    if (mount("none", cache, "tmpfs", 0, "size=1m") != 0)
        skip(); /* only root may, and not everywhere */
    fill(scratch_path(&project->scratch, "cache/filler"));
    echo_project_write(project, "A.lean", "-- echo: warn 1:0 a\n");
    echo_project_check(&run, project, "A.lean", NULL);
    assert_int_equal(umount(cache), 0);
    ASSERT_RUN(run, 0); /* trouble of the cache is none of the build */
    ASSERT_SAYS(run.out, "A.lean:1:0: warning: a");
    ASSERT_SAYS(run.err, "cache");
}

static void outputs_on_a_full_disk(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    const char *build = scratch_path(&project->scratch, "build");
    struct stat st;

    (void)mkdir(build, 0777);
    if (mount("none", build, "tmpfs", 0, "size=1m") != 0)
        skip();
    fill(scratch_path(&project->scratch, "build/filler"));
    echo_project_write(project, "A.lean", "");
    echo_project_check(&run, project, "--stamp", scratch_path(&project->scratch, "build/stamp"),
                       "A.lean", NULL);
    assert_int_not_equal(stat(scratch_path(&project->scratch, "build/stamp"), &st), 0);
    assert_int_equal(umount(build), 0);
    ASSERT_RUN(run, 3); /* without a stamp nothing was checked as far as the build can see */
    ASSERT_SAYS(run.err, "build/stamp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(words_and_files),
        IN_A_PROJECT(lakefiles),
        IN_A_PROJECT(a_file_that_cannot_be_read),
        IN_A_PROJECT(a_module_that_is_there_twice),
        IN_A_PROJECT(a_package_that_is_stale),
        IN_A_PROJECT(a_package_that_is_not_whole),
        IN_A_PROJECT(a_cache_of_somebody_else),
        IN_A_PROJECT(a_cache_that_cannot_be_written),
        IN_A_PROJECT(a_cache_on_a_full_disk),
        IN_A_PROJECT(outputs_on_a_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
