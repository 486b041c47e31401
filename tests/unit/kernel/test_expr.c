#include "tests/support/test.h"

#include "tests/unit/kernel/kernel_context.h"

static void equal_terms_are_one_reference(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    kn_ref sort = kn_sort(ctx, ctx->zero);
    kn_ref x = kn_make(ctx, KN_BVAR, 0, 0);

    assert_int_equal(kn_lam(ctx, sort, x), kn_lam(ctx, sort, x));
    assert_int_not_equal(kn_lam(ctx, sort, x), kn_pi(ctx, sort, x));
    assert_int_equal(kn_at(ctx, kn_lam(ctx, sort, x))->loose, 0);
    assert_int_equal(kn_at(ctx, kn_app(ctx, x, kn_make(ctx, KN_BVAR, 6, 0)))->loose, 7);
}

static void abstracting_undoes_instantiating(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    kn_ref sort = kn_sort(ctx, ctx->zero);
    kn_ref locals[2] = { kn_local(ctx, 0, sort), kn_local(ctx, 1, sort) };
    kn_ref v0 = kn_make(ctx, KN_BVAR, 0, 0), v1 = kn_make(ctx, KN_BVAR, 1, 0);
    kn_ref v2 = kn_make(ctx, KN_BVAR, 2, 0);
    /* Under one more binder the same variables are 1 and 2. */
    kn_ref body = kn_app(ctx, kn_app(ctx, v0, v1), kn_lam(ctx, v1, kn_app(ctx, v2, v1)));
    kn_ref open = kn_instantiate(ctx, body, locals, 2);
    kn_ref expected = kn_app(ctx, kn_app(ctx, locals[1], locals[0]),
                             kn_lam(ctx, locals[0], kn_app(ctx, locals[0], locals[1])));

    assert_int_equal(open, expected);
    assert_int_equal(kn_at(ctx, open)->loose, 0);
    assert_int_equal(kn_at(ctx, open)->locals, 2);
    assert_int_equal(kn_abstract(ctx, open, locals, 2), body);
}

static void beta_takes_as_many_arguments_as_fit(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    kn_ref sort = kn_sort(ctx, ctx->zero);
    kn_ref first = kn_lam(ctx, sort, kn_lam(ctx, sort, kn_make(ctx, KN_BVAR, 1, 0)));
    kn_ref args[3] = { kn_local(ctx, 0, sort), kn_local(ctx, 1, sort), kn_local(ctx, 2, sort) };

    assert_int_equal(kn_beta(ctx, first, args, 1), kn_lam(ctx, sort, args[0]));
    assert_int_equal(kn_beta(ctx, first, args, 2), args[0]);
    assert_int_equal(kn_beta(ctx, first, args, 3), kn_app(ctx, args[0], args[2]));
}

static void levels_are_substituted_everywhere(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    const kn_name u = 1;
    kn_ref param = kn_make(ctx, KN_PARAM, u, 0);
    kn_ref one = kn_make(ctx, KN_SUCC, ctx->zero, 0);
    kn_ref list = kn_make(ctx, KN_CONS, param, ctx->nil);
    kn_ref ones = kn_make(ctx, KN_CONS, one, ctx->nil);
    kn_ref e = kn_lam(ctx, kn_sort(ctx, param), kn_const(ctx, 2, list));

    assert_int_equal(kn_substitute_levels(ctx, e, &u, 1, ones),
                     kn_lam(ctx, kn_sort(ctx, one), kn_const(ctx, 2, ones)));
}

static void a_reset_context_starts_anew(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    uint64_t i;

    for (i = 0; i < 100000; i++)
        assert_int_not_equal(kn_nat(ctx, i), KN_NONE);
    assert_int_equal(ctx->scratch.count, 100000);
    kn_ctx_reset(ctx);
    assert_int_equal(ctx->scratch.count, 0);
    assert_int_equal(kn_nat(ctx, 99999), KN_SCRATCH);
}

static void more_binders_than_can_be_counted_are_declined(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;

    assert_int_equal(kn_make(ctx, KN_BVAR, KN_RANGE_MAX, 0), KN_NONE);
    assert_int_equal(ctx->fault, KN_DECLINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_terms_are_one_reference, kernel_context_setup,
                                        kernel_context_teardown),
        cmocka_unit_test_setup_teardown(abstracting_undoes_instantiating, kernel_context_setup,
                                        kernel_context_teardown),
        cmocka_unit_test_setup_teardown(beta_takes_as_many_arguments_as_fit, kernel_context_setup,
                                        kernel_context_teardown),
        cmocka_unit_test_setup_teardown(levels_are_substituted_everywhere, kernel_context_setup,
                                        kernel_context_teardown),
        cmocka_unit_test_setup_teardown(a_reset_context_starts_anew, kernel_context_setup,
                                        kernel_context_teardown),
        cmocka_unit_test_setup_teardown(more_binders_than_can_be_counted_are_declined,
                                        kernel_context_setup, kernel_context_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
