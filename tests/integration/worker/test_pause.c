#include "tests/support/test.h"

#include <signal.h>

#include "lwbuild/base/clock.h"
#include "tests/support/worker_fixture.h"

/*
 * Sinks that cannot take more just now (R10, L46): nothing comes while paused,
 * nothing is lost or out of order afterwards, nothing piles up here, and what
 * ends requests ends paused ones too.
 */
struct pauser {
    struct worker_fixture *fixture;
    uint64_t rows;
    uint64_t pause_at; /* this row, and every `every`th behind it */
    uint64_t every;
    bool resume_at_once;
    unsigned pauses;
    unsigned events; /* progress and diagnostics */
};

static void pause_now(struct pauser *pauser)
{
    lwb_session_pause(pauser->fixture->session);
    pauser->pauses++;
    if (pauser->resume_at_once)
        lwb_session_resume(pauser->fixture->session);
}

static bool take_row(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row)
{
    struct pauser *pauser = ctx;

    (void)stream;
    (void)row;
    assert_int_equal(pauser->rows, sequence);
    assert_int_equal(0, pauser->fixture->done_calls);
    pauser->rows++;
    if (sequence >= pauser->pause_at && (sequence - pauser->pause_at) % pauser->every == 0)
        pause_now(pauser);
    return true;
}

static bool take_progress(void *ctx, const struct lwb_progress *progress)
{
    struct pauser *pauser = ctx;

    (void)progress;
    pauser->events++;
    pause_now(pauser);
    return true;
}

static bool take_diagnostic(void *ctx, const struct lwb_diagnostic *diagnostic)
{
    struct pauser *pauser = ctx;

    (void)diagnostic;
    pauser->events++;
    pause_now(pauser);
    return true;
}

static void begin(struct pauser *pauser, const char *name, const char *json, uint64_t timeout_ms)
{
    struct worker_fixture *fixture = pauser->fixture;
    struct lwb_session_call call;
    struct lwb_error err = { 0 };

    fixture->sinks = (struct lwb_sinks){ take_progress, take_diagnostic, take_row, pauser };
    call = fixture_call(fixture);
    call.timeout_ms = timeout_ms;
    if (fixture_request(fixture, LWB_MSG_STREAM, name, json, &call, &err) < 0)
        fail_msg("refused: %s", err.text);
}

static struct pauser pauser_of(struct worker_fixture *fixture)
{
    return (struct pauser){ .fixture = fixture, .every = UINT64_MAX };
}

/* Turn the loop until `ms` have passed. */
static void pass_ms(struct worker_fixture *fixture, uint64_t ms)
{
    uint64_t end = lwb_clock_ms() + ms;

    while (lwb_clock_ms() < end)
        (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
}

static void resume_each_pause(struct pauser *pauser)
{
    unsigned seen = 0;

    while (!pauser->fixture->done_calls) {
        if (pauser->pauses > seen) {
            uint64_t rows = pauser->rows;

            seen++;
            (void)uv_run(&pauser->fixture->loop, UV_RUN_NOWAIT);
            assert_int_equal(rows, pauser->rows);
            lwb_session_resume(pauser->fixture->session);
        }
        (void)uv_run(&pauser->fixture->loop, UV_RUN_NOWAIT); /* a resumed timer may pause again */
    }
}

/* In the middle of frames and at their ends: 512 rows share one. */
static void rows_go_on_where_they_were_held(void **state)
{
    struct worker_fixture *fixture = *state;
    struct pauser pauser = pauser_of(fixture);

    pauser.every = 128;
    fixture_open(fixture, "normal");
    begin(&pauser, "rows", "{\"n\":20000}", 0);
    resume_each_pause(&pauser);
    assert_int_equal(LWB_OK, fixture->done.code);
    assert_int_equal(20000, pauser.rows);
    assert_int_equal(20000 / 128 + 1, pauser.pauses);
}

static void every_single_row_may_be_held(void **state)
{
    struct worker_fixture *fixture = *state;
    struct pauser pauser = pauser_of(fixture);

    pauser.every = 1;
    pauser.resume_at_once = true;
    fixture_open(fixture, "normal");
    begin(&pauser, "rows", "{\"n\":2000}", 0);
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_OK, fixture->done.code);
    assert_int_equal(2000, pauser.rows);
    assert_int_equal(2000, pauser.pauses);
}

/* 100 MB wait in the child, not here. */
static void what_is_held_stays_with_the_child(void **state)
{
    struct worker_fixture *fixture = *state;
    struct pauser pauser = pauser_of(fixture);
    struct lwb_worker_stats stats;

    pauser.pause_at = 10;
    fixture_open(fixture, "normal");
    begin(&pauser, "rows", "{\"n\":1000000}", 0);
    run_until(fixture, &pauser.pauses, 1);
    pass_ms(fixture, 100);
    assert_int_equal(11, pauser.rows);
    lwb_worker_stats(fixture->worker, &stats);
    assert_true(stats.rows <= 512); /* the frame that is held */
    lwb_session_resume(fixture->session);
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_OK, fixture->done.code);
    assert_int_equal(1000000, pauser.rows);
    lwb_worker_stats(fixture->worker, &stats);
    assert_true(stats.backpressure_waits > 0);
}

static void progress_and_diagnostics_can_be_held(void **state)
{
    struct worker_fixture *fixture = *state;
    struct pauser pauser = pauser_of(fixture);

    pauser.pause_at = UINT64_MAX;
    fixture_open(fixture, "normal");
    begin(&pauser, "events", "{}", 0);
    run_until(fixture, &pauser.pauses, 1);
    pass_ms(fixture, 50);
    assert_int_equal(1, pauser.events);
    lwb_session_resume(fixture->session);
    run_until(fixture, &pauser.pauses, 2);
    assert_int_equal(0, pauser.rows);
    lwb_session_resume(fixture->session);
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_OK, fixture->done.code);
    assert_int_equal(1, pauser.rows);
}

static void a_paused_request_can_be_cancelled(void **state)
{
    struct worker_fixture *fixture = *state;
    struct pauser pauser = pauser_of(fixture);

    fixture_open(fixture, "normal");
    begin(&pauser, "rows", "{\"n\":100000}", 0);
    run_until(fixture, &pauser.pauses, 1);
    lwb_worker_cancel(fixture->worker);
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_ERR_CANCELLED, fixture->done.code);
    assert_int_equal(1, pauser.rows);
    assert_int_equal(0, child_processes());
    lwb_session_resume(fixture->session); /* too late, and harmless */
    fixture_reopen(fixture);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{}"));
}

static bool cancel_from_inside(void *ctx, const char *stream, uint64_t sequence,
                               struct lwb_bytes row)
{
    struct pauser *pauser = ctx;

    (void)stream;
    (void)sequence;
    (void)row;
    pauser->rows++;
    lwb_session_pause(pauser->fixture->session);
    lwb_worker_cancel(pauser->fixture->worker);
    return true;
}

static void a_sink_may_pause_and_cancel(void **state)
{
    struct worker_fixture *fixture = *state;
    struct pauser pauser = pauser_of(fixture);
    struct lwb_session_call call;
    struct lwb_error err;

    fixture_open(fixture, "normal");
    fixture->sinks = (struct lwb_sinks){ .row = cancel_from_inside, .ctx = &pauser };
    call = fixture_call(fixture);
    assert_int_equal(LWB_OK,
                     fixture_request(fixture, LWB_MSG_STREAM, "rows", "{\"n\":5000}", &call, &err));
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_ERR_CANCELLED, fixture->done.code);
    assert_int_equal(1, pauser.rows);
}

/* R12: a pause does not stop the clock. */
static void a_paused_request_times_out(void **state)
{
    struct worker_fixture *fixture = *state;
    struct pauser pauser = pauser_of(fixture);

    fixture_open(fixture, "normal");
    begin(&pauser, "rows", "{\"n\":100000}", 2000);
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_ERR_TIMEOUT, fixture->done.code);
    assert_int_equal(1, pauser.pauses);
    assert_int_equal(1, pauser.rows);
}

static void a_child_may_die_while_paused(void **state)
{
    struct worker_fixture *fixture = *state;
    struct pauser pauser = pauser_of(fixture);

    pauser.pause_at = 700;
    fixture_open(fixture, "normal");
    begin(&pauser, "rows", "{\"n\":100000}", 0);
    run_until(fixture, &pauser.pauses, 1);
    assert_int_equal(0, kill(lwb_worker_pid(fixture->worker), SIGKILL));
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_ERR_CHILD_ABORTED, fixture->done.code);
    assert_int_equal(701, pauser.rows);
}

static void without_a_request_there_is_nothing_to_hold(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_open(fixture, "normal");
    lwb_session_pause(fixture->session);
    lwb_worker_pause(fixture->worker);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{}"));
    lwb_session_resume(fixture->session);
    lwb_worker_resume(fixture->worker);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(rows_go_on_where_they_were_held),
        WORKER_TEST(every_single_row_may_be_held),
        WORKER_TEST(what_is_held_stays_with_the_child),
        WORKER_TEST(progress_and_diagnostics_can_be_held),
        WORKER_TEST(a_paused_request_can_be_cancelled),
        WORKER_TEST(a_sink_may_pause_and_cancel),
        WORKER_TEST(a_paused_request_times_out),
        WORKER_TEST(a_child_may_die_while_paused),
        WORKER_TEST(without_a_request_there_is_nothing_to_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
