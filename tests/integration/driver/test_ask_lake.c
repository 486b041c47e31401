#include "tests/support/test.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "tests/integration/driver/echo_project.h"
#include "tests/support/fake_olean.h"

/*
 * --ask-lake: a lakefile.lean that lwbuild cannot read is run, by a fake lake
 * here (tests/support/fake_lake), in a folder of its own and once.
 */

static void make_toolchain(struct echo_project *project, const char *version)
{
    const struct fake_olean init = { .layout = LWB_OLEAN_D, .imports = "" };
    const struct scratch *scratch = &project->scratch;
    char lean[200];

    (void)snprintf(lean, sizeof(lean),
                   "#!/bin/sh\necho 'Lean (version %s, commit 0123456789ab, Release)'\n", version);
    scratch_write(scratch, "tc/bin/lean", lean);
    assert_int_equal(chmod(scratch_path(scratch, "tc/bin/lean"), 0755), 0);
    (void)unlink(scratch_path(scratch, "tc/bin/lake"));
    assert_int_equal(symlink(LWB_FAKE_LAKE, scratch_path(scratch, "tc/bin/lake")), 0);
    fake_olean_write(scratch_path(scratch, "tc/lib/lean/Init.olean"), &init);
}

static int setup(void **state)
{
    struct echo_project *project;

    (void)echo_project_setup(state);
    project = *state;
    make_toolchain(project, "4.9.0");
    echo_project_write(project, "P.lean", "");
    echo_project_write(project, "a/P.lean", "");
    echo_project_write(project, "b/P.lean", "");
    return 0;
}

/* One that computes its options, and what lake makes of it. */
static void write_lakefile(struct echo_project *project, const char *directives)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(4096);

    lwb_buf_format(&text,
                   "import Lake\nopen Lake DSL\npackage p where\n  leanOptions := if true then x "
                   "else y\nlean_lib P\n-- toml: name = \"p\"\n%s-- toml: [[lean_lib]]\n"
                   "-- toml: name = \"P\"\n",
                   directives);
    echo_project_write(project, "lakefile.lean", lwb_buf_text(&text));
}

/* `lwbuild plan --format json` over the project, with one more word or two. */
static void plan(struct program_run *run, struct echo_project *project, const char *first,
                 const char *second)
{
    const char *const environment[] = { "LWBUILD_CHILD=" LWB_REAL_CHILD, NULL };
    const char *argv[] = { LWB_PROGRAM,   "plan",
                           "--format",    "json",
                           "--host",      "lean",
                           "--cache",     scratch_path(&project->scratch, "cache"),
                           "--toolchain", scratch_path(&project->scratch, "tc"),
                           first,         second,
                           NULL };
    struct program_handle handle;

    program_start(&handle,
                  &(struct program){ argv, environment, scratch_path(&project->scratch, "src") });
    program_wait(run, &handle);
}

static size_t calls(struct echo_project *project, struct lwb_buf *text)
{
    struct lwb_error err;
    size_t count = 0;

    lwb_buf_clear(text);
    if (lwb_file_read(text, scratch_path(&project->scratch, "tc/calls"), NULL, &err) < 0)
        return 0;
    for (const char *at = lwb_buf_text(text); (at = strchr(at, '\n')) != NULL; at++)
        count++;
    return count;
}

static void expect_calls(struct echo_project *project, size_t count)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1 << 20);

    assert_int_equal(calls(project, &text), count);
}

static void expect_plan(struct echo_project *project, const char *word, int code,
                        const char *out_or_err)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    plan(&run, project, word, NULL);
    ASSERT_RUN(run, code);
    if (code == 0)
        ASSERT_SAYS(run.out, out_or_err);
    else
        ASSERT_SAYS(run.err, out_or_err);
}

static void it_has_to_be_asked_for(void **state)
{
    struct echo_project *project = *state;

    write_lakefile(project, "-- toml: srcDir = \"a\"\n");
    expect_plan(project, "--explain", 3, "lakefile.lean: line 4: ");
    expect_plan(project, "--explain", 3, "(--ask-lake lets lake tell)");
    expect_calls(project, 0);
    expect_plan(project, "--ask-lake", 0, "/a/P.lean");
    expect_calls(project, 1);
}

static void what_can_be_read_is_not_asked(void **state)
{
    struct echo_project *project = *state;

    echo_project_write(project, "lakefile.lean",
                       "import Lake\nopen Lake DSL\npackage p\nlean_lib P\n");
    expect_plan(project, "--ask-lake", 0, "\"P\"");
    expect_calls(project, 0);
}

static void the_answer_is_remembered_by_content(void **state)
{
    struct echo_project *project = *state;

    write_lakefile(project, "-- toml: srcDir = \"a\"\n");
    expect_plan(project, "--ask-lake", 0, "/a/P.lean");
    write_lakefile(project, "-- toml: srcDir = \"a\"\n");
    expect_plan(project, "--ask-lake", 0, "/a/P.lean");
    expect_calls(project, 1);
    write_lakefile(project, "-- toml: srcDir = \"b\"\n");
    expect_plan(project, "--ask-lake", 0, "/b/P.lean");
    expect_calls(project, 2);
    make_toolchain(project, "4.9.1");
    expect_plan(project, "--ask-lake", 0, "/b/P.lean");
    expect_calls(project, 3);
    expect_plan(project, "--ask-lake", 0, "/b/P.lean");
    expect_calls(project, 3);
}

static void what_it_says_is_in_the_keys(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run off = { 0 };
    LWB_AUTO(program_run_release) struct program_run on = { 0 };
    LWB_AUTO(program_run_release) struct program_run again = { 0 };

    write_lakefile(project, "-- toml: leanOptions = { autoImplicit = false }\n");
    plan(&off, project, "--ask-lake", NULL);
    write_lakefile(project, "-- toml: leanOptions = { autoImplicit = true }\n");
    plan(&on, project, "--ask-lake", NULL);
    write_lakefile(project, "-- toml: leanOptions = { autoImplicit = false }\n\n");
    plan(&again, project, "--ask-lake", NULL);
    ASSERT_RUN(off, 0);
    ASSERT_RUN(on, 0);
    assert_string_not_equal(lwb_buf_text(&off.out), lwb_buf_text(&on.out));
    assert_string_equal(lwb_buf_text(&off.out), lwb_buf_text(&again.out));
}

/* Somebody has damaged what is remembered: it is asked again. */
static void a_damaged_memory_is_none(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run damage = { 0 };
    const char *const argv[] = { "/bin/sh", "-c",
                                 "cd ../cache/objects && for f in */*; do chmod u+w $f; "
                                 "sed -i s/a/b/ $f; done",
                                 NULL };

    write_lakefile(project, "-- toml: srcDir = \"a\"\n");
    expect_plan(project, "--ask-lake", 0, "/a/P.lean");
    program_run(&damage, &(struct program){ argv, NULL, scratch_path(&project->scratch, "src") });
    ASSERT_RUN(damage, 0);
    expect_plan(project, "--ask-lake", 0, "/a/P.lean");
    expect_calls(project, 2);
}

static void nothing_is_written_into_the_project(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1 << 20);

    write_lakefile(project, "-- lake: looks P.lean\n");
    expect_plan(project, "--ask-lake", 3, "lake cannot tell: error: no file P.lean");
    write_lakefile(project, "");
    expect_plan(project, "--ask-lake", 0, "\"P\"");
    assert_int_equal(access(scratch_path(&project->scratch, "src/.lake"), F_OK), -1);
    assert_int_equal(calls(project, &text), 2);
    assert_null(strstr(lwb_buf_text(&text), scratch_path(&project->scratch, "src")));
    ASSERT_SAYS(text, "path unset");
}

/* What it comes to in the project may be something else than in a copy, where nothing else is. */
static void one_that_looks_around_is_refused(void **state)
{
    static const struct {
        const char *code;
        const char *says; /* NULL: it is asked */
    } cases[] = {
        { "meta if run_io System.FilePath.pathExists \"strict\" then", "line 7: run_io: lake" },
        { "def strict := (unsafe unsafeIO (IO.getEnv \"X\"))", "line 7: unsafe: lake" },
        { "def strict := match p.pathExists () with | .ok b _ => b", "line 7: pathExists: lake" },
        { "def text := include_str \"options\"", "line 7: include_str: lake" },
        { "def text := s!\"{(IO.FS.readFile x ())}\"", "line 7: IO: lake" },
        { "@[term_elab strict] def f := g", "line 7: term_elab: lake" },
        { "open Lean.Elab", "line 7: Elab: lake" },
        { "script greet do\n  IO.println 1\n  return 0\ndef s := IO.x", "line 10: IO: lake" },
        { "script greet do\n  have := run_io x", "line 8: run_io: lake" },
        { "script greet do\n  IO.println 1\n\n  return 0", NULL },
        { "post_update pkg do\n  IO.FS.writeFile a b", NULL },
        { "-- elaborates: running IOs, evaluated", NULL },
    };
    struct echo_project *project = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(4096);
    size_t asked = 0;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lwb_buf_clear(&text);
        lwb_buf_format(&text,
                       "-- toml: name = \"p\"\n-- toml: [[lean_lib]]\n-- toml: name = \"P\"\n"
                       "package p where\n  leanOptions := if true then x else y\nlean_lib P\n%s\n",
                       cases[i].code);
        echo_project_write(project, "lakefile.lean", lwb_buf_text(&text));
        asked += cases[i].says == NULL;
        expect_plan(project, "--ask-lake", cases[i].says ? 3 : 0,
                    cases[i].says ? cases[i].says : "/P.lean");
        expect_calls(project, asked);
    }
}

static void trouble_is_one_line(void **state)
{
    static const struct {
        const char *directives;
        const char *says;
    } cases[] = {
        { "-- lake: fails unknown identifier\n",
          "lakefile.lean: lake cannot tell: error: unknown" },
        { "-- lake: silent\n", "lake has not answered" },
        { "-- lake: names\n", "depends on the folder in which the lakefile lies" },
        { "-- toml: unknownKey = 1\n", "in lake's translation: line 2: " },
        { "-- about plugins\n", "it speaks of plugins or dynlibs" },
    };
    struct echo_project *project = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_lakefile(project, cases[i].directives);
        expect_plan(project, "--ask-lake", 3, cases[i].says);
    }
    write_lakefile(project, "-- lake: talks\n");
    expect_plan(project, "--ask-lake", 0, "\"P\"");
    assert_int_equal(unlink(scratch_path(&project->scratch, "tc/bin/lake")), 0);
    expect_plan(project, "--ask-lake", 3, "lake cannot be asked: there is no ");
    make_toolchain(project, "4.7.0");
    expect_plan(project, "--ask-lake", 3, "the lake of Lean 4.7.0 cannot be asked");
}

static void one_that_hangs_is_ended(void **state)
{
    struct echo_project *project = *state;
    const char *const environment[] = { "LWBUILD_CHILD=" LWB_REAL_CHILD, NULL };
    const char *argv[] = { LWB_PROGRAM,   "check",
                           "--host",      "lean",
                           "--timeout",   "1",
                           "--ask-lake",  "--no-cache",
                           "--toolchain", scratch_path(&project->scratch, "tc"),
                           NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    write_lakefile(project, "-- lake: hangs\n");
    program_run(&run,
                &(struct program){ argv, environment, scratch_path(&project->scratch, "src") });
    ASSERT_RUN(run, 3);
    ASSERT_SAYS(run.err, "asking lake: ");
}

/* The number of the lake that has been called, once it has. */
static pid_t wait_for_lake(struct echo_project *project)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1 << 20);

    while (calls(project, &text) == 0)
        (void)usleep(1000);
    return (pid_t)strtol(strstr(lwb_buf_text(&text), "process ") + strlen("process "), NULL, 10);
}

static size_t count_files(const char *dir)
{
    DIR *folder = opendir(dir);
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    (void)closedir(folder);
    return count - 2; /* . and .. */
}

/* With its temporary files in tmp/. */
static void start_asking(struct program_handle *handle, struct echo_project *project)
{
    char temporary[1100];
    const char *const environment[] = { "LWBUILD_CHILD=" LWB_REAL_CHILD, temporary, NULL };
    const char *argv[] = { LWB_PROGRAM,   "check",
                           "--host",      "lean",
                           "--ask-lake",  "--no-cache",
                           "--toolchain", scratch_path(&project->scratch, "tc"),
                           NULL };

    (void)snprintf(temporary, sizeof(temporary), "TMPDIR=%s",
                   scratch_path(&project->scratch, "tmp"));
    program_start(handle,
                  &(struct program){ argv, environment, scratch_path(&project->scratch, "src") });
}

/* Neither a process nor a file is left. */
static void it_ends_with_who_asks(void **state)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
    struct echo_project *project = *state;
    char mine[64];

    (void)snprintf(mine, sizeof(mine), "tmp/lwbuild-%lu", (unsigned long)geteuid());
    assert_int_equal(mkdir(scratch_path(&project->scratch, "tmp"), 0700), 0);
    write_lakefile(project, "-- lake: hangs\n");
    for (size_t i = 0; i < LWB_COUNT(signals); i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };
        struct program_handle handle;
        pid_t lake;

        (void)unlink(scratch_path(&project->scratch, "tc/calls"));
        start_asking(&handle, project);
        lake = wait_for_lake(project);
        assert_true(lake > 1);
        assert_int_equal(kill(handle.pid, signals[i]), 0);
        program_wait(&run, &handle);
        assert_int_not_equal(run.exit_code, 0);
        assert_int_equal(kill(lake, 0), -1);
        assert_int_equal(errno, ESRCH);
        assert_int_equal(count_files(scratch_path(&project->scratch, mine)), 0);
        assert_int_equal(count_files(scratch_path(&project->scratch, "tmp")), 1); /* that one */
    }
}

#define WITH_LAKE(test) cmocka_unit_test_setup_teardown(test, setup, echo_project_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LAKE(it_has_to_be_asked_for),
        WITH_LAKE(what_can_be_read_is_not_asked),
        WITH_LAKE(the_answer_is_remembered_by_content),
        WITH_LAKE(what_it_says_is_in_the_keys),
        WITH_LAKE(a_damaged_memory_is_none),
        WITH_LAKE(nothing_is_written_into_the_project),
        WITH_LAKE(one_that_looks_around_is_refused),
        WITH_LAKE(trouble_is_one_line),
        WITH_LAKE(one_that_hangs_is_ended),
        WITH_LAKE(it_ends_with_who_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
