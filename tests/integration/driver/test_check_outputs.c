#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "tests/integration/driver/echo_project.h"

/* Stamp, depfile and the short cut past everything when nothing has changed. */

static void check(struct echo_project *project, int code)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    echo_project_check(&run, project, "--stamp", "../build/stamp", "--depfile", "../build/stamp.d",
                       "B.lean", NULL);
    ASSERT_RUN(run, code);
}

static void read_output(struct lwb_buf *out, struct echo_project *project, const char *name)
{
    struct lwb_error err;

    lwb_buf_clear(out);
    assert_int_equal(lwb_file_read(out, scratch_path(&project->scratch, name), NULL, &err), LWB_OK);
}

static void write_pair(struct echo_project *project)
{
    echo_project_write(project, "A.lean", "def a := 1\n");
    echo_project_write(project, "B.lean", "import A\ndef b := 1\n");
}

static void the_depfile_names_every_source(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf depfile = LWB_BUF(1 << 20);

    write_pair(*state);
    check(*state, 0);
    read_output(&depfile, *state, "build/stamp.d");
    /* The target as the rule spells it: Ninja compares it with its own name for the output. */
    assert_ptr_equal(strstr(lwb_buf_text(&depfile), "../build/stamp:"), lwb_buf_text(&depfile));
    assert_non_null(strstr(lwb_buf_text(&depfile), "/src/A.lean"));
    assert_non_null(strstr(lwb_buf_text(&depfile), "/src/B.lean"));
}

/* The project is searched for upwards, through the folder of temporary files. */
static void what_is_made_for_a_run_only_does_not_make_the_next_one_ask_again(void **state)
{
    static const char *const without[] = { "--no-cache", "--read-only" };
    struct echo_project *project = *state;
    const char *parent = project->scratch.dir;
    LWB_AUTO(lwb_buf_release) struct lwb_buf depfile = LWB_BUF(1 << 20);

    write_pair(project);
    assert_int_equal(setenv("TMPDIR", parent, 1), 0);
    for (size_t i = 0; i < LWB_COUNT(without); i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };
        struct lwb_file_stat folder, stamp;
        struct lwb_error err;
        const char *at;

        echo_project_check(&run, project, without[i], "--stamp", "../build/stamp", "--depfile",
                           "../build/stamp.d", "B.lean", NULL);
        ASSERT_RUN(run, 0);
        read_output(&depfile, project, "build/stamp.d");
        for (at = lwb_buf_text(&depfile); (at = strstr(at, parent)); at += strlen(parent))
            if (strchr(" \n", at[strlen(parent)]))
                break;
        assert_non_null(at);
        assert_int_equal(lwb_file_stat(&folder, parent, &err), 1);
        assert_int_equal(
            lwb_file_stat(&stamp, scratch_path(&project->scratch, "build/stamp"), &err), 1);
        assert_true(folder.mtime_ns <= stamp.mtime_ns);
    }
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

static void expect_no_use_of(struct echo_project *project, const char *name)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct stat before, after;

    assert_int_equal(stat(scratch_path(&project->scratch, name), &before), 0);
    echo_project_check(&run, project, "--no-cache", "B.lean", NULL);
    ASSERT_RUN(run, 0);
    assert_int_equal(stat(scratch_path(&project->scratch, name), &after), 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
}

/* Where somebody else may look, or leads us, nothing private is put. */
static void a_folder_that_others_may_enter_is_not_used(void **state)
{
    struct echo_project *project = *state;
    char name[64];

    write_pair(project);
    (void)snprintf(name, sizeof(name), "lwbuild-%lu", (unsigned long)geteuid());
    assert_int_equal(setenv("TMPDIR", project->scratch.dir, 1), 0);
    assert_int_equal(mkdir(scratch_path(&project->scratch, name), 0700), 0);
    assert_int_equal(chmod(scratch_path(&project->scratch, name), 0777), 0);
    expect_no_use_of(project, name);
    assert_int_equal(rmdir(scratch_path(&project->scratch, name)), 0);
    assert_int_equal(mkdir(scratch_path(&project->scratch, "elsewhere"), 0700), 0);
    assert_int_equal(symlink("elsewhere", scratch_path(&project->scratch, name)), 0);
    expect_no_use_of(project, name);
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

static void the_depfile_names_what_else_was_read(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf depfile = LWB_BUF(1 << 20);
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    write_pair(project);
    echo_project_write(project, "table.txt", "1");
    echo_project_write(project, "list.rsp", "B.lean\n");
    echo_project_write(project, "lakefile.toml", "name = \"p\"\n");
    echo_project_check(&run, project, "--stamp", "../build/stamp", "--depfile", "../build/stamp.d",
                       "--input", "table.txt", "@list.rsp", NULL);
    ASSERT_RUN(run, 0);
    read_output(&depfile, project, "build/stamp.d");
    assert_non_null(strstr(lwb_buf_text(&depfile), "/src/table.txt"));
    assert_non_null(strstr(lwb_buf_text(&depfile), "/src/list.rsp"));
    assert_non_null(strstr(lwb_buf_text(&depfile), "/src/lakefile.toml"));
    assert_non_null(strstr(lwb_buf_text(&depfile), LWB_ECHO_CHILD));
}

static void a_failed_check_leaves_no_stamp(void **state)
{
    struct echo_project *project = *state;

    echo_project_write(project, "B.lean", "-- echo: error 1:0 no\n");
    check(project, 1);
    check(project, 1);
    assert_int_equal(access(scratch_path(&project->scratch, "build/stamp"), F_OK), -1);
    assert_int_equal(access(scratch_path(&project->scratch, "build/stamp.d"), F_OK), -1);
}

static void check_restat(struct echo_project *project)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    echo_project_check(&run, project, "--stamp", "../build/stamp", "--depfile", "../build/stamp.d",
                       "--stamp-mode", "restat", "B.lean", NULL);
    ASSERT_RUN(run, 0);
}

static void an_equal_stamp_is_left_alone_when_asked(void **state)
{
    struct echo_project *project = *state;
    const char *stamp = scratch_path(&project->scratch, "build/stamp");
    struct lwb_file_stat before, after;
    struct lwb_error err;

    write_pair(project);
    check_restat(project);
    assert_int_equal(lwb_file_stat(&before, stamp, &err), 1);
    assert_int_equal(unlink(scratch_path(&project->scratch, "build/stamp.snapshot")), 0);
    check_restat(project);
    assert_int_equal(lwb_file_stat(&after, stamp, &err), 1);
    assert_true(lwb_file_stat_equal(&before, &after));
    echo_project_write(project, "A.lean", "def a := 2\n");
    check_restat(project);
    assert_int_equal(lwb_file_stat(&after, stamp, &err), 1);
    assert_false(lwb_file_stat_equal(&before, &after));
}

/* Whether a run went past the cache: with a trace, every look-up leaves a line. */
static bool used_snapshot(struct echo_project *project, const char *extra)
{
    const char *trace = scratch_path(&project->scratch, "trace");
    const char *environment_free[] = {
        "--stamp", "../build/stamp", "--depfile", "../build/stamp.d", "B.lean", extra, NULL
    };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1 << 20);
    struct program_handle handle;
    struct lwb_error err;

    (void)unlink(trace);
    assert_int_equal(setenv("LWBUILD_TRACE", trace, 1), 0);
    echo_project_start(&handle, project, environment_free);
    program_wait(&run, &handle);
    assert_int_equal(unsetenv("LWBUILD_TRACE"), 0);
    ASSERT_RUN(run, 0);
    assert_int_equal(lwb_file_read(&text, trace, NULL, &err), LWB_OK);
    return text.len == 0;
}

static void make_snapshot(struct echo_project *project)
{
    write_pair(project);
    echo_project_let_age(project, "src/B.lean");
    assert_false(used_snapshot(project, NULL));
    assert_true(used_snapshot(project, NULL));
}

static void an_unchanged_run_reads_only_its_snapshot(void **state)
{
    make_snapshot(*state);
    assert_true(used_snapshot(*state, NULL));
}

static void a_lost_snapshot_costs_only_time(void **state)
{
    struct echo_project *project = *state;

    make_snapshot(project);
    assert_int_equal(unlink(scratch_path(&project->scratch, "build/stamp.snapshot")), 0);
    assert_false(used_snapshot(project, NULL));
    assert_true(used_snapshot(project, NULL));
}

static void other_arguments_are_another_question(void **state)
{
    make_snapshot(*state);
    assert_false(used_snapshot(*state, "--jobs=3"));
}

/* Variables by which a toolchain is chosen, for one. */
static void another_environment_is_another_question(void **state)
{
    make_snapshot(*state);
    assert_int_equal(setenv("ELAN_TOOLCHAIN", "another", 1), 0);
    assert_false(used_snapshot(*state, NULL));
    assert_int_equal(unsetenv("ELAN_TOOLCHAIN"), 0);
}

static void every_source_is_watched(void **state)
{
    static const char *const names[] = { "src/A.lean", "src/B.lean" };
    struct echo_project *project = *state;

    for (size_t i = 0; i < LWB_COUNT(names); i++) {
        make_snapshot(project);
        /* the same bytes: stat is all that counts here */
        assert_int_equal(utimensat(AT_FDCWD, scratch_path(&project->scratch, names[i]), NULL, 0),
                         0);
        assert_false(used_snapshot(project, NULL));
    }
}

/* All is checked when the old depfile is looked at; a pipe holds lwbuild there. */
static void edit_just_before_the_stamp(struct echo_project *project, const char *target,
                                       const char *name, const char *content)
{
    const char *const words[] = { "--stamp",          "../build/stamp", "--depfile",
                                  "../build/stamp.d", target,           NULL };
    const char *pipe = scratch_path(&project->scratch, "build/stamp.d");
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct program_handle handle;
    char said[100];
    int end;

    assert_int_equal(mkfifo(pipe, 0600), 0);
    echo_project_start(&handle, project, words);
    end = open(pipe, O_WRONLY | O_CLOEXEC);
    assert_true(end >= 0);
    scratch_write(&project->scratch, name, content);
    assert_int_equal(close(end), 0);
    program_wait(&run, &handle);
    ASSERT_RUN(run, 4);
    (void)snprintf(said, sizeof(said), "%s was changed during the run", strrchr(name, '/') + 1);
    ASSERT_SAYS(run.err, said);
    assert_int_equal(access(scratch_path(&project->scratch, "build/stamp"), F_OK), -1);
}

static void an_edit_just_before_the_stamp_is_seen(void **state)
{
    struct echo_project *project = *state;

    write_pair(project);
    edit_just_before_the_stamp(project, "B.lean", "src/A.lean", "def a := 2\n");
}

static void an_edit_of_the_list_of_modules_is_seen(void **state)
{
    struct echo_project *project = *state;

    write_pair(project);
    echo_project_write(project, "list", "A.lean\n");
    edit_just_before_the_stamp(project, "@list", "src/list", "A.lean\nB.lean\n");
}

static void a_project_that_appears_above_is_seen(void **state)
{
    struct echo_project *project = *state;
    const char *lakefile = scratch_path(&project->scratch, "lakefile.toml");
    struct lwb_error err;

    make_snapshot(project);
    assert_int_equal(
        lwb_file_write(lakefile, lwb_bytes_text("name = \"p\"\nno_such_key = 1\n"), 0600, &err),
        LWB_OK);
    check(project, 3);
}

static void a_lost_output_is_made_again(void **state)
{
    static const char *const names[] = { "build/stamp", "build/stamp.d" };
    struct echo_project *project = *state;

    for (size_t i = 0; i < LWB_COUNT(names); i++) {
        const char *path = scratch_path(&project->scratch, names[i]);

        make_snapshot(project);
        assert_int_equal(unlink(path), 0);
        assert_false(used_snapshot(project, NULL));
        assert_int_equal(access(path, F_OK), 0);
    }
}

static void a_run_with_messages_has_no_snapshot(void **state)
{
    struct echo_project *project = *state;

    write_pair(project);
    echo_project_write(project, "B.lean", "import A\n-- echo: warn 1:0 look\n");
    echo_project_let_age(project, "src/B.lean");
    assert_false(used_snapshot(project, NULL));
    assert_false(used_snapshot(project, NULL));
}

static void check_with_outputs(struct echo_project *project, const char *target, const char *extra)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    echo_project_check(&run, project, "--stamp", "../build/stamp", "--depfile", "../build/stamp.d",
                       target, extra, NULL);
    ASSERT_RUN(run, 0);
}

/* As long as these, made by other arguments in runs that leave no snapshot. */
static void outputs_of_another_check_are_made_again(void **state)
{
    static const char *const extras[] = { "--no-cache", "--by-content", "--verbose", NULL };
    struct echo_project *project = *state;

    echo_project_write(project, "A.lean", "def a := 1\n");
    echo_project_write(project, "B.lean", "-- echo: warn 1:0 look\n");
    echo_project_let_age(project, "src/B.lean");
    for (size_t i = 0; i < LWB_COUNT(extras); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf stamp = LWB_BUF(4096);
        LWB_AUTO(lwb_buf_release) struct lwb_buf again = LWB_BUF(4096);
        LWB_AUTO(lwb_buf_release) struct lwb_buf depfile = LWB_BUF(1 << 20);

        check_with_outputs(project, "A.lean", NULL);
        check_with_outputs(project, "A.lean", NULL);
        read_output(&stamp, project, "build/stamp");
        check_with_outputs(project, "B.lean", extras[i]);
        check_with_outputs(project, "A.lean", NULL);
        read_output(&again, project, "build/stamp");
        read_output(&depfile, project, "build/stamp.d");
        assert_string_equal(lwb_buf_text(&stamp), lwb_buf_text(&again));
        ASSERT_SAYS(depfile, "/A.lean");
    }
}

static void a_rejection_takes_back_the_snapshot(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run again = { 0 };

    echo_project_write(project, "B.lean", "-- echo: reject-when-fresh 1:0 no\n");
    echo_project_let_age(project, "src/B.lean");
    check(project, 0);
    assert_int_equal(access(scratch_path(&project->scratch, "build/stamp.snapshot"), F_OK), 0);
    echo_project_check(&again, project, "--stamp", "../build/stamp", "--recache", "--isolation",
                       "fresh", "B.lean", NULL);
    ASSERT_RUN(again, 1);
    check(project, 1);
}

static void damage_to_a_snapshot_is_no_answer(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf whole = LWB_BUF(1 << 20);
    struct lwb_error err;
    const char *path = scratch_path(&project->scratch, "build/stamp.snapshot");

    make_snapshot(project);
    assert_int_equal(lwb_file_read(&whole, path, NULL, &err), LWB_OK);
    assert_int_equal(lwb_file_write(path, lwb_bytes(whole.ptr, whole.len / 3), 0600, &err), LWB_OK);
    assert_false(used_snapshot(project, NULL));
}

/* By its date alone: an equal stamp keeps its place in a folder that the check may depend on. */
static void every_run_dates_the_stamp_anew(void **state)
{
    struct echo_project *project = *state;

    make_snapshot(project);
    for (int i = 0; i < 20; i++) {
        const char *stamp = scratch_path(&project->scratch, "build/stamp");
        struct lwb_file_stat before, after;
        struct lwb_error err;

        assert_int_equal(lwb_file_stat(&before, stamp, &err), 1);
        if (i % 2) /* answered by a snapshot, or by the cache */
            assert_int_equal(unlink(scratch_path(&project->scratch, "build/stamp.snapshot")), 0);
        check(project, 0);
        assert_int_equal(lwb_file_stat(&after, stamp, &err), 1);
        assert_true(after.mtime_ns > before.mtime_ns);
        assert_true(after.inode == before.inode);
    }
}

/* Else a build tool would find the folder newer than the stamp, each time. */
static void a_run_without_changes_leaves_a_listed_folder_alone(void **state)
{
    struct echo_project *project = *state;
    int64_t date = 0;

    echo_project_write(project, "lakefile.toml",
                       "name = \"p\"\n[[lean_lib]]\nname = \"A\"\n"
                       "globs = [\"A.+\"]\n");
    echo_project_write(project, "A/B.lean", "def b := 1\n");
    for (int i = 0; i < 10; i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };

        echo_project_let_age(project, "src/A"); /* so that its date is worth a note */
        echo_project_check(&run, project, "--stamp", "A/stamp", "--depfile", "A/stamp.d", NULL);
        ASSERT_RUN(run, 0);
        if (i == 3)
            date = echo_project_date(project, "src/A");
        assert_true(i <= 3 || echo_project_date(project, "src/A") == date);
    }
}

/* The clock of the machine was ahead when the run before dated its outputs. */
static void a_stamp_of_the_future_is_put_right(void **state)
{
    struct echo_project *project = *state;
    const char *stamp = scratch_path(&project->scratch, "build/stamp");
    struct timespec tomorrow[2] = { 0 };
    struct lwb_error err;
    int64_t now;

    make_snapshot(project);
    tomorrow[0].tv_sec = echo_project_date(project, "build/stamp") / 1000000000 + 86400;
    tomorrow[1] = tomorrow[0];
    assert_int_equal(utimensat(AT_FDCWD, stamp, tomorrow, 0), 0);
    check(project, 0);
    assert_int_equal(lwb_file_now(&now, project->scratch.dir, &err), LWB_OK);
    assert_true(echo_project_date(project, "build/stamp") <= now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(the_depfile_names_every_source),
        IN_A_PROJECT(what_is_made_for_a_run_only_does_not_make_the_next_one_ask_again),
        IN_A_PROJECT(a_folder_that_others_may_enter_is_not_used),
        IN_A_PROJECT(the_depfile_names_what_else_was_read),
        IN_A_PROJECT(a_failed_check_leaves_no_stamp),
        IN_A_PROJECT(an_equal_stamp_is_left_alone_when_asked),
        IN_A_PROJECT(an_unchanged_run_reads_only_its_snapshot),
        IN_A_PROJECT(a_lost_snapshot_costs_only_time),
        IN_A_PROJECT(other_arguments_are_another_question),
        IN_A_PROJECT(another_environment_is_another_question),
        IN_A_PROJECT(every_source_is_watched),
        IN_A_PROJECT(an_edit_just_before_the_stamp_is_seen),
        IN_A_PROJECT(an_edit_of_the_list_of_modules_is_seen),
        IN_A_PROJECT(a_project_that_appears_above_is_seen),
        IN_A_PROJECT(a_lost_output_is_made_again),
        IN_A_PROJECT(a_run_with_messages_has_no_snapshot),
        IN_A_PROJECT(outputs_of_another_check_are_made_again),
        IN_A_PROJECT(a_rejection_takes_back_the_snapshot),
        IN_A_PROJECT(damage_to_a_snapshot_is_no_answer),
        IN_A_PROJECT(every_run_dates_the_stamp_anew),
        IN_A_PROJECT(a_run_without_changes_leaves_a_listed_folder_alone),
        IN_A_PROJECT(a_stamp_of_the_future_is_put_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
