#include "tests/support/test.h"

#include "lwbuild/driver/depfile.h"

static void paths_are_escaped_for_ninja_and_make(void **state)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec paths = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
    size_t left_out;

    (void)state;
    lwb_strvec_append(&paths, "/s/plain");
    lwb_strvec_append(&paths, "/s/a b");
    lwb_strvec_append(&paths, "/s/a#b");
    lwb_strvec_append(&paths, "/s/a$b");
    lwb_strvec_append(&paths, "/s/\xC2\xAB"
                              "a-b\xC2\xBB.lean");
    lwb_depfile_print(&out, "/b/my stamp", &paths, &left_out);
    assert_int_equal(left_out, 0);
    assert_string_equal(lwb_buf_text(&out), "/b/my\\ stamp: \\\n  /s/plain \\\n  /s/a\\ b \\\n"
                                            "  /s/a\\#b \\\n  /s/a$$b \\\n"
                                            "  /s/\xC2\xAB"
                                            "a-b\xC2\xBB.lean\n");
}

static void what_cannot_be_read_back_makes_the_tool_ask_each_time(void **state)
{
    static const char *const bad[] = { "/a'b", "/a&b", "/a\"b", "/a;b",  "/a*b",  "/a<b",
                                       "/a>b", "/a^b", "/a|b",  "/a\\b", "/a\nb", "" };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec paths = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
    size_t left_out;

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(bad); i++)
        lwb_strvec_append(&paths, bad[i]);
    lwb_depfile_print(&out, "/b/stamp", &paths, &left_out);
    assert_int_equal(left_out, LWB_COUNT(bad));
    assert_string_equal(lwb_buf_text(&out), "/b/stamp: \\\n  /b/stamp.always\n");
}

static void the_root_is_not_named(void **state)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec paths = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
    size_t left_out;

    (void)state;
    lwb_strvec_append(&paths, "/");
    lwb_strvec_append(&paths, "/s");
    lwb_depfile_print(&out, "stamp", &paths, &left_out);
    assert_int_equal(left_out, 0);
    assert_string_equal(lwb_buf_text(&out), "stamp: \\\n  /s\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_escaped_for_ninja_and_make),
        cmocka_unit_test(what_cannot_be_read_back_makes_the_tool_ask_each_time),
        cmocka_unit_test(the_root_is_not_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
