#include "tests/support/test.h"

#include <errno.h>
#include <string.h>

#include "lwbuild/base/error.h"

static void failing_is_one_line(void **state)
{
    struct lwb_error err;

    (void)state;
    assert_int_equal(lwb_fail(&err, LWB_ERR_LIMIT, "%d of %d", 3, 2), LWB_ERR_LIMIT);
    assert_string_equal(err.text, "3 of 2");
    lwb_fail(&err, LWB_ERR_FORMAT, "two\nlines");
    assert_string_equal(err.text, "two lines");
}

static void errno_is_kept_and_said(void **state)
{
    struct lwb_error err;

    (void)state;
    errno = ENOENT;
    lwb_fail_errno(&err, LWB_ERR_SYSTEM, "cannot open x");
    assert_int_equal(err.sys, ENOENT);
    assert_string_equal(err.text, "cannot open x: No such file or directory");
}

static void context_goes_in_front_and_facts_stay(void **state)
{
    struct lwb_error err;

    (void)state;
    lwb_fail(&err, LWB_ERR_TIMEOUT, "no answer");
    err.facts.ms = 30;
    assert_int_equal(lwb_error_context(&err, "module %s", "A.B"), LWB_ERR_TIMEOUT);
    assert_string_equal(err.text, "module A.B: no answer");
    assert_int_equal(err.facts.ms, 30);
}

static void endless_texts_are_cut(void **state)
{
    struct lwb_error err;
    char text[2000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    lwb_fail(&err, LWB_ERR_FORMAT, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    lwb_error_context(&err, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_is_one_line),
        cmocka_unit_test(errno_is_kept_and_said),
        cmocka_unit_test(context_goes_in_front_and_facts_stay),
        cmocka_unit_test(endless_texts_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
