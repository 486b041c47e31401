#include "tests/support/test.h"

#include "tests/integration/kernel/attack.h"

/*
 * Terms, projections, arithmetic, axioms and limits: most attacks extend an
 * honest prelude. Which mistake each is after stands in tests/KERNEL.md; blocks
 * are attacked in test_forged_blocks.c, conversion in test_gates.c.
 */
/*
 * Controls: what the builder writes is right where nothing is wrong.
 * ----------------------------
 */

static void honest(struct builder *b)
{
    b_thm(b, "four", b_equation(b, "Nat", b_nat(b, "4"), b_nat(b, "4")),
          b_refl(b, "Nat", b_nat(b, "4")));
    b_opaque(b, "sealed", b_const(b, "Nat"), b_nat(b, "4"));
}

/*
 * Terms
 * -----------------------------------------------------------------------------------------
 */

static void self_reference(struct builder *b)
{
    b_thm(b, "bad", b_const(b, "False"), b_const(b, "bad"));
}

static void forward_reference(struct builder *b)
{
    b_thm(b, "bad", b_const(b, "False"), b_const(b, "worse"));
    b_axiom(b, "worse", b_const(b, "False"));
}

static void data_as_theorem(struct builder *b)
{
    b_thm(b, "bad", b_const(b, "Nat"), b_nat(b, "0"));
}

static void loose_variable(struct builder *b)
{
    b_thm(b, "bad", b_const(b, "False"), b_var(b, 0));
}

static void missing_levels(struct builder *b)
{
    unsigned eq =
        b_app2(b, b_app(b, b_const(b, "Eq"), b_const(b, "Nat")), b_nat(b, "0"), b_nat(b, "0"));

    b_axiom(b, "bad", eq);
}

static void undeclared_level(struct builder *b)
{
    b_axiom(b, "bad", b_sort(b, b_param(b, b_name(b, "u"))));
}

static void dropped_offset(struct builder *b)
{
    unsigned u = b_name(b, "u");
    unsigned p = b_param(b, u);
    unsigned sort = b_sort(b, b_level2(b, "imax", b_one(b), p));

    b_def_at(b, "bad", u, sort, sort);
}

static void too_many_levels(struct builder *b)
{
    unsigned level = b_one(b), refl = b_const_at2(b, "Eq.refl", level, level);

    b_def(b, "bad", b_equation(b, "Nat", b_nat(b, "0"), b_nat(b, "0")),
          b_app2(b, refl, b_const(b, "Nat"), b_nat(b, "0")));
}

/* bad : Sort (max u (imax 1 u)) := Sort (imax 1 u), which is one higher. */
static void offset_in_a_maximum(struct builder *b)
{
    unsigned u = b_name(b, "u");
    unsigned p = b_param(b, u);
    unsigned low = b_level2(b, "imax", b_one(b), p);

    b_def_at(b, "bad", u, b_sort(b, b_level2(b, "max", p, low)), b_sort(b, low));
}

/* good.{u} : Sort (imax u u + 1) := Sort u: imax u u is u. */
static void imax_of_one_level(struct builder *b)
{
    unsigned u = b_name(b, "u");
    unsigned p = b_param(b, u);

    b_def_at(b, "good", u, b_sort(b, b_level(b, "succ", b_level2(b, "imax", p, p))), b_sort(b, p));
}

static void parameter_twice(struct builder *b)
{
    unsigned u = b_name(b, "u"), name = b_name(b, "bad");

    b_line(b, "{\"axiom\":{\"isUnsafe\":false,\"levelParams\":[%u,%u],\"name\":%u,\"type\":%u}}", u,
           u, name, b_const(b, "Nat"));
}

static void ill_typed_let(struct builder *b)
{
    unsigned nat = b_const(b, "Nat");

    b_def(b, "bad", nat, b_let(b, nat, b_const(b, "Bool.true"), b_nat(b, "0")));
}

/* Only a well-typed term is a let whose variable is not used. */
static void ill_typed_unused_argument(struct builder *b)
{
    unsigned nat = b_const(b, "Nat"), constant = b_lam(b, nat, b_nat(b, "0"));

    b_def(b, "bad", nat, b_app(b, constant, b_app(b, b_nat(b, "1"), b_nat(b, "2"))));
}

/* For h : a = b, which is no reason for Eq.rec to compute: only h : a = a is. */
static void k_without_equal_sides(struct builder *b)
{
    unsigned nat = b_const(b, "Nat"), one = b_one(b);
    unsigned eq = b_app(b, b_const_at(b, "Eq", one), nat); /* under a, b: h, x */
    unsigned h = b_app2(b, eq, b_var(b, 1), b_var(b, 0)), motive, term, goal, refl;

    term = b_app2(b, b_const_at2(b, "Eq.rec", one, one), nat, b_var(b, 3));
    motive = b_lam(b, nat, b_lam(b, b_app2(b, eq, b_var(b, 4), b_var(b, 0)), nat));
    term = b_app2(b, b_app2(b, term, motive, b_var(b, 0)), b_var(b, 2), b_var(b, 1));
    goal = b_app2(b, eq, term, b_var(b, 0));
    refl = b_app2(b, b_const_at(b, "Eq.refl", one), nat, b_var(b, 0));
    b_thm(b, "bad", b_pi(b, nat, b_pi(b, nat, b_pi(b, h, b_pi(b, nat, goal)))),
          b_lam(b, nat, b_lam(b, nat, b_lam(b, h, b_lam(b, nat, refl)))));
}

/* Two values of a type of data are not equal for being of one type. */
static void irrelevance_of_data(struct builder *b)
{
    unsigned bit = b_const(b, "Bool");
    unsigned goal = b_equation(b, "Bool", b_var(b, 1), b_var(b, 0));

    b_thm(b, "bad", b_pi(b, bit, b_pi(b, bit, goal)),
          b_lam(b, bit, b_lam(b, bit, b_refl(b, "Bool", b_var(b, 1)))));
}

static void wrong_argument(struct builder *b)
{
    b_axiom(b, "bad", b_equation(b, "Nat", b_nat(b, "0"), b_const(b, "Bool.true")));
}

static void sealed_value(struct builder *b)
{
    b_opaque(b, "sealed", b_const(b, "Nat"), b_nat(b, "4"));
    b_thm(b, "bad", b_equation(b, "Nat", b_const(b, "sealed"), b_nat(b, "4")),
          b_refl(b, "Nat", b_nat(b, "4")));
}

static void declared_twice(struct builder *b)
{
    b_axiom(b, "bad", b_const(b, "Nat"));
    b_axiom(b, "bad", b_const(b, "False"));
}

#define CASE(fixture, fn, reason)                                                                  \
    {                                                                                              \
        fixture, fn, #fn, reason                                                                   \
    }

static void terms_are_checked(void **state)
{
    static const struct attack_case cases[] = {
        CASE(BASIC, too_many_levels, "Eq.refl takes 1 universe levels, 2 are given"),
        CASE(BASIC, offset_in_a_maximum, "the value does not have the type that is stated"),
        CASE(BASIC, imax_of_one_level, NULL),
        CASE(BASIC, parameter_twice, "universe parameter u is declared twice"),
        CASE(BASIC, ill_typed_let, "the value of a let has another type than it says"),
        CASE(BASIC, ill_typed_unused_argument, "a function is applied to too many arguments"),
        CASE(BASIC, k_without_equal_sides, "the value does not have the type that is stated"),
        CASE(BASIC, irrelevance_of_data, "the value does not have the type that is stated"),
    };

    (void)state;
    check_attacks(cases, LWB_COUNT(cases));
    check_attack(BASIC, honest, LWB_KERNEL_ACCEPT, "honest");
    check_attack(BASIC, self_reference, LWB_KERNEL_REJECT, "self_reference");
    check_attack(BASIC, forward_reference, LWB_KERNEL_REJECT, "forward_reference");
    check_attack(BASIC, data_as_theorem, LWB_KERNEL_REJECT, "data_as_theorem");
    check_attack(BASIC, loose_variable, LWB_KERNEL_REJECT, "loose_variable");
    check_attack(BASIC, missing_levels, LWB_KERNEL_REJECT, "missing_levels");
    check_attack(BASIC, undeclared_level, LWB_KERNEL_REJECT, "undeclared_level");
    check_attack(BASIC, dropped_offset, LWB_KERNEL_REJECT, "dropped_offset");
    check_attack(BASIC, wrong_argument, LWB_KERNEL_REJECT, "wrong_argument");
    check_attack(BASIC, sealed_value, LWB_KERNEL_REJECT, "sealed_value");
    check_attack(BASIC, declared_twice, LWB_KERNEL_REJECT, "declared_twice");
}

/*
 * What is stored in few bits
 * ---------------------------------------------------------------------
 */

static void claim_equal(struct builder *b, const char *x, const char *y)
{
    b_thm(b, "bad", b_equation(b, "Nat", b_nat(b, x), b_nat(b, y)), b_refl(b, "Nat", b_nat(b, x)));
}

static void halves_change_places(struct builder *b)
{
    claim_equal(b, "1", "4294967296");
}

static void half_is_lost(struct builder *b)
{
    claim_equal(b, "0", "4294967296");
}

static void limb_is_lost(struct builder *b)
{
    claim_equal(b, "5", "18446744073709551621");
}

/* Of a variable: nothing else than the number tells the two fields apart. */
static void field_is_lost(struct builder *b)
{
    unsigned bits = b_const(b, "Bits"), v = b_var(b, 0);
    unsigned first = b_proj(b, "Bits", 0, v), second = b_proj(b, "Bits", 1, v);

    b_thm(b, "bad", b_pi(b, bits, b_equation(b, "Bool", first, second)),
          b_lam(b, bits, b_refl(b, "Bool", first)));
}

/* An axiom called n.<number>, and something else that is not it. */
static void name_is_lost(struct builder *b, const char *component)
{
    unsigned n = b_name(b, "n"), name = b->names++, other = b->names++;

    b_line(b, "{\"in\":%u,\"num\":{\"i\":1,\"pre\":%u}}", name, n);
    b_line(b, "{\"in\":%u,%s,\"pre\":%u}}", other, component, n);
    b_line(b, "{\"axiom\":{\"isUnsafe\":false,\"levelParams\":[],\"name\":%u,\"type\":%u}}", name,
           b_const(b, "False"));
    b_line(b, "{\"const\":{\"name\":%u,\"us\":[]},\"ie\":%u}", other, b->exprs);
    b_thm(b, "bad", b_const(b, "False"), b->exprs++);
}

static void number_as_text(struct builder *b)
{
    name_is_lost(b, "\"str\":{\"str\":\"1\"");
}

static void number_beyond_32_bits(struct builder *b)
{
    name_is_lost(b, "\"num\":{\"i\":4294967297");
}

static void number_with_the_bits_of_a_kind(struct builder *b)
{
    name_is_lost(b, "\"num\":{\"i\":2147483649");
}

/* 13 bits hold one more than the number of a variable, so that of this one would be 0: closed. */
static void variable_beyond_the_range(struct builder *b)
{
    b_thm(b, "bad", b_const(b, "False"), b_var(b, 8191));
}

static void variable_around_the_range(struct builder *b)
{
    b_thm(b, "bad", b_const(b, "False"), b_lam(b, b_const(b, "Nat"), b_var(b, 8192)));
}

static void last_variable_of_the_range(struct builder *b)
{
    b_thm(b, "bad", b_const(b, "False"), b_var(b, 8190));
}

/* The mark asks for more computing, not for less checking. */
static void eager_is_no_licence(struct builder *b)
{
    unsigned prop = b_sort(b, 0), claim = b_equation(b, "Nat", b_nat(b, "2"), b_nat(b, "3"));
    unsigned marked;

    b_def(b, "eagerReduce", b_pi(b, prop, b_pi(b, b_var(b, 0), b_var(b, 1))),
          b_lam(b, prop, b_lam(b, b_var(b, 0), b_var(b, 0))));
    marked =
        b_app2(b, b_const(b, "eagerReduce"), b_equation(b, "Nat", b_nat(b, "2"), b_nat(b, "2")),
               b_refl(b, "Nat", b_nat(b, "2")));
    b_thm(b, "bad", claim, b_app(b, b_lam(b, claim, b_var(b, 0)), marked));
}

static void nothing_is_told_by_too_few_bits(void **state)
{
    static const char other_type[] = "the value does not have the type that is stated";
    static const struct attack_case cases[] = {
        CASE(BASIC, halves_change_places, other_type),
        CASE(BASIC, half_is_lost, other_type),
        CASE(BASIC, limb_is_lost, other_type),
        CASE(BASIC, field_is_lost, other_type),
        CASE(BASIC, number_as_text, "unknown constant n.1"),
        CASE(BASIC, number_beyond_32_bits, "unknown constant n.4294967297"),
        CASE(BASIC, number_with_the_bits_of_a_kind, "unknown constant n.2147483649"),
        CASE(BASIC, last_variable_of_the_range, "a loose bound variable"),
        CASE(BASIC, eager_is_no_licence, "argument 1 of a function has the wrong type"),
    };

    (void)state;
    check_attacks(cases, LWB_COUNT(cases));
    check_attack(BASIC, variable_beyond_the_range, LWB_KERNEL_DECLINE, "variable_beyond_the_range");
    check_attack(BASIC, variable_around_the_range, LWB_KERNEL_DECLINE, "variable_around_the_range");
}

/*
 * Projections
 * -----------------------------------------------------------------------------------
 */

static void project(struct builder *b, const char *of, const char *as, unsigned field,
                    const char *type)
{
    unsigned from = b_const(b, of);

    b_def(b, "bad", b_pi(b, from, b_const(b, type)),
          b_lam(b, from, b_proj(b, as, field, b_var(b, 0))));
}

static void project_nat(struct builder *b)
{
    project(b, "Nat", "Nat", 0, "Nat");
}

static void project_no_constructor(struct builder *b)
{
    project(b, "False", "False", 0, "False");
}

static void project_past_the_end(struct builder *b)
{
    project(b, "Unit", "Unit", 0, "Nat");
}

static void project_beyond_32_bits(struct builder *b)
{
    project(b, "HasNat", "HasNat", 4294967295U, "Nat");
}

static void project_under_another_name(struct builder *b)
{
    project(b, "Bits", "HasNat", 0, "Nat");
}

static void project_out_of_proof(struct builder *b)
{
    project(b, "HasNat", "HasNat", 0, "Nat");
}

/* What is projected from is checked, also where the field would not need it. */
static void project_from_ill_typed(struct builder *b)
{
    unsigned pair = b_app2(b, b_const(b, "Bits.mk"), b_const(b, "Bool.true"), b_nat(b, "5"));

    b_def(b, "bad", b_const(b, "Bool"), b_proj(b, "Bits", 0, pair));
}

static void project_structure(struct builder *b)
{
    project(b, "Bits", "Bits", 1, "Bool");
}

static void projections_are_checked(void **state)
{
    (void)state;
    check_attack(BASIC, project_structure, LWB_KERNEL_ACCEPT, "project_structure");
    check_attack(BASIC, project_from_ill_typed, LWB_KERNEL_REJECT, "project_from_ill_typed");
    check_attack(BASIC, project_nat, LWB_KERNEL_REJECT, "project_nat");
    check_attack(BASIC, project_no_constructor, LWB_KERNEL_REJECT, "project_no_constructor");
    check_attack(BASIC, project_past_the_end, LWB_KERNEL_REJECT, "project_past_the_end");
    check_attack(BASIC, project_beyond_32_bits, LWB_KERNEL_REJECT, "project_beyond_32_bits");
    check_attack(BASIC, project_under_another_name, LWB_KERNEL_REJECT, "under_another_name");
    check_attack(BASIC, project_out_of_proof, LWB_KERNEL_REJECT, "project_out_of_proof");
}

/*
 * Arithmetic: Nat.add is what the file says it is.
 * ----------------------------------------------
 */

static void define_first(struct builder *b)
{
    unsigned nat = b_const(b, "Nat");

    b_def(b, "Nat.add", b_pi(b, nat, b_pi(b, nat, nat)), b_lam(b, nat, b_lam(b, nat, b_var(b, 1))));
}

static void add_is_first(struct builder *b)
{
    unsigned sum;

    define_first(b);
    sum = b_app2(b, b_const(b, "Nat.add"), b_nat(b, "2"), b_nat(b, "3"));
    b_thm(b, "good", b_equation(b, "Nat", sum, b_nat(b, "2")), b_refl(b, "Nat", b_nat(b, "2")));
}

static void add_is_claimed_to_add(struct builder *b)
{
    unsigned sum;

    define_first(b);
    sum = b_app2(b, b_const(b, "Nat.add"), b_nat(b, "2"), b_nat(b, "3"));
    b_thm(b, "bad", b_equation(b, "Nat", sum, b_nat(b, "5")), b_refl(b, "Nat", b_nat(b, "5")));
}

static void add_is_an_axiom(struct builder *b)
{
    unsigned nat = b_const(b, "Nat"), sum;

    b_axiom(b, "Nat.add", b_pi(b, nat, b_pi(b, nat, nat)));
    sum = b_app2(b, b_const(b, "Nat.add"), b_nat(b, "2"), b_nat(b, "3"));
    b_thm(b, "bad", b_equation(b, "Nat", sum, b_nat(b, "5")), b_refl(b, "Nat", b_nat(b, "5")));
}

static void sum_is_wrong(struct builder *b)
{
    unsigned sum =
        b_app2(b, b_const(b, "Nat.add"), b_nat(b, "18446744073709551615"), b_nat(b, "1"));

    b_thm(b, "bad", b_equation(b, "Nat", sum, b_nat(b, "0")), b_refl(b, "Nat", sum));
}

static void arithmetic_follows_the_file(void **state)
{
    (void)state;
    check_attack(SMALL, add_is_first, LWB_KERNEL_ACCEPT, "add_is_first");
    check_attack(SMALL, add_is_claimed_to_add, LWB_KERNEL_REJECT, "add_is_claimed_to_add");
    check_attack(SMALL, add_is_an_axiom, LWB_KERNEL_REJECT, "add_is_an_axiom");
    check_attack(BASIC, sum_is_wrong, LWB_KERNEL_REJECT, "sum_is_wrong");
}

/*
 * Axioms and quotients
 * ---------------------------------------------------------------------------
 */

static void forged_propext(struct builder *b)
{
    b_axiom(b, "propext", b_const(b, "False"));
}

static void forged_choice(struct builder *b)
{
    b_axiom(b, "Classical.choice", b_const(b, "False"));
}

static void forged_sound(struct builder *b)
{
    b_axiom(b, "Quot.sound", b_const(b, "False"));
}

static void forged_quot(struct builder *b)
{
    unsigned u = b_name(b, "u"), name = b_name(b, "Quot");

    b_line(b, "{\"quot\":{\"kind\":\"type\",\"levelParams\":[%u],\"name\":%u,\"type\":%u}}", u,
           name, b_sort(b, b_param(b, u)));
}

/* Quotients without the condition on f: every two values would be equal. */
static void unconditional_lift(struct builder *b)
{
    static const char *const kinds[] = { "type", "ctor", "lift", "ind" };
    static const char *const names[] = { "Quot", "Quot.mk", "Quot.lift", "Quot.ind" };
    unsigned u = b_name(b, "u"), v = b_name(b, "v"), i, types[4];
    unsigned sort = b_sort(b, b_param(b, u)), other = b_sort(b, b_param(b, v));
    unsigned prop = b_sort(b, 0), relation = b_pi(b, b_var(b, 0), b_pi(b, b_var(b, 1), prop));
    unsigned quot = b_const_at(b, "Quot", b_param(b, u)),
             mk = b_const_at(b, "Quot.mk", b_param(b, u));

    types[0] = b_pi(b, sort, b_pi(b, relation, sort));
    types[1] =
        b_pi(b, sort,
             b_pi(b, relation, b_pi(b, b_var(b, 1), b_app2(b, quot, b_var(b, 2), b_var(b, 1)))));
    types[2] = b_pi(b, b_pi(b, b_var(b, 2), b_var(b, 1)),
                    b_pi(b, b_app2(b, quot, b_var(b, 3), b_var(b, 2)), b_var(b, 2)));
    types[2] = b_pi(b, sort, b_pi(b, relation, b_pi(b, other, types[2])));
    types[3] = b_pi(b, b_app2(b, quot, b_var(b, 1), b_var(b, 0)), prop);
    types[3] =
        b_pi(b, types[3],
             b_pi(b,
                  b_pi(b, b_var(b, 2),
                       b_app(b, b_var(b, 1),
                             b_app(b, b_app2(b, mk, b_var(b, 3), b_var(b, 2)), b_var(b, 0)))),
                  b_pi(b, b_app2(b, quot, b_var(b, 3), b_var(b, 2)),
                       b_app(b, b_var(b, 2), b_var(b, 0)))));
    types[3] = b_pi(b, sort, b_pi(b, relation, types[3]));
    for (i = 0; i < 4; i++) {
        unsigned name = b_name(b, names[i]);

        b_line(b,
               i == 2
                   ? "{\"quot\":{\"kind\":\"%s\",\"levelParams\":[%u,%u],\"name\":%u,\"type\":%u}}"
                   : "{\"quot\":{\"kind\":\"%s\",\"levelParams\":[%u],\"name\":%u,\"type\":%u}}",
               kinds[i], u, i == 2 ? v : name, i == 2 ? name : types[i], types[i]);
    }
}

/* The package once more, behind the genuine one. */
static void second_quotients(struct builder *b)
{
    unconditional_lift(b);
}

/* Safe code does not mention what is unsafe: no verdict. */
static void unsafe_definition(struct builder *b)
{
    unsigned name = b_name(b, "odd"), self = b_const(b, "odd");

    b_line(b,
           "{\"def\":{\"all\":[%u],\"hints\":\"opaque\",\"levelParams\":[],\"name\":%u,"
           "\"safety\":\"unsafe\",\"type\":%u,\"value\":%u}}",
           name, name, b_const(b, "False"), self);
    b_thm(b, "bad", b_const(b, "False"), self);
}

static void unsafe_axiom(struct builder *b)
{
    unsigned name = b_name(b, "odd");

    b_line(b, "{\"axiom\":{\"isUnsafe\":true,\"levelParams\":[],\"name\":%u,\"type\":%u}}", name,
           b_const(b, "Nat"));
}

static void names_of_axioms_are_kept(void **state)
{
    static const struct attack_case cases[] = {
        CASE(BASIC, unconditional_lift, "Quot.lift is not the constant of that kind"),
        CASE(NESTED, second_quotients, "Quot is declared twice"),
    };

    (void)state;
    check_attacks(cases, LWB_COUNT(cases));
    check_attack(BASIC, forged_propext, LWB_KERNEL_REJECT, "forged_propext");
    check_attack(BASIC, forged_choice, LWB_KERNEL_REJECT, "forged_choice");
    check_attack(BASIC, forged_sound, LWB_KERNEL_REJECT, "forged_sound");
    check_attack(BASIC, forged_quot, LWB_KERNEL_REJECT, "forged_quot");
    check_attack(NULL, forged_quot, LWB_KERNEL_REJECT, "forged_quot alone");
    check_attack(BASIC, unsafe_definition, LWB_KERNEL_DECLINE, "unsafe_definition");
    check_attack(BASIC, unsafe_axiom, LWB_KERNEL_DECLINE, "unsafe_axiom");
}

/*
 * Deep terms: the stack is a limit, not a crash.
 * -------------------------------------------------
 */

static void deep_term(struct builder *b)
{
    unsigned nat = b_const(b, "Nat"), term = b_nat(b, "0"), type = nat, i;

    for (i = 0; i < 20000; i++)
        term = b_app(b, b_lam(b, nat, b_var(b, 0)), term);
    b_def(b, "deep", type, term);
}

/*
 * Sharing: terms whose trees are exponentially larger than their graphs.
 * -------------------------
 */

enum { RUNGS = 120 };

static void doubled_term(struct builder *b)
{
    unsigned nat = b_const(b, "Nat"), add = b_const(b, "Nat.add"), term = b_nat(b, "1"), i;

    for (i = 0; i < RUNGS; i++)
        term = b_app2(b, add, term, term);
    b_def(b, "doubled", nat, term);
}

/* fun x0 => let x1 := x0 + x0; let x2 := x1 + x1; ... */
static void ladder_of_lets(struct builder *b)
{
    unsigned nat = b_const(b, "Nat"), sum, body = b_var(b, 0), i;

    sum = b_app2(b, b_const(b, "Nat.add"), b_var(b, 0), b_var(b, 0));
    for (i = 0; i < RUNGS; i++)
        body = b_let(b, nat, sum, body);
    b_def(b, "ladder", b_pi(b, nat, nat), b_lam(b, nat, body));
}

/* The same with functions; and it computes. */
static void ladder_of_functions(struct builder *b)
{
    unsigned nat = b_const(b, "Nat"), sum, body = b_var(b, 0), i;

    sum = b_app2(b, b_const(b, "Nat.add"), b_var(b, 0), b_var(b, 0));
    for (i = 0; i < RUNGS; i++)
        body = b_app(b, b_lam(b, nat, body), sum);
    b_def(b, "ladder", b_pi(b, nat, nat), b_lam(b, nat, body));
    body = b_app(b, b_const(b, "ladder"), b_nat(b, "0"));
    b_thm(b, "same", b_equation(b, "Nat", body, b_nat(b, "0")), b_refl(b, "Nat", b_nat(b, "0")));
}

/* An argument that takes for ever to compute, and that nobody asks for. */
static void discarded_argument(struct builder *b)
{
    unsigned nat = b_const(b, "Nat"), constant = b_lam(b, nat, b_nat(b, "7"));
    unsigned far = b_app2(b, b_const(b, "Nat.pow"), b_nat(b, "3"), b_nat(b, "99999999"));
    unsigned term = b_app(b, constant, far);

    b_thm(b, "seven", b_equation(b, "Nat", term, b_nat(b, "7")), b_refl(b, "Nat", b_nat(b, "7")));
}

static void sharing_is_kept(void **state)
{
    (void)state;
    check_shared(doubled_term, "doubled_term");
    check_shared(ladder_of_lets, "ladder_of_lets");
    check_shared(ladder_of_functions, "ladder_of_functions");
    check_shared(discarded_argument, "discarded_argument");
}

static void depth_is_declined(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 24);
    struct lwb_kernel_summary summary;
    struct builder b;

    (void)state;
    read_fixture(&file, SMALL);
    builder_continue(&b, lwb_bytes(file.ptr, file.len));
    deep_term(&b);
    assert_int_equal(verdict_with(lwb_bytes(b.out.ptr, b.out.len),
                                  &(struct verdict_options){ .stack_bytes = 1 << 20 }, &summary),
                     LWB_KERNEL_DECLINE);
    assert_int_equal(summary.cause, LWB_KERNEL_CAUSE_STACK);
    assert_int_equal(verdict_of(lwb_bytes(b.out.ptr, b.out.len), &summary), LWB_KERNEL_ACCEPT);
    builder_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_are_checked),
        cmocka_unit_test(nothing_is_told_by_too_few_bits),
        cmocka_unit_test(projections_are_checked),
        cmocka_unit_test(arithmetic_follows_the_file),
        cmocka_unit_test(names_of_axioms_are_kept),
        cmocka_unit_test(sharing_is_kept),
        cmocka_unit_test(depth_is_declined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
