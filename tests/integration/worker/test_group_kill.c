#include "tests/support/test.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/worker/tool.h"
#include "tests/support/worker_fixture.h"

/*
 * A process that was waited for has given its number back, and a process group
 * has the number of its leader: what kills the group later kills whoever has the
 * number then. Each signal to a group passes here, and is looked at: is the
 * leader, or somebody else of the group, still ours to wait for?
 */
static unsigned signals;
static unsigned strangers; /* signals to a group that may be anybody's */

static bool is_held(pid_t group)
{
    siginfo_t info;

    return waitid(P_PGID, (id_t)group, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int kill(pid_t pid, int sig)
{
    static __typeof__(kill) *next;

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "kill");
    if (pid < -1 && sig) {
        signals++;
        strangers += !is_held(-pid);
    }
    return next(pid, sig);
}

static void expect_none_to_strangers(void)
{
    assert_true(signals > 0);
    assert_int_equal(strangers, 0);
    signals = strangers = 0;
}

static void open_echo(struct worker_fixture *fixture)
{
    fixture->config.executable = ECHO_CHILD;
    fixture->host = "echo";
    fixture_open(fixture, NULL);
}

static void a_child_that_exits(void **state)
{
    struct worker_fixture *fixture = *state;

    open_echo(fixture);
    assert_int_equal(LWB_ERR_CHILD_EXITED, fixture_run(fixture, LWB_MSG_COMMAND, "exit", "{}"));
    expect_none_to_strangers();
}

static void a_child_that_crashes(void **state)
{
    struct worker_fixture *fixture = *state;

    open_echo(fixture);
    assert_int_equal(LWB_ERR_CHILD_ABORTED, fixture_run(fixture, LWB_MSG_COMMAND, "crash", "{}"));
    expect_none_to_strangers();
}

static void a_child_that_is_killed_by_somebody(void **state)
{
    struct worker_fixture *fixture = *state;

    open_echo(fixture);
    assert_int_equal(0, kill(lwb_worker_pid(fixture->worker), SIGKILL));
    run_until(fixture, &fixture->gone_calls, 1);
    expect_none_to_strangers();
}

static void a_child_that_is_stopped(void **state)
{
    struct worker_fixture *fixture = *state;

    open_echo(fixture);
    fixture_stop(fixture, true);
    expect_none_to_strangers();
    fixture_reopen(fixture);
    fixture_stop(fixture, false);
    expect_none_to_strangers();
}

/* Somebody else waits for all that ends: then nobody knows whose the number is. */
static void a_child_that_was_waited_for_by_another(void **state)
{
    struct worker_fixture *fixture = *state;
    pid_t pid;

    open_echo(fixture);
    pid = lwb_worker_pid(fixture->worker);
    assert_int_equal(0, kill(pid, SIGKILL));
    assert_int_equal(pid, waitpid(pid, NULL, 0));
    run_until(fixture, &fixture->gone_calls, 1);
    assert_false(lwb_worker_last_exit(fixture->worker)->known);
    assert_int_equal(strangers, 0);
    signals = 0;
}

static void a_tool(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf output = LWB_BUF(4096);
    const char *const argv[] = { "sh", "-c", "exit 3", NULL };
    struct lwb_tool tool = LWB_TOOL_DEFAULTS;
    struct lwb_exit status;
    struct lwb_error err;

    (void)state;
    tool.argv = argv;
    assert_int_equal(lwb_tool_run(&tool, &status, &output, &err), LWB_OK);
    assert_int_equal(status.code, 3);
    expect_none_to_strangers();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(a_child_that_exits),
        WORKER_TEST(a_child_that_crashes),
        WORKER_TEST(a_child_that_is_killed_by_somebody),
        WORKER_TEST(a_child_that_is_stopped),
        WORKER_TEST(a_child_that_was_waited_for_by_another),
        cmocka_unit_test(a_tool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
