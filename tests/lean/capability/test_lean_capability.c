/* A real child over a real Lean: what its code does to others, and what it cannot. */
#include "tests/support/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/support/child_pipe.h"

static void start(struct child_pipe *child)
{
    struct lwb_message message = { 0 };

    child_pipe_start(child, LWBUILD_CHILD, NULL);
    child_pipe_hello(child, 1 << 20, NULL);
    child_pipe_open(child, "capability", MANIFEST, "/tmp");
    child_pipe_expect(child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
}

static void expect_answer(struct child_pipe *child, const char *name, const char *request,
                          const char *json)
{
    struct lwb_message message = { 0 };
    struct lwb_answer answer;
    struct lwb_error err;

    child_pipe_export(child, LWB_MSG_COMMAND, name, request);
    child_pipe_expect(child, &message, LWB_MSG_RESPONSE);
    assert_int_equal(lwb_answer_decode(&answer, &message, &err), LWB_OK);
    assert_true(lwb_bytes_is(answer.json, json));
    lwb_message_release(&message);
}

static void expect_refusal(struct child_pipe *child, const char *code, const char *text)
{
    struct lwb_message message = { 0 };
    struct lwb_refusal refusal;
    struct lwb_error err;

    child_pipe_expect(child, &message, LWB_MSG_REFUSAL);
    assert_int_equal(lwb_refusal_decode(&refusal, &message, &err), LWB_OK);
    assert_string_equal(refusal.code, code);
    assert_string_equal(refusal.text, text);
    lwb_message_release(&message);
}

static void errors_of_io_are_refusals_in_leans_words(void **state)
{
    struct child_pipe child;

    (void)state;
    start(&child);
    expect_answer(&child, "echo", "{\"a\":\"\xf0\x9f\x8c\xb1\"}", "{\"a\":\"\xf0\x9f\x8c\xb1\"}");
    child_pipe_export(&child, LWB_MSG_COMMAND, "refuse", "1");
    expect_refusal(&child, "lean.io", "no 1 \xe2\x80\x94 not today");
    child_pipe_export(&child, LWB_MSG_COMMAND, "read", "\"/nowhere/file\"");
    expect_refusal(&child, "lean.io",
                   "no such file or directory (error code: 2) file: /nowhere/file");
    child_pipe_export(&child, LWB_MSG_COMMAND, "nul", "1");
    expect_refusal(&child, "lean.nul", "the answer holds a NUL");
    expect_answer(&child, "echo", "[2]", "[2]");
    child_pipe_stop(&child);
}

static void texts_of_rows_are_json(void **state)
{
    struct child_pipe child;

    (void)state;
    start(&child);
    expect_answer(&child, "texts", "x",
                  "[\"a\\\"b\\\\c\\u000a\\u0009\\u0001\x7f\xc3\xa9\xf0\x9f\x8c\xb1x\",\"\",true]");
    child_pipe_stop(&child);
}

static void what_lean_prints_does_not_get_between_frames(void **state)
{
    struct child_pipe child;

    (void)state;
    start(&child);
    expect_answer(&child, "print", "[1]", "[1]");
    child_pipe_close_input(&child);
    assert_int_equal(child_pipe_wait(&child), 0);
    assert_non_null(strstr(lwb_buf_text(&child.errors), "printed [1]\n"));
    child_pipe_stop(&child);
}

/* Whatever it is that Lean dies of, the words are on stderr and the answer never comes. */
static void expect_death(const char *name, const char *words)
{
    struct child_pipe child;
    struct lwb_message message = { 0 };
    int status;

    start(&child);
    child_pipe_export(&child, LWB_MSG_COMMAND, name, "\"a request\"");
    assert_int_equal(child_pipe_next(&child, &message), 0);
    status = child_pipe_wait(&child);
    assert_true(WIFSIGNALED(status));
    assert_true(WTERMSIG(status) == SIGABRT || WTERMSIG(status) == SIGSEGV);
    if (!strstr(lwb_buf_text(&child.errors), words))
        print_error("%s\n", lwb_buf_text(&child.errors));
    assert_non_null(strstr(lwb_buf_text(&child.errors), words));
    child_pipe_stop(&child);
}

static void a_panic_is_death_and_no_answer(void **state)
{
    (void)state;
    expect_death("panic", "PANIC at Fixture.panics");
    expect_death("index", "index out of bounds");
    expect_death("exit", "");
}

static void a_stack_overflow_is_death_and_no_answer(void **state)
{
    (void)state;
    expect_death("overflow", "Stack overflow detected");
}

static void a_stream_that_fails_says_why(void **state)
{
    struct child_pipe child;
    struct lwb_message message = { 0 };
    struct lwb_refusal refusal;
    struct lwb_error err;
    int rows = 0;

    (void)state;
    start(&child);
    child_pipe_export(&child, LWB_MSG_STREAM, "breaks", "[7]");
    while (child_pipe_next(&child, &message) == 1 && message.head.type != LWB_MSG_REFUSAL) {
        rows += message.head.type == LWB_MSG_ROWS;
        lwb_message_release(&message);
    }
    assert_true(rows > 0);
    assert_int_equal(lwb_refusal_decode(&refusal, &message, &err), LWB_OK);
    assert_string_equal(refusal.text, "lean.io: broken [7]");
    lwb_message_release(&message);
    expect_answer(&child, "echo", "[3]", "[3]");
    child_pipe_stop(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_io_are_refusals_in_leans_words),
        cmocka_unit_test(texts_of_rows_are_json),
        cmocka_unit_test(what_lean_prints_does_not_get_between_frames),
        cmocka_unit_test(a_panic_is_death_and_no_answer),
        cmocka_unit_test(a_stack_overflow_is_death_and_no_answer),
        cmocka_unit_test(a_stream_that_fails_says_why),
    };

    if (!*MANIFEST) {
        printf("skipped: no Lean toolchain\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
