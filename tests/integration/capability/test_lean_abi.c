/*
 * The adaptor against an imitation of one row of the table in lean_abi.h. The
 * same program is built for each row: the compiler sees to it that every call
 * has the arguments of that row, the stub that they have the right values.
 */
#include "tests/support/test.h"

#include <pthread.h>
#include <string.h>

#include "lwbuild/capability.h"
#include "stub_lean.h"

/* What a child would have been told. */
struct heard {
    struct lwb_capability_call face;
    char text[512];
    int stop_after; /* rows; 0: never */
    int rows;
};

static void hear(const struct lwb_capability_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void hear(const struct lwb_capability_call *call, const char *format, ...)
{
    struct heard *heard = call->host;
    size_t len = strlen(heard->text);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(heard->text + len, sizeof(heard->text) - len, format, arguments);
    va_end(arguments);
}

static int on_reply(const struct lwb_capability_call *call, const char *json, size_t len)
{
    hear(call, "reply %.*s;", (int)len, json);
    return 0;
}

static int on_fail(const struct lwb_capability_call *call, const char *code, const char *text)
{
    hear(call, "%s: %s;", code, text);
    return 0;
}

static int on_row(const struct lwb_capability_call *call, const char *stream, const char *json,
                  size_t len)
{
    struct heard *heard = call->host;

    hear(call, "%s %.*s;", stream, (int)len, json);
    return ++heard->rows == heard->stop_after ? 7 : 0;
}

static int on_progress(const struct lwb_capability_call *call, const char *phase, uint64_t current,
                       const uint64_t *total)
{
    hear(call, "%s %u of %d;", phase, (unsigned)current, total ? (int)*total : -1);
    return 0;
}

static int on_diagnostic(const struct lwb_capability_call *call,
                         enum lwb_capability_severity severity, const char *code, const char *text)
{
    hear(call, "%d %s %s;", (int)severity, code, text);
    return 0;
}

static void listen(struct heard *heard)
{
    *heard = (struct heard){ 0 };
    heard->face = (struct lwb_capability_call){
        .size = sizeof(heard->face),
        .host = heard,
        .reply = on_reply,
        .fail = on_fail,
        .row = on_row,
        .progress = on_progress,
        .diagnostic = on_diagnostic,
    };
}

static const struct lwb_capability_export *find(const char *name)
{
    const struct lwb_capability *table = lwb_capability_get();

    for (size_t i = 0; i < table->n_exports; i++)
        if (strcmp(table->exports[i].name, name) == 0)
            return &table->exports[i];
    fail_msg("no export %s", name);
    return NULL;
}

static void *session;

static int open_session(struct heard *heard)
{
    return lwb_capability_get()->open(&session, &heard->face, "{}", 2);
}

/* Returns the status; what was heard is in `heard`. */
static int run_bytes(struct heard *heard, const char *name, const char *request, size_t len)
{
    return find(name)->run(session, &heard->face, request, len);
}

static int run(struct heard *heard, const char *name, const char *request)
{
    listen(heard);
    return run_bytes(heard, name, request, strlen(request));
}

static void expect(const char *name, const char *request, int status, const char *text)
{
    struct heard heard;
    size_t before = stub_lean_live();

    assert_int_equal(run(&heard, name, request), status);
    assert_string_equal(heard.text, text);
    assert_int_equal(stub_lean_live(), before);
}

/* ---- the tests ------------------------------------------------------------------------------- */

static void lean_is_started_once_and_in_order(void **state)
{
    struct heard heard;

    (void)state;
    listen(&heard);
    assert_int_equal(open_session(&heard), 0);
    assert_string_equal(stub_lean_log(), STUB_STARTS);
    lwb_capability_get()->close(session);
    assert_int_equal(open_session(&heard), 0);
    assert_string_equal(stub_lean_log(), STUB_STARTS);
    assert_string_equal(heard.text, "");
    assert_int_equal(stub_lean_live(), 0);
    assert_string_equal(getenv("LEAN_ABORT_ON_PANIC"), "1");
    assert_string_equal(getenv("LEAN_BACKTRACE"), "0");
    assert_string_equal(getenv("LEAN_SYSROOT"), "/opt/stub");
}

static void commands_answer_or_fail(void **state)
{
    (void)state;
    expect("echo", "{\"a\":\"\xc3\xa9\"}", 0, "reply {\"a\":\"\xc3\xa9\"};");
    expect("echo", "\"nul\"", 1, "lean.nul: the answer holds a NUL;");
    expect("echo", "\"error\"", 1, "lean.io: not found file: nowhere;");
    expect("echo", "\"pure\"", 1,
           "lean.type: the export does not have the type String -> IO String;");
    expect("echo", "\"number\"", 1,
           "lean.type: the export does not have the type String -> IO String;");
    expect("metadata", "{}", 0,
           "reply {\"name\":\"stub\",\"version\":\"3\",\"lean_version\":\"" STUB_VERSION
           "\",\"commands\":[]};");
    expect("doctor", "{}", 0,
           "reply {\"diagnostics\":[{\"severity\":\"pass\",\"code\":\"lean.ready\","
           "\"message\":\"Lean " STUB_VERSION " is initialised\"}]};");
}

static void a_request_is_utf8_without_nul(void **state)
{
    static const char *const wrong[] = {
        "\"\xff\"",     "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xc3",
        "\"\xe2\x82\"", "\x80"
    };
    struct heard heard;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        expect("echo", wrong[i], 1, "lean.utf8: the request is not UTF-8;");
    expect("echo", "\"\xf0\x9f\x8c\xb1\xef\xbf\xbf\xf4\x8f\xbf\xbf\"", 0,
           "reply \"\xf0\x9f\x8c\xb1\xef\xbf\xbf\xf4\x8f\xbf\xbf\";");
    listen(&heard);
    assert_int_equal(run_bytes(&heard, "echo", "\"\0\"", 3), 1);
    assert_string_equal(heard.text, "lean.nul: the request holds a NUL;");
}

static void envelopes_become_events(void **state)
{
    (void)state;
    expect("repeat", "row\nn\n{\"a\":\n1}", 0, "n {\"a\":\n1};n {\"a\":\n1};n {\"a\":\n1};");
    expect("repeat", "progress\nread\n5", 0, "read 5 of -1;read 5 of -1;read 5 of -1;");
    expect("repeat", "progress\nread\n5/9", 0, "read 5 of 9;read 5 of 9;read 5 of 9;");
    expect("repeat", "diagnostic\nwarning\nc\nt\nu", 0, "1 c t\nu;1 c t\nu;1 c t\nu;");
}

static void rows_need_no_envelope(void **state)
{
    struct heard heard;

    (void)state;
    expect("rows", "{\"a\":\n1}", 0, "n {\"a\":\n1};n {\"a\":\n1};n {\"a\":\n1};");
    expect("rows", "nul", 1, "lean.nul: what was emitted holds a NUL;");
    listen(&heard);
    heard.stop_after = 1;
    assert_int_equal(run_bytes(&heard, "rows", "1", 1), 7);
    assert_string_equal(heard.text, "n 1;");
}

static void a_stream_of_another_type_fails(void **state)
{
    static const char type[] =
        "lean.type: the export does not have the type String -> USize -> USize -> IO UInt8;";

    (void)state;
    expect("rows", "text", 1, type);
    expect("rows", "pure", 1, type);
}

static void what_is_no_envelope_fails_once(void **state)
{
    static const char *const wrong[] = {
        "",
        "row",
        "row\nn",
        "rows\nn\n1",
        "progress\np\n",
        "progress\np\n1x",
        "progress\np\n1/2x",
        "diagnostic\nbad\nc\nt",
        "diagnostic\nerror\nt",
        "a kind that is longer than any\nn\n1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        expect("repeat", wrong[i], 1,
               "lean.envelope: what was emitted is no row, progress or diagnostic as LWBuild.lean "
               "makes them;");
}

static void a_stream_ends_when_nobody_wants_the_rest(void **state)
{
    struct heard heard;

    (void)state;
    listen(&heard);
    heard.stop_after = 2;
    assert_int_equal(run_bytes(&heard, "repeat", "row\nn\n1", 7), 7);
    assert_string_equal(heard.text, "n 1;n 1;");
    expect("late", "row\nn\n1", 0, "reply \"refused\";");
    assert_int_equal(stub_lean_live(), 0);
}

static void *run_elsewhere(void *arg)
{
    struct heard *heard = arg;

    (void)run(heard, "echo", "1");
    (void)open_session(heard);
    return NULL;
}

static void other_threads_are_refused(void **state)
{
    struct heard heard;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, run_elsewhere, &heard), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(heard.text, "lean.thread: Lean was started by another thread;"
                                    "lean.thread: Lean was started by another thread;");
    expect("echo", "1", 0, "reply 1;");
}

/* Argument "broken": a process of its own, since Lean is started once. */
static void a_start_that_fails_is_not_tried_again(void **state)
{
    struct heard heard;

    (void)state;
    stub_lean_break();
    listen(&heard);
    assert_int_equal(open_session(&heard), 1);
    assert_int_equal(open_session(&heard), 1);
    assert_int_equal(run_bytes(&heard, "echo", "1", 1), 1);
    assert_string_equal(heard.text, "lean.initialize: no such luck;"
                                    "lean.initialize: the library could not be initialised before;"
                                    "lean.session: there is no open session;");
    assert_int_equal(stub_lean_live(), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest working[] = {
        cmocka_unit_test(lean_is_started_once_and_in_order),
        cmocka_unit_test(commands_answer_or_fail),
        cmocka_unit_test(a_request_is_utf8_without_nul),
        cmocka_unit_test(envelopes_become_events),
        cmocka_unit_test(rows_need_no_envelope),
        cmocka_unit_test(a_stream_of_another_type_fails),
        cmocka_unit_test(what_is_no_envelope_fails_once),
        cmocka_unit_test(a_stream_ends_when_nobody_wants_the_rest),
        cmocka_unit_test(other_threads_are_refused),
    };
    const struct CMUnitTest broken[] = {
        cmocka_unit_test(a_start_that_fails_is_not_tried_again),
    };

    (void)argv;
    return argc > 1 ? cmocka_run_group_tests(broken, NULL, NULL)
                    : cmocka_run_group_tests(working, NULL, NULL);
}
