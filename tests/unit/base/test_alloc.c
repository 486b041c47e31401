#include "tests/support/test.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/strvec.h"

static void memory_comes_zeroed(void **state)
{
    unsigned char *memory = lwb_alloc(64);

    (void)state;
    for (int i = 0; i < 64; i++)
        assert_int_equal(memory[i], 0);
    lwb_free(memory);
}

static void an_overflowing_array_is_refused(void **state)
{
    (void)state;
    assert_null(lwb_alloc_array(SIZE_MAX / 2, 3));
}

static void growing_keeps_the_items(void **state)
{
    int *items = NULL;
    size_t cap = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(lwb_grow(&items, &cap, i, sizeof(*items)), 0);
        items[i] = (int)i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    lwb_free(items);
}

static void *refuse(void *old, size_t size)
{
    (void)old;
    (void)size;
    return NULL;
}

static void ignore(void *memory)
{
    (void)memory;
}

static void without_memory_a_vector_stays_as_it_was(void **state)
{
    static const struct lwb_allocator none = { refuse, ignore };
    struct lwb_strvec vec = { 0 };

    (void)state;
    assert_int_equal(lwb_strvec_append(&vec, "one"), 0);
    lwb_alloc_use(&none);
    assert_int_equal(lwb_strvec_append(&vec, "two"), -1);
    lwb_alloc_use(NULL);
    assert_int_equal(vec.count, 1);
    assert_string_equal(vec.items[0], "one");
    assert_null(vec.items[1]);
    lwb_strvec_release(&vec);
}

static void a_vector_is_always_ended_by_null(void **state)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec vec = { 0 };

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(lwb_strvec_append_len(&vec, "item", 4), 0);
        assert_null(vec.items[vec.count]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_comes_zeroed),
        cmocka_unit_test(an_overflowing_array_is_refused),
        cmocka_unit_test(growing_keeps_the_items),
        cmocka_unit_test(without_memory_a_vector_stays_as_it_was),
        cmocka_unit_test(a_vector_is_always_ended_by_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
