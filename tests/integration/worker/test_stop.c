#include "tests/support/test.h"

#include <signal.h>
#include <uv.h>

#include "lwbuild/base/clock.h"
#include "tests/support/worker_fixture.h"

/* Stopping, cancelling, memory: what we do to a child. */

static void a_stubborn_child_is_killed_after_its_grace(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture->config.stop_grace_ms = 50;
    fixture_open(fixture, "stubborn");
    fixture_stop(fixture, true);
    assert_int_equal(LWB_STOP_TIMED_OUT, fixture->report.outcome);
    assert_int_equal(SIGKILL, fixture->report.exit.signal);
    assert_true(fixture->report.exit.killed);
    assert_true(fixture->report.ms >= 50);
}

static void a_rude_child_is_killed_at_once(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_open(fixture, "rude");
    fixture_stop(fixture, true);
    assert_int_equal(LWB_STOP_PROTOCOL_FAILED, fixture->report.outcome);
}

static void a_starting_child_can_be_stopped(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_error err;

    fixture_create(fixture, "silent");
    assert_int_equal(LWB_OK, lwb_worker_start(fixture->worker, NULL, NULL, &err));
    fixture_stop(fixture, true);
    assert_int_equal(LWB_STOP_KILLED, fixture->report.outcome);
}

/* R27: work in flight ends with an outcome of its own. */
static void stopping_a_busy_worker_ends_its_request(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_session_call call;
    struct lwb_error err;

    fixture_open(fixture, "normal");
    call = fixture_call(fixture);
    assert_int_equal(LWB_OK,
                     fixture_request(fixture, LWB_MSG_COMMAND, "silent", "{}", &call, &err));
    fixture_stop(fixture, true);
    assert_int_equal(1, fixture->done_calls);
    assert_int_equal(LWB_ERR_SHUTDOWN, fixture->done.code);
    assert_int_equal(LWB_STOP_KILLED, fixture->report.outcome);
    assert_int_equal(0, lwb_worker_stop(fixture->worker, true, NULL, NULL));
}

/* R30: a child that cannot be waited for is a failure with a name, not a hang. */
static void a_child_that_cannot_be_waited_for(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture->config.reap_timeout_ms = 50;
    fixture_open(fixture, "normal");
    (void)signal(SIGCHLD, SIG_IGN); /* an embedding program may do that: the system reaps then */
    fixture_stop(fixture, false);
    assert_int_equal(LWB_STOP_NOT_REAPED, fixture->report.outcome);
    assert_false(fixture->report.exit.known);
    (void)signal(SIGCHLD, SIG_DFL);
}

static void a_death_that_somebody_else_has_waited_for(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_open(fixture, "normal");
    (void)signal(SIGCHLD, SIG_IGN);
    assert_int_equal(LWB_ERR_WAIT, fixture_run(fixture, LWB_MSG_COMMAND, "exit3", "{}"));
    (void)signal(SIGCHLD, SIG_DFL);
    assert_int_equal(LWB_WORKER_CRASHED, lwb_worker_state(fixture->worker));
    assert_false(lwb_worker_last_exit(fixture->worker)->known);
}

/* ---- cancelling ------------------------------------------------------------------------- */

/* R15: nothing is sent, the child is as it was. */
static void a_cancel_before_sending_sends_nothing(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_cancel_token *token;
    struct lwb_session_call call;
    struct lwb_error err;

    fixture_open(fixture, "normal");
    assert_int_equal(LWB_OK, lwb_cancel_token_create(&token, &fixture->loop, &err));
    lwb_cancel_token_fire(token);
    call = fixture_call(fixture);
    call.cancel = token;
    assert_int_equal(LWB_ERR_CANCELLED,
                     fixture_request(fixture, LWB_MSG_COMMAND, "echo", "{}", &call, &err));
    assert_false(err.facts.work_entered_child);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{}"));
    assert_int_equal(1, lwb_worker_generation(fixture->worker));
    lwb_cancel_token_close(token);
}

static void fire(void *token)
{
    lwb_cancel_token_fire(token);
}

/* R16, L44: from another thread, while the child says nothing. */
static void a_silent_child_is_cancelled_at_once(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_cancel_token *token;
    struct lwb_session_call call;
    struct lwb_worker_stats stats;
    struct lwb_error err;
    uv_thread_t thread;

    fixture_open(fixture, "normal");
    assert_int_equal(LWB_OK, lwb_cancel_token_create(&token, &fixture->loop, &err));
    call = fixture_call(fixture);
    call.cancel = token;
    assert_int_equal(LWB_OK,
                     fixture_request(fixture, LWB_MSG_COMMAND, "silent", "{}", &call, &err));
    assert_int_equal(0, uv_thread_create(&thread, fire, token));
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(0, uv_thread_join(&thread));
    assert_int_equal(LWB_ERR_CANCELLED, fixture->done.code);
    assert_true(fixture->done.facts.work_entered_child);
    assert_string_equal("command", fixture->done.facts.operation);
    assert_int_equal(0, child_processes());
    fixture_reopen(fixture);
    lwb_worker_stats(fixture->worker, &stats);
    assert_int_equal(1, stats.restarts_by[LWB_RESTART_CANCELLED]);
    lwb_cancel_token_close(token);
}

static void cancelling_an_idle_worker_does_nothing(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_open(fixture, "normal");
    lwb_worker_cancel(fixture->worker);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{}"));
}

/* ---- memory ------------------------------------------------------------------------------- */

/* R17: the hard limit acts during a request. */
static void a_child_that_eats_too_much_is_killed(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_worker_stats stats;

    fixture->config.policy.hard_memory = 64 << 20;
    fixture->config.memory_sample_ms = 10;
    fixture_open(fixture, "normal");
    assert_int_equal(LWB_ERR_HARD_MEMORY,
                     fixture_run(fixture, LWB_MSG_COMMAND, "eat-silent", "{\"n\":128}"));
    assert_int_equal(64 << 20, fixture->done.facts.limit);
    assert_true(fixture->done.facts.current > 64 << 20);
    fixture_reopen(fixture);
    lwb_worker_stats(fixture->worker, &stats);
    assert_int_equal(1, stats.restarts_by[LWB_RESTART_HARD_MEMORY]);
}

/* R17, R20: the soft limit lets the request end and acts before the next one. */
static void the_soft_limit_acts_between_requests(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_worker_stats stats;
    struct lwb_session_call call;
    struct lwb_error err;

    fixture->config.policy.max_memory = 64 << 20;
    fixture_open(fixture, "normal");
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "eat", "{\"n\":128}"));
    call = fixture_call(fixture);
    assert_int_equal(LWB_ERR_SESSION_INVALID,
                     fixture_request(fixture, LWB_MSG_COMMAND, "echo", "{}", &call, &err));
    assert_string_equal("session has ended: its child is to be replaced (memory)", err.text);
    assert_int_equal(LWB_WORKER_IDLE, lwb_worker_state(fixture->worker)); /* nothing was sent */
    fixture_stop(fixture, true);
    fixture_reopen(fixture);
    lwb_worker_stats(fixture->worker, &stats);
    assert_int_equal(LWB_RESTART_MEMORY, stats.last_restart.reason);
    assert_true(stats.last_restart.current > 64 << 20);
    assert_int_equal(64 << 20, stats.last_restart.limit);
}

static void memory_is_that_of_the_whole_group(void **state)
{
    struct worker_fixture *fixture = *state;
    uint64_t before;
    uint64_t after;

    fixture_open(fixture, "normal");
    assert_int_equal(1, lwb_worker_memory(fixture->worker, &before));
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "eat", "{\"n\":32}"));
    assert_int_equal(1, lwb_worker_memory(fixture->worker, &after));
    assert_true(after >= before + (24 << 20)); /* some of it may be on its way to swap */
    assert_true(after < before + (40 << 20));
}

/* A missing sample is counted and decides nothing. */
static void a_missing_sample_decides_nothing(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_worker_stats stats;
    uint64_t bytes = 7;

    fixture_open(fixture, "normal");
    fixture_stop(fixture, false);
    assert_int_equal(0, lwb_worker_memory(fixture->worker, &bytes));
    assert_int_equal(7, bytes);
    lwb_worker_stats(fixture->worker, &stats);
    assert_int_equal(1, stats.memory_samples_missing);
}

/* L46, R10: a sink that takes its time holds the child up, and cannot outlive the deadline. */
static bool slow_row(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row)
{
    uint64_t end = lwb_clock_ms() + 1;

    (void)stream;
    (void)sequence;
    (void)row;
    ++*(unsigned *)ctx;
    while (lwb_clock_ms() < end)
        ;
    return true;
}

static void a_slow_sink_does_not_stop_the_clock(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_worker_stats stats;
    struct lwb_session_call call;
    struct lwb_error err;
    unsigned rows = 0;

    fixture_open(fixture, "normal");
    fixture->sinks = (struct lwb_sinks){ .row = slow_row, .ctx = &rows };
    call = fixture_call(fixture);
    call.timeout_ms = 4000; /* several reads, on a busy machine too */
    assert_int_equal(
        LWB_OK, fixture_request(fixture, LWB_MSG_STREAM, "rows", "{\"n\":1000000}", &call, &err));
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_ERR_TIMEOUT, fixture->done.code);
    assert_true(rows < 10000);
    lwb_worker_stats(fixture->worker, &stats);
    assert_true(stats.backpressure_waits > 0);
    assert_int_equal(1, stats.backpressure_failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(a_stubborn_child_is_killed_after_its_grace),
        WORKER_TEST(a_rude_child_is_killed_at_once),
        WORKER_TEST(a_starting_child_can_be_stopped),
        WORKER_TEST(stopping_a_busy_worker_ends_its_request),
        WORKER_TEST(a_cancel_before_sending_sends_nothing),
        WORKER_TEST(a_silent_child_is_cancelled_at_once),
        WORKER_TEST(cancelling_an_idle_worker_does_nothing),
        WORKER_TEST(a_child_that_eats_too_much_is_killed),
        WORKER_TEST(the_soft_limit_acts_between_requests),
        WORKER_TEST(memory_is_that_of_the_whole_group),
        WORKER_TEST(a_missing_sample_decides_nothing),
        WORKER_TEST(a_slow_sink_does_not_stop_the_clock),
        WORKER_TEST(a_child_that_cannot_be_waited_for),
        WORKER_TEST(a_death_that_somebody_else_has_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
