#include "tests/support/test.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/worker/subreaper.h"
#include "tests/support/worker_fixture.h"

/*
 * L14: what a host has started does not outlive its child, even if it has
 * forked twice, leads a session of its own, and holds stdout. The child is the
 * real one around the echo host; the test would be left with the strays.
 */
static pid_t open_with_stray(struct worker_fixture *fixture)
{
    long pid;

    fixture->config.executable = ECHO_CHILD;
    fixture->host = "echo";
    fixture_open(fixture, NULL);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "stray", "{}"));
    pid = strtol(fixture->answer + strlen("{\"pid\":"), NULL, 10);
    assert_true(pid > 1);
    assert_int_equal(0, kill((pid_t)pid, 0));
    assert_int_not_equal(lwb_worker_pid(fixture->worker), getpgid((pid_t)pid));
    return (pid_t)pid;
}

/* Dead, and waited for: by the guardian, or by us. */
static void expect_gone(pid_t stray)
{
    assert_int_equal(-1, kill(stray, 0));
    assert_int_equal(ESRCH, errno);
    assert_int_equal(0, child_processes());
}

static void a_stray_goes_with_a_child_that_crashes(void **state)
{
    struct worker_fixture *fixture = *state;
    pid_t stray = open_with_stray(fixture);

    assert_int_equal(LWB_ERR_CHILD_ABORTED, fixture_run(fixture, LWB_MSG_COMMAND, "crash", "{}"));
    assert_int_equal(SIGABRT, fixture->done.facts.signal);
    expect_gone(stray);
}

static void a_stray_goes_with_a_child_that_exits(void **state)
{
    struct worker_fixture *fixture = *state;
    pid_t stray = open_with_stray(fixture);

    assert_int_equal(LWB_ERR_CHILD_EXITED, fixture_run(fixture, LWB_MSG_COMMAND, "exit", "{}"));
    assert_int_equal(3, fixture->done.facts.status);
    expect_gone(stray);
}

static void a_stray_goes_with_a_child_that_is_killed_by_somebody(void **state)
{
    struct worker_fixture *fixture = *state;
    pid_t stray = open_with_stray(fixture);
    pid_t worker = (pid_t)lwb_worker_hello(fixture->worker)->pid;

    assert_int_not_equal(worker, lwb_worker_pid(fixture->worker)); /* that is its guardian */
    assert_int_equal(0, kill(worker, SIGKILL));
    run_until(fixture, &fixture->gone_calls, 1);
    assert_int_equal(SIGKILL, lwb_worker_last_exit(fixture->worker)->signal);
    expect_gone(stray);
}

static pid_t fork_own(void)
{
    pid_t own = fork();

    if (own == 0)
        for (;;)
            pause();
    return own;
}

/* What is the program's is left alone. */
static void expect_alive(pid_t own)
{
    assert_int_equal(0, kill(own, 0));
    assert_int_equal(1, child_processes());
    assert_int_equal(0, kill(own, SIGKILL));
    assert_int_equal(own, waitpid(own, NULL, 0));
}

/* Nobody is left who would look after the stray: it is known by what it has inherited. */
static void a_stray_goes_with_a_guardian_that_is_killed_by_somebody(void **state)
{
    struct worker_fixture *fixture = *state;
    pid_t stray = open_with_stray(fixture);
    pid_t own = fork_own();

    assert_int_equal(0, kill(lwb_worker_pid(fixture->worker), SIGKILL));
    run_until(fixture, &fixture->gone_calls, 1);
    assert_int_equal(SIGKILL, lwb_worker_last_exit(fixture->worker)->signal);
    assert_false(lwb_worker_last_exit(fixture->worker)->killed);
    expect_alive(own);
    expect_gone(stray);
}

/* A program with many workers: the stray is the last of its children. */
static void a_stray_is_found_among_many(void **state)
{
    enum { MANY = 100 };
    struct worker_fixture *fixture = *state;
    pid_t own[MANY];
    pid_t stray;

    for (size_t i = 0; i < MANY; i++)
        own[i] = fork_own();
    stray = open_with_stray(fixture);
    assert_int_equal(0, kill(lwb_worker_pid(fixture->worker), SIGKILL));
    run_until(fixture, &fixture->gone_calls, 1);
    assert_int_equal(MANY, child_processes());
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(0, kill(own[i], SIGKILL));
        assert_int_equal(own[i], waitpid(own[i], NULL, 0));
    }
    expect_gone(stray);
}

static void a_stray_goes_with_a_child_that_is_cancelled(void **state)
{
    struct worker_fixture *fixture = *state;
    pid_t stray = open_with_stray(fixture);
    struct lwb_session_call call = fixture_call(fixture);
    struct lwb_error err;
    pid_t own = fork_own();

    assert_int_equal(LWB_OK, fixture_request(fixture, LWB_MSG_COMMAND, "hang", "{}", &call, &err));
    lwb_worker_cancel(fixture->worker);
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_ERR_CANCELLED, fixture->done.code);
    expect_alive(own);
    expect_gone(stray);
}

static void a_stray_goes_with_a_child_that_is_asked_to(void **state)
{
    struct worker_fixture *fixture = *state;
    pid_t stray = open_with_stray(fixture);

    fixture_stop(fixture, true);
    assert_int_equal(LWB_STOP_GRACEFUL, fixture->report.outcome);
    assert_int_equal(0, fixture->report.exit.code);
    expect_gone(stray);
}

static void be_a_parent(int report)
{
    void *state;
    pid_t stray;

    (void)fixture_setup(&state);
    stray = open_with_stray(state);
    if (write(report, &stray, sizeof(stray)) != (ssize_t)sizeof(stray))
        _exit(1);
    for (;;)
        pause();
}

/* R29: with the parent goes everything, and we are left with nobody to wait for. */
static void a_stray_goes_with_the_parent(void **state)
{
    int ends[2];
    pid_t parent;
    pid_t stray = 0;

    (void)state;
    assert_int_equal(0, pipe(ends));
    parent = fork();
    if (parent == 0)
        be_a_parent(ends[1]);
    assert_int_equal(sizeof(stray), read(ends[0], &stray, sizeof(stray)));
    assert_int_equal(0, kill(parent, SIGKILL));
    while (waitpid(-1, NULL, 0) > 0)
        ;
    assert_int_equal(ECHILD, errno);
    expect_gone(stray);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(a_stray_goes_with_a_child_that_crashes),
        WORKER_TEST(a_stray_goes_with_a_child_that_exits),
        WORKER_TEST(a_stray_goes_with_a_child_that_is_killed_by_somebody),
        WORKER_TEST(a_stray_goes_with_a_guardian_that_is_killed_by_somebody),
        WORKER_TEST(a_stray_is_found_among_many),
        WORKER_TEST(a_stray_goes_with_a_child_that_is_cancelled),
        WORKER_TEST(a_stray_goes_with_a_child_that_is_asked_to),
        cmocka_unit_test(a_stray_goes_with_the_parent),
    };
    struct lwb_error err;

    if (lwb_subreaper_enable(&err) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
