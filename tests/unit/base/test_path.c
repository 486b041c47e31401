#include "tests/support/test.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

static void paths_are_normalised(void **state)
{
    static const char *const cases[][2] = {
        { "/", "/" },
        { "/a/b", "/a/b" },
        { "/a//b/", "/a/b" },
        { "/a/./b", "/a/b" },
        { "/a/../b", "/b" },
        { "/..", "/" },
        { "/../a", "/a" },
        { "a/b/../..", "." },
        { "..", ".." },
        { "../../a", "../../a" },
        { "a/../../b", "../b" },
        { "", "." },
        { "./a", "a" },
        { "/a/b/../../c", "/c" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_free_text) char *path = lwb_path_normalise(cases[i][0]);

        assert_string_equal(path, cases[i][1]);
    }
}

static void relative_paths_lead_there(void **state)
{
    static const char *const cases[][3] = {
        { "/a/b", "/a/b/c", "c" },    { "/a/b", "/a/b", "." },         { "/a/b", "/a/c", "../c" },
        { "/a/b", "/a/bc", "../bc" }, { "/a/b/c", "/a", "../.." },     { "/", "/a", "a" },
        { "/a", "/", ".." },          { "/x/y", "/a/b", "../../a/b" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_free_text) char *path = lwb_path_relative(cases[i][0], cases[i][1]);

        assert_string_equal(path, cases[i][2]);
    }
}

static void absolute_paths_stay(void **state)
{
    LWB_AUTO(lwb_free_text) char *absolute = lwb_path_absolute("/base", "/other/./x");
    LWB_AUTO(lwb_free_text) char *relative = lwb_path_absolute("/base", "../x");

    (void)state;
    assert_string_equal(absolute, "/other/x");
    assert_string_equal(relative, "/x");
}

static void below_means_whole_components(void **state)
{
    (void)state;
    assert_true(lwb_path_is_below("/a/b", "/a/b/c"));
    assert_true(lwb_path_is_below("/a/b", "/a/b"));
    assert_false(lwb_path_is_below("/a/b", "/a/bc"));
    assert_true(lwb_path_is_below("/", "/a"));
}

static void names_come_apart(void **state)
{
    LWB_AUTO(lwb_free_text) char *plain = lwb_path_dirname("file");
    LWB_AUTO(lwb_free_text) char *root = lwb_path_dirname("/file");
    LWB_AUTO(lwb_free_text) char *deep = lwb_path_dirname("/a/b/file");

    (void)state;
    assert_string_equal(plain, ".");
    assert_string_equal(root, "/");
    assert_string_equal(deep, "/a/b");
    assert_string_equal(lwb_path_basename("/a/b/file"), "file");
    assert_true(lwb_path_has_suffix("a.lean", ".lean"));
    assert_false(lwb_path_has_suffix("lean", ".lean"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_normalised), cmocka_unit_test(relative_paths_lead_there),
        cmocka_unit_test(absolute_paths_stay),  cmocka_unit_test(below_means_whole_components),
        cmocka_unit_test(names_come_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
