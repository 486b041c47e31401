#include "tests/support/test.h"

#include <stdio.h>

#include "cache/cache_pending.h"

static struct lwb_digest key_of(uint32_t n)
{
    struct lwb_digest key = { { 0 } };

    /* The first bytes are the hash: few different ones make collisions. */
    key.bytes[0] = (unsigned char)(n % 7);
    memcpy(key.bytes + 20, &n, sizeof(n));
    return key;
}

static void add(struct lwb_pending *pending, enum lwb_write_kind kind, uint32_t n, int64_t number,
                const char *data)
{
    struct lwb_digest key = key_of(n);
    struct lwb_error err;
    size_t at = pending->data.len;

    lwb_buf_append_text(&pending->data, data);
    assert_int_equal(lwb_pending_add(pending, kind, &key, number, at, &err), LWB_OK);
}

static const struct lwb_write *find(const struct lwb_pending *pending, enum lwb_write_kind kind,
                                    uint32_t n, int64_t number)
{
    struct lwb_digest key = key_of(n);

    return lwb_pending_find(pending, kind, &key, number);
}

static void nothing_is_found_in_nothing(void **state)
{
    struct lwb_pending pending;

    (void)state;
    lwb_pending_init(&pending);
    assert_null(find(&pending, LWB_WRITE_ENTRY, 1, 0));
    lwb_pending_release(&pending);
}

static void the_newest_write_is_found(void **state)
{
    struct lwb_pending pending;

    (void)state;
    lwb_pending_init(&pending);
    add(&pending, LWB_WRITE_ENTRY, 1, 0, "old");
    add(&pending, LWB_WRITE_ENTRY, 2, 0, "two");
    add(&pending, LWB_WRITE_ENTRY, 1, 0, "new");
    assert_true(
        lwb_bytes_is(lwb_pending_data(&pending, find(&pending, LWB_WRITE_ENTRY, 1, 0)), "new"));
    add(&pending, LWB_WRITE_DROP, 1, 0, "");
    assert_int_equal(find(&pending, LWB_WRITE_ENTRY, 1, 0)->kind, LWB_WRITE_DROP);
    assert_int_equal(pending.count, 4);
    lwb_pending_release(&pending);
}

static void spaces_are_apart(void **state)
{
    struct lwb_pending pending;

    (void)state;
    lwb_pending_init(&pending);
    add(&pending, LWB_WRITE_FACT, 1, 1, "file");
    assert_null(find(&pending, LWB_WRITE_FACT, 1, 2));
    assert_null(find(&pending, LWB_WRITE_FACT_TOUCH, 1, 1));
    assert_null(find(&pending, LWB_WRITE_ENTRY, 1, 1));
    assert_non_null(find(&pending, LWB_WRITE_FACT, 1, 1));
    lwb_pending_release(&pending);
}

static void thousands_are_found_again(void **state)
{
    enum { COUNT = 5000 };
    struct lwb_pending pending;
    char text[20];

    (void)state;
    lwb_pending_init(&pending);
    for (uint32_t i = 0; i < COUNT; i++) {
        (void)snprintf(text, sizeof(text), "%u", i);
        add(&pending, LWB_WRITE_ENTRY, i, 0, text);
    }
    assert_true(lwb_pending_is_full(&pending));
    for (uint32_t i = 0; i < COUNT; i++) {
        (void)snprintf(text, sizeof(text), "%u", i);
        assert_true(
            lwb_bytes_is(lwb_pending_data(&pending, find(&pending, LWB_WRITE_ENTRY, i, 0)), text));
    }
    assert_null(find(&pending, LWB_WRITE_ENTRY, COUNT, 0));
    lwb_pending_clear(&pending);
    assert_null(find(&pending, LWB_WRITE_ENTRY, 1, 0));
    assert_false(lwb_pending_is_full(&pending));
    lwb_pending_release(&pending);
}

static void what_does_not_fit_leaves_no_trace(void **state)
{
    struct lwb_pending pending;
    struct lwb_digest key = key_of(9);
    struct lwb_error err;

    (void)state;
    lwb_pending_init(&pending);
    pending.data.max = 10;
    add(&pending, LWB_WRITE_ENTRY, 1, 0, "12345678");
    lwb_buf_append_text(&pending.data, "9");
    lwb_buf_append_text(&pending.data, "too much");
    assert_int_equal(lwb_pending_add(&pending, LWB_WRITE_ENTRY, &key, 0, 8, &err), LWB_ERR_MEMORY);
    assert_null(lwb_pending_find(&pending, LWB_WRITE_ENTRY, &key, 0));
    assert_int_equal(pending.data.len, 8);
    add(&pending, LWB_WRITE_ENTRY, 3, 0, "ok");
    assert_true(
        lwb_bytes_is(lwb_pending_data(&pending, find(&pending, LWB_WRITE_ENTRY, 3, 0)), "ok"));
    lwb_pending_release(&pending);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_found_in_nothing),
        cmocka_unit_test(the_newest_write_is_found),
        cmocka_unit_test(spaces_are_apart),
        cmocka_unit_test(thousands_are_found_again),
        cmocka_unit_test(what_does_not_fit_leaves_no_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
