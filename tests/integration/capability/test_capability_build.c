/*
 * From a Lean project to a capability that answers, in C: with a fake Lean, whose lean, leanc and
 * Lake are scripts and whose libleanshared is the stub; CMake, the C compiler, child and sessions
 * are real.
 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/json.h"
#include "lwbuild/lwbuild.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

/* A row of the table in lean_abi.h. */
struct row {
    const char *name;
    const char *world;       /* type behind other arguments */
    const char *initializer; /* with its arguments */
    const char *version;
};

static const struct row rows[] = {
    { "2021", ", lean_object*", "initialize_Lib(lean_object* w)", "4.0.0" },
    { "2022", ", lean_object*", "initialize_Lib(uint8_t builtin, lean_object* w)", "4.0.0" },
    { "v4_25", ", lean_object*", "initialize_Lib(uint8_t builtin, lean_object* w)", "4.25.0" },
    { "v4_26", "", "initialize_Lib(uint8_t builtin)", "4.26.0" },
    { "v4_27", "", "initialize_pkg_Lib(uint8_t builtin)", "4.27.0" },
    { "v4_34", "", "initialize_pkg_Lib(uint8_t builtin)", "4.34.0" },
};

static struct scratch scratch;
static char toolchain[1024];
static struct lwb_strvec commands, streams;
static struct lwb_capability_project project;

/* What lean -c would have written for Lib.lean; Part.lean defines `part`. */
static void write_library(const struct row *row)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(16 * 1024);
    const char *w = *row->world ? ", w" : "";
    const char *world = *row->world ? ", lean_object* w" : "";

    lwb_buf_format(&text,
                   "import Lib.Part\n/-C\n#include <lean/lean.h>\n"
                   "LEAN_EXPORT lean_object* lib_echo(lean_object*%s);\n"
                   "LEAN_EXPORT lean_object* lib_rows(lean_object*, size_t, size_t%s);\n"
                   "LEAN_EXPORT lean_object* lib_value;\n"
                   "extern const char part[];\n"
                   "lean_object* lwb_lean_row(size_t, size_t, lean_object*, lean_object*%s);\n",
                   row->world, row->world, row->world);
    lwb_buf_format(&text,
                   "LEAN_EXPORT lean_object* lib_echo(lean_object* x%s) {\n"
                   "  lean_dec_ref(x); return lean_io_result_mk_ok(lean_mk_string(part)); }\n"
                   "LEAN_EXPORT lean_object* lib_rows(lean_object* x, size_t f, size_t c%s) {\n"
                   "  lean_object* r = lwb_lean_row(f, c, x, x%s);\n"
                   "  lean_dec_ref(r); lean_dec_ref(x);\n"
                   "  return lean_io_result_mk_ok(lean_box(0)); }\n"
                   "LEAN_EXPORT lean_object* %s {\n"
                   "  return lean_io_result_mk_ok(lean_box(0)); }\n-/\n",
                   world, world, w, row->initializer);
    scratch_write(&scratch, "my lean/Lib.lean", lwb_buf_text(&text));
}

static void write_part(const char *answer)
{
    char text[200];

    (void)snprintf(text, sizeof(text), "/-C\nconst char part[] = \"\\\"%s\\\"\";\n-/\n", answer);
    scratch_write(&scratch, "my lean/Lib/Part.lean", text);
}

static void use_row(const struct row *row)
{
    (void)snprintf(toolchain, sizeof(toolchain), "%s%s", FAKE_LEANS, row->name);
    write_library(row);
    write_part("one");
    project = LWB_CAPABILITY_PROJECT_DEFAULTS;
    project.root = scratch_path(&scratch, "my lean");
    project.library = "Lib";
    project.name = "lib";
    project.folder = scratch_path(&scratch, "o u t");
    project.commands = &commands;
    project.streams = &streams;
    project.toolchain = toolchain;
}

static int setup(void **state)
{
    (void)state;
    scratch_make(&scratch);
    assert_int_equal(setenv("FAKE_LEAN_LOG", scratch_path(&scratch, "log"), 1), 0);
    assert_int_equal(lwb_strvec_append(&commands, "echo=lib_echo"), 0);
    assert_int_equal(lwb_strvec_append(&streams, "rows=lib_rows"), 0);
    use_row(&rows[0]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lwb_strvec_release(&commands);
    lwb_strvec_release(&streams);
    assert_int_equal(unsetenv("FAKE_LAKE"), 0);
    scratch_remove(&scratch);
    return 0;
}

/* Calls of lean, leanc and lake since the last time. */
static unsigned calls_made(void)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf log = LWB_BUF(1 << 20);
    const char *path = scratch_path(&scratch, "log");
    struct lwb_error err;
    unsigned calls = 0;

    if (lwb_file_read(&log, path, NULL, &err) < 0)
        return 0;
    (void)unlink(path);
    for (const char *c = lwb_buf_text(&log); (c = strchr(c, '\n')); c++)
        calls++;
    return calls;
}

static void build_well(void)
{
    LWB_AUTO(lwb_free_text) char *manifest = NULL;
    struct lwb_error err = { 0 };

    if (lwb_capability_build(&manifest, &project, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(manifest, scratch_path(&scratch, "o u t/lib.json"));
}

static void expect_failure(enum lwb_code code, const char *child_code, const char *text)
{
    char *manifest = NULL;
    struct lwb_error err = { 0 };
    int rc = lwb_capability_build(&manifest, &project, &err);

    if (rc != code || !strstr(err.text, text))
        print_error("%d: %s\n", rc, err.text);
    assert_int_equal(rc, code);
    assert_string_equal(err.facts.child_code, child_code);
    assert_non_null(strstr(err.text, text));
    assert_null(manifest);
}

static void open_client(struct lwb_capability_client **client)
{
    struct lwb_capability_config config = LWB_CAPABILITY_CONFIG_DEFAULTS;
    struct lwb_bootstrap_report report;
    struct lwb_error err = { 0 };

    config.project = &project;
    config.child = REAL_CHILD;
    config.metadata = "{\"name\":\"lib\",\"commands\":[{\"name\":\"echo\"},{\"name\":\"rows\"}]}";
    if (lwb_capability_open(client, &config, &report, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(report.checks[1].code, "capability-built");
    assert_string_equal(report.checks[2].code, "capability-found");
}

static void expect_answer(const char *answer)
{
    LWB_AUTO(lwb_capability_close) struct lwb_capability_client *client = NULL;
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply kept = { 0 };
    const struct lwb_export_request request = { "echo", { "{}", 2 } };
    struct lwb_error err;

    open_client(&client);
    assert_int_equal(lwb_blocking_command(lwb_capability_blocking(client),
                                          lwb_capability_lease(client), &request, NULL, &kept,
                                          &err),
                     LWB_OK);
    assert_true(lwb_bytes_is(kept.reply.answer.json, answer));
}

/* ---- building -------------------------------------------------------------------------------- */

static bool on_row(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row)
{
    assert_int_equal(sequence, 0);
    assert_string_equal(stream, "7");
    assert_true(lwb_bytes_is(row, "7"));
    ++*(unsigned *)ctx;
    return true;
}

/* The adaptor is compiled against the row's own header, is loaded and called. */
static void every_row_builds_and_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(rows); i++) {
        LWB_AUTO(lwb_capability_close) struct lwb_capability_client *client = NULL;
        LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply kept = { 0 };
        const struct lwb_export_request request = { "rows", { "7", 1 } };
        unsigned rows_seen = 0;
        struct lwb_sinks sinks = { .row = on_row, .ctx = &rows_seen };
        struct lwb_blocking_options options = { .sinks = &sinks };
        struct lwb_error err = { 0 };

        use_row(&rows[i]);
        expect_answer("\"one\"");
        open_client(&client);
        assert_string_equal(lwb_capability_metadata(client)->lean_version, rows[i].version);
        if (lwb_blocking_stream(lwb_capability_blocking(client), lwb_capability_lease(client),
                                &request, &options, &kept, &err) < 0)
            fail_msg("%s: %s", rows[i].name, err.text);
        assert_int_equal(rows_seen, 1);
    }
}

static void what_is_up_to_date_is_left_alone(void **state)
{
    (void)state;
    build_well();
    assert_int_equal(calls_made(), 2 + 2 + 1); /* lean and leanc per module, lean --version */
    build_well();
    assert_int_equal(calls_made(), 0);

    write_part("two");
    expect_answer("\"two\"");
    assert_int_equal(calls_made(), 2 + 1 + 1); /* Lib imports it; its C is the same */
    write_part("one");
    expect_answer("\"one\"");
    (void)calls_made();

    scratch_write(&scratch, "o u t/lib.so", "not what was built");
    expect_answer("\"one\"");
    assert_int_equal(unlink(scratch_path(&scratch, "o u t/lib.json")), 0);
    expect_answer("\"one\"");
    project.version = "2";
    build_well();
    assert_int_equal(calls_made(), 3); /* lean --version, for each manifest */
}

/* A file that is put back has an older time than what was made of its successor. */
static void it_is_the_content_that_counts(void **state)
{
    const struct timespec past[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };

    (void)state;
    build_well();
    write_part("old");
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(&scratch, "my lean/Lib/Part.lean"), past, 0),
                     0);
    expect_answer("\"old\"");
}

static void with_a_lakefile_lake_builds(void **state)
{
    (void)state;
    scratch_write(&scratch, "my lean/lakefile.toml", "name = \"pkg\"\n");
    expect_answer("\"one\"");
    write_part("two");
    expect_answer("\"two\"");
    project.no_lake = true;
    (void)calls_made();
    write_part("three");
    expect_answer("\"three\"");
}

static void two_builds_in_one_folder_take_turns(void **state)
{
    int status;
    pid_t other;

    (void)state;
    other = fork();
    assert_true(other >= 0);
    if (other == 0) {
        char *manifest = NULL;
        struct lwb_error err;

        _exit(lwb_capability_build(&manifest, &project, &err) < 0);
    }
    build_well();
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(status, 0);
    expect_answer("\"one\"");
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void a_project_that_makes_no_sense_is_wrong_usage(void **state)
{
    const struct lwb_strvec none = { 0 };

    (void)state;
    project.library = "Lib.lean";
    expect_failure(LWB_ERR_USAGE, "", "a module's name, such as Survey, not 'Lib.lean'");
    use_row(&rows[0]);
    project.commands = project.streams = &none;
    expect_failure(LWB_ERR_USAGE, "", "nothing to call");
    use_row(&rows[0]);
    project.metadata = "lib-echo";
    expect_failure(LWB_ERR_USAGE, "", "'lib-echo' is not a name that @[export] takes");
    project.metadata = "a b=lib_echo";
    expect_failure(LWB_ERR_USAGE, "", "'a b' is no name for a command");
    use_row(&rows[0]);
    project.name = "../lib";
    expect_failure(LWB_ERR_USAGE, "", "'../lib' is no name for a capability");
    use_row(&rows[0]);
    project.root = "/some;where";
    expect_failure(LWB_ERR_USAGE, "", "CMake cannot take '/some;where'");
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    project.root = "/nowhere";
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "project-missing", "there is no folder /nowhere");
    use_row(&rows[0]);
    project.library = "Other";
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "project-missing", "there is no module Other in");
    use_row(&rows[0]);
    project.toolchain = "/nowhere";
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "toolchain-missing",
                   "/nowhere, from TOOLCHAIN, is not installed; install one with elan");
    use_row(&rows[0]);
    project.cmake = "no-such-cmake";
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "tool-missing", "install CMake 3.20 or newer");
    project.cmake = "/bin/false";
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "build-failed", "exited with status 1");
    use_row(&rows[0]);
    project.compiler = "no-such-cc";
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "compile-failed", "no-such-cc");
}

static void exports_are_compared_with_what_lean_wrote(void **state)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec others = { 0 };

    (void)state;
    assert_int_equal(lwb_strvec_append(&others, "lib_none"), 0);
    project.commands = &others;
    expect_failure(
        LWB_ERR_CAPABILITY_BUILD, "export-missing",
        "no module of Lib exports lib_none; write @[export lib_none] above a function of "
        "type String -> IO String");
    lwb_strvec_release(&others);
    assert_int_equal(lwb_strvec_append(&others, "lib_rows"), 0);
    project.streams = NULL;
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "export-type",
                   "lib_rows does not have the type String -> IO String");
    lwb_strvec_release(&others);
    assert_int_equal(lwb_strvec_append(&others, "lib_value"), 0);
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "export-type", "(in C it is: value)");
}

static void what_tools_refuse_is_told_in_their_words(void **state)
{
    (void)state;
    scratch_write(&scratch, "my lean/Lib/Part.lean", "BROKEN\n");
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "lean-failed", "Lib/Part.lean:1:0: error: BROKEN");
    scratch_write(&scratch, "my lean/Lib/Part.lean", "/-C\nno C at all\n-/\n");
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "compile-failed", "error:");
    scratch_write(&scratch, "my lean/lakefile.lean", "");
    scratch_write(&scratch, "my lean/Lib/Part.lean", "BROKEN\n");
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "lake-failed", "Lib/Part.lean:1:0: error: BROKEN");
    assert_int_equal(setenv("FAKE_LAKE", "die", 1), 0);
    expect_failure(LWB_ERR_CAPABILITY_BUILD, "lake-failed", "this failed (");
    assert_int_equal(unsetenv("FAKE_LAKE"), 0);
    write_part("mended");
    expect_answer("\"mended\"");
}

/* ---- what takes too long --------------------------------------------------------------------- */

static void a_build_ends_at_its_time(void **state)
{
    (void)state;
    scratch_write(&scratch, "my lean/lakefile.lean", "");
    assert_int_equal(setenv("FAKE_LAKE", "hang", 1), 0);
    project.timeout_ms = 300;
    expect_failure(LWB_ERR_TIMEOUT, "", "building lib: cmake took longer than 1 s");
}

static void cancel(void *ctx, struct lwb_bytes output)
{
    if (memmem(output.ptr, output.len, "hanging", 7))
        assert_int_equal(write(*(int *)ctx, "", 1), 1);
}

static void a_build_is_cancelled_from_outside(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    scratch_write(&scratch, "my lean/lakefile.lean", "");
    assert_int_equal(setenv("FAKE_LAKE", "hang", 1), 0);
    project.stop_fd = ends[0];
    project.said = cancel;
    project.ctx = &ends[1];
    expect_failure(LWB_ERR_CANCELLED, "", "building lib: cmake was cancelled");
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* ---- opening --------------------------------------------------------------------------------- */

static void a_build_that_fails_is_a_finding(void **state)
{
    struct lwb_capability_config config = LWB_CAPABILITY_CONFIG_DEFAULTS;
    struct lwb_capability_client *client = NULL;
    const struct lwb_bootstrap_check *check;
    struct lwb_bootstrap_report report;
    struct lwb_error err;

    (void)state;
    config.project = &project;
    config.child = REAL_CHILD;
    scratch_write(&scratch, "my lean/Lib/Part.lean", "BROKEN\n");
    assert_int_equal(lwb_capability_open(&client, &config, &report, &err),
                     LWB_ERR_CAPABILITY_BUILD);
    check = lwb_bootstrap_first_error(&report);
    assert_string_equal(check->code, "capability-build");
    assert_non_null(strstr(check->message, "error: BROKEN"));
    assert_string_equal(check->hint, "what it said stands above");
    project.timeout_ms = 1;
    assert_int_equal(lwb_capability_open(&client, &config, &report, &err), LWB_ERR_TIMEOUT);
    assert_string_equal(lwb_bootstrap_first_error(&report)->code, "capability-build");
    config.metadata = "{\"commands\":[{\"version\":\"1\"}]}";
    assert_int_equal(lwb_capability_open(&client, &config, &report, &err), LWB_ERR_USAGE);
    assert_string_equal("expected metadata: \"commands\": \"name\" is missing", err.text);
    assert_string_equal(lwb_bootstrap_first_error(&report)->code, "expectation-malformed");
    config.metadata = NULL;
    config.project = NULL;
    assert_int_equal(lwb_capability_open(&client, &config, &report, &err), LWB_ERR_USAGE);
}

/* ---- from the shell -------------------------------------------------------------------------- */

/* Runs lwbuild capability build on the project; `library` and `export` may be wrong. */
static void expect_command(const char *library, const char *export, int exit_code, const char *out,
                           const char *said)
{
    const char *argv[] = { LWBUILD,        "capability", "build",  "--project", project.root,
                           "--library",    library,      "--name", "lib",       "--toolchain",
                           toolchain,      "--command",  export,   "--format",  "json",
                           project.folder, NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    program_run(&run, &(struct program){ .argv = argv });
    if (run.exit_code != exit_code || !strstr(lwb_buf_text(&run.err), said))
        print_error("exit %d; stderr: %s\n", run.exit_code, lwb_buf_text(&run.err));
    assert_int_equal(run.exit_code, exit_code);
    assert_non_null(strstr(lwb_buf_text(&run.out), out));
    assert_non_null(strstr(lwb_buf_text(&run.err), said));
}

static void the_shell_can_build_one(void **state)
{
    char expected[1200];

    (void)state;
    (void)snprintf(expected, sizeof(expected),
                   "{\"schema\":1,\"type\":\"capability\",\"manifest\":\"%s/lib.json\"}\n",
                   project.folder);
    expect_command("Lib", "echo=lib_echo", 0, expected, "");
    expect_command("Lib", "lib_none", 1, "\"type\":\"error\",\"code\":\"export-missing\"",
                   "write @[export lib_none] above");
    expect_command("Other", "lib_echo", 3, "\"code\":\"project-missing\"", "no module Other in");
    expect_command("Lib", "no-name", 2, "\"code\":\"usage\"", "'no-name' is not a name");
    scratch_write(&scratch, "my lean/Lib/Part.lean", "BROKEN\n");
    expect_command("Lib", "lib_echo", 1, "\"code\":\"lean-failed\"", "1:0: error: BROKEN");
}

static void a_signal_ends_the_build(void **state)
{
    const char *argv[] = { LWBUILD,     "capability", "build",    "--project",    project.root,
                           "--library", "Lib",        "--name",   "lib",          "--toolchain",
                           toolchain,   "--command",  "lib_echo", project.folder, NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    const char *fifo = scratch_path(&scratch, "fifo");
    struct program_handle handle;
    char byte;
    int fd;

    (void)state;
    scratch_write(&scratch, "my lean/lakefile.lean", "");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(setenv("FAKE_LAKE", "hang", 1), 0);
    assert_int_equal(setenv("FAKE_LAKE_FIFO", fifo, 1), 0);
    program_start(&handle, &(struct program){ .argv = argv });
    fd = open(fifo, O_RDONLY); /* until Lake has opened it */
    assert_int_equal(kill(handle.pid, SIGINT), 0);
    program_wait(&run, &handle);
    assert_int_equal(run.exit_code, 130);
    assert_non_null(strstr(lwb_buf_text(&run.err), "cmake was cancelled [cancelled]"));
    assert_int_equal(read(fd, &byte, 1), 0); /* nobody holds the other end any more */
    (void)close(fd);
    assert_int_equal(unsetenv("FAKE_LAKE_FIFO"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_row_builds_and_runs),
        TEST(what_is_up_to_date_is_left_alone),
        TEST(it_is_the_content_that_counts),
        TEST(with_a_lakefile_lake_builds),
        TEST(two_builds_in_one_folder_take_turns),
        TEST(a_project_that_makes_no_sense_is_wrong_usage),
        TEST(what_is_missing_is_named),
        TEST(exports_are_compared_with_what_lean_wrote),
        TEST(what_tools_refuse_is_told_in_their_words),
        TEST(a_build_ends_at_its_time),
        TEST(a_build_is_cancelled_from_outside),
        TEST(a_build_that_fails_is_a_finding),
        TEST(the_shell_can_build_one),
        TEST(a_signal_ends_the_build),
    };

    lwb_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
