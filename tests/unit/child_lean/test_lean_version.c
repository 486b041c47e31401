#include "tests/support/test.h"

#include "child/lean/lean_version.h"
#include "lwbuild/base/attributes.h"

static void version_strings_are_read(void **state)
{
    static const struct {
        const char *text;
        unsigned minor, patch, date;
    } good[] = {
        { "4.9.0", 9, 0, 0 },
        { "v4.9.1", 9, 1, 0 },
        { "4.9.0-rc1", 8, 0, 0 }, /* on the way: not everything of 4.9 is there */
        { "4.0.0-nightly-2021-11-29", 0, 0, 20211129 },
        { "4.12.0-nightly-2024-09-01", 11, 0, 20240901 },
        { "4.0.0-m5", 0, 0, 0 },
    };
    static const char *const bad[] = { "",     "4",        "4.9",       "4.9.",
                                       "four", "4.9.0rc1", "99999.1.1", "4.9.0 " };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(good); i++) {
        struct lwb_lean_version version;

        assert_int_equal(lwb_lean_version_parse(&version, good[i].text), 0);
        assert_int_equal(version.major, 4);
        assert_int_equal(version.minor, good[i].minor);
        assert_int_equal(version.patch, good[i].patch);
        assert_int_equal(version.date, good[i].date);
    }
    for (size_t i = 0; i < LWB_COUNT(bad); i++) {
        struct lwb_lean_version version = { .minor = 77 };

        assert_int_equal(lwb_lean_version_parse(&version, bad[i]), -1);
        assert_int_equal(version.minor, 77);
    }
}

static void features_come_with_versions(void **state)
{
    static const struct {
        enum lwb_lean_feature feature;
        const char *with;
        const char *without;
    } cases[] = {
        { LWB_LEAN_JSON, "4.8.0", "4.7.0" },
        { LWB_LEAN_JSON, "4.9.0-rc1", "4.8.0-rc1" },
        { LWB_LEAN_JSON, "4.34.0", "4.0.0" },
        { LWB_LEAN_REPORT_DELAY, "4.8.0", "4.7.0" },
        { LWB_LEAN_WORKER_OPTIONS, "4.0.0-nightly-2021-09-08", "4.0.0-nightly-2021-09-07" },
        { LWB_LEAN_WORKER_OPTIONS, "4.1.0", "4.0.0" }, /* undated: may be of July 2021 */
        { LWB_LEAN_LAKE, "4.0.0-nightly-2021-10-15", "4.0.0-nightly-2021-10-14" },
        { LWB_LEAN_PARTS, "4.22.0", "4.22.0-rc1" },
        { LWB_LEAN_WORKER_TEXT, "4.1.0", "4.0.0-nightly-2022-02-10" },
        { LWB_LEAN_WORKER_TEXT, "4.2.0-rc1", "4.0.0" },
        { LWB_LEAN_FEW_THREADS, "4.20.0", "4.12.0" },
        { LWB_LEAN_FEW_THREADS, "4.0.0-nightly-2021-11-29", "4.19.0" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct lwb_lean_version version;

        assert_int_equal(lwb_lean_version_parse(&version, cases[i].with), 0);
        assert_true(lwb_lean_version_has(&version, cases[i].feature));
        assert_int_equal(lwb_lean_version_parse(&version, cases[i].without), 0);
        assert_false(lwb_lean_version_has(&version, cases[i].feature));
    }
}

static void an_undated_nightly_takes_the_date_of_its_folder(void **state)
{
    struct lwb_lean_version version;

    (void)state;
    assert_int_equal(lwb_lean_version_parse(&version, "4.0.0"), 0);
    lwb_lean_version_take_date(&version, "leanprover--lean4-nightly---nightly-2021-11-30");
    assert_int_equal(version.date, 20211130);
    assert_int_equal(lwb_lean_version_parse(&version, "4.9.0"), 0);
    lwb_lean_version_take_date(&version, "nightly-2021-11-30");
    assert_int_equal(version.date, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_strings_are_read),
        cmocka_unit_test(features_come_with_versions),
        cmocka_unit_test(an_undated_nightly_takes_the_date_of_its_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
