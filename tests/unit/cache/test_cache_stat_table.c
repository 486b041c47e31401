#include "tests/support/test.h"

#include <ctype.h>
#include <string.h>

#include "cache/cache_stats.h"

static void every_counter_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < LWB_STAT_COUNT; i++) {
        const struct lwb_stat_info *info = lwb_stat_info(i);

        assert_non_null(info->id);
        assert_true(info->sentence[0] != '\0');
        for (const char *c = info->id; *c; c++)
            assert_true(islower((unsigned char)*c) || *c == '_');
        for (int j = 0; j < i; j++)
            assert_string_not_equal(info->id, lwb_stat_info(j)->id);
    }
}

/* So that a listing in table order can indent. */
static void a_part_comes_behind_its_whole(void **state)
{
    (void)state;
    for (int i = 0; i < LWB_STAT_COUNT; i++) {
        const struct lwb_stat_info *info = lwb_stat_info(i);

        assert_true((int)info->parent <= i);
        assert_false(info->is_gauge && (int)info->parent != i);
    }
}

static void a_miss_counts_for_its_first_difference(void **state)
{
    static const struct {
        enum lwb_cache_why why;
        const char *text;
        enum lwb_stat stat;
    } cases[] = {
        { LWB_WHY_NEVER_SEEN, "", LWB_STAT_MISS_NEVER_SEEN },
        { LWB_WHY_EVICTED, "2 days ago", LWB_STAT_MISS_EVICTED },
        { LWB_WHY_UNKNOWN, "", LWB_STAT_MISS_OTHER },
        { LWB_WHY_DIFFERS, "source", LWB_STAT_MISS_SOURCE },
        { LWB_WHY_DIFFERS, "sourceful", LWB_STAT_MISS_OTHER },
        { LWB_WHY_DIFFERS, "import A.B", LWB_STAT_MISS_IMPORT },
        { LWB_WHY_DIFFERS, "import A.B (gone)", LWB_STAT_MISS_IMPORT },
        { LWB_WHY_DIFFERS, "option autoImplicit", LWB_STAT_MISS_OPTION },
        { LWB_WHY_DIFFERS, "toolchain", LWB_STAT_MISS_TOOLCHAIN },
        { LWB_WHY_DIFFERS, "host", LWB_STAT_MISS_HOST },
        { LWB_WHY_DIFFERS, "input data.json", LWB_STAT_MISS_INPUT },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++)
        assert_int_equal(lwb_stat_of_miss(cases[i].why, cases[i].text), cases[i].stat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_counter_has_a_name_of_its_own),
        cmocka_unit_test(a_part_comes_behind_its_whole),
        cmocka_unit_test(a_miss_counts_for_its_first_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
