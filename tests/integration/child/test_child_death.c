#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/child.h"
#include "tests/support/child_pipe.h"
#include "tests/support/test.h"

/* A child with an open session. */
static void start(struct child_pipe *child)
{
    struct lwb_message message = { 0 };

    child_pipe_start(child, ECHO_CHILD, NULL);
    child_pipe_hello(child, LWB_FRAME_DEFAULT_LIMIT, NULL);
    child_pipe_open(child, "echo", NULL, NULL);
    child_pipe_expect(child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
}

/* Start a child, let it begin to compute for ever, report its pid and wait to be killed. */
static _Noreturn void be_a_parent(int report)
{
    struct lwb_message message = { 0 };
    struct child_pipe child;

    start(&child);
    child_pipe_export(&child, LWB_MSG_STREAM, "slow", "{\"rows\":1}");
    child_pipe_expect(&child, &message, LWB_MSG_ROWS); /* it computes now */
    if (write(report, &child.pid, sizeof(child.pid)) != sizeof(child.pid))
        _exit(1);
    for (;;)
        (void)pause();
}

static void it_dies_with_its_parent_even_while_computing(void **state)
{
    int report[2];
    pid_t parent;
    pid_t orphan;
    int status;

    (void)state;
    /* The orphan becomes ours, so that its end can be waited for and looked at. */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe2(report, O_CLOEXEC), 0);
    parent = fork();
    assert_true(parent >= 0);
    if (parent == 0)
        be_a_parent(report[1]);
    (void)close(report[1]);
    assert_int_equal(read(report[0], &orphan, sizeof(orphan)), sizeof(orphan));
    (void)close(report[0]);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, &status, 0), parent);
    assert_int_equal(waitpid(orphan, &status, 0), orphan);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM); /* that is how a guardian is told */
    /* It has taken the worker with it; on a busy machine a killed process takes its time to end. */
    while (waitpid(-1, &status, 0) > 0)
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void a_parent_that_is_not_the_one_named_ends_it_at_once(void **state)
{
    struct child_pipe_options options = { .parent_pid = getppid() };
    struct child_pipe child;
    int status;

    (void)state;
    child_pipe_start(&child, ECHO_CHILD, &options);
    status = child_pipe_wait(&child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), LWB_CHILD_EXIT_PARENT);
    assert_non_null(strstr(lwb_buf_text(&child.errors), "is not the parent"));
    child_pipe_stop(&child);
}

static void without_a_named_parent_it_serves_all_the_same(void **state)
{
    struct child_pipe_options options = { .parent_pid = -1 };
    struct child_pipe child;
    int status;

    (void)state;
    child_pipe_start(&child, ECHO_CHILD, &options);
    child_pipe_hello(&child, LWB_FRAME_DEFAULT_LIMIT, NULL);
    child_pipe_close_input(&child);
    status = child_pipe_wait(&child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), LWB_CHILD_EXIT_OK);
    child_pipe_stop(&child);
}

/* Nobody reads the answers any more, but the request goes on sending. */
static void a_closed_output_ends_it(void **state)
{
    struct lwb_message message = { 0 };
    struct child_pipe child;
    int status;

    (void)state;
    start(&child);
    child_pipe_export(&child, LWB_MSG_STREAM, "rows", "{\"rows\":100000000}");
    child_pipe_expect(&child, &message, LWB_MSG_ROWS);
    lwb_message_release(&message);
    (void)close(child.from);
    child.from = -1;
    status = child_pipe_wait(&child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), LWB_CHILD_EXIT_SYSTEM);
    assert_non_null(strstr(lwb_buf_text(&child.errors), "cannot write to the parent"));
    child_pipe_stop(&child);
}

static void a_crash_leaves_no_core(void **state)
{
    struct lwb_message message = { 0 };
    struct child_pipe child;
    int status;

    (void)state;
    start(&child);
    child_pipe_check(&child, "-- echo: crash\n");
    assert_int_equal(child_pipe_next(&child, &message), 0);
    status = child_pipe_wait(&child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_false(WCOREDUMP(status));
    child_pipe_stop(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_dies_with_its_parent_even_while_computing),
        cmocka_unit_test(a_parent_that_is_not_the_one_named_ends_it_at_once),
        cmocka_unit_test(without_a_named_parent_it_serves_all_the_same),
        cmocka_unit_test(a_closed_output_ends_it),
        cmocka_unit_test(a_crash_leaves_no_core),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
