#include "tests/support/test.h"

#include "child/kernel/level.h"
#include "tests/unit/kernel/kernel_context.h"

/*
 * The order on levels against its definition: all assignments of 0 .. 8 to two
 * parameters. Levels below are built from 0, u and v by at most five succ, max and imax,
 * so a difference shows within those.
 */
enum { MOST = 8, N_RANDOM = 3000 };

static uint64_t value_of(const struct kn_ctx *ctx, kn_ref level, const uint64_t *params)
{
    const struct kn_node *n = kn_at(ctx, level);
    uint64_t a, b;

    switch (n->kind) {
    case KN_ZERO:
        return 0;
    case KN_PARAM:
        return params[n->a - 1];
    case KN_SUCC:
        return value_of(ctx, n->a, params) + 1;
    default:
        a = value_of(ctx, n->a, params);
        b = value_of(ctx, n->b, params);
        if (n->kind == KN_IMAX && b == 0)
            return 0;
        return a > b ? a : b;
    }
}

static bool is_le(const struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    uint64_t params[2];

    for (params[0] = 0; params[0] <= MOST; params[0]++) {
        for (params[1] = 0; params[1] <= MOST; params[1]++) {
            if (value_of(ctx, a, params) > value_of(ctx, b, params))
                return false;
        }
    }
    return true;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static kn_ref random_level(struct kn_ctx *ctx, uint32_t *seed, int depth)
{
    uint32_t choice = next_random(seed) % (depth ? 6 : 3);

    switch (choice) {
    case 0:
        return ctx->zero;
    case 1:
    case 2:
        return kn_make(ctx, KN_PARAM, choice, 0);
    case 3:
        return kn_make(ctx, KN_SUCC, random_level(ctx, seed, depth - 1), 0);
    default: {
        kn_ref a = random_level(ctx, seed, depth - 1);
        kn_ref b = random_level(ctx, seed, depth - 1);

        return kn_make(ctx, choice == 4 ? KN_MAX : KN_IMAX, a, b);
    }
    }
}

static void the_order_is_that_of_all_assignments(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    uint32_t seed = 1;
    int i, n_le = 0;

    for (i = 0; i < N_RANDOM; i++) {
        kn_ref a = random_level(ctx, &seed, 1 + i % 4), b = random_level(ctx, &seed, 1 + i % 5);
        const bool expected = is_le(ctx, a, b);

        assert_int_equal(kn_level_le(ctx, a, b), expected ? KN_YES : KN_NO);
        assert_int_equal(kn_level_is_zero(ctx, a), is_le(ctx, a, ctx->zero) ? KN_YES : KN_NO);
        n_le += expected;
    }
    assert_true(n_le > N_RANDOM / 10 && n_le < N_RANDOM * 9 / 10);
}

static void making_levels_keeps_their_meaning(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    uint32_t seed = 7;
    int i;

    for (i = 0; i < N_RANDOM; i++) {
        kn_ref a = random_level(ctx, &seed, 2), b = random_level(ctx, &seed, 2);
        kn_ref max = kn_make(ctx, KN_MAX, a, b), imax = kn_make(ctx, KN_IMAX, a, b);

        assert_int_equal(kn_level_equal(ctx, max, kn_level_max(ctx, a, b)), KN_YES);
        assert_int_equal(kn_level_equal(ctx, imax, kn_level_imax(ctx, a, b)), KN_YES);
    }
}

static void a_parameter_is_neither_zero_nor_never_zero(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    kn_ref u = kn_make(ctx, KN_PARAM, 1, 0);
    kn_ref one = kn_level_succ(ctx, ctx->zero);

    assert_int_equal(kn_level_is_zero(ctx, u), KN_NO);
    assert_int_equal(kn_level_is_never_zero(ctx, u), KN_NO);
    assert_int_equal(kn_level_is_never_zero(ctx, kn_level_succ(ctx, u)), KN_YES);
    assert_int_equal(kn_level_is_zero(ctx, kn_make(ctx, KN_IMAX, one, ctx->zero)), KN_YES);
}

static void too_many_cases_are_given_up(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    kn_ref a = kn_level_succ(ctx, ctx->zero), b = a;
    kn_name name;

    for (name = 1; name < 40; name++) {
        a = kn_make(ctx, KN_MAX, kn_make(ctx, KN_IMAX, a, kn_make(ctx, KN_PARAM, name, 0)), a);
        b = kn_make(ctx, KN_MAX, b, kn_make(ctx, KN_IMAX, b, kn_make(ctx, KN_PARAM, name, 0)));
    }
    assert_int_equal(kn_level_le(ctx, a, b), KN_STOP);
    assert_int_equal(ctx->fault, KN_DECLINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_order_is_that_of_all_assignments, kernel_context_setup,
                                        kernel_context_teardown),
        cmocka_unit_test_setup_teardown(making_levels_keeps_their_meaning, kernel_context_setup,
                                        kernel_context_teardown),
        cmocka_unit_test_setup_teardown(a_parameter_is_neither_zero_nor_never_zero,
                                        kernel_context_setup, kernel_context_teardown),
        cmocka_unit_test_setup_teardown(too_many_cases_are_given_up, kernel_context_setup,
                                        kernel_context_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
