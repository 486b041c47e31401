#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/digest.h"
#include "lwbuild/base/file.h"
#include "tests/support/child_pipe.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static const char *path_of(const char *variant)
{
    static char path[1024];

    (void)snprintf(path, sizeof(path), "%s/capability_%s.so", FIXTURES, variant);
    return path;
}

static void start(struct child_pipe *child)
{
    child_pipe_start(child, LWBUILD_CHILD, NULL);
    child_pipe_hello(child, LWB_FRAME_MIN_LIMIT, NULL);
}

static void expect_refusal_saying(struct child_pipe *child, const char *code, const char *words,
                                  int status)
{
    struct lwb_message message = { 0 };
    struct lwb_refusal refusal;
    struct lwb_error err;

    child_pipe_expect(child, &message, LWB_MSG_REFUSAL);
    assert_int_equal(lwb_refusal_decode(&refusal, &message, &err), LWB_OK);
    if (strcmp(refusal.code, code) != 0 || !strstr(refusal.text, words))
        print_error("%s: %s\n", refusal.code, refusal.text);
    assert_string_equal(refusal.code, code);
    assert_non_null(strstr(refusal.text, words));
    assert_int_equal(refusal.status, status);
    lwb_message_release(&message);
}

static void open_library(struct child_pipe *child, const char *path)
{
    struct lwb_message message = { 0 };

    child_pipe_open(child, "capability", path, "/tmp");
    child_pipe_expect(child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
}

static void expect_answer(struct child_pipe *child, const char *json)
{
    struct lwb_message message = { 0 };
    struct lwb_answer answer;
    struct lwb_error err;

    child_pipe_expect(child, &message, LWB_MSG_RESPONSE);
    assert_int_equal(lwb_answer_decode(&answer, &message, &err), LWB_OK);
    if (!lwb_bytes_is(answer.json, json))
        print_error("%.*s\n", (int)answer.json.len, answer.json.ptr);
    assert_true(lwb_bytes_is(answer.json, json));
    lwb_message_release(&message);
}

static void skip_event(struct child_pipe *child, enum lwb_message_type type)
{
    struct lwb_message message = { 0 };

    child_pipe_expect(child, &message, type);
    lwb_message_release(&message);
}

/* ---- loading --------------------------------------------------------------------------------- */

static void what_a_library_lacks_is_said_by_name(void **state)
{
    static const struct {
        const char *variant;
        const char *words;
        int status;
    } cases[] = {
        { "absent", "cannot load the capability library", 0 },
        { "no_symbols", "lacks symbol lwb_capability_abi, symbol lwb_capability_get", 0 },
        { "other_abi", "has capability ABI 2, this child 1", 0 },
        { "no_exports", "lacks export metadata, export doctor", 0 },
        { "unresolved", "nobody_defines_this", 0 },
        { "half_a_table", "is not whole", 0 },
    };
    struct child_pipe child;

    (void)state;
    start(&child);
    child_pipe_open(&child, "capability", NULL, NULL);
    expect_refusal_saying(&child, "setup", "no capability library was named", 0);
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        child_pipe_open(&child, "capability", path_of(cases[i].variant), NULL);
        expect_refusal_saying(&child, "setup", cases[i].words, cases[i].status);
    }
    child_pipe_open(&child, "capability", path_of("fails_to_open"), NULL);
    expect_refusal_saying(&child, "closed", "not today", 3);
    open_library(&child, path_of("good"));
    child_pipe_stop(&child);
}

static void write_manifest(char *path, size_t size, const char *folder, const char *format,
                           const char *value)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1 << 16);
    struct lwb_error err;

    (void)snprintf(path, size, "%s/manifest.json", folder);
    lwb_buf_format(&text, "{\"library\":\"%s\",", path_of("good"));
    lwb_buf_append_text(&text, format);
    lwb_buf_append_text(&text, value);
    lwb_buf_append_text(&text, "}");
    assert_int_equal(lwb_file_write(path, lwb_buf_bytes(&text), 0644, &err), LWB_OK);
}

static void a_manifest_demands_exports_and_a_digest(void **state)
{
    struct scratch folder;
    char hex[LWB_DIGEST_HEX + 3] = "\"";
    struct lwb_digest digest;
    struct child_pipe child;
    struct lwb_error err;
    char path[1024];

    (void)state;
    scratch_make(&folder);
    start(&child);
    write_manifest(path, sizeof(path), folder.dir, "\"commands\":[\"command\",\"gone\"],",
                   "\"streams\":[\"lost\",\"stream\"]");
    child_pipe_open(&child, "capability", path, NULL);
    expect_refusal_saying(&child, "setup", "lacks command gone, stream lost", 0);
    write_manifest(path, sizeof(path), folder.dir, "\"digest\":", "\"beef\"");
    child_pipe_open(&child, "capability", path, NULL);
    child_pipe_expect_refusal(&child, "format");
    assert_int_equal(lwb_digest_bytes(&digest, lwb_bytes("other", 5), &err), LWB_OK);
    lwb_digest_hex(&digest, hex + 1);
    hex[1 + LWB_DIGEST_HEX] = '"';
    write_manifest(path, sizeof(path), folder.dir, "\"digest\":", hex);
    child_pipe_open(&child, "capability", path, NULL);
    expect_refusal_saying(&child, "setup", "is not the library that the manifest was made for", 0);
    assert_int_equal(lwb_digest_file(&digest, path_of("good"), &err), LWB_OK);
    lwb_digest_hex(&digest, hex + 1);
    hex[1 + LWB_DIGEST_HEX] = '"';
    write_manifest(path, sizeof(path), folder.dir, "\"digest\":", hex);
    open_library(&child, path);
    child_pipe_stop(&child);
    scratch_remove(&folder);
}

/* ---- running --------------------------------------------------------------------------------- */

static void a_command_tells_and_answers(void **state)
{
    struct lwb_message message = { 0 };
    struct lwb_diagnostic diagnostic;
    struct child_pipe child;
    struct lwb_error err;

    (void)state;
    start(&child);
    open_library(&child, path_of("good"));
    child_pipe_export(&child, LWB_MSG_COMMAND, "command", "{\"print\":1}");
    skip_event(&child, LWB_MSG_PROGRESS);
    child_pipe_expect(&child, &message, LWB_MSG_DIAGNOSTIC);
    assert_int_equal(lwb_diagnostic_decode(&diagnostic, &message, &err), LWB_OK);
    assert_int_equal(diagnostic.severity, LWB_SEVERITY_WARNING);
    assert_int_equal(diagnostic.line, -1);
    assert_true(lwb_bytes_is(diagnostic.code, "odd"));
    lwb_message_release(&message);
    expect_answer(&child, "{\"print\":1}");
    child_pipe_close_input(&child);
    assert_int_equal(child_pipe_wait(&child), 0);
    assert_string_equal(lwb_buf_text(&child.errors), "stray\n");
    child_pipe_stop(&child);
}

static void metadata_and_doctor_answer(void **state)
{
    static const char facts[] = "{\"name\":\"fixture\",\"version\":\"1\",\"commands\":[]}";
    struct child_pipe child;

    (void)state;
    start(&child);
    open_library(&child, path_of("good"));
    child_pipe_export(&child, LWB_MSG_METADATA, "", "{}");
    expect_answer(&child, facts);
    child_pipe_export(&child, LWB_MSG_METADATA, "other", "{}");
    expect_answer(&child, facts);
    /* The fixture's doctor gives back what its session was opened with. */
    child_pipe_export(&child, LWB_MSG_DOCTOR, "doctor", "{}");
    expect_answer(&child, "{\"scratch\":\"/tmp\",\"imports\":[]}");
    child_pipe_export(&child, LWB_MSG_METADATA, "", "{\"malformed\":1}");
    child_pipe_expect_refusal(&child, "metadata-malformed");
    child_pipe_export(&child, LWB_MSG_DOCTOR, "", "{\"silent\":1}");
    child_pipe_expect_refusal(&child, "doctor-malformed");
    child_pipe_export(&child, LWB_MSG_METADATA, "absent", "{}");
    child_pipe_expect_refusal(&child, "unsupported");
    child_pipe_stop(&child);
}

static void a_stream_sends_rows_and_a_summary(void **state)
{
    struct lwb_message message = { 0 };
    struct lwb_stream_summary summary;
    struct child_pipe child;
    struct lwb_error err;

    (void)state;
    start(&child);
    open_library(&child, path_of("good"));
    child_pipe_export(&child, LWB_MSG_STREAM, "stream", "{}");
    do {
        lwb_message_release(&message);
        assert_int_equal(child_pipe_next(&child, &message), 1);
    } while (message.head.type == LWB_MSG_ROWS);
    assert_int_equal(lwb_stream_summary_decode(&summary, &message, &err), LWB_OK);
    assert_int_equal(summary.total_rows, 3);
    assert_int_equal(summary.n_streams, 2);
    assert_string_equal(summary.streams[0].stream, "even");
    assert_int_equal(summary.streams[0].rows, 2);
    assert_string_equal(summary.streams[1].stream, "odd");
    lwb_message_release(&message);
    child_pipe_stop(&child);
}

static void each_way_to_go_wrong_has_its_refusal(void **state)
{
    static const struct {
        enum lwb_message_type type;
        const char *request;
        const char *code;
        const char *words;
        int status;
    } cases[] = {
        { LWB_MSG_COMMAND, "{\"status\":1}", "status", "ended with status 7", 7 },
        { LWB_MSG_COMMAND, "{\"fail\":1}", "no-luck", "it was not to be", 9 },
        { LWB_MSG_COMMAND, "{\"silent\":1}", "no-reply", "gave no reply", 0 },
        { LWB_MSG_COMMAND, "{\"twice\":1}", "stream-callback", "a second reply", 0 },
        { LWB_MSG_COMMAND, "{\"row\":1}", "stream-callback", "rows are for streams only", 0 },
        { LWB_MSG_STREAM, "{\"status\":1}", "stream-failed", "ended with status 7", 7 },
        { LWB_MSG_STREAM, "{\"fail\":1}", "stream-failed", "no-luck: it was not to be", 9 },
        { LWB_MSG_STREAM, "{\"no-stream\":1}", "stream-callback", "a row without a stream", 0 },
        { LWB_MSG_STREAM, "{\"ignore\":1}", "stream-callback", "a row without a stream", 0 },
        { LWB_MSG_STREAM, "{\"large\":1}", "limit", "has 1048576 bytes", 0 },
        { LWB_MSG_STREAM, "{\"thread\":1}", "stream-callback", "by another thread", 0 },
        { LWB_MSG_METADATA, "{\"progress\":1}", "stream-callback", "progress is for commands", 0 },
    };
    static const char *const names[] = {
        [LWB_MSG_COMMAND] = "command", [LWB_MSG_STREAM] = "stream", [LWB_MSG_METADATA] = "metadata"
    };
    struct lwb_message message = { 0 };
    struct child_pipe child;

    (void)state;
    start(&child);
    open_library(&child, path_of("good"));
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        child_pipe_export(&child, cases[i].type, names[cases[i].type], cases[i].request);
        do {
            lwb_message_release(&message);
            assert_int_equal(child_pipe_next(&child, &message), 1);
        } while (message.head.type > LWB_MSG_REFUSAL);
        {
            struct lwb_refusal refusal;
            struct lwb_error err;

            assert_string_equal(lwb_message_type_name(message.head.type), "refusal");
            assert_int_equal(lwb_refusal_decode(&refusal, &message, &err), LWB_OK);
            assert_string_equal(refusal.code, cases[i].code);
            assert_non_null(strstr(refusal.text, cases[i].words));
            assert_int_equal(refusal.status, cases[i].status);
        }
        lwb_message_release(&message);
    }
    child_pipe_export(&child, LWB_MSG_METADATA, "metadata", "{}");
    expect_answer(&child, "{\"name\":\"fixture\",\"version\":\"1\",\"commands\":[]}");
    child_pipe_stop(&child);
}

/* The fixture keeps it, and uses it when its session is closed. */
static void a_kept_call_does_nothing_when_none_is_under_way(void **state)
{
    struct child_pipe child;

    (void)state;
    start(&child);
    open_library(&child, path_of("good"));
    child_pipe_export(&child, LWB_MSG_COMMAND, "command", "{\"keep\":1}");
    skip_event(&child, LWB_MSG_PROGRESS);
    skip_event(&child, LWB_MSG_DIAGNOSTIC);
    expect_answer(&child, "{\"keep\":1}");
    child_pipe_send_plain(&child, LWB_MSG_TERMINATE);
    skip_event(&child, LWB_MSG_RESPONSE);
    assert_int_equal(child_pipe_wait(&child), 0);
    assert_string_equal(lwb_buf_text(&child.errors), "refused\n");
    child_pipe_stop(&child);
}

static void a_library_that_crashes_takes_its_child_along(void **state)
{
    struct lwb_message message = { 0 };
    struct child_pipe child;
    int status;

    (void)state;
    start(&child);
    open_library(&child, path_of("good"));
    child_pipe_export(&child, LWB_MSG_COMMAND, "command", "{\"crash\":1}");
    assert_int_equal(child_pipe_next(&child, &message), 0);
    status = child_pipe_wait(&child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    child_pipe_stop(&child);
}

static void the_example_does_what_it_says(void **state)
{
    struct scratch folder;
    struct lwb_message message = { 0 };
    struct child_pipe child;
    struct lwb_rows rows;
    struct lwb_error err;
    char request[1100];

    (void)state;
    scratch_make(&folder);
    scratch_write(&folder, "text", "One two, two. (One) two");
    (void)snprintf(request, sizeof(request), "{\"path\":\"%s\"}", scratch_path(&folder, "text"));
    start(&child);
    open_library(&child, EXAMPLE);
    child_pipe_export(&child, LWB_MSG_COMMAND, "count", request);
    expect_answer(&child, "{\"words\":5,\"distinct\":2}");
    child_pipe_export(&child, LWB_MSG_STREAM, "frequencies", request);
    child_pipe_expect(&child, &message, LWB_MSG_ROWS);
    assert_int_equal(lwb_rows_decode(&rows, &message, &err), LWB_OK);
    assert_string_equal(rows.stream, "words");
    lwb_message_release(&message);
    do {
        lwb_message_release(&message);
        assert_int_equal(child_pipe_next(&child, &message), 1);
    } while (message.head.type == LWB_MSG_ROWS);
    lwb_message_release(&message);
    child_pipe_export(&child, LWB_MSG_COMMAND, "count", "{\"path\":\"/does/not/exist\"}");
    expect_refusal_saying(&child, "no-file", "/does/not/exist", 1);
    child_pipe_stop(&child);
    scratch_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_library_lacks_is_said_by_name),
        cmocka_unit_test(a_manifest_demands_exports_and_a_digest),
        cmocka_unit_test(a_command_tells_and_answers),
        cmocka_unit_test(metadata_and_doctor_answer),
        cmocka_unit_test(a_stream_sends_rows_and_a_summary),
        cmocka_unit_test(each_way_to_go_wrong_has_its_refusal),
        cmocka_unit_test(a_kept_call_does_nothing_when_none_is_under_way),
        cmocka_unit_test(a_library_that_crashes_takes_its_child_along),
        cmocka_unit_test(the_example_does_what_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
