#include "tests/support/test.h"

#include "child/lean/lsp.h"
#include "lwbuild/base/alloc.h"

static void feed(struct lwb_lsp_reader *reader, const char *data, size_t len)
{
    size_t room;
    char *to = lwb_lsp_reader_room(reader, &room);

    assert_non_null(to);
    assert_true(len <= room);
    memcpy(to, data, len);
    lwb_lsp_reader_commit(reader, len);
}

/* All bodies of `stream`, fed in pieces of `step` bytes, each followed by "|". */
static void read_all(struct lwb_buf *out, struct lwb_bytes stream, size_t step)
{
    LWB_AUTO(lwb_lsp_reader_release) struct lwb_lsp_reader reader;
    struct lwb_bytes body;

    lwb_lsp_reader_init(&reader);
    for (size_t at = 0; at < stream.len; at += step) {
        size_t len = stream.len - at < step ? stream.len - at : step;

        feed(&reader, stream.ptr + at, len);
        while (lwb_lsp_next(&reader, &body) > 0) {
            lwb_buf_append_bytes(out, body);
            lwb_buf_append_char(out, '|');
        }
    }
}

static void frames_are_read_whatever_the_pieces(void **state)
{
    static const char stream[] = "Content-Length: 2\r\n\r\n{}"
                                 "Content-Length: 7\r\nContent-Type: x\r\n\r\n{\"a\":1}"
                                 "Content-Length:9\r\n\r\n{\"b\":\"⟨\"}";

    (void)state;
    for (size_t step = 1; step < sizeof(stream); step++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);

        read_all(&out, lwb_bytes_text(stream), step);
        assert_string_equal(lwb_buf_text(&out), "{}|{\"a\":1}|");
        /* The last one says 9 and has 11 bytes, so it is none. */
    }
}

static void noise_between_frames_is_skipped(void **state)
{
#define FRAME "Content-Length: 7\r\n\r\n{\"a\":1}"
    static const char *const streams[] = {
        "hello\n" FRAME "bye\n",
        "Content-Length: " FRAME,
        "Content-Length: x\r\n\r\n" FRAME,
        "Content-Length: 999999999999999999999\r\n\r\n" FRAME,
        "Content-Length: 3\r\n\r\n[1]" FRAME,
        "Content-Length: 500\r\n\r\n" FRAME,          /* a header without a body */
        "Content-Length: 500\r\n\r\n{\"cut\":" FRAME, /* and one whose body was cut */
        "Content-Length: 0\r\n\r\n" FRAME,
        "Content-Length: 4\r\n\r\n{}  " FRAME,
        "ContentContent-Length-Length: 7\r\n\r\n" FRAME,
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(streams); i++)
        for (size_t step = 1; step <= 100; step += 3) {
            LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);

            read_all(&out, lwb_bytes_text(streams[i]), step);
            assert_string_equal(lwb_buf_text(&out), "{\"a\":1}|");
        }
}

static void text_that_looks_like_a_header_stays_inside_its_body(void **state)
{
    static const char body[] = "{\"m\":\"Content-Length: 2\\r\\n\\r\\n{}\"}";
    LWB_AUTO(lwb_buf_release) struct lwb_buf stream = LWB_BUF(1000);

    (void)state;
    lwb_buf_format(&stream, "Content-Length: %zu\r\n\r\n%s", sizeof(body) - 1, body);
    for (size_t step = 1; step < stream.len; step++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);

        read_all(&out, lwb_buf_bytes(&stream), step);
        lwb_buf_consume(&out, 0);
        assert_int_equal(out.len, sizeof(body));
        assert_memory_equal(out.ptr, body, sizeof(body) - 1);
    }
}

static void what_is_written_can_be_read(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf stream = LWB_BUF(100000);
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(100000);

    (void)state;
    lwb_lsp_initialize(&stream);
    lwb_lsp_did_open(&stream, "file:///p/A.lean", lwb_bytes_text("theorem ⟨\"\\\n\t\x01"));
    lwb_lsp_did_change(&stream, "file:///p/A.lean", 2, lwb_bytes_text(""));
    lwb_lsp_wait_for_diagnostics(&stream, "file:///p/A.lean", 2, 7);
    assert_true(lwb_buf_ok(&stream));
    read_all(&out, lwb_buf_bytes(&stream), 11);
    assert_string_equal(
        lwb_buf_text(&out),
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"processId\":null,"
        "\"capabilities\":{},\"initializationOptions\":{\"editDelay\":0,\"hasWidgets\":false}}}|"
        "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":{"
        "\"uri\":\"file:///p/A.lean\",\"version\":1,\"languageId\":\"lean\","
        "\"text\":\"theorem ⟨\\\"\\\\\\n\\t\\u0001\"},\"dependencyBuildMode\":\"never\"}}|"
        "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didChange\",\"params\":{\"textDocument\":{"
        "\"uri\":\"file:///p/A.lean\",\"version\":2},\"contentChanges\":[{\"text\":\"\"}]}}|"
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"textDocument/waitForDiagnostics\",\"params\":{"
        "\"uri\":\"file:///p/A.lean\",\"version\":2}}|");
}

static void paths_become_uris(void **state)
{
    char *uri = lwb_lsp_uri("/a b/ü%.lean");

    (void)state;
    assert_string_equal(uri, "file:///a%20b/%C3%BC%25.lean");
    lwb_free(uri);
}

static void messages_are_told_apart_by_their_members(void **state)
{
    static const struct {
        const char *body;
        enum lwb_lsp_kind kind;
    } cases[] = {
        { "{\"method\":\"textDocument/publishDiagnostics\",\"params\":{}}", LWB_LSP_DIAGNOSTICS },
        { "{\"params\":{\"isIncremental\":true},\"method\":\"textDocument/publishDiagnostics\"}",
          LWB_LSP_MORE_DIAGNOSTICS },
        { "{\"params\":{\"isIncremental\":false},\"method\":\"textDocument/publishDiagnostics\"}",
          LWB_LSP_DIAGNOSTICS },
        { "{\"method\":\"textDocument/"
          "publishDiagnostics\",\"params\":\"\\\"isIncremental\\\":true\"}",
          LWB_LSP_DIAGNOSTICS },
        { "{\"method\":\"$/lean/fileProgress\",\"params\":{}}", LWB_LSP_PROGRESS },
        { "{\"params\":{\"processing\":[{\"kind\":2}]},\"method\":\"$/lean/fileProgress\"}",
          LWB_LSP_FATAL },
        { "{\"method\":\"$/lean/fileProgress\",\"params\":{\"processing\":[{\"kind\":1}]}}",
          LWB_LSP_PROGRESS },
        { "{\"params\":{\"processing\":[]},\"method\":\"$/lean/fileProgress\"}", LWB_LSP_DONE },
        { "{\"id\":1,\"method\":\"workspace/semanticTokens/refresh\"}", LWB_LSP_OTHER },
        { "{\"id\":1,\"result\":{}}", LWB_LSP_REPLY },
        /* What a message says about methods is in escaped quotes. */
        { "{\"id\":1,\"result\":\"\\\"method\\\":\\\"textDocument/publishDiagnostics\\\"\"}",
          LWB_LSP_REPLY },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++)
        assert_int_equal(lwb_lsp_classify(lwb_bytes_text(cases[i].body)), cases[i].kind);
}

static void progress_names_the_first_line_that_is_open(void **state)
{
    static const char range[] =
        "{\"params\":{\"processing\":[{\"range\":{\"start\":{\"line\":%s,\"character\":0}}}]}}";
    static const char *const mute[] = { "{\"params\":{\"processing\":[]}}", "{\"params\":{}}", "{}",
                                        "", "{\"params\":{\"processing\":[{}]}}" };
    char body[200];
    uint64_t line = 77;

    (void)state;
    (void)snprintf(body, sizeof(body), "%.*s12%s", (int)(strstr(range, "%s") - range), range,
                   strstr(range, "%s") + 2);
    assert_int_equal(lwb_lsp_progress(lwb_bytes_text(body), &line), 1);
    assert_int_equal(line, 12);
    for (size_t i = 0; i < LWB_COUNT(mute); i++)
        assert_int_equal(lwb_lsp_progress(lwb_bytes_text(mute[i]), &line), 0);
    assert_int_equal(line, 12);
}

static void the_end_names_its_version(void **state)
{
    static const char *const mute[] = { "{\"params\":{\"textDocument\":{}}}", "{}", "" };
    uint64_t version = 77;

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(mute); i++)
        assert_int_equal(lwb_lsp_done(lwb_bytes_text(mute[i]), &version), 0);
    assert_int_equal(version, 77);
    assert_int_equal(
        lwb_lsp_done(lwb_bytes_text("{\"params\":{\"textDocument\":{\"version\":3}}}"), &version),
        1);
    assert_int_equal(version, 3);
}

static void notifications_are_about_a_document(void **state)
{
    static const char uri[] = "file:///p/a.lean";
    static const char *const others[] = {
        "",
        "{}",
        "{\"uri\":\"file:///p/a.lean.lean\"}",
        "{\"uri\":\"file:///p/b.lean\",\"message\":\"file:///p/a.lean\"}",
        "{\"message\":\"\\\"uri\\\":\\\"file:///p/a.lean\\\"\"}", /* quoted in a text */
        "{\"uri\":\"file:///p/a.lean",                            /* cut */
    };

    (void)state;
    assert_true(
        lwb_lsp_is_about(lwb_bytes_text("{\"version\":1,\"uri\":\"file:///p/a.lean\"}"), uri));
    assert_true(lwb_lsp_is_about(
        lwb_bytes_text("{\"uri\":\"file:///p\",\"in\":{\"uri\":\"file:///p/a.lean\"}}"), uri));
    for (size_t i = 0; i < LWB_COUNT(others); i++)
        assert_false(lwb_lsp_is_about(lwb_bytes_text(others[i]), uri));
}

static void replies_name_their_request(void **state)
{
    uint64_t id = 0;
    bool is_error = true;

    (void)state;
    assert_int_equal(lwb_lsp_reply(lwb_bytes_text("{\"id\":7,\"result\":{}}"), &id, &is_error), 1);
    assert_int_equal(id, 7);
    assert_false(is_error);
    assert_int_equal(
        lwb_lsp_reply(lwb_bytes_text("{\"id\":8,\"error\":{\"code\":-32801}}"), &id, &is_error), 1);
    assert_int_equal(id, 8);
    assert_true(is_error);
    assert_int_equal(lwb_lsp_reply(lwb_bytes_text("{\"result\":{}}"), &id, &is_error), 0);
    assert_int_equal(lwb_lsp_reply(lwb_bytes_text("{\"id\":8}"), &id, &is_error), 0);
    assert_int_equal(lwb_lsp_reply(lwb_bytes_text("{\"id\":"), &id, &is_error), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read_whatever_the_pieces),
        cmocka_unit_test(noise_between_frames_is_skipped),
        cmocka_unit_test(text_that_looks_like_a_header_stays_inside_its_body),
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(paths_become_uris),
        cmocka_unit_test(messages_are_told_apart_by_their_members),
        cmocka_unit_test(progress_names_the_first_line_that_is_open),
        cmocka_unit_test(the_end_names_its_version),
        cmocka_unit_test(notifications_are_about_a_document),
        cmocka_unit_test(replies_name_their_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
