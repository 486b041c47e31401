#include "tests/support/test.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/worker/subreaper.h"
#include "tests/support/worker_fixture.h"

/*
 * R29: nothing outlives a parent that is killed while its child is busy. The
 * parent here is a process of its own; the test adopts what it leaves behind,
 * which is how it can wait for it.
 */
static void be_a_parent(int report)
{
    void *state;
    struct worker_fixture *fixture;
    struct lwb_session_call call;
    struct lwb_error err;
    pid_t pid;

    (void)fixture_setup(&state);
    fixture = state;
    fixture_open(fixture, "normal");
    call = fixture_call(fixture);
    if (fixture_request(fixture, LWB_MSG_COMMAND, "silent", "{}", &call, &err) < 0)
        _exit(1);
    pid = lwb_worker_pid(fixture->worker);
    if (write(report, &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
        _exit(1);
    for (;;)
        pause();
}

static void a_busy_child_dies_with_its_parent(void **state)
{
    int pipe_ends[2];
    struct lwb_error err;
    pid_t parent;
    pid_t child = 0;
    int status;

    (void)state;
    assert_int_equal(LWB_OK, lwb_subreaper_enable(&err));
    assert_int_equal(0, pipe(pipe_ends));
    parent = fork();
    assert_true(parent >= 0);
    if (parent == 0)
        be_a_parent(pipe_ends[1]);
    assert_int_equal(sizeof(child), read(pipe_ends[0], &child, sizeof(child)));
    assert_int_equal(0, kill(parent, SIGKILL));
    assert_int_equal(parent, waitpid(parent, &status, 0));
    assert_int_equal(child, waitpid(child, &status, 0)); /* ours now, and it ends by itself */
    assert_true(WIFSIGNALED(status));
    assert_int_equal(SIGKILL, WTERMSIG(status));
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_busy_child_dies_with_its_parent) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
