#include "tests/support/test.h"

#include <signal.h>

#include "tests/support/worker_fixture.h"

/*
 * Every way a request can end but well. After each: there was one outcome (R1),
 * the error says which it was and nothing else (R4), what came before stays tentative (R9), the
 * child is reaped (R30), and the worker is usable or visibly gone (R5).
 */

struct fault {
    const char *name; /* what fake-child does */
    const char *json;
    enum lwb_code code;
    const char *text; /* part of it */
    enum lwb_restart_reason reason;
    int signal;
    int status;
};

static const struct fault faults[] = {
    { "segv", "{}", LWB_ERR_CHILD_ABORTED, "child: killed by SIGSEGV", LWB_RESTART_DEATH, SIGSEGV,
      0 },
    { "abort", "{}", LWB_ERR_CHILD_ABORTED, "killed by SIGABRT", LWB_RESTART_DEATH, SIGABRT, 0 },
    { "kill", "{}", LWB_ERR_CHILD_ABORTED, "killed by SIGKILL", LWB_RESTART_DEATH, SIGKILL, 0 },
    { "exit3", "{}", LWB_ERR_CHILD_EXITED, "exited with status 3", LWB_RESTART_DEATH, 0, 3 },
    { "exit0", "{}", LWB_ERR_CHILD_EXITED, "exited with status 0", LWB_RESTART_DEATH, 0, 0 },
    { "rows-then-segv", "{}", LWB_ERR_CHILD_ABORTED, "SIGSEGV", LWB_RESTART_DEATH, SIGSEGV, 0 },
    { "half-frame", "{}", LWB_ERR_CHILD_EXITED, "ended inside a frame (6 of 256 bytes)",
      LWB_RESTART_DEATH, 0, 3 },
    { "half-exit0", "{}", LWB_ERR_CHILD_EXITED, "ended inside a frame", LWB_RESTART_DEATH, 0, 0 },
    { "cut-length", "{}", LWB_ERR_CHILD_EXITED, "ended inside the length of a frame (2 of 4)",
      LWB_RESTART_DEATH, 0, 3 },
    { "grandchild", "{}", LWB_ERR_CHILD_EXITED, "exited with status 3", LWB_RESTART_DEATH, 0, 3 },
    { "oversized", "{}", LWB_ERR_PROTOCOL, "frame of 2147483647 bytes", LWB_RESTART_PROTOCOL, 0,
      0 },
    { "empty-frame", "{}", LWB_ERR_PROTOCOL, "empty frame", LWB_RESTART_PROTOCOL, 0, 0 },
    { "garbage", "{}", LWB_ERR_PROTOCOL, "not a JSON object", LWB_RESTART_PROTOCOL, 0, 0 },
    { "unknown-type", "{}", LWB_ERR_PROTOCOL, "unknown message type \"sing\"", LWB_RESTART_PROTOCOL,
      0, 0 },
    { "request-back", "{}", LWB_ERR_PROTOCOL, "child sent a request: health", LWB_RESTART_PROTOCOL,
      0, 0 },
    { "stale-generation", "{}", LWB_ERR_PROTOCOL, "response of generation 8 in generation 1",
      LWB_RESTART_PROTOCOL, 0, 0 },
    { "stale-row", "{}", LWB_ERR_PROTOCOL, "rows of generation 0 in generation 1",
      LWB_RESTART_PROTOCOL, 0, 0 },
    { "wrong-id", "{}", LWB_ERR_PROTOCOL, "response for request 11 during request 4",
      LWB_RESTART_PROTOCOL, 0, 0 },
    { "no-verdict", "{}", LWB_ERR_PROTOCOL, "response message: \"total_rows\" is missing",
      LWB_RESTART_PROTOCOL, 0, 0 },
    { "rows-order", "{}", LWB_ERR_PROTOCOL, "row 2 of stream rows came instead of row 1",
      LWB_RESTART_PROTOCOL, 0, 0 },
    { "rows-again", "{}", LWB_ERR_PROTOCOL, "row 0 of stream rows came instead of row 1",
      LWB_RESTART_PROTOCOL, 0, 0 },
    { "rows-cut", "{}", LWB_ERR_PROTOCOL, "row 1 of stream rows is cut", LWB_RESTART_PROTOCOL, 0,
      0 },
    { "rows-count", "{}", LWB_ERR_PROTOCOL, "stream rows ends with 3 rows, 2 came",
      LWB_RESTART_PROTOCOL, 0, 0 },
    { "rows-lost", "{}", LWB_ERR_PROTOCOL, "the answer counts 0 rows, 2 came", LWB_RESTART_PROTOCOL,
      0, 0 },
    { "close-output", "{}", LWB_ERR_PROTOCOL, "closed its output but did not exit",
      LWB_RESTART_PROTOCOL, 0, 0 },
    { "silent", "{}", LWB_ERR_TIMEOUT, "stream took longer than 300 ms", LWB_RESTART_TIMEOUT, 0,
      0 },
    { "rows-then-silent", "{}", LWB_ERR_TIMEOUT, "took longer than 300 ms", LWB_RESTART_TIMEOUT, 0,
      0 },
    { "close-input", "{}", LWB_ERR_TIMEOUT, "took longer than 300 ms", LWB_RESTART_TIMEOUT, 0, 0 },
};

static void expect(const struct fault *fault, const struct lwb_error *err)
{
    if (err->code != fault->code || !strstr(err->text, fault->text))
        fail_msg("%s: %s: %s", fault->name, lwb_code_name(err->code), err->text);
    assert_int_equal(fault->signal, err->facts.signal);
    assert_int_equal(fault->status, err->facts.status);
    assert_string_equal("stream", err->facts.operation);
    assert_true(err->facts.work_entered_child);
}

static void run_fault(const struct fault *fault)
{
    void *state;
    struct worker_fixture *fixture;
    struct lwb_worker_stats stats;
    struct lwb_session_call call;
    struct lwb_error err;

    (void)fixture_setup(&state);
    fixture = state;
    fixture_open(fixture, "normal");
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{}"));
    lwb_session_set_timeout(fixture->session, fault->code == LWB_ERR_TIMEOUT ? 300 : 20000);
    (void)fixture_run(fixture, LWB_MSG_STREAM, fault->name, fault->json);
    expect(fault, &fixture->done);
    assert_int_equal(0, child_processes());
    assert_int_equal(1, fixture->gone_calls);
    assert_int_equal(0, lwb_worker_pid(fixture->worker));

    /* The session is over, and says so without doing anything. */
    call = fixture_call(fixture);
    assert_false(lwb_session_is_valid(fixture->session));
    assert_int_equal(LWB_ERR_SESSION_INVALID,
                     fixture_request(fixture, LWB_MSG_COMMAND, "echo", "{}", &call, &err));

    /* The next generation works, and why it was needed is counted once (R19). */
    fixture_reopen(fixture);
    lwb_session_set_timeout(fixture->session, 0);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{}"));
    lwb_worker_stats(fixture->worker, &stats);
    assert_int_equal(1, stats.restarts);
    assert_int_equal(1, stats.restarts_by[fault->reason]);
    assert_int_equal(fault->reason, stats.last_restart.reason);
    assert_string_equal("stream", stats.last_restart.operation);
    assert_int_equal(1, stats.stream_failures);
    assert_int_equal(0, stats.stream_successes);
    (void)fixture_teardown(&state);
}

static void every_fault_ends_in_its_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(faults); i++)
        run_fault(&faults[i]);
}

/* A second answer can complete nothing: it ends the child, whoever comes next (R8). */
static void two_answers_end_the_child(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_open(fixture, "normal");
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "two-answers", "{}"));
    run_until(fixture, &fixture->gone_calls, 1);
    assert_int_equal(1, fixture->done_calls);
    assert_int_equal(LWB_WORKER_ABSENT, lwb_worker_state(fixture->worker));
}

static void speaking_while_idle_ends_the_child(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_create(fixture, "idle-frame");
    fixture_reopen(fixture);
    run_until(fixture, &fixture->gone_calls, 1);
    assert_false(lwb_session_is_valid(fixture->session));
}

static void a_death_while_idle_is_noticed(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_create(fixture, "idle-exit");
    fixture_start(fixture);
    run_until(fixture, &fixture->gone_calls, 1);
    assert_int_equal(LWB_WORKER_CRASHED, lwb_worker_state(fixture->worker));
    assert_int_equal(3, lwb_worker_last_exit(fixture->worker)->code);
}

/* A refusal is an answer: the child goes on. */
static void a_refusal_leaves_the_session_usable(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_open(fixture, "normal");
    assert_int_equal(LWB_ERR_WORKER, fixture_run(fixture, LWB_MSG_COMMAND, "refuse", "no-ink"));
    assert_string_equal("no-ink", fixture->done.facts.child_code);
    assert_string_equal("as was wished", fixture->done.text);
    assert_int_equal(LWB_ERR_STREAM_FAILED,
                     fixture_run(fixture, LWB_MSG_STREAM, "refuse", "stream-failed"));
    assert_int_equal(5, fixture->done.facts.status);
    assert_int_equal(LWB_ERR_ROW_MALFORMED,
                     fixture_run(fixture, LWB_MSG_STREAM, "refuse", "row-malformed"));
    assert_string_equal("rows", fixture->done.facts.stream);
    assert_int_equal(9, fixture->done.facts.sequence);
    assert_int_equal(LWB_ERR_STREAM_CALLBACK,
                     fixture_run(fixture, LWB_MSG_STREAM, "refuse", "stream-callback"));
    assert_int_equal(LWB_ERR_UNSUPPORTED,
                     fixture_run(fixture, LWB_MSG_COMMAND, "refuse", "unsupported"));
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{}"));
    assert_int_equal(1, lwb_worker_generation(fixture->worker));
}

/* R3: a second request is refused, and the first one does not notice. */
static void one_request_at_a_time(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_session_call call;
    struct lwb_error err;

    fixture_open(fixture, "normal");
    call = fixture_call(fixture);
    assert_int_equal(LWB_OK, fixture_request(fixture, LWB_MSG_COMMAND, "echo", "{}", &call, &err));
    assert_int_equal(LWB_ERR_BUSY,
                     fixture_request(fixture, LWB_MSG_COMMAND, "echo", "{}", &call, &err));
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_OK, fixture->done.code);
}

/* L10: what a sink refuses ends the request with the sink's error and the child with it. */
static void a_sink_that_says_stop(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_open(fixture, "normal");
    fixture->stop_at_row = 5;
    assert_int_equal(LWB_ERR_ROW_SINK, fixture_run(fixture, LWB_MSG_STREAM, "rows", "{\"n\":9}"));
    assert_int_equal(6, fixture->rows); /* and not one more */
    assert_string_equal("rows", fixture->done.facts.stream);
    assert_int_equal(5, fixture->done.facts.sequence);
    fixture->stop_at_row = UINT64_MAX;
    fixture_reopen(fixture);
    fixture->stop_progress = true;
    assert_int_equal(LWB_ERR_PROGRESS_SINK,
                     fixture_run(fixture, LWB_MSG_STREAM, "progress", "{\"n\":9}"));
    assert_int_equal(1, fixture->progresses);
    fixture_reopen(fixture);
    fixture->stop_diagnostic = true;
    assert_int_equal(LWB_ERR_DIAGNOSTIC_SINK,
                     fixture_run(fixture, LWB_MSG_STREAM, "diagnostic", "{\"n\":9}"));
    assert_int_equal(1, fixture->diagnostics);
    fixture_reopen(fixture);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_STREAM, "rows", "{\"n\":9}"));
}

/* L1: stderr never blocks the child, and only its end is kept. */
static void a_flood_on_stderr_does_no_harm(void **state)
{
    struct worker_fixture *fixture = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf tail = LWB_BUF(1 << 20);
    struct lwb_worker_stats stats;

    fixture_open(fixture, "normal");
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "flood",
                                         getenv("LWB_LONG_TESTS") ? "{\"n\":1024}" : "{\"n\":64}"));
    fixture_stop(fixture, true);
    lwb_worker_stats(fixture->worker, &stats);
    assert_true(stats.stderr_bytes > 64 << 20);
    lwb_worker_stderr(fixture->worker, 1 << 20, &tail);
    assert_true(tail.len <= 64 * 1024);
    assert_string_equal("the last words\n", tail.ptr + tail.len - 15);
}

/* L2, R2: the deadline covers writing; what the pipe has taken is not done. */
static void a_child_that_never_reads_is_timed_out(void **state)
{
    struct worker_fixture *fixture = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf big = LWB_BUF(16 << 20);
    struct lwb_open_request request = { .host = "fake" };
    struct lwb_session_call call = fixture_call(fixture);
    struct lwb_error err;

    fixture_create(fixture, "deaf");
    fixture_start(fixture);
    while (big.len < 15 << 20)
        lwb_buf_append_text(&big, "0123456789abcdef0123456789abcdef");
    request.project_root = lwb_buf_text(&big);
    call.timeout_ms = 200;
    assert_int_equal(LWB_OK, lwb_session_open(fixture->session, &request, &call, &err));
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_ERR_TIMEOUT, fixture->done.code);
    assert_int_equal(200, fixture->done.facts.ms);
}

/* L23: one oversized item fails that item, not the worker. */
static void a_request_over_the_limit_is_refused_here(void **state)
{
    struct worker_fixture *fixture = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf big = LWB_BUF(1 << 20);
    struct lwb_session_call call;
    struct lwb_error err;

    fixture->config.max_frame = 64 * 1024;
    fixture_open(fixture, "normal");
    while (big.len < 70000)
        lwb_buf_append_text(&big, "0123456789abcdef");
    call = fixture_call(fixture);
    assert_int_equal(LWB_ERR_LIMIT, fixture_request(fixture, LWB_MSG_COMMAND, "echo",
                                                    lwb_buf_text(&big), &call, &err));
    assert_int_equal(64 * 1024, err.facts.limit);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_ends_in_its_error),
        WORKER_TEST(two_answers_end_the_child),
        WORKER_TEST(speaking_while_idle_ends_the_child),
        WORKER_TEST(a_death_while_idle_is_noticed),
        WORKER_TEST(a_refusal_leaves_the_session_usable),
        WORKER_TEST(one_request_at_a_time),
        WORKER_TEST(a_sink_that_says_stop),
        WORKER_TEST(a_flood_on_stderr_does_no_harm),
        WORKER_TEST(a_child_that_never_reads_is_timed_out),
        WORKER_TEST(a_request_over_the_limit_is_refused_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
