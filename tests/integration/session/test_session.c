#include "tests/support/test.h"

#include "tests/support/worker_fixture.h"

/* Every command of a session goes out as its request and comes back as its reply. */

static void expect_reply(struct worker_fixture *fixture, int rc, enum lwb_message_type type)
{
    assert_int_equal(LWB_OK, rc);
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_OK, fixture->done.code);
    assert_int_equal(type, fixture->reply.type);
    fixture->done_calls = 0;
}

static void every_command_has_its_reply(void **state)
{
    struct worker_fixture *fixture = *state;
    const struct lwb_check_request check = { .module = "A", .file = "A.lean" };
    const struct lwb_elaborate_request text = { .label = "input", .source = { "x", 1 } };
    const struct lwb_export_request export = { "name", { "{\"k\":1}", 7 } };
    char *words[] = { "Nat", "No.such", NULL };
    const struct lwb_strvec names = { words, 2, 0 };
    struct lwb_session_call call;
    struct lwb_session *session;
    struct lwb_error err;

    fixture_open(fixture, "normal");
    session = fixture->session;
    call = fixture_call(fixture);
    fixture->done_calls = 0;
    expect_reply(fixture, lwb_session_health(session, &call, &err), LWB_MSG_HEALTH);
    expect_reply(fixture, lwb_session_check(session, &check, &call, &err), LWB_MSG_CHECK);
    assert_int_equal(LWB_VERDICT_ACCEPTED, fixture->reply.check.verdict);
    assert_true(fixture->reply.check.storable);
    expect_reply(fixture, lwb_session_elaborate(session, &text, &call, &err), LWB_MSG_ELABORATE);
    assert_true(fixture->reply.elaborate.success);
    expect_reply(fixture, lwb_session_kernel_check(session, &text, &call, &err),
                 LWB_MSG_KERNEL_CHECK);
    assert_int_equal(LWB_KERNEL_CHECKED, fixture->reply.kernel.status);
    expect_reply(fixture, lwb_session_declaration_kinds(session, &names, &call, &err),
                 LWB_MSG_DECLARATION_KINDS);
    assert_int_equal(2, fixture->reply.strings.items.count);
    expect_reply(fixture, lwb_session_declaration_names(session, "N", &call, &err),
                 LWB_MSG_DECLARATION_NAMES);
    expect_reply(fixture, lwb_session_command(session, &export, &call, &err), LWB_MSG_COMMAND);
    assert_string_equal("{\"k\":1}", fixture->answer);
    expect_reply(fixture, lwb_session_metadata(session, &export, &call, &err), LWB_MSG_METADATA);
    expect_reply(fixture, lwb_session_doctor(session, &export, &call, &err), LWB_MSG_DOCTOR);
    expect_reply(fixture, lwb_session_stream(session, &export, &call, &err), LWB_MSG_STREAM);
    assert_int_equal(0, fixture->reply.summary.total_rows);
}

/* As many kinds as names, or none of them can be believed. */
static void kinds_without_their_names_break_the_protocol(void **state)
{
    struct worker_fixture *fixture = *state;
    char *words[] = { "Nat", NULL };
    const struct lwb_strvec names = { words, 1, 0 };
    struct lwb_session_call call;
    struct lwb_error err;

    fixture_open(fixture, "normal");
    call = fixture_call(fixture);
    fixture->done_calls = 0;
    assert_int_equal(LWB_OK, lwb_session_declaration_kinds(fixture->session, &names, &call, &err));
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_ERR_PROTOCOL, fixture->done.code);
}

static void a_session_must_be_opened_first(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_session_call call = fixture_call(fixture);
    struct lwb_error err;

    fixture_create(fixture, "normal");
    fixture_start(fixture);
    assert_int_equal(LWB_ERR_SESSION_INVALID, lwb_session_health(fixture->session, &call, &err));
    assert_string_equal("session is not open", err.text);
}

static void a_session_that_is_refused_is_not_open(void **state)
{
    struct worker_fixture *fixture = *state;

    fixture_create(fixture, "refuse-open");
    fixture_reopen(fixture);
    assert_int_equal(LWB_ERR_NO_TOOLCHAIN, fixture->done.code);
    assert_false(lwb_session_is_valid(fixture->session));
    assert_int_equal(LWB_WORKER_IDLE, lwb_worker_state(fixture->worker));
}

/* R20: the policy acts before a request is written, and never before the first. */
static void policies_act_between_requests(void **state)
{
    struct worker_fixture *fixture = *state;
    const struct lwb_open_request again = { .host = "fake" };
    struct lwb_session_call call;
    struct lwb_error err;

    fixture->config.policy.max_imports = 1;
    fixture_open(fixture, "normal"); /* a single import does not restart before itself */
    call = fixture_call(fixture);
    assert_int_equal(LWB_ERR_SESSION_INVALID, lwb_session_health(fixture->session, &call, &err));
    assert_non_null(strstr(err.text, "max-imports"));
    assert_int_equal(1, lwb_worker_generation(fixture->worker));
    fixture_stop(fixture, true);
    fixture_start(fixture);
    fixture->done_calls = 0;
    assert_int_equal(LWB_OK, lwb_session_open(fixture->session, &again, &call, &err));
    run_until(fixture, &fixture->done_calls, 1);
    assert_true(lwb_session_is_valid(fixture->session));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(every_command_has_its_reply),
        WORKER_TEST(kinds_without_their_names_break_the_protocol),
        WORKER_TEST(a_session_must_be_opened_first),
        WORKER_TEST(a_session_that_is_refused_is_not_open),
        WORKER_TEST(policies_act_between_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
