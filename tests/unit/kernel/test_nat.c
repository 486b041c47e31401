#include "tests/support/test.h"

#include "child/kernel/nat.h"
#include "tests/unit/kernel/kernel_context.h"

static kn_ref number(struct kn_ctx *ctx, const char *digits)
{
    kn_ref ref;
    mpz_t z;

    mpz_init_set_str(z, digits, 10);
    ref = kn_make_nat(ctx, mpz_limbs_read(z), mpz_size(z));
    mpz_clear(z);
    return ref;
}

static const struct {
    enum kn_op op;
    const char *a, *b, *result; /* NULL: too large */
} cases[] = {
    { KN_OP_ADD, "18446744073709551615", "1", "18446744073709551616" },
    { KN_OP_ADD, "0", "0", "0" },
    { KN_OP_SUB, "3", "18446744073709551616", "0" },
    { KN_OP_SUB, "18446744073709551616", "1", "18446744073709551615" },
    { KN_OP_MUL, "4294967296", "4294967296", "18446744073709551616" },
    { KN_OP_DIV, "7", "2", "3" },
    { KN_OP_DIV, "7", "0", "0" },
    { KN_OP_MOD, "7", "2", "1" },
    { KN_OP_MOD, "7", "0", "7" },
    { KN_OP_GCD, "0", "5", "5" },
    { KN_OP_GCD, "12", "18", "6" },
    { KN_OP_POW, "2", "100", "1267650600228229401496703205376" },
    { KN_OP_POW, "0", "0", "1" },
    { KN_OP_POW, "2", "16777217", NULL },
    { KN_OP_POW, "1", "18446744073709551616", NULL },
    { KN_OP_SHL, "1", "64", "18446744073709551616" },
    { KN_OP_SHL, "1", "18446744073709551616", NULL },
    { KN_OP_SHL, "0", "18446744073709551616", "0" },
    { KN_OP_SHR, "18446744073709551616", "64", "1" },
    { KN_OP_SHR, "5", "18446744073709551616", "0" },
    { KN_OP_LAND, "12", "10", "8" },
    { KN_OP_LOR, "12", "10", "14" },
    { KN_OP_XOR, "12", "10", "6" },
    { KN_OP_SUCC, "18446744073709551615", "0", "18446744073709551616" },
    { KN_OP_PRED, "18446744073709551616", "0", "18446744073709551615" },
    { KN_OP_PRED, "0", "0", "0" },
};

static void operations_are_those_of_lean(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    size_t i;

    for (i = 0; i < LWB_COUNT(cases); i++) {
        kn_ref out =
            kn_nat_compute(ctx, cases[i].op, number(ctx, cases[i].a), number(ctx, cases[i].b));

        assert_int_equal(out, cases[i].result ? number(ctx, cases[i].result) : KN_NONE);
        assert_int_equal(ctx->fault, KN_FINE);
    }
}

static void equal_numbers_are_one_reference(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    kn_ref big = number(ctx, "340282366920938463463374607431768211456");

    assert_int_equal(big, number(ctx, "340282366920938463463374607431768211456"));
    assert_int_equal(number(ctx, "18446744073709551615"), kn_nat(ctx, UINT64_MAX));
    assert_int_equal(kn_nat_pred(ctx, kn_nat_succ(ctx, big)), big);
    assert_true(kn_is_nat_literal(ctx, big));
    assert_false(kn_nat_is_zero(ctx, big));
}

static void comparisons_give_truth_values(void **state)
{
    struct kn_ctx *ctx = &((struct kernel_context *)*state)->ctx;
    kn_ref t = kn_const(ctx, ctx->env->known[KN_NAME_TRUE], ctx->nil);
    kn_ref f = kn_const(ctx, ctx->env->known[KN_NAME_FALSE], ctx->nil);
    kn_ref a = number(ctx, "18446744073709551616"), b = number(ctx, "18446744073709551617");

    assert_int_equal(kn_nat_compute(ctx, KN_OP_BLE, a, b), t);
    assert_int_equal(kn_nat_compute(ctx, KN_OP_BLE, b, a), f);
    assert_int_equal(kn_nat_compute(ctx, KN_OP_BEQ, a, a), t);
    assert_int_equal(kn_nat_compute(ctx, KN_OP_BEQ, a, b), f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(operations_are_those_of_lean, kernel_context_setup,
                                        kernel_context_teardown),
        cmocka_unit_test_setup_teardown(equal_numbers_are_one_reference, kernel_context_setup,
                                        kernel_context_teardown),
        cmocka_unit_test_setup_teardown(comparisons_give_truth_values, kernel_context_setup,
                                        kernel_context_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
