#include "tests/support/test.h"

#include "tests/integration/kernel/attack.h"
#include "tests/integration/kernel/forged_block.h"

/*
 * Inductive types that are not what they say, and preludes that are not what
 * their names say. Which mistake each is after stands in tests/KERNEL.md.
 */
/*
 * Forged preludes
 * -------------------------------------------------------------------------------
 */

static void empty_type(struct builder *b, const char *name, const char *rec, bool extra)
{
    struct forged f = { .type = name, .rec = rec, .large = true, .rec_twice = extra };

    f.sort = b_sort(b, b_one(b));
    forge(b, &f);
}

static void empty_honest(struct builder *b)
{
    empty_type(b, "Void", "Void.rec", false);
}

static void empty_string(struct builder *b)
{
    empty_type(b, "String", "String.rec", false);
    b_def(b, "bad", b_const(b, "String"), b_str(b, "a"));
}

static void empty_nat(struct builder *b)
{
    empty_type(b, "Nat", "Nat.rec", false);
    b_def(b, "bad", b_const(b, "Nat"), b_nat(b, "0"));
}

static void axiom_nat(struct builder *b)
{
    b_axiom(b, "Nat", b_sort(b, b_one(b)));
    b_def(b, "bad", b_const(b, "Nat"), b_nat(b, "18446744073709551616"));
}

static void reserved_name(struct builder *b)
{
    empty_type(b, "_nested.Void_1", "_nested.Void_1.rec", false);
}

static void recursor_twice(struct builder *b)
{
    empty_type(b, "Void", "Void.rec", true);
}

static void recursor_elsewhere(struct builder *b)
{
    empty_type(b, "Void", "Void.rogue", false);
}

static void literal_of_no_type(struct builder *b)
{
    b_def(b, "bad", b_sort(b, 0), b_nat(b, "7"));
}

/* A proposition with two proofs must not tell them apart. */
static void two_proofs(struct builder *b)
{
    struct forged f = {
        .type = "P", .rec = "P.rec", .ctors = { "P.a", "P.b" }, .n_ctors = 2, .large = true
    };

    f.sort = b_sort(b, 0);
    forge(b, &f);
}

static void two_values(struct builder *b)
{
    struct forged f = {
        .type = "P", .rec = "P.rec", .ctors = { "P.a", "P.b" }, .n_ctors = 2, .large = true
    };

    f.sort = b_sort(b, b_one(b));
    forge(b, &f);
}

static void with_field(struct builder *b, unsigned sort, unsigned field, bool large)
{
    struct forged f = { .type = "P",
                        .rec = "P.rec",
                        .ctors = { "P.a" },
                        .n_ctors = 1,
                        .large = large,
                        .sort = sort,
                        .fields = { field + 1 } };

    forge(b, &f);
}

static void field_fits(struct builder *b)
{
    unsigned two = b_level(b, "succ", b_one(b));

    with_field(b, b_sort(b, two), b_sort(b, b_one(b)), true);
}

static void field_is_too_large(struct builder *b)
{
    with_field(b, b_sort(b, b_one(b)), b_sort(b, b_one(b)), true);
}

static void proof_with_data(struct builder *b)
{
    with_field(b, b_sort(b, 0), b_sort(b, b_one(b)), true);
}

static void negative_field(struct builder *b)
{
    with_field(b, b_sort(b, b_one(b)), b_pi(b, b_const(b, "P"), b_sort(b, 0)), true);
}

static void constructor_of_no_sort(struct builder *b)
{
    with_field(b, b_pi(b, b_sort(b, 0), b_sort(b, 0)), b_sort(b, 0), true);
}

/*
 * Who may be taken apart into data
 * ---------------------------------------------------------------
 */

/* A type with two constructors without fields, in this sort. */
static void two_in(struct builder *b, unsigned sort, const char *level, bool large)
{
    struct forged f = { .type = "P",
                        .rec = "P.rec",
                        .ctors = { "P.a", "P.b" },
                        .n_ctors = 2,
                        .level = level,
                        .sort = sort,
                        .large = large };

    forge(b, &f);
}

/* Sort v may be a proposition or not: neither "is zero" nor "is never zero". */
static void param_small(struct builder *b)
{
    two_in(b, b_sort(b, b_param(b, b_name(b, "v"))), "v", false);
}

static void param_large(struct builder *b)
{
    two_in(b, b_sort(b, b_param(b, b_name(b, "v"))), "v", true);
}

static void never_zero_large(struct builder *b)
{
    unsigned v = b_param(b, b_name(b, "v"));

    two_in(b, b_sort(b, b_level2(b, "max", v, b_one(b))), "v", true);
}

static void imax_to_zero(struct builder *b, bool large)
{
    two_in(b, b_sort(b, b_level2(b, "imax", b_one(b), 0)), NULL, large);
}

static void imax_small(struct builder *b)
{
    imax_to_zero(b, false);
}

static void imax_large(struct builder *b)
{
    imax_to_zero(b, true);
}

static void imax_param_large(struct builder *b)
{
    unsigned v = b_param(b, b_name(b, "v"));

    two_in(b, b_sort(b, b_level2(b, "imax", b_one(b), v)), "v", true);
}

static void data_with_small_recursor(struct builder *b)
{
    two_in(b, b_sort(b, b_one(b)), NULL, false);
}

/* The field Prop : Type in P.{v} : Sort (op 1 v). */
static void field_below(struct builder *b, const char *op, bool large)
{
    unsigned v = b_param(b, b_name(b, "v"));
    struct forged f = { .type = "P",
                        .rec = "P.rec",
                        .ctors = { "P.a" },
                        .n_ctors = 1,
                        .level = "v",
                        .sort = b_sort(b, b_level2(b, op, b_one(b), v)),
                        .fields = { b_sort(b, 0) + 1 },
                        .large = large };

    forge(b, &f);
}

static void field_below_max(struct builder *b)
{
    field_below(b, "max", true);
}

static void field_below_imax(struct builder *b)
{
    field_below(b, "imax", false);
}

/* A proposition only once its universe is worked out, with data in it. */
static void project_out_of_imax(struct builder *b)
{
    unsigned prop = b_sort(b, 0), from = b_const(b, "P");

    with_field(b, b_sort(b, b_level2(b, "imax", b_one(b), 0)), prop, false);
    b_def(b, "bad", b_pi(b, from, prop), b_lam(b, from, b_proj(b, "P", 0, b_var(b, 0))));
}

/*
 * What the file claims of a block
 * ----------------------------------------------------------------
 */

static struct forged pair_of_values(struct builder *b)
{
    return (struct forged){ .type = "P",
                            .rec = "P.rec",
                            .ctors = { "P.a", "P.b" },
                            .n_ctors = 2,
                            .sort = b_sort(b, b_one(b)),
                            .large = true };
}

static void claims_k(struct builder *b)
{
    struct forged f = pair_of_values(b);

    f.k = true;
    forge(b, &f);
}

/* True : Prop, for which K holds. */
static void truth(struct builder *b, bool k)
{
    struct forged f = { .type = "T",
                        .rec = "T.rec",
                        .ctors = { "T.mk" },
                        .n_ctors = 1,
                        .sort = b_sort(b, 0),
                        .large = true,
                        .k = k };

    forge(b, &f);
}

static void k_is_claimed_rightly(struct builder *b)
{
    truth(b, true);
}

static void k_is_denied(struct builder *b)
{
    truth(b, false);
}

/* With no field it would be a unit, whose values are all equal. */
static void claims_no_fields(struct builder *b)
{
    unsigned type = b_sort(b, b_one(b));
    struct forged f = { .type = "P",
                        .rec = "P.rec",
                        .ctors = { "P.a" },
                        .n_ctors = 1,
                        .sort = b_sort(b, b_level(b, "succ", b_one(b))),
                        .fields = { type + 1 },
                        .large = true,
                        .fields_less = 1 };

    forge(b, &f);
}

static void swaps_rules(struct builder *b)
{
    struct forged f = pair_of_values(b);

    f.swapped_rules = true;
    forge(b, &f);
}

/*
 * Constants that a block brings along
 * ------------------------------------------------------------
 */

static void void_with(struct builder *b, const char *more_ctors, const char *more_recs)
{
    struct forged f = { .type = "Void",
                        .rec = "Void.rec",
                        .sort = b_sort(b, 0),
                        .large = true,
                        .more_ctors = more_ctors,
                        .more_recs = more_recs };

    forge(b, &f);
}

/* rogue : Void, as a recursor of `of` */
static void rogue_recursor(struct builder *b, const char *of, const char *name)
{
    char text[300];

    (void)snprintf(text, sizeof(text),
                   ",{\"all\":[%u],\"isUnsafe\":false,\"k\":false,\"levelParams\":[],"
                   "\"name\":%u,\"numIndices\":0,\"numMinors\":0,\"numMotives\":0,"
                   "\"numParams\":0,\"rules\":[],\"type\":%u}",
                   b_name(b, of), b_name(b, name), b_const(b, "Void"));
    void_with(b, NULL, text);
    b_thm(b, "bad", b_const(b, "Void"), b_const(b, name));
}

static void orphan_recursor(struct builder *b)
{
    rogue_recursor(b, "Nowhere", "rogue");
}

static void recursor_of_the_type(struct builder *b)
{
    rogue_recursor(b, "Void", "rogue");
}

static void recursor_of_no_nested_type(struct builder *b)
{
    rogue_recursor(b, "Void", "Void.rec_1");
}

/* rogue : Void, as a constructor of `of` that the type does not list */
static void rogue_constructor(struct builder *b, const char *of)
{
    char text[300];

    (void)snprintf(text, sizeof(text),
                   "{\"cidx\":0,\"induct\":%u,\"isUnsafe\":false,\"levelParams\":[],"
                   "\"name\":%u,\"numFields\":0,\"numParams\":0,\"type\":%u}",
                   b_name(b, of), b_name(b, "rogue"), b_const(b, "Void"));
    void_with(b, text, NULL);
    b_thm(b, "bad", b_const(b, "Void"), b_const(b, "rogue"));
}

static void unlisted_constructor(struct builder *b)
{
    rogue_constructor(b, "Void");
}

static void orphan_constructor(struct builder *b)
{
    rogue_constructor(b, "Nowhere");
}

static void recursor_without_types(struct builder *b)
{
    struct forged f = {
        .type = "Void", .rec = "Void.rec", .sort = b_sort(b, 0), .large = true, .no_types = true
    };

    b_axiom(b, "Void", f.sort);
    forge(b, &f);
}

/*
 * Nested blocks
 * ----------------------------------------------------------------------------------
 */

static void untouched(struct builder *b)
{
    (void)b;
}

/* Pick Hidden Nat.zero, which the container ignores, becomes Pick Hidden Hidden. */
static void ill_typed_parameter(struct builder *b)
{
    static const char from[] = "{\"ie\":552,\"app\":{\"arg\":14,\"fn\":551}}";
    static const char to[] = "{\"ie\":552,\"app\":{\"arg\":549,\"fn\":551}}";
    LWB_AUTO(lwb_buf_release) struct lwb_buf before = b->out;
    const char *at = strstr(lwb_buf_text(&before), from);

    b->out = LWB_BUF(1 << 24);
    assert_non_null(at);
    lwb_buf_append(&b->out, before.ptr, (size_t)(at - before.ptr));
    lwb_buf_append_text(&b->out, to);
    lwb_buf_append_text(&b->out, at + sizeof(from) - 1);
}

/* T with mk : (n : Nat) -> of_field -> T; its recursors would not come into it. */
static void nest(struct builder *b, unsigned of_field)
{
    unsigned type = b_name(b, "T"), mk = b_name(b, "T.mk");
    unsigned self = b_const(b, "T"), nat = b_const(b, "Nat");
    unsigned of_ctor = b_pi(b, nat, b_pi(b, of_field, self));

    b_line(b,
           "{\"inductive\":{\"ctors\":[{\"cidx\":0,\"induct\":%u,\"isUnsafe\":false,"
           "\"levelParams\":[],\"name\":%u,\"numFields\":2,\"numParams\":0,\"type\":%u}],"
           "\"recs\":[],\"types\":[{\"all\":[%u],\"ctors\":[%u],\"isRec\":true,"
           "\"isReflexive\":false,\"isUnsafe\":false,\"levelParams\":[],\"name\":%u,"
           "\"numIndices\":0,\"numNested\":1,\"numParams\":0,\"type\":%u}]}}",
           type, mk, of_ctor, type, mk, type, b_sort(b, b_one(b)));
}

static void parameter_of_a_field(struct builder *b)
{
    unsigned pick = b_app2(b, b_const(b, "Pick"), b_const(b, "T"), b_var(b, 0));

    nest(b, b_app(b, b_const(b, "Phantom"), pick));
}

static void inside_an_axiom(struct builder *b)
{
    nest(b, b_app2(b, b_const(b, "Pick"), b_const(b, "T"), b_var(b, 0)));
}

static void to_the_left_inside(struct builder *b)
{
    unsigned left = b_pi(b, b_const(b, "T"), b_const(b, "Nat"));

    nest(b, b_app2(b, b_const_at(b, "Vec", 0), left, b_var(b, 0)));
}

static void in_a_proposition(struct builder *b)
{
    unsigned eq = b_app(b, b_const_at(b, "Eq", b_level(b, "succ", b_one(b))), b_sort(b, b_one(b)));

    nest(b, b_app2(b, eq, b_const(b, "T"), b_const(b, "T")));
}

#define CASE(fixture, fn, reason)                                                                  \
    {                                                                                              \
        fixture, fn, #fn, reason                                                                   \
    }

static void preludes_are_not_trusted(void **state)
{
    static const struct attack_case cases[] = {
        CASE(NULL, empty_honest, NULL),
        CASE(NULL, empty_string, "a literal, but no Nat is declared that fits"),
        CASE(NULL, empty_nat, "a literal, but no Nat is declared that fits"),
        CASE(NULL, axiom_nat, "a literal, but no Nat is declared that fits"),
        CASE(NULL, reserved_name, "_nested.Void_1: the name is reserved for auxiliary types"),
        CASE(NULL, recursor_twice, "Void.rec is declared twice"),
        CASE(NULL, recursor_elsewhere, "Void: the recursor is missing or lacks a universe"),
        CASE(NULL, literal_of_no_type, "a literal, but no Nat is declared that fits"),
        CASE(SMALL, empty_string, "a string literal, but no String is declared that fits"),
    };

    (void)state;
    check_attacks(cases, LWB_COUNT(cases));
}

static void blocks_are_checked(void **state)
{
    static const struct attack_case cases[] = {
        CASE(NULL, two_values, NULL),
        CASE(NULL, field_fits, NULL),
        CASE(NULL, two_proofs,
             "P.rec: the file states other universe parameters: may the type be eliminated into "
             "every sort"),
        CASE(NULL, field_is_too_large, "P.a: a field lives in a higher universe than the type"),
        CASE(NULL, proof_with_data,
             "P.rec: the file states other universe parameters: may the type be eliminated into "
             "every sort"),
        CASE(NULL, negative_field, "P.a: the type occurs to the left of an arrow"),
        CASE(NULL, constructor_of_no_sort, "a term is used as a type, but its type is no sort"),
    };

    (void)state;
    check_attacks(cases, LWB_COUNT(cases));
}

static void universes_decide_what_is_data(void **state)
{
    static const struct attack_case cases[] = {
        CASE(NULL, param_small, NULL),
        CASE(NULL, param_large,
             "P.rec: the file states other universe parameters: may the type be eliminated into "
             "every sort"),
        CASE(NULL, never_zero_large, NULL),
        CASE(NULL, imax_small, NULL),
        CASE(NULL, imax_large,
             "P.rec: the file states other universe parameters: may the type be eliminated into "
             "every sort"),
        CASE(NULL, imax_param_large,
             "P.rec: the file states other universe parameters: may the type be eliminated into "
             "every sort"),
        CASE(NULL, data_with_small_recursor, "P: the recursor is missing or lacks a universe"),
        CASE(NULL, field_below_max, NULL),
        CASE(NULL, field_below_imax, "P.a: a field lives in a higher universe than the type"),
        CASE(NULL, project_out_of_imax, "a projection takes data out of a proposition"),
    };

    (void)state;
    check_attacks(cases, LWB_COUNT(cases));
}

static void claims_are_compared(void **state)
{
    static const struct attack_case cases[] = {
        CASE(NULL, claims_k, "P.rec: the file states wrongly whether K holds"),
        CASE(NULL, k_is_claimed_rightly, NULL),
        CASE(NULL, k_is_denied, "T.rec: the file states wrongly whether K holds"),
        CASE(NULL, claims_no_fields, "P.a: the file states another number of parameters or fields"),
        CASE(NULL, swaps_rules, "P.rec: a rule differs from the derived one"),
        CASE(NULL, orphan_recursor, "Void: the block has another number of recursors"),
        CASE(NULL, recursor_of_the_type, "Void: the block has another number of recursors"),
        CASE(NULL, recursor_of_no_nested_type, "Void: the block has another number of recursors"),
        CASE(NULL, unlisted_constructor, "Void: the block has a constructor of no type"),
        CASE(NULL, orphan_constructor, "Void: the block has a constructor of no type"),
    };

    (void)state;
    check_attacks(cases, LWB_COUNT(cases));
    check_attack(NULL, recursor_without_types, LWB_KERNEL_MALFORMED, "recursor_without_types");
}

static void nested_blocks_are_checked(void **state)
{
    static const struct attack_case cases[] = {
        CASE(NESTED, untouched, NULL),
        CASE(NESTED, ill_typed_parameter, "argument 2 of Pick has the wrong type"),
        CASE(NESTED, parameter_of_a_field,
             "a nested occurrence whose parameters depend on a field"),
        CASE(NESTED, inside_an_axiom, "T.mk: the type occurs where it must not"),
        CASE(NESTED, to_the_left_inside, "Vec.cons: the type occurs to the left of an arrow"),
        CASE(NESTED, in_a_proposition,
             "(internal): the types of the block live in different universes"),
    };

    (void)state;
    check_attacks(cases, LWB_COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(preludes_are_not_trusted),      cmocka_unit_test(blocks_are_checked),
        cmocka_unit_test(universes_decide_what_is_data), cmocka_unit_test(claims_are_compared),
        cmocka_unit_test(nested_blocks_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
