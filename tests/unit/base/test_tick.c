#include "tests/support/test.h"

#include "lwbuild/base/file.h"
#include "lwbuild/base/tick.h"
#include "tests/support/scratch.h"

/* The date of a file that is written now. */
static int64_t write_file(struct scratch *scratch)
{
    struct lwb_file_stat st;
    struct lwb_error err;

    scratch_write(scratch, "edit", "");
    assert_int_equal(lwb_file_stat(&st, scratch_path(scratch, "edit"), &err), 1);
    return st.mtime_ns;
}

static void what_is_written_after_a_tick_is_later(void **state)
{
    struct scratch *scratch = *state;
    const char *const clocks[] = { scratch->dir, NULL };

    for (int i = 0; i < 100; i++) {
        const char *dir = clocks[i % 2];
        int64_t date = lwb_tick_now(dir);

        assert_true(write_file(scratch) >= date);
        assert_true(lwb_tick_pass(dir, date));
        assert_true(write_file(scratch) > date);
    }
}

static void a_folder_that_cannot_be_written_is_no_reason_to_fail(void **state)
{
    int64_t date = lwb_tick_now(scratch_path(*state, "none"));

    assert_true(date > 0);
    assert_true(lwb_tick_pass(scratch_path(*state, "none"), date));
}

/* An hour, or all time: the test would not end. */
static void the_future_is_not_waited_for(void **state)
{
    (void)state;
    assert_false(lwb_tick_pass(NULL, lwb_tick_now(NULL) + INT64_C(3600000000000)));
    assert_false(lwb_tick_pass(NULL, INT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_after_a_tick_is_later, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_written_is_no_reason_to_fail,
                                        scratch_setup, scratch_teardown),
        cmocka_unit_test(the_future_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
