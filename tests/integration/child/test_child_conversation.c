#include <signal.h>
#include <sys/wait.h>

#include "lwbuild/base/proc_tree.h"
#include "lwbuild/child.h"
#include "tests/support/child_pipe.h"
#include "tests/support/test.h"

/* A child that has said hello and opened a session with the echo host. */
static void start(struct child_pipe *child)
{
    struct lwb_message message = { 0 };

    child_pipe_start(child, ECHO_CHILD, NULL);
    child_pipe_hello(child, LWB_FRAME_DEFAULT_LIMIT, NULL);
    child_pipe_open(child, "echo", NULL, NULL);
    child_pipe_expect(child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
}

static void expect_exit(struct child_pipe *child, int code, const char *words)
{
    int status = child_pipe_wait(child);

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
    if (words)
        assert_non_null(strstr(lwb_buf_text(&child->errors), words));
}

static void expect_verdict(struct child_pipe *child, struct lwb_message *message,
                           struct lwb_check_response *response, enum lwb_verdict verdict)
{
    struct lwb_error err;

    child_pipe_expect(child, message, LWB_MSG_RESPONSE);
    assert_int_equal(lwb_check_response_decode(response, message, &err), LWB_OK);
    assert_int_equal(response->verdict, verdict);
}

static void hello_says_who_and_how_much(void **state)
{
    struct lwb_hello_request request = { .max_frame = 1, .parent = "a test" };
    struct lwb_buf frame = LWB_BUF(4096);
    struct lwb_hello_response response;
    struct lwb_message message = { 0 };
    struct child_pipe child;
    struct lwb_error err;
    pid_t guardian;
    char state_letter;

    (void)state;
    child_pipe_start(&child, ECHO_CHILD, NULL);
    assert_int_equal(lwb_hello_request_encode(&frame, child_pipe_request(&child, LWB_MSG_HELLO),
                                              &request, 4096, &err),
                     LWB_OK);
    child_pipe_send(&child, &frame);
    child_pipe_expect(&child, &message, LWB_MSG_RESPONSE);
    assert_int_equal(lwb_hello_response_decode(&response, &message, &err), LWB_OK);
    assert_true(lwb_proc_stat((pid_t)response.pid, &guardian, &state_letter));
    assert_int_equal(guardian, child.pid);
    assert_int_equal(response.max_frame, LWB_FRAME_MIN_LIMIT);
    assert_int_equal(response.n_hosts, 1);
    assert_string_equal(response.hosts[0].kind, "echo");
    assert_int_equal(strlen(response.hosts[0].digest), LWB_DIGEST_HEX);
    assert_int_equal(strncmp(response.child, "lwbuild-child ", 14), 0);
    lwb_message_release(&message);
    child_pipe_stop(&child);
}

static void the_end_of_input_ends_it(void **state)
{
    struct child_pipe child;

    (void)state;
    start(&child);
    child_pipe_close_input(&child);
    expect_exit(&child, LWB_CHILD_EXIT_OK, NULL);
    assert_int_equal(child.errors.len, 0);
    child_pipe_stop(&child);
}

static void terminate_is_answered_before_the_end(void **state)
{
    struct lwb_message message = { 0 };
    struct child_pipe child;

    (void)state;
    start(&child);
    child_pipe_send_plain(&child, LWB_MSG_HEALTH);
    child_pipe_expect(&child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
    child_pipe_send_plain(&child, LWB_MSG_TERMINATE);
    child_pipe_expect(&child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
    assert_int_equal(child_pipe_next(&child, &message), 0);
    expect_exit(&child, LWB_CHILD_EXIT_OK, NULL);
    child_pipe_stop(&child);
}

static void a_check_sends_its_events_and_then_its_verdict(void **state)
{
    struct lwb_check_response response;
    struct lwb_diagnostic diagnostic;
    struct lwb_progress progress;
    struct lwb_message message = { 0 };
    struct child_pipe child;
    struct lwb_error err;

    (void)state;
    start(&child);
    child_pipe_check(&child, "-- echo: progress 1\n-- echo: reject 3:5 not so\n");
    child_pipe_expect(&child, &message, LWB_MSG_PROGRESS);
    assert_int_equal(lwb_progress_decode(&progress, &message, &err), LWB_OK);
    assert_string_equal(progress.phase, "echo");
    assert_int_equal(progress.current, 1);
    assert_true(progress.has_total);
    lwb_message_release(&message);
    child_pipe_expect(&child, &message, LWB_MSG_DIAGNOSTIC);
    assert_int_equal(lwb_diagnostic_decode(&diagnostic, &message, &err), LWB_OK);
    assert_int_equal(diagnostic.severity, LWB_SEVERITY_ERROR);
    assert_int_equal(diagnostic.line, 3);
    assert_int_equal(diagnostic.column, 5);
    assert_true(lwb_bytes_is(diagnostic.message, "not so"));
    lwb_message_release(&message);
    expect_verdict(&child, &message, &response, LWB_VERDICT_REJECTED);
    assert_true(response.storable);
    lwb_message_release(&message);
    child_pipe_check(&child, "theorem t : True := trivial\n");
    expect_verdict(&child, &message, &response, LWB_VERDICT_ACCEPTED);
    lwb_message_release(&message);
    child_pipe_stop(&child);
}

static void refusals_leave_it_usable(void **state)
{
    struct lwb_check_response response;
    struct lwb_message message = { 0 };
    struct child_pipe child;

    (void)state;
    child_pipe_start(&child, ECHO_CHILD, NULL);
    child_pipe_hello(&child, LWB_FRAME_DEFAULT_LIMIT, NULL);
    child_pipe_check(&child, "");
    child_pipe_expect_refusal(&child, "session-invalid");
    child_pipe_open(&child, "nobody", NULL, NULL);
    child_pipe_expect_refusal(&child, "unsupported");
    child_pipe_open(&child, "echo", NULL, NULL);
    child_pipe_expect(&child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
    child_pipe_export(&child, LWB_MSG_COMMAND, "nothing", "{}");
    child_pipe_expect_refusal(&child, "unsupported");
    child_pipe_check(&child, "-- echo: refuse my-word because\n");
    child_pipe_expect_refusal(&child, "my-word");
    child_pipe_check(&child, "");
    expect_verdict(&child, &message, &response, LWB_VERDICT_ACCEPTED);
    lwb_message_release(&message);
    child_pipe_stop(&child);
}

static void an_answer_over_the_limit_fails_alone(void **state)
{
    struct lwb_message message = { 0 };
    struct lwb_answer answer;
    struct child_pipe child;
    struct lwb_error err;

    (void)state;
    child_pipe_start(&child, ECHO_CHILD, NULL);
    child_pipe_hello(&child, LWB_FRAME_MIN_LIMIT, NULL);
    child_pipe_open(&child, "echo", NULL, NULL);
    child_pipe_expect(&child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
    child_pipe_export(&child, LWB_MSG_COMMAND, "large", "{\"bytes\":65536}");
    child_pipe_expect_refusal(&child, "limit");
    child_pipe_export(&child, LWB_MSG_COMMAND, "large", "{\"bytes\":20000}");
    child_pipe_expect(&child, &message, LWB_MSG_RESPONSE);
    assert_int_equal(lwb_answer_decode(&answer, &message, &err), LWB_OK);
    assert_int_equal(answer.json.len, 20000);
    lwb_message_release(&message);
    child_pipe_stop(&child);
}

static void declarations_are_answered_in_order(void **state)
{
    struct lwb_strvec names = { 0 };
    struct lwb_declaration_kinds_request request = { .names = &names };
    struct lwb_buf frame = LWB_BUF(4096);
    struct lwb_strings_response response;
    struct lwb_message message = { 0 };
    struct child_pipe child;
    struct lwb_error err;

    (void)state;
    start(&child);
    assert_int_equal(lwb_strvec_append(&names, "propext"), 0);
    assert_int_equal(lwb_strvec_append(&names, "no.such"), 0);
    assert_int_equal(lwb_strvec_append(&names, "Nat.add_comm"), 0);
    assert_int_equal(
        lwb_declaration_kinds_request_encode(
            &frame, child_pipe_request(&child, LWB_MSG_DECLARATION_KINDS), &request, 4096, &err),
        LWB_OK);
    child_pipe_send(&child, &frame);
    child_pipe_expect(&child, &message, LWB_MSG_RESPONSE);
    assert_int_equal(lwb_strings_response_decode(&response, &message, &err), LWB_OK);
    assert_int_equal(response.items.count, 3);
    assert_string_equal(response.items.items[0], "axiom");
    assert_string_equal(response.items.items[1], "");
    assert_string_equal(response.items.items[2], "theorem");
    lwb_message_release(&message);
    lwb_strvec_release(&names);
    child_pipe_stop(&child);
}

/* ---- breaches of the protocol ---------------------------------------------------------------- */

static void send_raw(struct child_pipe *child, const char *payload)
{
    struct lwb_buf frame = LWB_BUF(4096);

    lwb_buf_append_u32be(&frame, (uint32_t)strlen(payload));
    lwb_buf_append_text(&frame, payload);
    child_pipe_send(child, &frame);
}

static void what_breaks_the_protocol_ends_it_with_a_reason(void **state)
{
    static const struct {
        const char *payload;
        const char *words;
    } cases[] = {
        { "{\"version\":1,\"generation\":2,\"request\":9,\"type\":\"health\"}", "generation 2" },
        { "{\"version\":2,\"generation\":1,\"request\":9,\"type\":\"health\"}", "version 2" },
        { "{\"version\":1,\"generation\":1,\"request\":1,\"type\":\"health\"}",
          "request 1 after 1" },
        { "{\"version\":1,\"generation\":1,\"request\":9,\"type\":\"rows\"}", "not a request" },
        { "{\"version\":1,\"generation\":1,\"request\":9,\"type\":\"hello\"}", "after hello" },
        { "{\"version\":1,\"generation\":1,\"request\":9,\"type\":\"dance\"}", "dance" },
        { "[]", "not a JSON object" },
        { "", "empty frame" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct child_pipe child;

        start(&child);
        send_raw(&child, cases[i].payload);
        expect_exit(&child, LWB_CHILD_EXIT_PROTOCOL, cases[i].words);
        child_pipe_stop(&child);
    }
}

static void nothing_comes_before_hello(void **state)
{
    struct child_pipe child;

    (void)state;
    child_pipe_start(&child, ECHO_CHILD, NULL);
    child_pipe_send_plain(&child, LWB_MSG_HEALTH);
    expect_exit(&child, LWB_CHILD_EXIT_PROTOCOL, "\"health\" before hello");
    child_pipe_stop(&child);
}

static void input_that_ends_inside_a_frame_is_an_error(void **state)
{
    struct lwb_buf frame = LWB_BUF(64);
    struct child_pipe child;

    (void)state;
    start(&child);
    lwb_buf_append_u32be(&frame, 100);
    lwb_buf_append_text(&frame, "{\"version\"");
    child_pipe_send(&child, &frame);
    child_pipe_close_input(&child);
    expect_exit(&child, LWB_CHILD_EXIT_PROTOCOL, "inside a frame");
    child_pipe_stop(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_says_who_and_how_much),
        cmocka_unit_test(the_end_of_input_ends_it),
        cmocka_unit_test(terminate_is_answered_before_the_end),
        cmocka_unit_test(a_check_sends_its_events_and_then_its_verdict),
        cmocka_unit_test(refusals_leave_it_usable),
        cmocka_unit_test(an_answer_over_the_limit_fails_alone),
        cmocka_unit_test(declarations_are_answered_in_order),
        cmocka_unit_test(what_breaks_the_protocol_ends_it_with_a_reason),
        cmocka_unit_test(nothing_comes_before_hello),
        cmocka_unit_test(input_that_ends_inside_a_frame_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
