#include "tests/support/test.h"

#include "cache/cache_dir.h"
#include "tests/support/scratch.h"

static void the_first_that_is_given_is_taken(void **state)
{
    static const struct {
        const char *option;
        char *environment[5];
        const char *expected;
        int told;
    } cases[] = {
        { "opt", { "LWBUILD_CACHE_DIR=/env", "HOME=/h", NULL }, "opt", 1 },
        { NULL, { "LWBUILD_CACHE_DIR=/env", "XDG_CACHE_HOME=/x", "HOME=/h", NULL }, "/env", 1 },
        { "", { "LWBUILD_CACHE_DIR=rel/ative", "HOME=/h", NULL }, "rel/ative", 1 },
        { NULL, { "LWBUILD_CACHE_DIR=", "XDG_CACHE_HOME=/x", "HOME=/h", NULL }, "/x/lwbuild", 1 },
        { NULL, { "XDG_CACHE_HOME=rel", "HOME=/h", NULL }, "/h/.cache/lwbuild", 1 },
        { NULL, { "HOME=/h", NULL }, "/h/.cache/lwbuild", 1 },
        { NULL, { "HOME=", NULL }, "/build/.lwbuild-cache", 0 },
        { NULL, { "HOME=h", NULL }, "/build/.lwbuild-cache", 0 },
        { NULL,
          { "HOMER=/h", "XHOME=/h", "LWBUILD_CACHE_DIRS=/e", NULL },
          "/build/.lwbuild-cache",
          0 },
        { NULL, { NULL }, "/build/.lwbuild-cache", 0 },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
        struct lwb_error err;

        assert_int_equal(lwb_cache_default_dir(&out, cases[i].option, cases[i].environment,
                                               "/build/.lwbuild-cache", &err),
                         cases[i].told);
        assert_string_equal(lwb_buf_text(&out), cases[i].expected);
    }
}

static void no_environment_at_all_is_fine(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
    struct lwb_error err;

    (void)state;
    assert_int_equal(lwb_cache_default_dir(&out, NULL, NULL, "beside", &err), 0);
    assert_string_equal(lwb_buf_text(&out), "beside");
}

static void a_generation_is_a_number_or_an_error(void **state)
{
    static const struct {
        const char *content;
        int rc;
        uint64_t generation;
    } cases[] = {
        { "1\n", LWB_OK, 1 },
        { "18446744073709551615\n", LWB_OK, UINT64_MAX },
        { "18446744073709551616\n", LWB_ERR_FORMAT, 0 },
        { "", LWB_ERR_FORMAT, 0 },
        { "1", LWB_ERR_FORMAT, 0 },
        { "x\n", LWB_ERR_FORMAT, 0 },
        { "1\n2\n", LWB_ERR_FORMAT, 0 },
    };
    struct scratch scratch;
    struct lwb_error err;
    uint64_t generation = 7;

    (void)state;
    scratch_make(&scratch);
    assert_int_equal(lwb_cache_generation(scratch.dir, &generation, &err), LWB_OK);
    assert_int_equal(generation, 0);
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        generation = 7;
        scratch_write(&scratch, "generation", cases[i].content);
        assert_int_equal(lwb_cache_generation(scratch.dir, &generation, &err), cases[i].rc);
        assert_true(generation == (cases[i].rc < 0 ? 7 : cases[i].generation));
    }
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_is_given_is_taken),
        cmocka_unit_test(no_environment_at_all_is_fine),
        cmocka_unit_test(a_generation_is_a_number_or_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
