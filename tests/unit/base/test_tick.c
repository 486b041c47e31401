#include "tests/support/test.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

    for (int i = 0; i < 200; i++) {
        const char *dir = clocks[i % 2];
        int64_t before = write_file(scratch);
        int64_t date = lwb_tick_now(dir);

        assert_true(before <= date);
        assert_true(lwb_tick_pass(dir, date));
        assert_true(write_file(scratch) > date);
    }
}

/* One that writes a file of its own for each byte, until there are no more. */
static pid_t start_writer(struct scratch *scratch, const int *orders, int done)
{
    pid_t pid = fork();
    char order;

    assert_true(pid >= 0);
    if (pid != 0)
        return pid;
    close(orders[1]);
    while (read(orders[0], &order, 1) == 1) {
        int64_t date = write_file(scratch);

        if (write(done, &date, sizeof(date)) != sizeof(date))
            _exit(2);
    }
    _exit(0);
}

static void what_others_write_after_a_tick_is_later(void **state)
{
    struct scratch *scratch = *state;
    int orders[2], done[2];
    int64_t theirs = 0;
    int status;
    pid_t writer;

    assert_int_equal(pipe(orders), 0);
    assert_int_equal(pipe(done), 0);
    writer = start_writer(scratch, orders, done[1]);
    close(orders[0]);
    close(done[1]);
    for (int i = 0; i < 500; i++) {
        int64_t date = lwb_tick_now(NULL);

        assert_true(theirs <= date);
        assert_true(lwb_tick_pass(NULL, date));
        assert_int_equal(write(orders[1], "w", 1), 1);
        assert_int_equal(read(done[0], &theirs, sizeof(theirs)), sizeof(theirs));
        assert_true(theirs > date);
    }
    close(orders[1]);
    close(done[0]);
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);
}

/* Out of descriptors there is nothing to write, and the kernel's tick is waited for. */
static void a_clock_that_cannot_be_moved_is_waited_for(void **state)
{
    struct rlimit before;
    struct rlimit none;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
    for (int i = 0; i < 20; i++) {
        int64_t date = lwb_tick_now(NULL);
        bool passed;

        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        passed = lwb_tick_pass(NULL, date);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(passed);
        assert_true(write_file(*state) > date);
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

static void a_date_is_past_when_what_is_written_is_later(void **state)
{
    static const struct {
        int64_t written, date;
        unsigned tries;
        enum lwb_tick_says says;
    } cases[] = {
        { 1001, 1000, 0, LWB_TICK_PASSED },    { 1000, 1000, 0, LWB_TICK_WAIT }, /* the same tick */
        { 996, 1000, 0, LWB_TICK_WAIT },       { 1000, 1000, 99, LWB_TICK_WAIT },
        { 1000, 1000, 100, LWB_TICK_FUTURE }, /* a clock that stands still */
        { 1001, 1000, 100, LWB_TICK_PASSED },  { 0, 1000000000, 0, LWB_TICK_WAIT },
        { 0, 1000000001, 0, LWB_TICK_FUTURE }, { 1000, INT64_MAX, 0, LWB_TICK_FUTURE },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++)
        assert_int_equal(lwb_tick_judge(cases[i].written, cases[i].date, cases[i].tries),
                         cases[i].says);
}

#define IN_A_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_SCRATCH(what_is_written_after_a_tick_is_later),
        IN_A_SCRATCH(what_others_write_after_a_tick_is_later),
        IN_A_SCRATCH(a_clock_that_cannot_be_moved_is_waited_for),
        IN_A_SCRATCH(a_folder_that_cannot_be_written_is_no_reason_to_fail),
        cmocka_unit_test(the_future_is_not_waited_for),
        cmocka_unit_test(a_date_is_past_when_what_is_written_is_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
