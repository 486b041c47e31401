#include "tests/support/test.h"

#include "lwbuild/plan/module_name.h"

static const struct {
    const char *text;
    const char *name; /* NULL: refused */
    const char *path;
} names[] = {
    { "A", "A", "A" },
    { "A.B.C", "A.B.C", "A/B/C" },
    { "«A».«B»", "A.B", "A/B" },
    { "«a-b».C", "«a-b».C", "a-b/C" },
    { "A.«b.c»", "A.«b.c»", "A/b.c" },
    { "«1»", "«1»", "1" },
    { "α.β'", "α.β'", "α/β'" },
    { "«..».A", NULL, NULL },
    { "«.»", NULL, NULL },
    { "«a/b»", NULL, NULL },
    { "A.", NULL, NULL },
    { ".A", NULL, NULL },
    { "", NULL, NULL },
    { "a-b", NULL, NULL },
    { "A B", NULL, NULL },
    { "1", NULL, NULL },
};

static void names_have_one_spelling_and_one_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(names); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(100);
        LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(100);
        bool ok = lwb_module_name_append(&name, lwb_bytes_text(names[i].text));

        print_message("%s\n", names[i].text);
        assert_int_equal(ok, names[i].name != NULL);
        if (!ok)
            continue;
        assert_string_equal(lwb_buf_text(&name), names[i].name);
        lwb_module_name_to_path(&path, lwb_buf_text(&name));
        assert_string_equal(lwb_buf_text(&path), names[i].path);
    }
}

static void a_path_gives_the_name_that_leads_back_to_it(void **state)
{
    static const char *const paths[] = { "A", "A/B", "a-b/C", "A/b.c", "α/β", "1/2", "x y/z" };
    static const char *const bad[] = { "", "A//B", "A/..", "./A", "A/«B»" };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(paths); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(100);
        LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(100);
        LWB_AUTO(lwb_buf_release) struct lwb_buf again = LWB_BUF(100);

        assert_true(lwb_module_name_from_path(&name, lwb_bytes_text(paths[i])));
        lwb_module_name_to_path(&path, lwb_buf_text(&name));
        assert_string_equal(lwb_buf_text(&path), paths[i]);
        assert_true(lwb_module_name_append(&again, lwb_buf_bytes(&name)));
        assert_string_equal(lwb_buf_text(&again), lwb_buf_text(&name));
    }
    for (size_t i = 0; i < LWB_COUNT(bad); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(100);

        assert_false(lwb_module_name_from_path(&name, lwb_bytes_text(bad[i])));
    }
}

static void below_means_whole_components(void **state)
{
    (void)state;
    assert_true(lwb_module_name_is_below("A", "A"));
    assert_true(lwb_module_name_is_below("A", "A.B"));
    assert_true(lwb_module_name_is_below("A.B", "A.B.C"));
    assert_false(lwb_module_name_is_below("A", "AB"));
    assert_false(lwb_module_name_is_below("A.B", "A"));
}

static void the_first_component_knows_guillemets(void **state)
{
    (void)state;
    assert_int_equal(lwb_module_name_first("A.B"), 1);
    assert_int_equal(lwb_module_name_first("A"), 1);
    assert_int_equal(lwb_module_name_first("«a.b».C"), strlen("«a.b»"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_one_spelling_and_one_path),
        cmocka_unit_test(a_path_gives_the_name_that_leads_back_to_it),
        cmocka_unit_test(below_means_whole_components),
        cmocka_unit_test(the_first_component_knows_guillemets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
