#include "tests/support/test.h"

#include <signal.h>
#include <stdio.h>

#include "tests/support/memory_cgroup.h"
#include "tests/support/worker_fixture.h"

/*
 * L22: a child that the kernel kills for want of memory. It is put into a
 * control group of 64 MiB and asked to use 256; it dies of SIGKILL, which says
 * nothing by itself, and we say what it was.
 */
enum { LIMIT = 64 << 20 };

static struct memory_cgroup cgroup;

static void run_out_of_memory(struct worker_fixture *fixture, pid_t child)
{
    assert_int_equal(0, memory_cgroup_add(&cgroup, child));
    assert_int_equal(LWB_ERR_CHILD_ABORTED,
                     fixture_run(fixture, LWB_MSG_COMMAND, "eat", "{\"n\":256}"));
    assert_int_equal(SIGKILL, fixture->done.facts.signal);
    assert_true(fixture->done.facts.out_of_memory);
    assert_non_null(strstr(fixture->done.text, "killed by SIGKILL, out of memory"));
    assert_true(lwb_worker_last_exit(fixture->worker)->out_of_memory);
    assert_false(lwb_worker_last_exit(fixture->worker)->killed); /* not by us */
}

static void a_kill_by_the_kernel_is_named(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_worker_stats stats;

    fixture_open(fixture, "normal");
    run_out_of_memory(fixture, lwb_worker_pid(fixture->worker));
    fixture_reopen(fixture);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{}"));
    lwb_worker_stats(fixture->worker, &stats);
    assert_int_equal(1, stats.restarts_by[LWB_RESTART_DEATH]);
}

/* The guardian of a real child hands on how it died. */
static void it_is_named_through_a_guardian(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture->config.executable = ECHO_CHILD;
    fixture->host = "echo";
    fixture_open(fixture, NULL);
    run_out_of_memory(fixture, (pid_t)lwb_worker_hello(fixture->worker)->pid);
}

static void an_ordinary_kill_is_not_blamed_on_memory(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_open(fixture, "normal");
    assert_int_equal(LWB_ERR_CHILD_ABORTED, fixture_run(fixture, LWB_MSG_COMMAND, "kill", "{}"));
    assert_int_equal(SIGKILL, fixture->done.facts.signal);
    assert_false(fixture->done.facts.out_of_memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(a_kill_by_the_kernel_is_named),
        WORKER_TEST(it_is_named_through_a_guardian),
        WORKER_TEST(an_ordinary_kill_is_not_blamed_on_memory),
    };
    int failed;

    if (memory_cgroup_make(&cgroup, LIMIT) != 0) {
        (void)printf("skipped: no memory control group may be made here\n");
        return 77;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    memory_cgroup_remove(&cgroup);
    return failed;
}
