#include "tests/support/test.h"

#include <string.h>

#include "lwbuild/base/json.h"

static int parse(const char *text, size_t len, struct lwb_error *err)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;

    return lwb_json_parse(&json, lwb_bytes(text, len), err);
}

static void what_cjson_lets_pass_is_refused(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *says;
    } cases[] = {
#define CASE(text, says) { text, sizeof(text) - 1, says }
        CASE("{\"a\":1}{\"b\":2}", "behind the JSON object"),
        CASE("{\"a\":1} x", "behind the JSON object"),
        CASE("[1]", "not a JSON object"),
        CASE("", "not a JSON object"),
        CASE("{\"a\":\"x\\u0000y\"}", "\\u0000"),
        CASE("{\"a\":\"x\0y\"}", "NUL"),
        CASE("{\"a\":\"x\ny\"}", "control character"),
        CASE("{\"a\":\"\xff\"}", "UTF-8"),
        CASE("{\"a\":", "malformed"),
        CASE("{\"a\" 1}", "malformed"),
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct lwb_error err;

        assert_int_equal(parse(cases[i].text, cases[i].len, &err), LWB_ERR_FORMAT);
        assert_non_null(strstr(err.text, cases[i].says));
    }
}

static cJSON *parsed(const char *text)
{
    cJSON *json = NULL;
    struct lwb_error err;

    assert_int_equal(lwb_json_parse(&json, lwb_bytes_text(text), &err), LWB_OK);
    return json;
}

static void getters_name_the_key(void **state)
{
    LWB_AUTO(lwb_json_free) cJSON *json = parsed("{\"n\":1.5,\"s\":7,\"big\":9007199254740993}");
    struct lwb_error err;
    const char *text;
    int64_t number;

    (void)state;
    assert_int_equal(lwb_json_get_text(json, "none", &text, &err), LWB_ERR_FORMAT);
    assert_string_equal(err.text, "\"none\" is missing");
    assert_int_equal(lwb_json_get_text(json, "s", &text, &err), LWB_ERR_FORMAT);
    assert_string_equal(err.text, "\"s\" is not a string");
    assert_int_equal(lwb_json_get_int(json, "n", &number, &err), LWB_ERR_FORMAT);
    assert_int_equal(lwb_json_get_int(json, "big", &number, &err), LWB_ERR_FORMAT);
}

static void keys_have_a_case(void **state)
{
    LWB_AUTO(lwb_json_free) cJSON *json = parsed("{\"Kind\":\"x\"}");

    (void)state;
    assert_null(lwb_json_find(json, "kind"));
    assert_non_null(lwb_json_find(json, "Kind"));
}

static void optional_members_may_be_absent_or_null_but_not_wrong(void **state)
{
    LWB_AUTO(lwb_json_free) cJSON *json = parsed("{\"null\":null,\"wrong\":1}");
    struct lwb_error err;
    const char *text;

    (void)state;
    assert_int_equal(lwb_json_opt_text(json, "null", "d", &text, &err), LWB_OK);
    assert_string_equal(text, "d");
    assert_int_equal(lwb_json_opt_text(json, "none", "d", &text, &err), LWB_OK);
    assert_int_equal(lwb_json_opt_text(json, "wrong", "d", &text, &err), LWB_ERR_FORMAT);
}

static void written_strings_are_read_back(void **state)
{
    static const char *const texts[] = { "plain", "a\"b\\c", "line\nbreak\ttab\r", "\x01\x1f",
                                         "\xCE\xB1\xE2\x86\x92" };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(texts); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
        LWB_AUTO(lwb_json_free) cJSON *json = NULL;
        struct lwb_error err;
        const char *text;
        bool first = true;

        lwb_buf_append_char(&out, '{');
        lwb_json_member_text(&out, &first, "k", texts[i]);
        lwb_buf_append_char(&out, '}');
        assert_int_equal(lwb_json_parse(&json, lwb_buf_bytes(&out), &err), LWB_OK);
        assert_int_equal(lwb_json_get_text(json, "k", &text, &err), LWB_OK);
        assert_string_equal(text, texts[i]);
    }
}

/* Plain bytes are looked at eight at a time: whatever stands in whichever of them is found. */
static void every_byte_is_escaped_at_every_place(void **state)
{
    (void)state;
    for (unsigned c = 1; c < 0x80; c++)
        for (size_t place = 0; place < 18; place++) {
            LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
            LWB_AUTO(lwb_json_free) cJSON *json = NULL;
            char written[] = "abcdefghijklmnopqr";
            struct lwb_error err;
            const char *text;
            bool first = true;

            written[place] = (char)c;
            lwb_buf_append_char(&out, '{');
            lwb_json_member_text(&out, &first, "k", written);
            lwb_buf_append_char(&out, '}');
            assert_int_equal(lwb_json_parse(&json, lwb_buf_bytes(&out), &err), LWB_OK);
            assert_int_equal(lwb_json_get_text(json, "k", &text, &err), LWB_OK);
            assert_string_equal(text, written);
            assert_int_equal(c >= 0x20 && c != '"' && c != '\\',
                             out.len == strlen("{'k':''}") + strlen(written));
        }
}

static void invalid_utf8_is_repaired_when_written(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);

    (void)state;
    lwb_json_append_text(&out, "a\xff"
                               "b");
    assert_string_equal(lwb_buf_text(&out), "\"a\xEF\xBF\xBD"
                                            "b\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cjson_lets_pass_is_refused),
        cmocka_unit_test(getters_name_the_key),
        cmocka_unit_test(keys_have_a_case),
        cmocka_unit_test(optional_members_may_be_absent_or_null_but_not_wrong),
        cmocka_unit_test(written_strings_are_read_back),
        cmocka_unit_test(every_byte_is_escaped_at_every_place),
        cmocka_unit_test(invalid_utf8_is_repaired_when_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
