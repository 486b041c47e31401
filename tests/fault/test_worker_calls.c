#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/fault_calls.h"
#include "tests/support/worker_fixture.h"

/*
 * Lives of a worker - one that goes well and one that is cancelled - again and
 * again; each time another system call fails. Every life ends, in time, with
 * success or with an error that the failed call accounts for, and leaves no
 * process and no descriptor behind. Then an undisturbed life works again.
 */
struct expectation {
    long least; /* as many calls there are at least */
    enum lwb_code codes[4];
};

static const struct expectation expectations[FAULT_CALLS] = {
    [FAULT_PIPE] = { 3, { LWB_ERR_SPAWN } },
    [FAULT_SPAWN] = { 1, { LWB_ERR_SPAWN } },
    [FAULT_READ] = { 3, { LWB_ERR_PROTOCOL, LWB_ERR_HANDSHAKE, LWB_ERR_CHILD_EXITED } },
    [FAULT_WRITE] = { 3, { LWB_ERR_PROTOCOL, LWB_ERR_HANDSHAKE } },
    [FAULT_FCNTL] = { 2, { LWB_ERR_SPAWN } },
    [FAULT_IOCTL] = { 1, { LWB_ERR_SPAWN } },
    [FAULT_WAITPID] = { 1, { LWB_ERR_WAIT, LWB_ERR_CANCELLED } },
    [FAULT_KILL] = { 2, { LWB_ERR_CANCELLED } },
    [FAULT_OPEN] = { 1, { LWB_ERR_CANCELLED } },
    [FAULT_OPENDIR] = { 1, { LWB_ERR_CANCELLED } },
    [FAULT_PRLIMIT] = { 1, { LWB_ERR_CANCELLED } },
    [FAULT_PIDFD] = { 1, { 0 } }, /* SIGCHLD says it then */
};

static char words[1300]; /* of the last error */

static void on_started(void *ctx, const struct lwb_error *err)
{
    struct worker_fixture *fixture = ctx;

    fixture->started = err ? *err : (struct lwb_error){ 0 };
    fixture->started_calls++;
}

static enum lwb_code start(struct worker_fixture *fixture)
{
    struct lwb_error err;

    if (lwb_worker_start(fixture->worker, on_started, fixture, &err) < 0)
        return err.code;
    run_until(fixture, &fixture->started_calls, 1);
    return fixture->started.code;
}

static enum lwb_code open_session(struct worker_fixture *fixture)
{
    const struct lwb_open_request request = { .host = "fake" };
    const struct lwb_session_call call = fixture_call(fixture);
    struct lwb_error err;

    if (lwb_session_open(fixture->session, &request, &call, &err) < 0)
        return err.code;
    run_until(fixture, &fixture->done_calls, 1);
    return fixture->done.code;
}

static enum lwb_code request(struct worker_fixture *fixture, const char *name, bool cancel)
{
    struct lwb_session_call call = fixture_call(fixture);
    struct lwb_error err;

    if (fixture_request(fixture, LWB_MSG_STREAM, name, "{\"n\":2000}", &call, &err) < 0)
        return err.code;
    if (cancel)
        lwb_worker_cancel(fixture->worker);
    run_until(fixture, &fixture->done_calls, 1);
    return fixture->done.code;
}

/* Returns what went wrong, LWB_OK if nothing did. */
static enum lwb_code live(enum fault_call call, long n, bool cancel)
{
    void *state;
    struct worker_fixture *fixture;
    enum lwb_code code;

    (void)fixture_setup(&state);
    fixture = state;
    fixture->config.reap_timeout_ms = 300; /* what is lost is given up soon */
    fixture->config.policy.hard_memory = (uint64_t)1 << 40;
    fixture->config.memory_sample_ms = 1;
    fixture_create(fixture, "normal");
    fault_call_arm(call, n); /* the loop is there: it was made once and for all */
    code = start(fixture);
    if (code == LWB_OK)
        code = open_session(fixture);
    if (code == LWB_OK)
        code = request(fixture, cancel ? "silent" : "rows", cancel);
    if (lwb_worker_state_has_child(lwb_worker_state(fixture->worker)))
        fixture_stop(fixture, !cancel);
    if (code != LWB_OK)
        (void)snprintf(words, sizeof(words), "%s%s", fixture->started.text, fixture->done.text);
    (void)fault_call_disarm(); /* tearing down is not part of it; what fired stays known */
    (void)fixture_teardown(&state);
    return code;
}

static bool is_expected(enum lwb_code code, const struct expectation *expectation, bool cancel)
{
    if (code == (cancel ? LWB_ERR_CANCELLED : LWB_OK))
        return true;
    for (size_t i = 0; i < LWB_COUNT(expectation->codes); i++)
        if (expectation->codes[i] && code == expectation->codes[i])
            return true;
    return false;
}

static long sweep(enum fault_call call, bool cancel)
{
    enum lwb_code code;
    long n = 0;

    do {
        code = live(call, n++, cancel);
        if (!is_expected(code, &expectations[call], cancel))
            fail_msg("%s %ld%s: %s: %s", fault_call_name(call), n - 1, cancel ? " (cancelled)" : "",
                     lwb_code_name(code), words);
    } while (fault_call_disarm());
    assert_int_equal(cancel ? LWB_ERR_CANCELLED : LWB_OK, live(FAULT_CALLS, 0, cancel));
    return n - 1;
}

static void every_call_fails_once(void **state)
{
    (void)state;
    assert_int_equal(LWB_OK, live(FAULT_CALLS, 0, false));
    for (int call = 0; call < FAULT_CALLS; call++) {
        long fired = sweep((enum fault_call)call, false) + sweep((enum fault_call)call, true);

        print_message("%s: %ld\n", fault_call_name((enum fault_call)call), fired);
        assert_true(fired >= expectations[call].least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_call_fails_once) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
