#include "tests/support/test.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "tests/support/scratch.h"

static int count_entries(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void what_was_written_is_read(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(100);
    struct lwb_file_stat st;
    struct lwb_error err;

    scratch_write(*state, "a/b/c", "hello");
    assert_int_equal(lwb_file_read(&content, scratch_path(*state, "a/b/c"), &st, &err), LWB_OK);
    assert_string_equal(lwb_buf_text(&content), "hello");
    assert_int_equal(st.size, 5);
}

static void a_file_over_the_limit_is_refused(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(4);
    struct lwb_error err;

    scratch_write(*state, "f", "hello");
    assert_int_equal(lwb_file_read(&content, scratch_path(*state, "f"), NULL, &err), LWB_ERR_LIMIT);
    assert_non_null(strstr(err.text, "larger than 4 bytes"));
}

static void a_file_of_just_the_limit_is_read(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(5);
    struct lwb_error err;

    scratch_write(*state, "f", "hello");
    /* The last read sees the end of the file only with room for one byte more. */
    assert_int_equal(lwb_file_read(&content, scratch_path(*state, "f"), NULL, &err), LWB_OK);
    assert_string_equal(lwb_buf_text(&content), "hello");
}

static void a_failed_write_leaves_no_file_behind(void **state)
{
    struct scratch *scratch = *state;
    struct lwb_error err;

    scratch_write(scratch, "target/inside", "");
    /* A folder cannot be replaced by rename of a file. */
    assert_int_equal(
        lwb_file_write(scratch_path(scratch, "target"), lwb_bytes_text("x"), 0666, &err),
        LWB_ERR_SYSTEM);
    assert_int_equal(count_entries(scratch->dir), 1);
}

static void an_equal_file_is_left_alone(void **state)
{
    const char *path = scratch_path(*state, "f");
    struct lwb_file_stat before, after;
    struct lwb_error err;

    assert_int_equal(lwb_file_write_if_changed(path, lwb_bytes_text("x"), 0666, &err), 1);
    assert_int_equal(lwb_file_stat(&before, path, &err), 1);
    assert_int_equal(lwb_file_write_if_changed(path, lwb_bytes_text("x"), 0666, &err), 0);
    assert_int_equal(lwb_file_stat(&after, path, &err), 1);
    assert_true(lwb_file_stat_equal(&before, &after));
    assert_int_equal(lwb_file_write_if_changed(path, lwb_bytes_text("y"), 0666, &err), 1);
    assert_int_equal(lwb_file_stat(&after, path, &err), 1);
    assert_false(lwb_file_stat_equal(&before, &after));
}

static void absence_is_an_outcome_not_an_error(void **state)
{
    struct lwb_file_stat st;
    struct lwb_error err;

    scratch_write(*state, "f", "");
    assert_int_equal(lwb_file_stat(&st, scratch_path(*state, "none"), &err), 0);
    assert_int_equal(lwb_file_stat(&st, scratch_path(*state, "f/below"), &err), 0);
}

static void a_file_written_just_now_is_racy(void **state)
{
    struct scratch *scratch = *state;
    struct lwb_file_stat st;
    struct lwb_error err;
    int64_t now;

    scratch_write(scratch, "f", "x");
    assert_int_equal(lwb_file_now(&now, scratch->dir, &err), LWB_OK);
    assert_int_equal(lwb_file_stat(&st, scratch_path(scratch, "f"), &err), 1);
    assert_true(st.mtime_ns <= now); /* one clock */
    assert_true(lwb_file_stat_is_racy(&st, st.ctime_ns));
    assert_false(lwb_file_stat_is_racy(&st, now + INT64_C(3600000000000)));
    assert_int_equal(count_entries(scratch->dir), 1);
}

static void whole_seconds_are_racy_for_longer(void **state)
{
    const int64_t second = 1000000000;
    const struct lwb_file_stat coarse = { .mtime_ns = 10 * second, .ctime_ns = 10 * second };
    const struct lwb_file_stat dated = { .mtime_ns = 10 * second, .ctime_ns = 10 * second + 1 };

    (void)state;
    assert_true(lwb_file_stat_is_racy(&coarse, 11 * second));
    assert_true(lwb_file_stat_is_racy(&coarse, 12 * second)); /* FAT: what is written until then */
    assert_false(lwb_file_stat_is_racy(&coarse, 13 * second));
    assert_false(
        lwb_file_stat_is_racy(&dated, 11 * second)); /* by touch -d, or out of an archive */
}

static void a_tree_is_removed_but_not_what_a_link_points_to(void **state)
{
    struct scratch *scratch = *state;
    struct lwb_error err;

    scratch_write(scratch, "keep/file", "x");
    scratch_write(scratch, "drop/file", "x");
    assert_int_equal(symlink(scratch_path(scratch, "keep"), scratch_path(scratch, "drop/link")), 0);
    assert_int_equal(lwb_file_remove_tree(scratch_path(scratch, "drop"), &err), LWB_OK);
    assert_int_equal(access(scratch_path(scratch, "drop"), F_OK), -1);
    assert_int_equal(access(scratch_path(scratch, "keep/file"), F_OK), 0);
    assert_int_equal(lwb_file_remove_tree(scratch_path(scratch, "none"), &err), LWB_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_is_read, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_file_over_the_limit_is_refused, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(a_file_of_just_the_limit_is_read, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_no_file_behind, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(an_equal_file_is_left_alone, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(absence_is_an_outcome_not_an_error, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(a_file_written_just_now_is_racy, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test(whole_seconds_are_racy_for_longer),
        cmocka_unit_test_setup_teardown(a_tree_is_removed_but_not_what_a_link_points_to,
                                        scratch_setup, scratch_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
