/* Programs that speak no frames, run to their end: real shells. */
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/worker/tool.h"
#include "tests/support/scratch.h"

struct ran {
    int rc;
    struct lwb_exit status;
    struct lwb_buf output;
    struct lwb_error err;
};

static void ran_release(struct ran *ran)
{
    lwb_buf_release(&ran->output);
}
LWB_DEFINE_AUTO(struct ran, ran_release);

static void run(struct ran *ran, struct lwb_tool *tool, const char *script)
{
    const char *argv[] = { "sh", "-c", script, NULL };

    *ran = (struct ran){ .output = LWB_BUF(1 << 20) };
    tool->argv = argv;
    ran->rc = lwb_tool_run(tool, &ran->status, &ran->output, &ran->err);
}

static void it_says_how_it_ended_and_what_it_said(void **state)
{
    LWB_AUTO(ran_release) struct ran ran = { 0 };
    LWB_AUTO(ran_release) struct ran killed = { 0 };
    struct lwb_tool tool = LWB_TOOL_DEFAULTS;

    (void)state;
    tool.cwd = "/tmp";
    run(&ran, &tool, "cat; pwd; echo err >&2; exit 3");
    assert_int_equal(ran.rc, LWB_OK);
    assert_int_equal(ran.status.code, 3);
    assert_false(lwb_exit_is_clean(&ran.status));
    assert_string_equal(lwb_buf_text(&ran.output), "/tmp\nerr\n");
    run(&killed, &tool, "kill -SEGV $$");
    assert_int_equal(killed.rc, LWB_OK);
    assert_int_equal(killed.status.signal, 11);
    assert_false(killed.status.killed);
}

static void only_the_end_of_a_flood_is_kept(void **state)
{
    LWB_AUTO(ran_release) struct ran ran = { 0 };
    struct lwb_tool tool = LWB_TOOL_DEFAULTS;

    (void)state;
    tool.max_output = 1000;
    run(&ran, &tool, "seq 1 100000");
    assert_int_equal(ran.rc, LWB_OK);
    assert_true(lwb_exit_is_clean(&ran.status));
    assert_true(ran.output.len <= 1000);
    assert_string_equal(lwb_buf_text(&ran.output) + ran.output.len - 13, "99999\n100000\n");
}

static void its_environment_is_what_is_given(void **state)
{
    LWB_AUTO(ran_release) struct ran ran = { 0 };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec environment = { 0 };
    struct lwb_tool tool = LWB_TOOL_DEFAULTS;

    (void)state;
    assert_int_equal(lwb_strvec_append(&environment, "ONLY=this"), 0);
    tool.environment = &environment;
    run(&ran, &tool, "echo \"$ONLY, ${HOME-no home}\"");
    assert_string_equal(lwb_buf_text(&ran.output), "this, no home\n");
}

static void a_program_that_is_not_there_is_an_error(void **state)
{
    const char *argv[] = { "/no/such/program", NULL };
    LWB_AUTO(lwb_buf_release) struct lwb_buf output = LWB_BUF(100);
    struct lwb_tool tool = LWB_TOOL_DEFAULTS;
    struct lwb_exit status;
    struct lwb_error err;

    (void)state;
    tool.argv = argv;
    assert_int_equal(lwb_tool_run(&tool, &status, &output, &err), LWB_ERR_SPAWN);
    assert_non_null(strstr(err.text, "cannot start /no/such/program"));
}

/*
 * Reads until nobody holds the other end any more; all that is done with a fifo in the script ends
 * with its group.
 */
static void expect_nobody_left(struct scratch *scratch, int fifo)
{
    char byte;

    assert_int_equal(fcntl(fifo, F_SETFL, 0), 0); /* blocking from here on */
    assert_int_equal(read(fifo, &byte, 1), 0);
    (void)close(fifo);
    scratch_remove(scratch);
}

/* The script is `before`, the fifo, `behind`. */
static int open_fifo(struct scratch *scratch, char script[1200], const char *before,
                     const char *behind)
{
    const char *path;
    int fifo;

    scratch_make(scratch);
    path = scratch_path(scratch, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    fifo = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fifo >= 0);
    (void)snprintf(script, 1200, "%s'%s'%s", before, path, behind);
    return fifo;
}

static void at_its_time_it_ends_with_all_it_has_started(void **state)
{
    LWB_AUTO(ran_release) struct ran ran = { 0 };
    struct lwb_tool tool = LWB_TOOL_DEFAULTS;
    struct scratch scratch;
    char script[1200];
    int fifo = open_fifo(&scratch, script, "sleep 1000 >", " & wait");

    (void)state;
    tool.timeout_ms = 200;
    run(&ran, &tool, script);
    assert_int_equal(ran.rc, LWB_ERR_TIMEOUT);
    assert_int_equal(ran.err.facts.ms, 200);
    assert_string_equal(ran.err.text, "sh took longer than 1 s");
    expect_nobody_left(&scratch, fifo);
}

static void who_does_not_listen_is_killed(void **state)
{
    LWB_AUTO(ran_release) struct ran ran = { 0 };
    struct lwb_tool tool = LWB_TOOL_DEFAULTS;
    struct scratch scratch;
    char script[1200];
    int fifo =
        open_fifo(&scratch, script, "trap '' TERM; exec 3>", "; while :; do sleep 1000; done");

    (void)state;
    tool.timeout_ms = 200;
    tool.stop_grace_ms = 100;
    run(&ran, &tool, script);
    assert_int_equal(ran.rc, LWB_ERR_TIMEOUT);
    assert_int_equal(ran.status.signal, 9);
    expect_nobody_left(&scratch, fifo);
}

static void a_process_left_behind_does_not_hold_the_caller(void **state)
{
    LWB_AUTO(ran_release) struct ran ran = { 0 };
    struct lwb_tool tool = LWB_TOOL_DEFAULTS;
    struct scratch scratch;
    char script[1200];
    int fifo = open_fifo(&scratch, script, "sleep 1000 3>", " & echo done");

    (void)state;
    run(&ran, &tool, script);
    assert_int_equal(ran.rc, LWB_OK);
    assert_string_equal(lwb_buf_text(&ran.output), "done\n");
    expect_nobody_left(&scratch, fifo);
}

static void on_said(void *ctx, struct lwb_bytes output)
{
    assert_true(output.len > 0);
    assert_int_equal(write(*(int *)ctx, "x", 1), 1);
}

static void it_can_be_ended_from_outside(void **state)
{
    LWB_AUTO(ran_release) struct ran ran = { 0 };
    struct lwb_tool tool = LWB_TOOL_DEFAULTS;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    tool.stop_fd = ends[0];
    tool.said = on_said;
    tool.ctx = &ends[1];
    run(&ran, &tool, "echo ready; exec sleep 1000");
    assert_int_equal(ran.rc, LWB_ERR_CANCELLED);
    assert_string_equal(lwb_buf_text(&ran.output), "ready\n");
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_how_it_ended_and_what_it_said),
        cmocka_unit_test(only_the_end_of_a_flood_is_kept),
        cmocka_unit_test(its_environment_is_what_is_given),
        cmocka_unit_test(a_program_that_is_not_there_is_an_error),
        cmocka_unit_test(at_its_time_it_ends_with_all_it_has_started),
        cmocka_unit_test(who_does_not_listen_is_killed),
        cmocka_unit_test(a_process_left_behind_does_not_hold_the_caller),
        cmocka_unit_test(it_can_be_ended_from_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
