#include "tests/support/test.h"

#include "tests/integration/kernel/export_builder.h"
#include "tests/integration/kernel/verdict.h"

/*
 * Division and its kin are computed at once if they are defined to be what
 * they are called. division.ndjson has honest definitions, and impostors that
 * differ from them in a few places; a test swaps the names of two.
 */
struct sum {
    const char *op, *a, *b, *result; /* b is NULL where there is one argument only */
};

#define HUGE "10000000000000000000000000000000000000007" /* 10^40 + 7 */
#define ODD "717897987691852588770249"                   /* 3^50 */

/* "str":"name"} of the file becomes "str":"other"}, and the other way round. */
static void swap_names(struct lwb_buf *out, struct lwb_bytes file, const char *name,
                       const char *other)
{
    char from[2][60];
    size_t at = 0;
    int i;

    (void)snprintf(from[0], sizeof(from[0]), "\"str\":\"%s\"}", name);
    (void)snprintf(from[1], sizeof(from[1]), "\"str\":\"%s\"}", other);
    while (at < file.len) {
        for (i = 0; i < 2; i++) {
            size_t n = strlen(from[i]);

            if (file.len - at >= n && memcmp(file.ptr + at, from[i], n) == 0)
                break;
        }
        if (i == 2) {
            lwb_buf_append_char(out, file.ptr[at++]);
            continue;
        }
        lwb_buf_append_text(out, from[1 - i]);
        at += strlen(from[i]);
    }
}

/* theorem claim : op a b = result := rfl, or op a = result */
static void claim(struct builder *b, const struct sum *sum)
{
    unsigned one = b_level(b, "succ", 0), nat = b_const(b, "Nat");
    unsigned result = b_nat(b, sum->result);
    unsigned left = b_app(b, b_const(b, sum->op), b_nat(b, sum->a));
    unsigned eq;

    if (sum->b)
        left = b_app(b, left, b_nat(b, sum->b));
    eq = b_app(b, b_app(b, b_const_at(b, "Eq", one), nat), left);
    b_thm(b, "claim", b_app(b, eq, result),
          b_app(b, b_app(b, b_const_at(b, "Eq.refl", one), nat), result));
}

static enum lwb_kernel_verdict verdict_after_swap(const char *name, const char *other,
                                                  const struct sum *sum, unsigned threads)
{
    const struct verdict_options options = { .threads = threads, .time_ms = 60000 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 24);
    LWB_AUTO(lwb_buf_release) struct lwb_buf swapped = LWB_BUF(1 << 24);
    struct lwb_kernel_summary summary;
    enum lwb_kernel_verdict verdict;
    struct builder b;

    read_fixture(&file, "accept/division.ndjson");
    swap_names(&swapped, lwb_buf_bytes(&file), name, other);
    builder_continue(&b, lwb_buf_bytes(&swapped));
    if (sum)
        claim(&b, sum);
    verdict = verdict_with(lwb_buf_bytes(&b.out), &options, &summary);
    if (verdict == LWB_KERNEL_REJECT)
        assert_string_equal(summary.name, "claim");
    builder_release(&b);
    return verdict;
}

static enum lwb_kernel_verdict verdict_on(const struct sum *sum)
{
    return verdict_after_swap("", "", sum, 1);
}

static void large_numbers_are_computed(void **state)
{
    static const struct sum sums[] = {
        { "Nat.div", HUGE, ODD, "13929555690985383" },
        { "Nat.mod", HUGE, ODD, "332648387159852995729640" },
        { "Nat.gcd", "120000000000000000000000000000000000000084", "12922163778453346597864482",
          "6" },
        { "Nat.land", HUGE, ODD, "717819444744821093171201" },
        { "Nat.lor", HUGE, ODD, "10000000000000000000078542947031495599055" },
        { "Nat.xor", HUGE, ODD, "9999999999999999282259098202210402427854" },
        { "Nat.shiftRight", HUGE, "70", "8470329472543003390" },
        { "Nat.div", HUGE, "0", "0" },
        { "Nat.mod", HUGE, "0", HUGE },
        { "Nat.gcd", "0", HUGE, HUGE },
        { "Nat.gcd", HUGE, "0", HUGE },
        { "Nat.lor", "0", HUGE, HUGE },
        { "Nat.xor", HUGE, "0", HUGE },
        { "Nat.land", HUGE, "0", "0" },
        { "Nat.log2", HUGE, NULL, "132" },
        { "Nat.log2", "340282366920938463463374607431768211456", NULL, "128" },
        { "Nat.log2", "340282366920938463463374607431768211455", NULL, "127" },
        { "Nat.log2", "1", NULL, "0" },
        { "Nat.log2", "0", NULL, "0" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < LWB_COUNT(sums); i++) {
        struct sum wrong = sums[i];

        assert_int_equal(verdict_on(&sums[i]), LWB_KERNEL_ACCEPT);
        wrong.result = strcmp(sums[i].result, "6") == 0 ? "12" : "6";
        assert_int_equal(verdict_on(&wrong), LWB_KERNEL_REJECT);
    }
}

/*
 * The same functions, asked for in another order, by fuel, or (the logarithm)
 * by accessibility, are no impostors.
 */
static void other_forms_are_computed(void **state)
{
    static const struct {
        const char *name, *other;
        struct sum sum;
    } forms[] = {
        { "div", "divNested", { "Nat.div", HUGE, ODD, "13929555690985383" } },
        { "div", "divFuel", { "Nat.div", HUGE, ODD, "13929555690985383" } },
        { "div", "divFuel", { "Nat.div", HUGE, "0", "0" } },
        { "mod", "modFuel", { "Nat.mod", HUGE, ODD, "332648387159852995729640" } },
        { "mod", "modFuel", { "Nat.mod", HUGE, "0", HUGE } },
        { "mod", "modFuel", { "Nat.mod", "0", HUGE, "0" } },
        { "log2", "log2Acc", { "Nat.log2", HUGE, NULL, "132" } },
        { "log2", "log2Acc", { "Nat.log2", "0", NULL, "0" } },
    };
    size_t i;

    (void)state;
    for (i = 0; i < LWB_COUNT(forms); i++) {
        struct sum wrong = forms[i].sum;

        wrong.result = "6";
        assert_int_equal(verdict_after_swap(forms[i].name, forms[i].other, &forms[i].sum, 1),
                         LWB_KERNEL_ACCEPT);
        assert_int_equal(verdict_after_swap(forms[i].name, forms[i].other, &wrong, 1),
                         LWB_KERNEL_REJECT);
    }
}

struct impostor {
    const char *name, *other;
    struct sum real; /* what the operation of that name would give, and does not here */
    const char *result;
};

/* What is not computed at once is unfolded; for small numbers that works out, and differs. */
static void impostors_are_not_licensed(void **state)
{
    static const struct impostor impostors[] = {
        { "div", "divStrict", { "Nat.div", "3", "3", "1" }, "0" },
        { "div", "divByZero", { "Nat.div", "3", "0", "0" }, "1" },
        { "mod", "modOnce", { "Nat.mod", "5", "2", "1" }, "3" },
        { "gcd", "gcdZero", { "Nat.gcd", "4", "6", "2" }, "0" },
        { "div", "mod", { "Nat.div", "7", "4", "1" }, "3" },
        { "land", "lor", { "Nat.land", "5", "3", "1" }, "7" },
        { "lor", "land", { "Nat.lor", "5", "3", "7" }, "1" },
        { "gcd", "land", { "Nat.gcd", "4", "6", "2" }, "4" },
        { "sub", "add", { "Nat.sub", "4", "3", "1" }, "7" },
        { "div", "divTired", { "Nat.div", "7", "2", "3" }, "0" },
        { "div", "divShort", { "Nat.div", "7", "2", "3" }, "2" },
        { "mod", "divFuel", { "Nat.mod", "7", "4", "3" }, "1" },
        { "log2", "log2Up", { "Nat.log2", "4", NULL, "2" }, "3" },
        { "log2", "log2Short", { "Nat.log2", "16", NULL, "4" }, "2" },
        { "log2", "pred", { "Nat.log2", "4", NULL, "2" }, "3" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < LWB_COUNT(impostors); i++) {
        const struct impostor *it = &impostors[i];
        struct sum sum = it->real;
        unsigned threads;

        for (threads = 1; threads <= 2; threads++) {
            sum.result = it->real.result;
            assert_int_equal(verdict_after_swap(it->name, it->other, &sum, threads),
                             LWB_KERNEL_REJECT);
            sum.result = it->result;
            assert_int_equal(verdict_after_swap(it->name, it->other, &sum, threads),
                             LWB_KERNEL_ACCEPT);
        }
    }
}

/* Without its Decidable, Acc, le or And being the real ones nothing can be read off. */
static void the_types_beneath_must_be_real(void **state)
{
    static const char *const names[] = { "Decidable", "Acc", "le", "And" };
    const struct sum small = { "Nat.div", "7", "2", "3" };
    const struct sum wrong = { "Nat.div", "7", "2", "4" };
    size_t i;

    (void)state;
    for (i = 0; i < LWB_COUNT(names); i++) {
        assert_int_equal(verdict_after_swap(names[i], "Other", &small, 1), LWB_KERNEL_ACCEPT);
        assert_int_equal(verdict_after_swap(names[i], "Other", &wrong, 1), LWB_KERNEL_REJECT);
    }
}

/* Taking 1 off 10^40 ends in no lifetime: steps are counted, the same for any number of threads. */
static void steps_are_a_limit(void **state)
{
    static const struct sum sum = { "Nat.divByZero", HUGE, "1", HUGE };
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 24);
    struct verdict_options options = { .steps = 1 << 17 };
    struct lwb_kernel_summary summary;
    struct builder b;

    (void)state;
    read_fixture(&file, "accept/division.ndjson");
    assert_int_equal(verdict_with(lwb_buf_bytes(&file), &options, &summary), LWB_KERNEL_ACCEPT);
    builder_continue(&b, lwb_buf_bytes(&file));
    claim(&b, &sum);
    for (options.threads = 1; options.threads <= 2; options.threads++) {
        assert_int_equal(verdict_with(lwb_buf_bytes(&b.out), &options, &summary),
                         LWB_KERNEL_DECLINE);
        assert_string_equal(summary.name, "claim");
        assert_int_equal(summary.cause, LWB_KERNEL_CAUSE_STEPS);
        assert_non_null(strstr(summary.reason, "steps"));
    }
    builder_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_numbers_are_computed),
        cmocka_unit_test(other_forms_are_computed),
        cmocka_unit_test(impostors_are_not_licensed),
        cmocka_unit_test(the_types_beneath_must_be_real),
        cmocka_unit_test(steps_are_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
