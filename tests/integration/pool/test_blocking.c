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

static void expect_kind(int rc, enum lwb_message_type type, struct lwb_kept_reply *kept,
                        const struct lwb_error *err)
{
    if (rc != LWB_OK)
        fail_msg("%s", err->text);
    assert_int_equal(kept->reply.type, type);
    lwb_kept_reply_release(kept);
}

/* Every function of this face sends the request that its name says, and hands its answer out. */
static void each_kind_of_request_can_be_waited_for(void **state)
{
    struct blocking_test *test = *state;
    char *items[] = { "Nat", "No.such", NULL };
    const struct lwb_strvec names = { .items = items, .count = 2 };
    const struct lwb_check_request check = { .module = "A", .file = "A.lean", .source = { "", 0 } };
    const struct lwb_elaborate_request text = { .label = "t", .source = { "x", 1 } };
    const struct lwb_export_request empty = { "echo", { "{}", 2 } };
    struct lwb_lease *lease = acquire(test);
    struct lwb_blocking *client = test->client;
    struct lwb_kept_reply kept = { 0 };
    struct lwb_worker_stats before, after;
    struct lwb_error err;

    lwb_lease_snapshot(lease, &before);
    expect_kind(lwb_blocking_health(client, lease, NULL, &kept, &err), LWB_MSG_HEALTH, &kept, &err);
    expect_kind(lwb_blocking_check(client, lease, &check, NULL, &kept, &err), LWB_MSG_CHECK, &kept,
                &err);
    expect_kind(lwb_blocking_elaborate(client, lease, &text, NULL, &kept, &err), LWB_MSG_ELABORATE,
                &kept, &err);
    expect_kind(lwb_blocking_kernel_check(client, lease, &text, NULL, &kept, &err),
                LWB_MSG_KERNEL_CHECK, &kept, &err);
    expect_kind(lwb_blocking_declaration_kinds(client, lease, &names, NULL, &kept, &err),
                LWB_MSG_DECLARATION_KINDS, &kept, &err);
    expect_kind(lwb_blocking_declaration_names(client, lease, "Nat", NULL, &kept, &err),
                LWB_MSG_DECLARATION_NAMES, &kept, &err);
    expect_kind(lwb_blocking_metadata(client, lease, &empty, NULL, &kept, &err), LWB_MSG_METADATA,
                &kept, &err);
    expect_kind(lwb_blocking_doctor(client, lease, &empty, NULL, &kept, &err), LWB_MSG_DOCTOR,
                &kept, &err);
    lwb_lease_snapshot(lease, &after);
    assert_int_equal(after.requests - before.requests, 8);
    lwb_blocking_return(client, lease);
}

static void a_lease_can_have_a_time_of_its_own(void **state)
{
    struct blocking_test *test = *state;
    const struct lwb_export_request silent = { "silent", { "{}", 2 } };
    struct lwb_kept_reply kept = { 0 };
    struct lwb_lease *lease = acquire(test);
    struct lwb_error err;

    lwb_lease_set_timeout(lease, 20);
    assert_int_equal(LWB_ERR_TIMEOUT,
                     lwb_blocking_command(test->client, lease, &silent, NULL, &kept, &err));
    assert_int_equal(err.facts.ms, 20);
    lwb_blocking_return(test->client, lease);
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
        cmocka_unit_test_setup_teardown(each_kind_of_request_can_be_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lease_can_have_a_time_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_come_while_the_call_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crash_hurts_only_its_own_lease, setup, teardown),
        cmocka_unit_test_setup_teardown(another_thread_can_cancel, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
