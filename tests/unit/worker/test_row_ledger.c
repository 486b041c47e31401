#include "tests/support/test.h"

#include "lwbuild/worker/row_ledger.h"

/* R6, R11: no gap, no repetition, and counts that agree. */

static int enter(struct lwb_row_ledger *ledger, const char *stream, uint64_t first, uint64_t count,
                 struct lwb_error *err)
{
    static const char packed[] = "\0\0\0\0\0\0\0\0\0\0\0\0";
    const struct lwb_rows rows = { stream, first, count, { packed, 4 * count } };

    return lwb_row_ledger_enter(ledger, &rows, err);
}

static void streams_count_on_their_own(void **state)
{
    LWB_AUTO(lwb_row_ledger_release) struct lwb_row_ledger ledger = { 0 };
    const struct lwb_stream_count counts[] = { { "a", 3 }, { "b", 1 } };
    const struct lwb_stream_count swapped[] = { { "a", 1 }, { "b", 3 } };
    struct lwb_error err;

    (void)state;
    assert_int_equal(LWB_OK, enter(&ledger, "a", 0, 2, &err));
    assert_int_equal(LWB_OK, enter(&ledger, "b", 0, 1, &err));
    assert_int_equal(LWB_OK, enter(&ledger, "a", 2, 1, &err));
    assert_int_equal(4, ledger.rows);
    assert_int_equal(LWB_OK, lwb_row_ledger_close(&ledger, counts, 2, &err));
    assert_int_equal(LWB_ERR_PROTOCOL, lwb_row_ledger_close(&ledger, counts, 1, &err));
    assert_string_equal("the answer counts 3 rows, 4 came", err.text);
    assert_int_equal(LWB_ERR_PROTOCOL, lwb_row_ledger_close(&ledger, swapped, 2, &err));
    assert_string_equal("stream a ends with 1 rows, 3 came", err.text);
}

static void gaps_and_repetitions_are_noticed(void **state)
{
    LWB_AUTO(lwb_row_ledger_release) struct lwb_row_ledger ledger = { 0 };
    struct lwb_error err;

    (void)state;
    assert_int_equal(LWB_ERR_PROTOCOL, enter(&ledger, "a", 1, 1, &err));
    assert_int_equal(LWB_OK, enter(&ledger, "a", 0, 2, &err));
    assert_int_equal(LWB_ERR_PROTOCOL, enter(&ledger, "a", 1, 1, &err));
    assert_int_equal(LWB_ERR_PROTOCOL, enter(&ledger, "a", 3, 1, &err));
    assert_string_equal("a", err.facts.stream);
    assert_int_equal(3, err.facts.sequence);
    assert_int_equal(2, ledger.rows);
}

static void a_frame_holds_as_many_rows_as_it_says(void **state)
{
    LWB_AUTO(lwb_row_ledger_release) struct lwb_row_ledger ledger = { 0 };
    const struct lwb_rows too_few = { "a", 0, 2, { "\0\0\0\0", 4 } };
    const struct lwb_rows too_many = { "a", 0, 1, { "\0\0\0\0\0\0\0\0", 8 } };
    const struct lwb_rows cut = { "a", 0, 2, { "\0\0\0\0\0\0\0\1", 8 } };
    struct lwb_error err;

    (void)state;
    assert_int_equal(LWB_ERR_PROTOCOL, lwb_row_ledger_enter(&ledger, &too_few, &err));
    assert_string_equal("2 rows announced in stream a, 1 sent", err.text);
    assert_int_equal(LWB_ERR_PROTOCOL, lwb_row_ledger_enter(&ledger, &too_many, &err));
    assert_int_equal(LWB_ERR_PROTOCOL, lwb_row_ledger_enter(&ledger, &cut, &err));
    assert_string_equal("row 1 of stream a is cut", err.text);
    assert_int_equal(0, ledger.rows);
}

static void a_cleared_ledger_starts_at_nothing(void **state)
{
    LWB_AUTO(lwb_row_ledger_release) struct lwb_row_ledger ledger = { 0 };
    struct lwb_error err;

    (void)state;
    assert_int_equal(LWB_OK, enter(&ledger, "a", 0, 2, &err));
    lwb_row_ledger_clear(&ledger);
    assert_int_equal(LWB_OK, lwb_row_ledger_close(&ledger, NULL, 0, &err));
    assert_int_equal(LWB_OK, enter(&ledger, "a", 0, 1, &err));
}

static void streams_are_limited(void **state)
{
    LWB_AUTO(lwb_row_ledger_release) struct lwb_row_ledger ledger = { 0 };
    struct lwb_error err;
    char name[] = "s000";

    (void)state;
    for (unsigned i = 0; i < LWB_ROW_STREAMS_MAX; i++) {
        name[1] = (char)('0' + i / 100);
        name[2] = (char)('0' + i / 10 % 10);
        name[3] = (char)('0' + i % 10);
        assert_int_equal(LWB_OK, enter(&ledger, name, 0, 1, &err));
    }
    assert_int_equal(LWB_ERR_PROTOCOL, enter(&ledger, "one more", 0, 1, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_count_on_their_own),
        cmocka_unit_test(gaps_and_repetitions_are_noticed),
        cmocka_unit_test(a_frame_holds_as_many_rows_as_it_says),
        cmocka_unit_test(a_cleared_ledger_starts_at_nothing),
        cmocka_unit_test(streams_are_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
