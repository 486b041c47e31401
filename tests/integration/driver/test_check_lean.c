#include "tests/support/test.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/driver/echo_project.h"
#include "tests/support/fake_toolchain.h"

/*
 * The program with the Lean host and a fake Lean of every era: modules that
 * import each other, what they leave for each other, and what the cache keeps
 * of it.
 */
struct project {
    struct scratch scratch; /* src/, cache/ and the toolchain */
    struct fake_toolchain toolchain;
    bool module_system;
};

static void make_project(struct project *project, const char *era)
{
    *project = (struct project){ 0 };
    scratch_make(&project->scratch);
    fake_toolchain_make(&project->toolchain, &project->scratch, era);
    project->module_system = strcmp(era, "4.22") == 0 || strcmp(era, "4.34") == 0;
    scratch_write(&project->scratch, "src/lakefile.toml",
                  "name = \"p\"\n[[lean_lib]]\nname = \"P\"\n");
}

/* With the imports said as the era's own modules say them; `import` may be NULL. */
static void write_module(struct project *project, const char *name, const char *import,
                         const char *body)
{
    char below[200];
    char text[1000];

    (void)snprintf(below, sizeof(below), "src/%s.lean", name);
    (void)snprintf(text, sizeof(text), "%s%s%s%s%s", project->module_system ? "module\n" : "",
                   import && project->module_system ? "public " : "", import ? "import " : "",
                   import ? import : "", import ? "\n" : "");
    (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", body);
    scratch_write(&project->scratch, below, text);
}

static void run_check(struct program_run *run, struct project *project)
{
    const char *argv[] = { LWB_PROGRAM,   "check",
                           "--toolchain", project->toolchain.prefix,
                           "--cache",     scratch_path(&project->scratch, "cache"),
                           "--format",    "json",
                           NULL };
    const char *environment[] = { "LWBUILD_CHILD=" LWB_REAL_CHILD, "MAKEFLAGS=", NULL };

    program_run(run,
                &(struct program){ argv, environment, scratch_path(&project->scratch, "src") });
}

/* All modules; so many have to run, the others come from the cache. */
static void expect_checked(struct project *project, int exit_code, long checked)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    run_check(&run, project);
    if (run.exit_code != exit_code || echo_project_total(&run, "checked") != checked)
        fail_msg("%s: exit %d, %ld checked, not %d, %ld; stdout: %s; stderr: %s",
                 project->toolchain.version, run.exit_code, echo_project_total(&run, "checked"),
                 exit_code, checked, lwb_buf_text(&run.out), lwb_buf_text(&run.err));
}

/* P imports B imports A: B says what A provides, and P only imports. */
static void write_chain(struct project *project)
{
    write_module(project, "P/A", NULL, "--! provides x\n");
    write_module(project, "P/B", "P.A", "--! requires x\n");
    write_module(project, "P", "P.B", "");
}

static void modules_find_what_they_import(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct project project;

        make_project(&project, fake_toolchain_era(i));
        write_chain(&project);
        expect_checked(&project, 0, 3);
        expect_checked(&project, 0, 0);
        write_module(&project, "P/A", NULL, "--! provides y\n");
        expect_checked(&project, 1, 2); /* P is blocked by B */
        write_module(&project, "P/A", NULL, "--! provides x\n");
        expect_checked(&project, 0, 0);
        scratch_remove(&project.scratch);
    }
}

/* What is only imported comes out of the cache, all of its files, and Lean does not run for it. */
static void artifacts_are_restored_without_lean(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct project project;

        make_project(&project, fake_toolchain_era(i));
        write_chain(&project);
        expect_checked(&project, 0, 3);
        write_module(&project, "P", "P.B", "--! requires x\n");
        expect_checked(&project, 0, 1);
        /* Said otherwise, kept the same: dependents do not run. */
        write_module(&project, "P/A", NULL, "--! provides x\n-- a last word\n");
        expect_checked(&project, 0, 1);
        scratch_remove(&project.scratch);
    }
}

/* Importers see little of it, and still it may be loaded: `import all`, the language server. */
static void a_change_in_any_part_reaches_importers(void **state)
{
    static const char *const eras[] = { "4.22", "4.34" };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(eras); i++) {
        struct project project;

        make_project(&project, eras[i]);
        write_chain(&project);
        expect_checked(&project, 0, 3);
        write_module(&project, "P/A", NULL, "--! provides x\n--! keeps y\n");
        expect_checked(&project, 0, 3);
        write_module(&project, "P/A", NULL, "--! provides x\n");
        expect_checked(&project, 0, 0);
        scratch_remove(&project.scratch);
    }
}

/* Removes the n-th object of the cache, counted from 0; false when there are not so many. */
static bool remove_object(const struct project *project, size_t n)
{
    glob_t found;
    bool removed = false;

    if (glob(scratch_path(&project->scratch, "cache/objects/*/*"), 0, NULL, &found) != 0)
        return false;
    if (n < found.gl_pathc)
        removed = unlink(found.gl_pathv[n]) == 0;
    globfree(&found);
    return removed;
}

/* Whichever file of an artifact is gone: the module is checked again, and its importers find it. */
static void an_artifact_that_lost_a_part_is_made_again(void **state)
{
    size_t n = 0;

    (void)state;
    for (;; n++) {
        struct project project;
        bool removed;

        make_project(&project, "4.34");
        write_chain(&project);
        expect_checked(&project, 0, 3);
        removed = remove_object(&project, n);
        write_module(&project, "P", "P.B", "--! requires x\n");
        if (removed) {
            LWB_AUTO(program_run_release) struct program_run run = { 0 };

            run_check(&run, &project);
            ASSERT_RUN(run, 0);
            assert_true(echo_project_total(&run, "checked") >= 2);
            expect_checked(&project, 0, 0);
        }
        scratch_remove(&project.scratch);
        if (!removed)
            break;
    }
    assert_true(n >= 5);
}

static void ask_doctor(struct program_run *run, struct project *project)
{
    const char *argv[] = { LWB_PROGRAM,   "doctor",
                           "--toolchain", project->toolchain.prefix,
                           "--cache",     scratch_path(&project->scratch, "cache"),
                           NULL };
    const char *environment[] = { "LWBUILD_CHILD=" LWB_REAL_CHILD, NULL };

    program_run(run,
                &(struct program){ argv, environment, scratch_path(&project->scratch, "src") });
}

static void the_doctor_says_what_works_with_a_lean(void **state)
{
    static const struct {
        const char *era;
        const char *version;
        const char *use;
    } cases[] = {
        { "2021-07", "Lean: 4.0.0-nightly-2021-07-27 at ",
          "with warm workers\n         before 4.1 a rejection costs a process of its own, and so "
          "does, before 2021-09-08, every check with options\n" },
        { "2022-12", "Lean: 4.0.0-nightly-2022-12-20 at ",
          "with warm workers\n         before 4.1 a rejection costs a process of its own\n" },
        { "4.8", "Lean: 4.8.0 at ", "with warm workers; --ask-lake\n" },
        { "4.34", "Lean: 4.34.0 at ", "with warm workers; --ask-lake; the module system\n" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };
        LWB_AUTO(program_run_release) struct program_run bad = { 0 };
        struct project project;

        make_project(&project, cases[i].era);
        ask_doctor(&run, &project);
        ASSERT_RUN(run, 0);
        ASSERT_SAYS(run.out, cases[i].version);
        ASSERT_SAYS(run.out, cases[i].use);
        ASSERT_SAYS(run.out, "/src (package p)\n");
        scratch_write(&project.scratch, "src/lakefile.toml", "name = \n");
        ask_doctor(&bad, &project);
        ASSERT_SAYS(bad.out, "warning  project: ");
        scratch_remove(&project.scratch);
    }
}

/*
 * The project's lean-toolchain is edited when all is checked: a pipe holds lwbuild
 * at the old depfile.
 */
static void choose_another_just_before_the_stamp(struct project *project, const char *file,
                                                 const char *said)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    const char *argv[] = { LWB_PROGRAM, "check",
                           "--stamp",   "../stamp",
                           "--depfile", "../stamp.d",
                           "--cache",   scratch_path(&project->scratch, "cache"),
                           NULL };
    const char *environment[] = { "LWBUILD_CHILD=" LWB_REAL_CHILD, "MAKEFLAGS=", NULL };
    const char *pipe = scratch_path(&project->scratch, "stamp.d");
    struct program_handle handle;
    int end;

    assert_int_equal(mkfifo(pipe, 0600), 0);
    program_start(&handle,
                  &(struct program){ argv, environment, scratch_path(&project->scratch, "src") });
    end = open(pipe, O_WRONLY | O_CLOEXEC);
    assert_true(end >= 0);
    scratch_write(&project->scratch, file, "another\n");
    assert_int_equal(close(end), 0);
    program_wait(&run, &handle);
    ASSERT_RUN(run, 4);
    ASSERT_SAYS(run.err, said);
    assert_int_equal(access(scratch_path(&project->scratch, "stamp"), F_OK), -1);
    assert_int_equal(unlink(pipe), 0);
}

static void another_choice_of_a_toolchain_during_the_run_is_seen(void **state)
{
    struct project project;

    (void)state;
    make_project(&project, "4.12");
    write_chain(&project);
    scratch_write(&project.scratch, "lean-toolchain", project.toolchain.prefix);
    choose_another_just_before_the_stamp(&project, "lean-toolchain",
                                         "lean-toolchain was changed during the run");
    scratch_write(&project.scratch, "lean-toolchain", project.toolchain.prefix);
    choose_another_just_before_the_stamp(&project, "src/lean-toolchain",
                                         "lean-toolchain appeared during the run");
    scratch_remove(&project.scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_find_what_they_import),
        cmocka_unit_test(artifacts_are_restored_without_lean),
        cmocka_unit_test(a_change_in_any_part_reaches_importers),
        cmocka_unit_test(an_artifact_that_lost_a_part_is_made_again),
        cmocka_unit_test(the_doctor_says_what_works_with_a_lean),
        cmocka_unit_test(another_choice_of_a_toolchain_during_the_run_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
