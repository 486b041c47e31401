#include "tests/support/test.h"

#include "tests/integration/kernel/export_builder.h"
#include "tests/integration/kernel/verdict.h"

/*
 * Files that no Lean would write, each after a mistake that some checker made
 * once. Most extend an honest prelude (accept/basic.ndjson); the others forge
 * their own.
 */
typedef void (*attack)(struct builder *b);

static void check_built(struct builder *b, enum lwb_kernel_verdict expected, const char *what)
{
    struct lwb_kernel_summary summary;
    enum lwb_kernel_verdict verdict = verdict_of(lwb_bytes(b->out.ptr, b->out.len), &summary);

    assert_true(lwb_buf_ok(&b->out));
    if (verdict != expected)
        print_message("%s: line %u %s: %s\n", what, summary.line, summary.name, summary.reason);
    assert_int_equal(verdict, expected);
}

static void check_on(const char *fixture, attack fn, enum lwb_kernel_verdict expected,
                     const char *what)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 24);
    struct builder b;

    read_fixture(&file, fixture);
    builder_continue(&b, lwb_bytes(file.ptr, file.len));
    fn(&b);
    check_built(&b, expected, what);
    builder_release(&b);
}

static void check_alone(attack fn, enum lwb_kernel_verdict expected, const char *what)
{
    struct builder b;

    builder_start(&b);
    fn(&b);
    check_built(&b, expected, what);
    builder_release(&b);
}

#define BASIC "accept/basic.ndjson"
#define SMALL "accept/small.ndjson" /* has Nat, but no operations on it */

static unsigned one(struct builder *b)
{
    return b_level(b, "succ", 0);
}

static unsigned apply2(struct builder *b, unsigned f, unsigned x, unsigned y)
{
    return b_app(b, b_app(b, f, x), y);
}

/* @Eq.{1} type x y and @Eq.refl.{1} type x */
static unsigned equation(struct builder *b, const char *type, unsigned x, unsigned y)
{
    return apply2(b, b_app(b, b_const_at(b, "Eq", one(b)), b_const(b, type)), x, y);
}

static unsigned refl(struct builder *b, const char *type, unsigned x)
{
    return apply2(b, b_const_at(b, "Eq.refl", one(b)), b_const(b, type), x);
}

/* Controls: what the builder writes is right where nothing is wrong. ---------------------------- */

static void honest(struct builder *b)
{
    b_thm(b, "four", equation(b, "Nat", b_nat(b, "4"), b_nat(b, "4")),
          refl(b, "Nat", b_nat(b, "4")));
    b_opaque(b, "sealed", b_const(b, "Nat"), b_nat(b, "4"));
}

/* Terms ----------------------------------------------------------------------------------------- */

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
        apply2(b, b_app(b, b_const(b, "Eq"), b_const(b, "Nat")), b_nat(b, "0"), b_nat(b, "0"));

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
    unsigned sort = b_sort(b, b_level2(b, "imax", one(b), p));

    b_def_at(b, "bad", u, sort, sort);
}

static void wrong_argument(struct builder *b)
{
    b_axiom(b, "bad", equation(b, "Nat", b_nat(b, "0"), b_const(b, "Bool.true")));
}

static void sealed_value(struct builder *b)
{
    b_opaque(b, "sealed", b_const(b, "Nat"), b_nat(b, "4"));
    b_thm(b, "bad", equation(b, "Nat", b_const(b, "sealed"), b_nat(b, "4")),
          refl(b, "Nat", b_nat(b, "4")));
}

static void declared_twice(struct builder *b)
{
    b_axiom(b, "bad", b_const(b, "Nat"));
    b_axiom(b, "bad", b_const(b, "False"));
}

static void terms_are_checked(void **state)
{
    (void)state;
    check_on(BASIC, honest, LWB_KERNEL_ACCEPT, "honest");
    check_on(BASIC, self_reference, LWB_KERNEL_REJECT, "self_reference");
    check_on(BASIC, forward_reference, LWB_KERNEL_REJECT, "forward_reference");
    check_on(BASIC, data_as_theorem, LWB_KERNEL_REJECT, "data_as_theorem");
    check_on(BASIC, loose_variable, LWB_KERNEL_REJECT, "loose_variable");
    check_on(BASIC, missing_levels, LWB_KERNEL_REJECT, "missing_levels");
    check_on(BASIC, undeclared_level, LWB_KERNEL_REJECT, "undeclared_level");
    check_on(BASIC, dropped_offset, LWB_KERNEL_REJECT, "dropped_offset");
    check_on(BASIC, wrong_argument, LWB_KERNEL_REJECT, "wrong_argument");
    check_on(BASIC, sealed_value, LWB_KERNEL_REJECT, "sealed_value");
    check_on(BASIC, declared_twice, LWB_KERNEL_REJECT, "declared_twice");
}

/* Projections ----------------------------------------------------------------------------------- */

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

static void project_structure(struct builder *b)
{
    project(b, "Bits", "Bits", 1, "Bool");
}

static void projections_are_checked(void **state)
{
    (void)state;
    check_on(BASIC, project_structure, LWB_KERNEL_ACCEPT, "project_structure");
    check_on(BASIC, project_nat, LWB_KERNEL_REJECT, "project_nat");
    check_on(BASIC, project_no_constructor, LWB_KERNEL_REJECT, "project_no_constructor");
    check_on(BASIC, project_past_the_end, LWB_KERNEL_REJECT, "project_past_the_end");
    check_on(BASIC, project_beyond_32_bits, LWB_KERNEL_REJECT, "project_beyond_32_bits");
    check_on(BASIC, project_under_another_name, LWB_KERNEL_REJECT, "under_another_name");
    check_on(BASIC, project_out_of_proof, LWB_KERNEL_REJECT, "project_out_of_proof");
}

/* Forged preludes ------------------------------------------------------------------------------- */

/* An inductive type without parameters; constructors take `field` (or nothing, if it is 0). */
struct forged {
    const char *type, *rec, *ctors[2];
    unsigned sort, fields[2]; /* expressions + 1, 0: none */
    int n_ctors;
    bool large, extra_rec;
};

static unsigned minor_type(struct builder *b, const struct forged *f, int i, unsigned depth)
{
    unsigned ctor = b_const(b, f->ctors[i]);

    if (!f->fields[i])
        return b_app(b, b_var(b, depth), ctor);
    return b_pi(b, f->fields[i] - 1, b_app(b, b_var(b, depth + 1), b_app(b, ctor, b_var(b, 0))));
}

static unsigned rec_type(struct builder *b, const struct forged *f, unsigned elim, unsigned self)
{
    const unsigned n = (unsigned)f->n_ctors;
    unsigned type = b_pi(b, self, b_app(b, b_var(b, n + 1), b_var(b, 0)));
    int i;

    for (i = f->n_ctors - 1; i >= 0; i--)
        type = b_pi(b, minor_type(b, f, i, (unsigned)i), type);
    return b_pi(b, b_pi(b, self, b_sort(b, elim)), type);
}

static unsigned rule_rhs(struct builder *b, const struct forged *f, int rule, unsigned elim,
                         unsigned self)
{
    const unsigned n = (unsigned)f->n_ctors;
    const bool field = f->fields[rule] != 0;
    unsigned term = b_var(b, n - 1 - (unsigned)rule + field);
    int i;

    if (field)
        term = b_lam(b, f->fields[rule] - 1, b_app(b, term, b_var(b, 0)));
    for (i = f->n_ctors - 1; i >= 0; i--)
        term = b_lam(b, minor_type(b, f, i, (unsigned)i), term);
    return b_lam(b, b_pi(b, self, b_sort(b, elim)), term);
}

static void forge(struct builder *b, const struct forged *f)
{
    unsigned type = b_name(b, f->type), rec = b_name(b, f->rec), u = b_name(b, "elim");
    unsigned self = b_const(b, f->type), elim = f->large ? b_param(b, u) : 0;
    unsigned ctors[2] = { 0, 0 }, ctor_types[2] = { 0, 0 }, rules[2] = { 0, 0 }, of_rec;
    char text[2000], rec_text[1000], levels[20] = "", list[40] = "";
    int i, n = 0;

    for (i = 0; i < f->n_ctors; i++) {
        ctors[i] = b_name(b, f->ctors[i]);
        ctor_types[i] = f->fields[i] ? b_pi(b, f->fields[i] - 1, self) : self;
        rules[i] = rule_rhs(b, f, i, elim, self);
    }
    if (f->n_ctors)
        (void)snprintf(list, sizeof(list), f->n_ctors == 1 ? "%u" : "%u,%u", ctors[0], ctors[1]);
    of_rec = rec_type(b, f, elim, self);
    if (f->large)
        (void)snprintf(levels, sizeof(levels), "%u", u);
    n = snprintf(rec_text, sizeof(rec_text),
                 "{\"all\":[%u],\"isUnsafe\":false,\"k\":false,\"levelParams\":[%s],\"name\":%u,"
                 "\"numIndices\":0,\"numMinors\":%d,\"numMotives\":1,\"numParams\":0,\"rules\":[",
                 type, levels, rec, f->n_ctors);
    for (i = 0; i < f->n_ctors; i++)
        n += snprintf(rec_text + n, sizeof(rec_text) - (size_t)n,
                      "%s{\"ctor\":%u,\"nfields\":%d,\"rhs\":%u}", i ? "," : "", ctors[i],
                      f->fields[i] != 0, rules[i]);
    (void)snprintf(rec_text + n, sizeof(rec_text) - (size_t)n, "],\"type\":%u}", of_rec);
    n = snprintf(text, sizeof(text), "{\"inductive\":{\"ctors\":[");
    for (i = 0; i < f->n_ctors; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n,
                      "%s{\"cidx\":%d,\"induct\":%u,\"isUnsafe\":false,\"levelParams\":[],"
                      "\"name\":%u,\"numFields\":%d,\"numParams\":0,\"type\":%u}",
                      i ? "," : "", i, type, ctors[i], f->fields[i] != 0, ctor_types[i]);
    b_line(b,
           "%s],\"recs\":[%s%s%s],\"types\":[{\"all\":[%u],\"ctors\":[%s],\"isRec\":false,"
           "\"isReflexive\":false,\"isUnsafe\":false,\"levelParams\":[],\"name\":%u,"
           "\"numIndices\":0,\"numNested\":0,\"numParams\":0,\"type\":%u}]}}",
           text, rec_text, f->extra_rec ? "," : "", f->extra_rec ? rec_text : "", type, list, type,
           f->sort);
}

static void empty_type(struct builder *b, const char *name, const char *rec, bool extra)
{
    struct forged f = { .type = name, .rec = rec, .large = true, .extra_rec = extra };

    f.sort = b_sort(b, one(b));
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
    b_axiom(b, "Nat", b_sort(b, one(b)));
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

static void preludes_are_not_trusted(void **state)
{
    (void)state;
    check_alone(empty_honest, LWB_KERNEL_ACCEPT, "empty_honest");
    check_alone(empty_string, LWB_KERNEL_REJECT, "empty_string");
    check_alone(empty_nat, LWB_KERNEL_REJECT, "empty_nat");
    check_alone(axiom_nat, LWB_KERNEL_REJECT, "axiom_nat");
    check_alone(reserved_name, LWB_KERNEL_REJECT, "reserved_name");
    check_alone(recursor_twice, LWB_KERNEL_REJECT, "recursor_twice");
    check_alone(recursor_elsewhere, LWB_KERNEL_REJECT, "recursor_elsewhere");
    check_alone(literal_of_no_type, LWB_KERNEL_REJECT, "literal_of_no_type");
    check_on(SMALL, empty_string, LWB_KERNEL_REJECT, "empty_string after Nat");
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

    f.sort = b_sort(b, one(b));
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
    unsigned two = b_level(b, "succ", one(b));

    with_field(b, b_sort(b, two), b_sort(b, one(b)), true);
}

static void field_is_too_large(struct builder *b)
{
    with_field(b, b_sort(b, one(b)), b_sort(b, one(b)), true);
}

static void proof_with_data(struct builder *b)
{
    with_field(b, b_sort(b, 0), b_sort(b, one(b)), true);
}

static void negative_field(struct builder *b)
{
    with_field(b, b_sort(b, one(b)), b_pi(b, b_const(b, "P"), b_sort(b, 0)), true);
}

static void constructor_of_no_sort(struct builder *b)
{
    with_field(b, b_pi(b, b_sort(b, 0), b_sort(b, 0)), b_sort(b, 0), true);
}

static void blocks_are_checked(void **state)
{
    (void)state;
    check_alone(two_values, LWB_KERNEL_ACCEPT, "two_values");
    check_alone(field_fits, LWB_KERNEL_ACCEPT, "field_fits");
    check_alone(two_proofs, LWB_KERNEL_REJECT, "two_proofs");
    check_alone(field_is_too_large, LWB_KERNEL_REJECT, "field_is_too_large");
    check_alone(proof_with_data, LWB_KERNEL_REJECT, "proof_with_data");
    check_alone(negative_field, LWB_KERNEL_REJECT, "negative_field");
    check_alone(constructor_of_no_sort, LWB_KERNEL_REJECT, "constructor_of_no_sort");
}

/* Arithmetic: Nat.add is what the file says it is. ---------------------------------------------- */

static void define_first(struct builder *b)
{
    unsigned nat = b_const(b, "Nat");

    b_def(b, "Nat.add", b_pi(b, nat, b_pi(b, nat, nat)), b_lam(b, nat, b_lam(b, nat, b_var(b, 1))));
}

static void add_is_first(struct builder *b)
{
    unsigned sum;

    define_first(b);
    sum = apply2(b, b_const(b, "Nat.add"), b_nat(b, "2"), b_nat(b, "3"));
    b_thm(b, "good", equation(b, "Nat", sum, b_nat(b, "2")), refl(b, "Nat", b_nat(b, "2")));
}

static void add_is_claimed_to_add(struct builder *b)
{
    unsigned sum;

    define_first(b);
    sum = apply2(b, b_const(b, "Nat.add"), b_nat(b, "2"), b_nat(b, "3"));
    b_thm(b, "bad", equation(b, "Nat", sum, b_nat(b, "5")), refl(b, "Nat", b_nat(b, "5")));
}

static void add_is_an_axiom(struct builder *b)
{
    unsigned nat = b_const(b, "Nat"), sum;

    b_axiom(b, "Nat.add", b_pi(b, nat, b_pi(b, nat, nat)));
    sum = apply2(b, b_const(b, "Nat.add"), b_nat(b, "2"), b_nat(b, "3"));
    b_thm(b, "bad", equation(b, "Nat", sum, b_nat(b, "5")), refl(b, "Nat", b_nat(b, "5")));
}

static void sum_is_wrong(struct builder *b)
{
    unsigned sum =
        apply2(b, b_const(b, "Nat.add"), b_nat(b, "18446744073709551615"), b_nat(b, "1"));

    b_thm(b, "bad", equation(b, "Nat", sum, b_nat(b, "0")), refl(b, "Nat", sum));
}

static void arithmetic_follows_the_file(void **state)
{
    (void)state;
    check_on(SMALL, add_is_first, LWB_KERNEL_ACCEPT, "add_is_first");
    check_on(SMALL, add_is_claimed_to_add, LWB_KERNEL_REJECT, "add_is_claimed_to_add");
    check_on(SMALL, add_is_an_axiom, LWB_KERNEL_REJECT, "add_is_an_axiom");
    check_on(BASIC, sum_is_wrong, LWB_KERNEL_REJECT, "sum_is_wrong");
}

/* Axioms and quotients --------------------------------------------------------------------------- */

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

static void unsafe_axiom(struct builder *b)
{
    unsigned name = b_name(b, "odd");

    b_line(b, "{\"axiom\":{\"isUnsafe\":true,\"levelParams\":[],\"name\":%u,\"type\":%u}}", name,
           b_const(b, "Nat"));
}

static void names_of_axioms_are_kept(void **state)
{
    (void)state;
    check_on(BASIC, forged_propext, LWB_KERNEL_REJECT, "forged_propext");
    check_on(BASIC, forged_choice, LWB_KERNEL_REJECT, "forged_choice");
    check_on(BASIC, forged_sound, LWB_KERNEL_REJECT, "forged_sound");
    check_on(BASIC, forged_quot, LWB_KERNEL_REJECT, "forged_quot");
    check_alone(forged_quot, LWB_KERNEL_REJECT, "forged_quot alone");
    check_on(BASIC, unsafe_axiom, LWB_KERNEL_DECLINE, "unsafe_axiom");
}

/* Deep terms: the stack is a limit, not a crash. ------------------------------------------------- */

static void deep_term(struct builder *b)
{
    unsigned nat = b_const(b, "Nat"), term = b_nat(b, "0"), type = nat, i;

    for (i = 0; i < 20000; i++)
        term = b_app(b, b_lam(b, nat, b_var(b, 0)), term);
    b_def(b, "deep", type, term);
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
        cmocka_unit_test(terms_are_checked),           cmocka_unit_test(projections_are_checked),
        cmocka_unit_test(preludes_are_not_trusted),    cmocka_unit_test(blocks_are_checked),
        cmocka_unit_test(arithmetic_follows_the_file), cmocka_unit_test(names_of_axioms_are_kept),
        cmocka_unit_test(depth_is_declined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
