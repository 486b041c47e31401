#include "tests/support/test.h"

#include "child/kernel/intern.h"

/* Things are numbers; thing n has the hash hashes[n]. */
enum { THINGS = 448, SLOTS = 512 };

static uint32_t hashes[THINGS];

static uint32_t find(const struct kn_intern *index, uint32_t thing)
{
    struct kn_search search = kn_search(index, hashes[thing]);
    uint32_t number;

    while (kn_search_next(&search, &number)) {
        if (number == thing)
            return number;
    }
    return UINT32_MAX;
}

static void add(struct kn_intern *index, uint32_t thing)
{
    struct kn_search search = kn_search(index, hashes[thing]);
    uint32_t number;

    assert_true(kn_intern_has_room(index, thing));
    while (kn_search_next(&search, &number))
        assert_int_not_equal(number, thing);
    kn_search_add(&search, hashes[thing], thing);
}

/* Fill it up, find all and nothing else, forget all in some order, and find nothing. */
static void fill_and_empty(uint32_t step)
{
    struct kn_budget budget = { .max = 0 };
    struct kn_intern index = { NULL, NULL, 0 };
    uint32_t i;

    assert_true(kn_intern_init(&index, &budget, SLOTS));
    assert_int_equal(kn_intern_slots(&index), SLOTS);
    for (i = 0; i < THINGS; i++) {
        assert_int_equal(find(&index, i), UINT32_MAX);
        add(&index, i);
    }
    assert_false(kn_intern_has_room(&index, THINGS));
    for (i = 0; i < THINGS; i++)
        assert_int_equal(find(&index, i), i);
    for (i = 0; i < THINGS; i++)
        kn_intern_forget(&index, hashes[i * step % THINGS]);
    for (i = 0; i < SLOTS; i++)
        assert_int_equal(index.tags[i], 0);
    for (i = 0; i < THINGS; i++)
        assert_int_equal(find(&index, i), UINT32_MAX);
    kn_intern_release(&index, &budget);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void hashes_that_differ(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < THINGS; i++)
        hashes[i] = i * UINT32_C(2654435761);
    fill_and_empty(1);
    fill_and_empty(5);
}

/* All in one group, with one tag: the run goes around the end of the table. */
static void hashes_that_are_all_the_same(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < THINGS; i++)
        hashes[i] = UINT32_MAX;
    fill_and_empty(1);
    fill_and_empty(5);
}

/* Runs of neighbours that spill into one another. */
static void hashes_in_three_groups(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < THINGS; i++)
        hashes[i] = (i % 3 + 62) % 64 << 26 | i;
    fill_and_empty(1);
    fill_and_empty(5);
    fill_and_empty(447);
}

static void an_index_that_is_not_allowed(void **state)
{
    struct kn_budget budget = { .max = 100 };
    struct kn_intern index = { NULL, NULL, 0 };

    (void)state;
    assert_false(kn_intern_init(&index, &budget, SLOTS));
    assert_false(kn_intern_has_room(&index, 0));
    assert_int_equal(atomic_load(&budget.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_that_differ),
        cmocka_unit_test(hashes_that_are_all_the_same),
        cmocka_unit_test(hashes_in_three_groups),
        cmocka_unit_test(an_index_that_is_not_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
