#include <stdio.h>
#include <unistd.h>

#include "lwbuild/base/digest.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/json.h"
#include "tests/support/child_pipe.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

#define PROOFS LWB_SOURCE_DIR "/examples/proofs/Arith.ndjson"

/* What a check has sent. */
struct heard {
    uint64_t rows;
    uint64_t progress;
    uint64_t errors;
    int64_t error_line;
    char error[512];
    char last_row[512];
    struct lwb_check_response response; /* borrowed from message */
    struct lwb_message message;
};

static void start(struct child_pipe *child, uint64_t max_memory)
{
    struct lwb_open_request request = { .host = "kernel", .max_memory = max_memory };
    struct lwb_buf frame = LWB_BUF(1 << 16);
    struct lwb_message message = { 0 };
    struct lwb_error err;

    child_pipe_start(child, LWBUILD_CHILD, NULL);
    child_pipe_hello(child, LWB_FRAME_DEFAULT_LIMIT, NULL);
    assert_int_equal(lwb_open_request_encode(&frame, child_pipe_request(child, LWB_MSG_OPEN),
                                             &request, 1 << 16, &err),
                     LWB_OK);
    child_pipe_send(child, &frame);
    child_pipe_expect(child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
}

static void send_check(struct child_pipe *child, const char *path, const char *digest)
{
    struct lwb_check_request request = {
        .module = "Arith",
        .file = "Arith.ndjson",
        .path = path,
        .digest = digest,
    };
    struct lwb_buf frame = LWB_BUF(1 << 16);
    struct lwb_error err;

    assert_int_equal(lwb_check_request_encode(&frame, child_pipe_request(child, LWB_MSG_CHECK),
                                              &request, 1 << 16, &err),
                     LWB_OK);
    child_pipe_send(child, &frame);
}

static void hear_rows(struct heard *heard, struct lwb_message *message)
{
    struct lwb_bytes row;
    struct lwb_rows rows;
    struct lwb_error err;

    assert_int_equal(lwb_rows_decode(&rows, message, &err), LWB_OK);
    assert_string_equal(rows.stream, "declarations");
    while (lwb_rows_next(&rows.packed, &row) == 1) {
        heard->rows++;
        (void)snprintf(heard->last_row, sizeof(heard->last_row), "%.*s", (int)row.len, row.ptr);
    }
}

static void hear_diagnostic(struct heard *heard, struct lwb_message *message)
{
    struct lwb_diagnostic diagnostic;
    struct lwb_error err;

    assert_int_equal(lwb_diagnostic_decode(&diagnostic, message, &err), LWB_OK);
    if (diagnostic.severity != LWB_SEVERITY_ERROR || heard->errors++)
        return;
    heard->error_line = diagnostic.line;
    (void)snprintf(heard->error, sizeof(heard->error), "%.*s", (int)diagnostic.message.len,
                   diagnostic.message.ptr);
}

/* Everything up to the response. Release heard->message. */
static void hear(struct child_pipe *child, struct heard *heard)
{
    struct lwb_error err;

    *heard = (struct heard){ 0 };
    for (;;) {
        assert_int_equal(child_pipe_next(child, &heard->message), 1);
        if (heard->message.head.type == LWB_MSG_ROWS)
            hear_rows(heard, &heard->message);
        else if (heard->message.head.type == LWB_MSG_DIAGNOSTIC)
            hear_diagnostic(heard, &heard->message);
        else if (heard->message.head.type == LWB_MSG_PROGRESS)
            heard->progress++;
        else
            break;
        lwb_message_release(&heard->message);
    }
    assert_string_equal(lwb_message_type_name(heard->message.head.type), "response");
    assert_int_equal(lwb_check_response_decode(&heard->response, &heard->message, &err), LWB_OK);
}

static void check_content(struct child_pipe *child, const struct scratch *scratch,
                          struct lwb_bytes content, struct heard *heard)
{
    char hex[LWB_DIGEST_HEX + 1];
    struct lwb_digest digest;
    struct lwb_error err;

    assert_int_equal(lwb_digest_bytes(&digest, content, &err), LWB_OK);
    lwb_digest_hex(&digest, hex);
    assert_int_equal(lwb_file_write(scratch_path(scratch, "e.ndjson"), content, 0644, &err),
                     LWB_OK);
    send_check(child, scratch_path(scratch, "e.ndjson"), hex);
    hear(child, heard);
}

static void read_proofs(struct lwb_buf *out)
{
    struct lwb_error err;

    assert_int_equal(lwb_file_read(out, PROOFS, NULL, &err), LWB_OK);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void proofs_are_accepted_with_a_row_each(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf proofs = LWB_BUF(1 << 24);
    LWB_AUTO(lwb_json_free) cJSON *row = NULL;
    struct child_pipe child;
    struct scratch scratch;
    struct heard heard;
    const cJSON *axioms;
    const char *kind;
    struct lwb_error err;
    int64_t line;

    (void)state;
    scratch_make(&scratch);
    start(&child, 0);
    read_proofs(&proofs);
    check_content(&child, &scratch, lwb_buf_bytes(&proofs), &heard);
    assert_int_equal(heard.response.verdict, LWB_VERDICT_ACCEPTED);
    assert_true(heard.response.storable);
    assert_true(heard.response.fresh);
    assert_int_equal(heard.errors, 0);
    assert_true(heard.rows > 10);
    assert_true(heard.progress >= 1);
    assert_int_equal(heard.response.n_streams, 1);
    assert_int_equal(heard.response.streams[0].rows, heard.rows);
    assert_int_equal(lwb_json_parse(&row, lwb_bytes_text(heard.last_row), &err), LWB_OK);
    assert_int_equal(lwb_json_get_text(row, "kind", &kind, &err), LWB_OK);
    assert_string_equal(kind, "theorem");
    assert_int_equal(lwb_json_get_array(row, "axioms", &axioms, &err), LWB_OK);
    assert_int_equal(lwb_json_get_int(row, "line", &line, &err), LWB_OK);
    assert_true(line > 1);
    assert_null(lwb_json_find(row, "state"));
    lwb_message_release(&heard.message);
    child_pipe_stop(&child);
    scratch_remove(&scratch);
}

/* Give the second theorem of the file the proof of the first. Returns its line. */
static int64_t tamper(struct lwb_buf *proofs)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 24);
    char *first = strstr(strstr(proofs->ptr, "{\"thm\""), "\"value\":") + 8;
    char *second = strstr(strstr(first, "{\"thm\""), "\"value\":") + 8;
    int64_t line = 1;

    lwb_buf_append(&out, proofs->ptr, (size_t)(second - proofs->ptr));
    lwb_buf_append(&out, first, strspn(first, "0123456789"));
    lwb_buf_append_text(&out, second + strspn(second, "0123456789"));
    for (const char *at = proofs->ptr; at < second; at++)
        line += *at == '\n';
    lwb_buf_clear(proofs);
    lwb_buf_append_bytes(proofs, lwb_buf_bytes(&out));
    return line;
}

static void a_tampered_proof_is_rejected_by_name_and_line(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf proofs = LWB_BUF(1 << 24);
    struct child_pipe child;
    struct scratch scratch;
    struct heard heard;
    int64_t line;

    (void)state;
    scratch_make(&scratch);
    start(&child, 0);
    read_proofs(&proofs);
    line = tamper(&proofs);
    check_content(&child, &scratch, lwb_buf_bytes(&proofs), &heard);
    assert_int_equal(heard.response.verdict, LWB_VERDICT_REJECTED);
    assert_true(heard.response.storable);
    assert_int_equal(heard.error_line, line);
    assert_int_equal(strncmp(heard.error, "theorem N.", 10), 0);
    assert_non_null(strstr(heard.error, " is rejected: "));
    lwb_message_release(&heard.message);
    child_pipe_stop(&child);
    scratch_remove(&scratch);
}

/* theorem bad : forall a : Prop, a -> a := Prop; theorem next : the same := bad */
static const char on_sand[] =
    "{\"meta\":{\"format\":{\"version\":\"3.1.0\"}}}\n"
    "{\"in\":1,\"str\":{\"pre\":0,\"str\":\"bad\"}}\n"
    "{\"in\":2,\"str\":{\"pre\":0,\"str\":\"next\"}}\n"
    "{\"ie\":0,\"sort\":0}\n"
    "{\"bvar\":0,\"ie\":1}\n"
    "{\"bvar\":1,\"ie\":2}\n"
    "{\"forallE\":{\"binderInfo\":\"default\",\"body\":2,\"name\":0,\"type\":1},\"ie\":3}\n"
    "{\"forallE\":{\"binderInfo\":\"default\",\"body\":3,\"name\":0,\"type\":0},\"ie\":4}\n"
    "{\"thm\":{\"all\":[1],\"levelParams\":[],\"name\":1,\"type\":4,\"value\":0}}\n"
    "{\"const\":{\"name\":1,\"us\":[]},\"ie\":5}\n"
    "{\"thm\":{\"all\":[2],\"levelParams\":[],\"name\":2,\"type\":4,\"value\":5}}\n";

static void what_rests_on_a_rejected_theorem_is_blocked(void **state)
{
    struct child_pipe child;
    struct scratch scratch;
    struct heard heard;

    (void)state;
    scratch_make(&scratch);
    start(&child, 0);
    check_content(&child, &scratch, lwb_bytes_text(on_sand), &heard);
    assert_int_equal(heard.response.verdict, LWB_VERDICT_REJECTED);
    assert_int_equal(heard.errors, 1);
    assert_int_equal(heard.error_line, 9);
    assert_int_equal(heard.rows, 2);
    assert_non_null(strstr(heard.last_row, "\"name\":\"next\",\"kind\":\"theorem\","
                                           "\"state\":\"blocked\""));
    lwb_message_release(&heard.message);
    child_pipe_stop(&child);
    scratch_remove(&scratch);
}

static void what_is_no_export_is_rejected_where_it_goes_wrong(void **state)
{
    static const struct {
        const char *text;
        int64_t line;
        size_t more; /* lines behind it, which are read for the digest only */
    } cases[] = {
        { "", 1, 0 }, { "not json\n", 1, 0 }, { "not json\n", 1, 40000 }, { NULL, 3, 0 }
    };
    struct child_pipe child;
    struct scratch scratch;
    struct heard heard;

    (void)state;
    scratch_make(&scratch);
    start(&child, 0);
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1 << 24);

        if (cases[i].text) {
            lwb_buf_append_text(&text, cases[i].text);
            for (size_t k = 0; k < cases[i].more; k++)
                lwb_buf_append_text(&text, "another line\n");
        } else { /* two good lines, then half a one */
            read_proofs(&text);
            text.len = (size_t)(strchr(strchr(text.ptr, '\n') + 1, '\n') + 9 - text.ptr);
        }
        check_content(&child, &scratch, lwb_buf_bytes(&text), &heard);
        assert_int_equal(heard.response.verdict, LWB_VERDICT_REJECTED);
        assert_int_equal(heard.errors, 1);
        assert_int_equal(heard.error_line, cases[i].line);
        assert_true(strlen(heard.error) > 5);
        lwb_message_release(&heard.message);
    }
    child_pipe_stop(&child);
    scratch_remove(&scratch);
}

static void a_file_that_is_not_what_was_hashed_has_no_verdict(void **state)
{
    static const char other[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    struct child_pipe child;
    struct heard heard;

    (void)state;
    start(&child, 0);
    send_check(&child, PROOFS, other);
    hear(&child, &heard);
    assert_int_equal(heard.response.verdict, LWB_VERDICT_NONE);
    assert_int_equal(heard.response.reason, LWB_REASON_CHANGED);
    assert_false(heard.response.storable);
    assert_int_equal(heard.rows, 0);
    lwb_message_release(&heard.message);
    send_check(&child, "/there/is/no/such/file", other);
    hear(&child, &heard);
    assert_int_equal(heard.response.verdict, LWB_VERDICT_NONE);
    assert_int_equal(heard.response.reason, LWB_REASON_CHANGED);
    assert_non_null(strstr(heard.response.detail, "/there/is/no/such/file"));
    lwb_message_release(&heard.message);
    send_check(&child, "/", other);
    hear(&child, &heard);
    assert_int_equal(heard.response.verdict, LWB_VERDICT_NONE);
    assert_int_equal(heard.response.reason, LWB_REASON_CHANGED);
    assert_non_null(strstr(heard.response.detail, "cannot read /"));
    lwb_message_release(&heard.message);
    send_check(&child, PROOFS, NULL);
    child_pipe_expect_refusal(&child, "usage");
    child_pipe_stop(&child);
}

static void what_it_does_not_decide_is_declined(void **state)
{
    static const uint64_t limits[] = { 1, 64 * 1024, 512 * 1024 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf proofs = LWB_BUF(1 << 24);
    struct scratch scratch;

    (void)state;
    scratch_make(&scratch);
    read_proofs(&proofs);
    for (size_t i = 0; i < LWB_COUNT(limits); i++) {
        struct child_pipe child;
        struct heard heard;

        start(&child, limits[i]);
        check_content(&child, &scratch, lwb_buf_bytes(&proofs), &heard);
        assert_int_equal(heard.response.verdict, LWB_VERDICT_NONE);
        assert_int_equal(heard.response.reason, LWB_REASON_MEMORY);
        assert_false(heard.response.storable);
        assert_non_null(strstr(heard.response.detail, "memory"));
        assert_int_equal(heard.errors, 0);
        lwb_message_release(&heard.message);
        child_pipe_stop(&child);
    }
    scratch_remove(&scratch);
}

static void a_kernel_check_takes_the_export_itself(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf proofs = LWB_BUF(1 << 24);
    struct lwb_elaborate_request request = { .label = "x" };
    struct lwb_buf frame = LWB_BUF(1 << 24);
    struct lwb_message message = { 0 };
    struct lwb_kernel_response response;
    struct child_pipe child;
    struct lwb_error err;

    (void)state;
    start(&child, 0);
    read_proofs(&proofs);
    request.source = lwb_buf_bytes(&proofs);
    assert_int_equal(lwb_elaborate_request_encode(&frame,
                                                  child_pipe_request(&child, LWB_MSG_KERNEL_CHECK),
                                                  &request, 1 << 24, &err),
                     LWB_OK);
    child_pipe_send(&child, &frame);
    do {
        lwb_message_release(&message);
        assert_int_equal(child_pipe_next(&child, &message), 1);
    } while (message.head.type > LWB_MSG_REFUSAL);
    assert_int_equal(lwb_kernel_response_decode(&response, &message, &err), LWB_OK);
    assert_int_equal(response.status, LWB_KERNEL_CHECKED);
    lwb_message_release(&message);
    child_pipe_stop(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proofs_are_accepted_with_a_row_each),
        cmocka_unit_test(a_tampered_proof_is_rejected_by_name_and_line),
        cmocka_unit_test(what_rests_on_a_rejected_theorem_is_blocked),
        cmocka_unit_test(what_is_no_export_is_rejected_where_it_goes_wrong),
        cmocka_unit_test(a_file_that_is_not_what_was_hashed_has_no_verdict),
        cmocka_unit_test(what_it_does_not_decide_is_declined),
        cmocka_unit_test(a_kernel_check_takes_the_export_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
