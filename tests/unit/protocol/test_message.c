#include "tests/support/test.h"

#include "lwbuild/protocol/frame.h"
#include "lwbuild/protocol/message.h"

enum { LIMIT = 100000 };

static struct lwb_message_head head_of(enum lwb_message_type type)
{
    return (struct lwb_message_head){ .generation = 3, .request = 7, .type = type };
}

/* The message in the frame that `wire` holds. */
static struct lwb_message received(const struct lwb_buf *wire, enum lwb_message_type type)
{
    struct lwb_message message;
    struct lwb_error err;

    assert_true(wire->len > LWB_FRAME_HEADER);
    assert_int_equal(LWB_OK,
                     lwb_message_decode(&message, lwb_bytes(wire->ptr + 4, wire->len - 4), &err));
    assert_int_equal(type, message.head.type);
    assert_int_equal(3, message.head.generation);
    assert_int_equal(7, message.head.request);
    return message;
}

/* Send `value` (of type `name`) as a message of type `type`, receive it as `out`. */
#define PASS(name, type, value, out)                                                               \
    LWB_AUTO(lwb_buf_release) struct lwb_buf wire = LWB_BUF(2 * LIMIT);                            \
    LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };                              \
    const struct lwb_message_head head = head_of(type);                                            \
    struct lwb_error err;                                                                          \
    assert_int_equal(LWB_OK, lwb_##name##_encode(&wire, &head, value, LIMIT, &err));               \
    message = received(&wire, type);                                                               \
    assert_int_equal(LWB_OK, lwb_##name##_decode(out, &message, &err))

static void hello_passes(void **state)
{
    struct lwb_hello_request in = { 1 << 20, "lwbuild \"0.1\"" };
    struct lwb_hello_request out;

    (void)state;
    PASS(hello_request, LWB_MSG_HELLO, &in, &out);
    assert_int_equal(in.max_frame, out.max_frame);
    assert_string_equal(in.parent, out.parent);
}

static void the_answer_to_hello_passes(void **state)
{
    struct lwb_host_offer hosts[] = { { "lean", "ab" }, { "kernel", "cd" } };
    struct lwb_hello_response in = { "child", 65536, 42, hosts, 2, NULL };
    struct lwb_hello_response out;

    (void)state;
    PASS(hello_response, LWB_MSG_RESPONSE, &in, &out);
    assert_string_equal("child", out.child);
    assert_int_equal(42, out.pid);
    assert_int_equal(2, out.n_hosts);
    assert_string_equal("kernel", out.hosts[1].kind);
    assert_string_equal("cd", out.hosts[1].digest);
    assert_null(out.lean_version);
}

static void open_passes_every_field(void **state)
{
    char *words[] = { "Init", "public A.B", NULL };
    struct lwb_strvec list = { words, 2, 0 };
    struct lwb_strvec none = { 0 };
    struct lwb_open_request in = {
        .host = "lean",
        .project_root = "/p",
        .package = "pkg",
        .library = "Lib",
        .source_root = "/p/src",
        .toolchain = "/t",
        .toolchain_version = "4.9.0",
        .imports = &list,
        .options = &none,
        .search_path = &list,
        .capability = "/c.so",
        .scratch = "/tmp/x",
        .prelude = true,
        .module_system = true,
        .threads = 2,
        .max_memory = 1ull << 40,
    };
    struct lwb_open_request out;

    (void)state;
    PASS(open_request, LWB_MSG_OPEN, &in, &out);
    assert_string_equal("lean", out.host);
    assert_string_equal("/p", out.project_root);
    assert_string_equal("pkg", out.package);
    assert_string_equal("Lib", out.library);
    assert_string_equal("/p/src", out.source_root);
    assert_string_equal("/t", out.toolchain);
    assert_string_equal("4.9.0", out.toolchain_version);
    assert_int_equal(2, out.imports->count);
    assert_string_equal("public A.B", out.imports->items[1]);
    assert_null(out.imports->items[2]);
    assert_int_equal(0, out.options->count);
    assert_int_equal(2, out.search_path->count);
    assert_int_equal(0, out.plugins->count); /* absent: empty, never NULL */
    assert_string_equal("/c.so", out.capability);
    assert_string_equal("/tmp/x", out.scratch);
    assert_true(out.prelude);
    assert_true(out.module_system);
    assert_int_equal(2, out.threads);
    assert_true(out.max_memory == 1ull << 40);
}

static void the_answer_to_open_passes(void **state)
{
    struct lwb_open_response in = { "4.0.0", "a\nnote" };
    struct lwb_open_response out;

    (void)state;
    PASS(open_response, LWB_MSG_RESPONSE, &in, &out);
    assert_string_equal("4.0.0", out.lean_version);
    assert_string_equal("a\nnote", out.note);
}

static void a_source_passes_byte_for_byte(void **state)
{
    static const char bytes[] = "theorem x : 1 = 1\n\0\xff := rfl";
    struct lwb_check_request in = {
        .module = "A.B",
        .file = "A/B.lean",
        .source = { bytes, sizeof(bytes) },
        .isolation = LWB_ISOLATION_FRESH,
        .want_artifact = true,
        .deadline_ms = 10,
        .max_diagnostic_bytes = 20,
    };
    struct lwb_check_request out;

    (void)state;
    PASS(check_request, LWB_MSG_CHECK, &in, &out);
    assert_string_equal("A.B", out.module);
    assert_string_equal("A/B.lean", out.file);
    assert_null(out.path);
    assert_true(lwb_bytes_equal(in.source, out.source));
    assert_int_equal(LWB_ISOLATION_FRESH, out.isolation);
    assert_true(out.want_artifact);
    assert_int_equal(10, out.deadline_ms);
    assert_int_equal(20, out.max_diagnostic_bytes);
}

static void an_empty_source_is_not_a_missing_one(void **state)
{
    struct lwb_check_request in = { .module = "A", .file = "A.lean" };
    struct lwb_check_request out;

    (void)state;
    PASS(check_request, LWB_MSG_CHECK, &in, &out);
    assert_non_null(out.source.ptr);
    assert_int_equal(0, out.source.len);
}

static void a_check_by_path_has_no_source(void **state)
{
    struct lwb_check_request in = { .module = "A", .file = "a", .path = "/a", .digest = "00" };
    struct lwb_check_request out;

    (void)state;
    PASS(check_request, LWB_MSG_CHECK, &in, &out);
    assert_string_equal("/a", out.path);
    assert_string_equal("00", out.digest);
    assert_null(out.source.ptr);
}

static void the_answer_to_check_passes(void **state)
{
    struct lwb_artifact artifact = { "olean", "/s/x", { { 1, 2, 3 } }, 99 };
    struct lwb_stream_count stream = { "declarations", 5 };
    struct lwb_check_response in = {
        .verdict = LWB_VERDICT_REJECTED,
        .reason = LWB_REASON_LIMIT,
        .detail = "why",
        .fresh = true,
        .storable = true,
        .truncated = true,
        .check_ns = 1234567890123,
        .artifacts = &artifact,
        .n_artifacts = 1,
        .streams = &stream,
        .n_streams = 1,
    };
    struct lwb_check_response out;

    (void)state;
    PASS(check_response, LWB_MSG_RESPONSE, &in, &out);
    assert_int_equal(LWB_VERDICT_REJECTED, out.verdict);
    assert_int_equal(LWB_REASON_LIMIT, out.reason);
    assert_string_equal("why", out.detail);
    assert_true(out.fresh && out.storable && out.truncated);
    assert_true(out.check_ns == 1234567890123);
    assert_int_equal(1, out.n_artifacts);
    assert_string_equal("/s/x", out.artifacts[0].path);
    assert_int_equal(0, lwb_digest_compare(&artifact.digest, &out.artifacts[0].digest));
    assert_int_equal(99, out.artifacts[0].size);
    assert_int_equal(1, out.n_streams);
    assert_int_equal(5, out.streams[0].rows);
}

static void a_kernel_check_passes(void **state)
{
    struct lwb_elaborate_request in = { "<input>", "A.B", 200000, 4096, { "#eval 1", 7 } };
    struct lwb_elaborate_request out;

    (void)state;
    PASS(elaborate_request, LWB_MSG_KERNEL_CHECK, &in, &out);
    assert_string_equal("<input>", out.label);
    assert_string_equal("A.B", out.namespace_context);
    assert_int_equal(200000, out.heartbeats);
    assert_int_equal(4096, out.max_diagnostic_bytes);
    assert_true(lwb_bytes_is(out.source, "#eval 1"));
}

static void the_answer_to_kernel_check_passes(void **state)
{
    struct lwb_kernel_response answer = { LWB_KERNEL_UNAVAILABLE, true };
    struct lwb_kernel_response got;

    (void)state;
    PASS(kernel_response, LWB_MSG_RESPONSE, &answer, &got);
    assert_int_equal(LWB_KERNEL_UNAVAILABLE, got.status);
    assert_true(got.truncated);
}

static void the_answer_to_elaborate_passes(void **state)
{
    struct lwb_elaborate_response answer = { true, false };
    struct lwb_elaborate_response got;

    (void)state;
    PASS(elaborate_response, LWB_MSG_RESPONSE, &answer, &got);
    assert_true(got.success);
    assert_false(got.truncated);
}

static void a_request_for_kinds_passes(void **state)
{
    char *words[] = { "Nat.add", "\xce\xbb", NULL };
    struct lwb_strvec list = { words, 2, 0 };
    struct lwb_declaration_kinds_request kinds = { &list };
    struct lwb_declaration_kinds_request got;

    (void)state;
    PASS(declaration_kinds_request, LWB_MSG_DECLARATION_KINDS, &kinds, &got);
    assert_string_equal("\xce\xbb", got.names->items[1]);
}

static void a_request_for_names_passes(void **state)
{
    struct lwb_declaration_names_request names = { "Nat." };
    struct lwb_declaration_names_request got_names;

    (void)state;
    PASS(declaration_names_request, LWB_MSG_DECLARATION_NAMES, &names, &got_names);
    assert_string_equal("Nat.", got_names.prefix);
}

static void the_answer_with_names_passes(void **state)
{
    char *words[] = { "a", "b", NULL };
    struct lwb_strings_response answer = { { words, 2, 0 } };
    struct lwb_strings_response got_answer;

    (void)state;
    PASS(strings_response, LWB_MSG_RESPONSE, &answer, &got_answer);
    assert_int_equal(2, got_answer.items.count);
}

static void an_export_request_passes(void **state)
{
    struct lwb_export_request in = { "count", { "{\"n\":3}", 7 } };
    struct lwb_export_request out;

    (void)state;
    PASS(export_request, LWB_MSG_STREAM, &in, &out);
    assert_string_equal("count", out.name);
    assert_true(lwb_bytes_is(out.json, "{\"n\":3}"));
}

static void an_answer_passes(void **state)
{
    struct lwb_answer answer = { .json = { "[1]", 3 } };
    struct lwb_answer got;

    (void)state;
    PASS(answer, LWB_MSG_RESPONSE, &answer, &got);
    assert_true(lwb_bytes_is(got.json, "[1]"));
}

static void a_stream_summary_passes(void **state)
{
    struct lwb_stream_count counts[] = { { "a", 2 }, { "b", 3 } };
    struct lwb_stream_summary summary = { 5, counts, 2, 77, { NULL, 0 } };
    struct lwb_stream_summary got;

    (void)state;
    PASS(stream_summary, LWB_MSG_RESPONSE, &summary, &got);
    assert_int_equal(5, got.total_rows);
    assert_int_equal(2, got.n_streams);
    assert_string_equal("b", got.streams[1].stream);
    assert_int_equal(77, got.child_ns);
    assert_null(got.metadata.ptr);
}

static void progress_passes(void **state)
{
    struct lwb_progress in = { "import", 1, true, 0, 5 };
    struct lwb_progress out;

    (void)state;
    PASS(progress, LWB_MSG_PROGRESS, &in, &out);
    assert_string_equal("import", out.phase);
    assert_true(out.has_total);
    assert_int_equal(0, out.total);
}

static void a_diagnostic_passes(void **state)
{
    struct lwb_diagnostic note = { LWB_SEVERITY_ERROR, 1, 0, -1, -1, { "c", 1 }, { "m\n", 2 } };
    struct lwb_diagnostic got;

    (void)state;
    PASS(diagnostic, LWB_MSG_DIAGNOSTIC, &note, &got);
    assert_int_equal(LWB_SEVERITY_ERROR, got.severity);
    assert_int_equal(1, got.line);
    assert_int_equal(0, got.column);
    assert_int_equal(-1, got.end_line);
    assert_int_equal(-1, got.end_column);
    assert_true(lwb_bytes_is(got.code, "c"));
    assert_true(lwb_bytes_is(got.message, "m\n"));
}

static void rows_pass_as_raw_bytes(void **state)
{
    static const char packed[] = "\0\0\0\2{}\0\0\0\0\0\0\0\1\n";
    struct lwb_rows in = { "s", 40, 3, { packed, sizeof(packed) - 1 } };
    struct lwb_rows out;
    struct lwb_bytes row;

    (void)state;
    PASS(rows, LWB_MSG_ROWS, &in, &out);
    assert_int_equal(40, out.first);
    assert_int_equal(3, out.count);
    assert_int_equal(1, lwb_rows_next(&out.packed, &row));
    assert_true(lwb_bytes_is(row, "{}"));
    assert_int_equal(1, lwb_rows_next(&out.packed, &row));
    assert_int_equal(0, row.len);
    assert_int_equal(1, lwb_rows_next(&out.packed, &row));
    assert_true(lwb_bytes_is(row, "\n"));
    assert_int_equal(0, lwb_rows_next(&out.packed, &row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_passes),
        cmocka_unit_test(the_answer_to_hello_passes),
        cmocka_unit_test(open_passes_every_field),
        cmocka_unit_test(the_answer_to_open_passes),
        cmocka_unit_test(a_source_passes_byte_for_byte),
        cmocka_unit_test(an_empty_source_is_not_a_missing_one),
        cmocka_unit_test(a_check_by_path_has_no_source),
        cmocka_unit_test(the_answer_to_check_passes),
        cmocka_unit_test(a_kernel_check_passes),
        cmocka_unit_test(a_request_for_kinds_passes),
        cmocka_unit_test(an_export_request_passes),
        cmocka_unit_test(progress_passes),
        cmocka_unit_test(the_answer_to_kernel_check_passes),
        cmocka_unit_test(the_answer_to_elaborate_passes),
        cmocka_unit_test(a_request_for_names_passes),
        cmocka_unit_test(the_answer_with_names_passes),
        cmocka_unit_test(an_answer_passes),
        cmocka_unit_test(a_stream_summary_passes),
        cmocka_unit_test(a_diagnostic_passes),
        cmocka_unit_test(rows_pass_as_raw_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
