#include "tests/support/test.h"

#include "lwbuild/protocol/frame.h"
#include "lwbuild/protocol/message.h"

/* What is read of a message that is not quite as it should be, and what is said of it. */

enum { LIMIT = 100000 };

static void a_cut_row_is_noticed(void **state)
{
    struct lwb_bytes row;
    struct lwb_bytes cut_length = { "\0\0\0", 3 };
    struct lwb_bytes cut_body = { "\0\0\0\2x", 5 };

    (void)state;
    assert_int_equal(-1, lwb_rows_next(&cut_length, &row));
    assert_int_equal(-1, lwb_rows_next(&cut_body, &row));
}

static void wrong_heads_are_refused(void **state)
{
    static const struct {
        const char *payload;
        const char *text;
    } cases[] = {
        { "x", "message: not a JSON object" },
        { "{\"generation\":1}", "message: \"version\" is missing" },
        { "{\"version\":2}", "message: protocol version 2, not 1" },
        { "{\"version\":1,\"request\":1,\"type\":\"rows\"}", "message: \"generation\" is missing" },
        { "{\"version\":1,\"generation\":1,\"type\":\"rows\"}", "message: \"request\" is missing" },
        { "{\"version\":1,\"generation\":1,\"request\":-1,\"type\":\"rows\"}",
          "message: \"request\" is not a count" },
        { "{\"version\":1,\"generation\":1,\"request\":1,\"type\":\"sing\"}",
          "message: unknown message type \"sing\"" },
        { "{\"version\":1,\"generation\":1,\"request\":1,\"type\":\"rows\"}{}",
          "message: bytes behind the JSON object" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct lwb_message message;
        struct lwb_error err;

        assert_int_equal(LWB_ERR_PROTOCOL,
                         lwb_message_decode(&message, lwb_bytes_text(cases[i].payload), &err));
        assert_string_equal(cases[i].text, err.text);
    }
}

#define HEAD "{\"version\":1,\"generation\":1,\"request\":1,\"type\":\"response\""

static void wrong_bodies_are_refused(void **state)
{
    LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };
    struct lwb_check_response check;
    struct lwb_stream_summary summary;
    struct lwb_error err;

    (void)state;
    assert_int_equal(
        LWB_OK, lwb_message_decode(&message, lwb_bytes_text(HEAD ",\"verdict\":\"maybe\"}"), &err));
    assert_int_equal(LWB_ERR_PROTOCOL, lwb_check_response_decode(&check, &message, &err));
    assert_string_equal("response message: \"verdict\" cannot be \"maybe\"", err.text);
    lwb_message_release(&message);
    assert_int_equal(
        LWB_OK, lwb_message_decode(&message,
                                   lwb_bytes_text(HEAD ",\"total_rows\":2,\"streams\":[{\"stream\":"
                                                       "\"s\",\"rows\":1}]}"),
                                   &err));
    assert_int_equal(LWB_ERR_PROTOCOL, lwb_stream_summary_decode(&summary, &message, &err));
    assert_string_equal("response message: 2 rows in all, 1 in the streams", err.text);
}

/* A usual head is read without a tree; one that looks nearly like it must mean the same. */
static void usual_heads_mean_what_the_tree_says(void **state)
{
    static const struct {
        const char *payload;
        int rc;
        bool tree;
    } cases[] = {
        { HEAD "}", LWB_OK, false },
        { HEAD "} ", LWB_OK, true },
        { HEAD ",\"x\":1}", LWB_OK, false },
        { HEAD ",\"x\":\"a\",\"y\":true,\"z\":false}", LWB_OK, false },
        { HEAD ",\"x\":\"\xc3\xa9\"}", LWB_OK, false },
        { HEAD ",\"x\":\"\xc3\"}", LWB_ERR_PROTOCOL, false },
        { HEAD ",\"x\":\"a\\n\"}", LWB_OK, true },
        { HEAD ",\"x\":\"a\nb\"}", LWB_ERR_PROTOCOL, false },
        { HEAD ",\"x\":-1}", LWB_OK, true },
        { HEAD ",\"x\":1.5}", LWB_OK, true },
        { HEAD ",\"x\":null}", LWB_OK, true },
        { HEAD ",\"x\":[]}", LWB_OK, true },
        { HEAD ",\"x\":1,}", LWB_ERR_PROTOCOL, false },
        { HEAD ",\"x\":}", LWB_ERR_PROTOCOL, false },
        { HEAD ",\"x\":truee}", LWB_ERR_PROTOCOL, false },
        { HEAD ",\"x}", LWB_ERR_PROTOCOL, false },
        { HEAD ",}", LWB_ERR_PROTOCOL, false },
        { HEAD ",\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,"
               "\"j\":1,\"k\":1,\"l\":1}",
          LWB_OK, false },
        { HEAD ",\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,"
               "\"j\":1,\"k\":1,\"l\":1,\"m\":1}",
          LWB_OK, true },
        { "{\"version\":1,\"generation\":1,\"request\":1,\"type\":\"a\"}", LWB_ERR_PROTOCOL,
          false },
        { "{\"version\":2,\"generation\":1,\"request\":1,\"type\":\"rows\"}", LWB_ERR_PROTOCOL,
          false },
        { "{\"version\":1,\"generation\":1234567890123456,\"request\":1,\"type\":\"rows\"}",
          LWB_ERR_PROTOCOL, false },
        { "{\"version\":1,\"generation\":,\"request\":1,\"type\":\"rows\"}", LWB_ERR_PROTOCOL,
          false },
        { HEAD, LWB_ERR_PROTOCOL, false },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };
        struct lwb_error err;

        assert_int_equal(cases[i].rc,
                         lwb_message_decode(&message, lwb_bytes_text(cases[i].payload), &err));
        assert_true(cases[i].tree == (message.json != NULL));
        if (cases[i].rc == LWB_OK)
            assert_int_equal(LWB_MSG_RESPONSE, message.head.type);
    }
}

/* What a table of members cannot answer, the tree does: the same words, and what it can still. */
static void members_of_the_wrong_kind_are_named(void **state)
{
    LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };
    struct lwb_elaborate_request request;
    struct lwb_check_response check;
    struct lwb_error err;

    (void)state;
    assert_int_equal(LWB_OK,
                     lwb_message_decode(&message,
                                        lwb_bytes_text(HEAD ",\"label\":\"a\",\"namespace\":7,"
                                                            "\"streams\":1}\ntext"),
                                        &err));
    assert_null(message.json);
    assert_int_equal(LWB_ERR_PROTOCOL, lwb_elaborate_request_decode(&request, &message, &err));
    assert_string_equal("response message: \"namespace\" is not a string", err.text);
    assert_non_null(message.json);
    assert_int_equal(LWB_ERR_PROTOCOL, lwb_check_response_decode(&check, &message, &err));
    assert_string_equal("response message: \"verdict\" is missing", err.text);
    lwb_message_release(&message);
    assert_int_equal(LWB_OK, lwb_message_decode(&message,
                                                lwb_bytes_text(HEAD ",\"label\":\"a\",\"label\":"
                                                                    "\"b\"}\ntext"),
                                                &err));
    assert_int_equal(LWB_OK, lwb_elaborate_request_decode(&request, &message, &err));
    assert_string_equal("a", request.label); /* the first one, as in a tree */
    assert_null(request.namespace_context);
    assert_null(message.json);
}

static void members_of_a_later_version_are_ignored(void **state)
{
    LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };
    struct lwb_elaborate_response out;
    struct lwb_error err;

    (void)state;
    assert_int_equal(
        LWB_OK,
        lwb_message_decode(&message, lwb_bytes_text(HEAD ",\"success\":true,\"new\":[{}]}"), &err));
    assert_int_equal(LWB_OK, lwb_elaborate_response_decode(&out, &message, &err));
    assert_true(out.success);
}

/* L23: one oversized item fails that item; what was in the buffer before stays. */
static void a_message_over_the_limit_leaves_the_buffer_alone(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf wire = LWB_BUF(2 * LIMIT);
    struct lwb_message_head head = { .generation = 3, .request = 7, .type = LWB_MSG_HEALTH };
    struct lwb_export_request big = { "x", { "0123456789", 10 } };
    struct lwb_error err;
    size_t before;

    (void)state;
    assert_int_equal(LWB_OK, lwb_plain_encode(&wire, &head, LIMIT, &err));
    before = wire.len;
    head.type = LWB_MSG_COMMAND;
    assert_int_equal(LWB_ERR_LIMIT, lwb_export_request_encode(&wire, &head, &big, 20, &err));
    assert_int_equal(20, err.facts.limit);
    assert_int_equal(before, wire.len);
    assert_int_equal(LWB_OK, lwb_export_request_encode(&wire, &head, &big, LIMIT, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_row_is_noticed),
        cmocka_unit_test(wrong_heads_are_refused),
        cmocka_unit_test(wrong_bodies_are_refused),
        cmocka_unit_test(usual_heads_mean_what_the_tree_says),
        cmocka_unit_test(members_of_the_wrong_kind_are_named),
        cmocka_unit_test(members_of_a_later_version_are_ignored),
        cmocka_unit_test(a_message_over_the_limit_leaves_the_buffer_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
