#include "tests/support/test.h"

#include "tests/support/worker_fixture.h"

/* The life of a worker whose child behaves. */

/* R31: a child that answers in time, and nobody who stops it: there is a terminal outcome. */
static void a_child_is_started_asked_and_ended(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_open(fixture, "normal");
    assert_int_equal(LWB_WORKER_IDLE, lwb_worker_state(fixture->worker));
    assert_int_equal(1, lwb_worker_generation(fixture->worker));
    assert_string_equal("fake-child", lwb_worker_hello(fixture->worker)->child);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{\"a\":1}"));
    assert_string_equal("{\"a\":1}", fixture->answer);
    fixture_stop(fixture, true);
    assert_int_equal(LWB_STOP_GRACEFUL, fixture->report.outcome);
    assert_true(lwb_exit_is_clean(&fixture->report.exit));
    assert_int_equal(LWB_WORKER_ABSENT, lwb_worker_state(fixture->worker));
    assert_int_equal(1, fixture->gone_calls);
}

static void every_event_has_its_own_sink(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_open(fixture, "normal");
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_STREAM, "events", "{}"));
    assert_int_equal(1, fixture->progresses);
    assert_int_equal(1, fixture->diagnostics);
    assert_int_equal(1, fixture->rows);
    assert_int_equal(1, fixture->reply.summary.total_rows);
}

static void rows_come_in_order_per_stream(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_open(fixture, "normal");
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_STREAM, "rows-streams", "{}"));
    assert_string_equal("a0 b0 a1 c0 ", fixture->row_log);
}

/* R10: none is dropped, however many there are. */
static void many_rows_come(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_worker_stats stats;

    fixture_open(fixture, "normal");
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_STREAM, "rows", "{\"n\":100000}"));
    assert_int_equal(100000, fixture->rows);
    lwb_worker_stats(fixture->worker, &stats);
    assert_int_equal(100000, stats.rows);
    assert_int_equal(fixture->row_bytes, stats.row_bytes);
    assert_int_equal(1, stats.stream_requests);
    assert_int_equal(1, stats.stream_successes);
}

/* R21: the next child is started when the last one is reaped; there are never two. */
static void a_worker_serves_one_generation_after_the_other(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_worker_stats stats;

    fixture_open(fixture, "normal");
    fixture_stop(fixture, true);
    fixture_reopen(fixture);
    assert_int_equal(2, lwb_worker_generation(fixture->worker));
    assert_int_equal(1, child_processes());
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{}"));
    lwb_worker_stats(fixture->worker, &stats);
    assert_int_equal(2, stats.starts);
    assert_int_equal(1, stats.restarts);
    assert_int_equal(1, stats.restarts_by[LWB_RESTART_EXPLICIT]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(a_child_is_started_asked_and_ended),
        WORKER_TEST(every_event_has_its_own_sink),
        WORKER_TEST(rows_come_in_order_per_stream),
        WORKER_TEST(many_rows_come),
        WORKER_TEST(a_worker_serves_one_generation_after_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
