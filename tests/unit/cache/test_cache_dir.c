#include "tests/support/test.h"

#include "cache/cache_dir.h"
#include "lwbuild/base/alloc.h"

static void the_first_variable_that_says_something_counts(void **state)
{
    static const struct {
        const char *environment[4];
        const char *dir;
        bool fell_back;
    } cases[] = {
        { { "HOME=/h", "XDG_CACHE_HOME=/x", "LWBUILD_CACHE_DIR=rel/d" }, "rel/d", false },
        { { "HOME=/h", "XDG_CACHE_HOME=/x", "LWBUILD_CACHE_DIR=" }, "/x/lwbuild", false },
        { { "HOME=/h", "XDG_CACHE_HOME=relative" }, "/h/.cache/lwbuild", false },
        { { "HOME=", "HOMER=/no" }, "/b/.lwbuild-cache", true },
        { { NULL }, "/b/.lwbuild-cache", true },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        bool fell_back;
        LWB_AUTO(lwb_free_text)
        char *dir = lwb_cache_default_dir(cases[i].environment, "/b", &fell_back);

        assert_string_equal(dir, cases[i].dir);
        assert_int_equal(fell_back, cases[i].fell_back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_variable_that_says_something_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
