#include "tests/support/test.h"

#include <uv.h>

#include "lwbuild/lwbuild.h"
#include "tests/support/worker_fixture.h"

/* The face for programs without a loop, as such a program uses it. */

struct blocking_test {
    struct lwb_strvec arguments;
    struct lwb_pool_config config;
    struct lwb_blocking *client;
};

static const struct lwb_session_config world = { .open.host = "fake" };

static int setup(void **state)
{
    static struct blocking_test test;
    struct lwb_error err;

    test = (struct blocking_test){ .config.worker = LWB_WORKER_CONFIG_DEFAULTS };
    assert_int_equal(0, lwb_strvec_append(&test.arguments, "normal"));
    test.config.max_workers = 2;
    test.config.worker.executable = FAKE_CHILD;
    test.config.worker.arguments = &test.arguments;
    assert_int_equal(LWB_OK, lwb_blocking_open(&test.client, &test.config, &err));
    *state = &test;
    return 0;
}

static int teardown(void **state)
{
    struct blocking_test *test = *state;

    lwb_blocking_close(test->client);
    lwb_strvec_release(&test->arguments);
    assert_int_equal(0, child_processes());
    return 0;
}

static struct lwb_lease *acquire(struct blocking_test *test)
{
    struct lwb_lease *lease = NULL;
    struct lwb_error err = { 0 };

    if (lwb_blocking_acquire(test->client, &world, NULL, &lease, &err) < 0)
        fail_msg("%s", err.text);
    return lease;
}

static void a_reply_outlives_the_call(void **state)
{
    struct blocking_test *test = *state;
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply kept = { 0 };
    const struct lwb_export_request echo = { "echo", { "{\"a\":[1,2]}", 11 } };
    struct lwb_lease *lease = acquire(test);
    struct lwb_error err;

    assert_int_equal(LWB_OK, lwb_blocking_command(test->client, lease, &echo, NULL, &kept, &err));
    lwb_blocking_return(test->client, lease);
    assert_true(lwb_bytes_is(kept.reply.answer.json, "{\"a\":[1,2]}"));
}

static bool count_row(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row)
{
    (void)stream;
    (void)row;
    assert_int_equal(*(uint64_t *)ctx, sequence);
    ++*(uint64_t *)ctx;
    return true;
}

static void rows_come_while_the_call_waits(void **state)
{
    struct blocking_test *test = *state;
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply kept = { 0 };
    const struct lwb_export_request rows = { "rows", { "{\"n\":5000}", 10 } };
    uint64_t count = 0;
    const struct lwb_sinks sinks = { .row = count_row, .ctx = &count };
    const struct lwb_blocking_options options = { .sinks = &sinks };
    struct lwb_error err;

    assert_int_equal(
        LWB_OK, lwb_blocking_stream(test->client, acquire(test), &rows, &options, &kept, &err));
    assert_int_equal(5000, count);
    assert_int_equal(5000, kept.reply.summary.total_rows);
    assert_string_equal("rows", kept.reply.summary.streams[0].stream);
}

/* R28: leases that are not returned are ended with the client, in order and in bounded time. */
static void a_crash_hurts_only_its_own_lease(void **state)
{
    struct blocking_test *test = *state;
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply kept = { 0 };
    const struct lwb_export_request crash = { "segv", { "{}", 2 } };
    const struct lwb_export_request echo = { "echo", { "{}", 2 } };
    struct lwb_lease *victim = acquire(test);
    struct lwb_lease *other = acquire(test);
    struct lwb_error err;

    assert_int_equal(LWB_ERR_CHILD_ABORTED,
                     lwb_blocking_command(test->client, victim, &crash, NULL, &kept, &err));
    assert_int_equal(LWB_ERR_LEASE_INVALID,
                     lwb_blocking_command(test->client, victim, &echo, NULL, &kept, &err));
    assert_int_equal(LWB_OK, lwb_blocking_command(test->client, other, &echo, NULL, &kept, &err));
    lwb_blocking_return(test->client, victim);
    lwb_kept_reply_release(&kept);
    assert_int_equal(LWB_OK,
                     lwb_blocking_command(test->client, acquire(test), &echo, NULL, &kept, &err));
}

static void fire(void *token)
{
    lwb_cancel_token_fire(token);
}

static void another_thread_can_cancel(void **state)
{
    struct blocking_test *test = *state;
    struct lwb_kept_reply kept = { 0 };
    const struct lwb_export_request silent = { "silent", { "{}", 2 } };
    struct lwb_blocking_options options = { 0 };
    struct lwb_lease *lease = acquire(test);
    uv_thread_t thread;
    struct lwb_error err;

    assert_int_equal(
        LWB_OK, lwb_cancel_token_create(&options.cancel, lwb_blocking_loop(test->client), &err));
    assert_int_equal(0, uv_thread_create(&thread, fire, options.cancel));
    assert_int_equal(LWB_ERR_CANCELLED,
                     lwb_blocking_command(test->client, lease, &silent, &options, &kept, &err));
    assert_int_equal(0, uv_thread_join(&thread));
    assert_int_equal(LWB_ERR_CANCELLED,
                     lwb_blocking_acquire(test->client, &world, options.cancel, &lease, &err));
    lwb_cancel_token_close(options.cancel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reply_outlives_the_call, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_come_while_the_call_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crash_hurts_only_its_own_lease, setup, teardown),
        cmocka_unit_test_setup_teardown(another_thread_can_cancel, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
