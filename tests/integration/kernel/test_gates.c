#include "tests/support/test.h"

#include "tests/integration/kernel/export_builder.h"
#include "tests/integration/kernel/verdict.h"

/*
 * gates.ndjson has three values of Bool, all false: a converts to b, b to c,
 * and a not to c, because conversion tries no proof of an accessibility that
 * is stuck. Eq.rec over h : a = b computes for a variable h; put in place of it
 * a witness of a = c, which has a type that converts, and it is stuck. What is
 * a proposition for a variable then has no known sort for the witness. Checkers
 * have read "no proposition" from that, or closed the relation transitively in
 * a cache, and proved False.
 */
typedef void (*attack)(struct builder *b);

static void check(attack first, attack second, enum lwb_kernel_verdict expected, const char *name)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 24);
    struct verdict_options options = { .time_ms = 60000 };
    struct lwb_kernel_summary summary;
    struct builder b;
    int way;

    read_fixture(&file, "accept/gates.ndjson");
    builder_continue(&b, lwb_buf_bytes(&file));
    first(&b);
    if (second)
        second(&b);
    assert_true(lwb_buf_ok(&b.out));
    for (way = 0; way < 3; way++) {
        options.threads = way == 1 ? 2 : 1;
        options.no_caches = way == 2;
        (void)verdict_with(lwb_buf_bytes(&b.out), &options, &summary);
        if (summary.verdict != expected || strcmp(summary.name, name) != 0)
            print_message("%s: line %u %s: %s\n", name, summary.line, summary.name, summary.reason);
        assert_int_equal(summary.verdict, expected);
        assert_string_equal(summary.name, name);
    }
    builder_release(&b);
}

static unsigned app2(struct builder *b, unsigned f, unsigned x, unsigned y)
{
    return b_app(b, b_app(b, f, x), y);
}

static unsigned equation(struct builder *b, const char *left, const char *right)
{
    unsigned eq = b_app(b, b_const_at(b, "Eq", b_level(b, "succ", 0)), b_const(b, "Bool"));

    return app2(b, eq, b_const(b, left), b_const(b, right));
}

static unsigned refl(struct builder *b, const char *value)
{
    unsigned one = b_level(b, "succ", 0);

    return app2(b, b_const_at(b, "Eq.refl", one), b_const(b, "Bool"), b_const(b, value));
}

/*
 * Conversion is what it is, whatever was asked before.
 * ------------------------------------------
 */

static void ab(struct builder *b)
{
    b_thm(b, "ab", equation(b, "a", "b"), refl(b, "a"));
}

static void bc(struct builder *b)
{
    b_thm(b, "bc", equation(b, "b", "c"), refl(b, "b"));
}

static void ac(struct builder *b)
{
    b_thm(b, "ac", equation(b, "a", "c"), refl(b, "a"));
}

/* (fun (_ : a = b) (_ : b = c) => (rfl : a = c)) rfl rfl */
static void ac_after_both(struct builder *b)
{
    unsigned body = b_lam(b, equation(b, "a", "b"), b_lam(b, equation(b, "b", "c"), refl(b, "a")));

    b_thm(b, "ac", equation(b, "a", "c"), app2(b, body, refl(b, "a"), refl(b, "b")));
}

static void conversion_is_not_closed(void **state)
{
    (void)state;
    check(ab, bc, LWB_KERNEL_ACCEPT, "");
    check(ac, NULL, LWB_KERNEL_REJECT, "ac");
    check(ac_after_both, NULL, LWB_KERNEL_REJECT, "ac");
}

/*
 * A proposition with a Bool in it
 * ----------------------------------------------------------------
 */

/* One inductive type with one parameter h or none, and one constructor: a line of the file. */
struct block {
    const char *type, *ctor, *rec;
    unsigned of_type, of_ctor, of_rec, rhs;
    unsigned n_params, n_fields;
    bool recursive, large;
};

static void write_block(struct builder *b, const struct block *k)
{
    unsigned type = b_name(b, k->type), ctor = b_name(b, k->ctor), rec = b_name(b, k->rec);
    unsigned u = b_name(b, "elim");
    char levels[20] = "";

    if (k->large)
        (void)snprintf(levels, sizeof(levels), "%u", u);
    b_line(b,
           "{\"inductive\":{\"ctors\":[{\"cidx\":0,\"induct\":%u,\"isUnsafe\":false,"
           "\"levelParams\":[],\"name\":%u,\"numFields\":%u,\"numParams\":%u,\"type\":%u}],"
           "\"recs\":[{\"all\":[%u],\"isUnsafe\":false,\"k\":false,\"levelParams\":[%s],"
           "\"name\":%u,\"numIndices\":0,\"numMinors\":1,\"numMotives\":1,\"numParams\":%u,"
           "\"rules\":[{\"ctor\":%u,\"nfields\":%u,\"rhs\":%u}],\"type\":%u}],"
           "\"types\":[{\"all\":[%u],\"ctors\":[%u],\"isRec\":%s,\"isReflexive\":false,"
           "\"isUnsafe\":false,\"levelParams\":[],\"name\":%u,\"numIndices\":0,\"numNested\":0,"
           "\"numParams\":%u,\"type\":%u}]}}",
           type, ctor, k->n_fields, k->n_params, k->of_ctor, type, levels, rec, k->n_params, ctor,
           k->n_fields, k->rhs, k->of_rec, type, ctor, k->recursive ? "true" : "false", type,
           k->n_params, k->of_type);
}

/* Owner (h : P) : propGate h with mk (bit : Bool); its recursor, into Prop or anything. */
static void write_owner(struct builder *b, bool large)
{
    unsigned p = b_const(b, "P"), bit = b_const(b, "Bool"), owner = b_const(b, "Owner");
    unsigned mk = b_const(b, "Owner.mk"), elim = large ? b_param(b, b_name(b, "elim")) : 0;
    unsigned motive = b_pi(b, b_app(b, owner, b_var(b, 0)), b_sort(b, elim));
    unsigned made = app2(b, mk, b_var(b, 2), b_var(b, 0));
    unsigned minor = b_pi(b, bit, b_app(b, b_var(b, 1), made));
    unsigned rec = b_pi(b, b_app(b, owner, b_var(b, 2)), b_app(b, b_var(b, 2), b_var(b, 0)));
    unsigned rhs = b_lam(b, bit, b_app(b, b_var(b, 1), b_var(b, 0)));
    struct block k = { "Owner",       "Owner.mk",    "Owner.rec",
                       .n_params = 1, .n_fields = 1, .large = large };

    k.of_type = b_pi(b, p, b_app(b, b_const(b, "propGate"), b_var(b, 0)));
    k.of_ctor = b_pi(b, p, b_pi(b, bit, b_app(b, owner, b_var(b, 1))));
    k.of_rec = b_pi(b, p, b_pi(b, motive, b_pi(b, minor, rec)));
    k.rhs = b_lam(b, p, b_lam(b, motive, b_lam(b, minor, rhs)));
    write_block(b, &k);
}

static void owner(struct builder *b)
{
    unsigned p = b_const(b, "P");

    write_owner(b, false);
    b_def(b, "asProp", b_pi(b, p, b_sort(b, 0)),
          b_lam(b, p, b_app(b, b_const(b, "Owner"), b_var(b, 0))));
    b_def(b, "proposition", b_sort(b, 0), b_app(b, b_const(b, "asProp"), b_const(b, "witness")));
}

static void owner_of_anything(struct builder *b)
{
    write_owner(b, true);
}

static void project_variable(struct builder *b)
{
    unsigned p = b_const(b, "P"), own = b_app(b, b_const(b, "Owner"), b_var(b, 0));

    b_def(b, "observe", b_pi(b, p, b_pi(b, own, b_const(b, "Bool"))),
          b_lam(b, p, b_lam(b, own, b_proj(b, "Owner", 0, b_var(b, 0)))));
}

/* The type of what is projected from has a sort that is stuck. */
static void project_stuck(struct builder *b)
{
    unsigned own = b_app(b, b_const(b, "Owner"), b_const(b, "witness"));

    b_axiom(b, "it", b_const(b, "proposition"));
    b_def(b, "observe", b_const(b, "Bool"),
          b_proj(b, "Owner", 0, b_app(b, b_lam(b, own, b_var(b, 0)), b_const(b, "it"))));
}

/* As before, through a proposition that really is one. */
static void project_substituted(struct builder *b)
{
    unsigned from = b_const(b, "proposition");

    b_def(b, "observe", b_pi(b, from, b_const(b, "Bool")),
          b_lam(b, from, b_proj(b, "Owner", 0, b_var(b, 0))));
}

static unsigned made(struct builder *b, const char *bit)
{
    return app2(b, b_const(b, "Owner.mk"), b_const(b, "witness"), b_const(b, bit));
}

/* mk false and mk true of the witness, as proofs of one proposition, by reflexivity */
static void same_by_irrelevance(struct builder *b)
{
    unsigned type = b_const(b, "proposition");
    unsigned x = made(b, "Bool.false"), y = made(b, "Bool.true");

    b_thm(b, "same", app2(b, b_app(b, b_const_at(b, "Eq", 0), type), x, y),
          app2(b, b_const_at(b, "Eq.refl", 0), type, x));
}

/* The recursor, into Prop as it must be, but with Bool for a motive. */
static void recur_into_data(struct builder *b)
{
    unsigned type = b_const(b, "proposition"), bit = b_const(b, "Bool");
    unsigned rec = app2(b, b_const(b, "Owner.rec"), b_const(b, "witness"), b_lam(b, type, bit));

    rec = b_app(b, rec, b_lam(b, bit, b_var(b, 0)));
    b_def(b, "observe", b_pi(b, type, bit), b_lam(b, type, b_app(b, rec, b_var(b, 0))));
}

/* false = true from a proof that hides true: what the recursor is given must do for any bit. */
static void recur_through_substitution(struct builder *b)
{
    unsigned type = b_const(b, "proposition"), bit = b_const(b, "Bool");
    unsigned eq = b_app(b, b_const_at(b, "Eq", b_level(b, "succ", 0)), bit);
    unsigned goal = app2(b, eq, b_const(b, "Bool.false"), b_const(b, "Bool.true"));

    unsigned rec = app2(b, b_const(b, "Owner.rec"), b_const(b, "witness"), b_lam(b, type, goal));

    rec = b_app(b, rec, b_lam(b, bit, refl(b, "Bool.false")));
    b_thm(b, "observe", goal, b_app(b, rec, made(b, "Bool.true")));
}

/* A type whose sort is the stuck one from the start. */
static void closed_sort(struct builder *b)
{
    unsigned self = b_const(b, "Bad"), made_of = b_const(b, "Bool");
    unsigned motive = b_pi(b, self, b_sort(b, 0));
    unsigned minor =
        b_pi(b, made_of, b_app(b, b_var(b, 1), b_app(b, b_const(b, "Bad.mk"), b_var(b, 0))));
    struct block k = { "Bad", "Bad.mk", "Bad.rec", .n_fields = 1 };

    k.of_type = b_app(b, b_const(b, "propGate"), b_const(b, "witness"));
    k.of_ctor = b_pi(b, made_of, self);
    k.of_rec = b_pi(b, motive, b_pi(b, minor, b_pi(b, self, b_app(b, b_var(b, 2), b_var(b, 0)))));
    k.rhs =
        b_lam(b, motive, b_lam(b, minor, b_lam(b, made_of, b_app(b, b_var(b, 1), b_var(b, 0)))));
    write_block(b, &k);
}

static void a_stuck_sort_is_no_sort(void **state)
{
    (void)state;
    check(owner, NULL, LWB_KERNEL_ACCEPT, "");
    check(owner_of_anything, NULL, LWB_KERNEL_REJECT, "Owner");
    check(closed_sort, NULL, LWB_KERNEL_REJECT, "Bad");
    check(owner, project_variable, LWB_KERNEL_REJECT, "observe");
    check(owner, project_stuck, LWB_KERNEL_REJECT, "observe");
    check(owner, project_substituted, LWB_KERNEL_REJECT, "observe");
    check(owner, same_by_irrelevance, LWB_KERNEL_REJECT, "same");
    check(owner, recur_into_data, LWB_KERNEL_REJECT, "observe");
    check(owner, recur_through_substitution, LWB_KERNEL_REJECT, "observe");
}

/*
 * A recursive field that is one only once it is reduced
 * ------------------------------------------
 */

enum hypothesis { HONEST, NOWHERE, NOT_IN_RULE, STUCK };

/* Loop with step (h : P) (again : gateOf Loop h), where gateOf Loop h reduces to Loop. */
static void write_loop(struct builder *b, enum hypothesis form)
{
    unsigned h = b_const(b, form == STUCK ? "Q" : "P"), self = b_const(b, "Loop");
    unsigned elim = b_param(b, b_name(b, "elim"));
    unsigned motive = b_pi(b, self, b_sort(b, elim));
    unsigned again = app2(b, b_const(b, "gateOf"), self, b_var(b, 0));
    unsigned n = form == NOWHERE ? 0 : 1; /* the induction hypothesis is a binder more */
    unsigned result = app2(b, b_const(b, "Loop.step"), b_var(b, 1 + n), b_var(b, n));
    unsigned minor = b_app(b, b_var(b, 2 + n), result), rhs;
    struct block k = { "Loop",        "Loop.step",       "Loop.rec",
                       .n_fields = 2, .recursive = true, .large = true };

    if (form != NOWHERE)
        minor = b_pi(b, b_app(b, b_var(b, 2), b_var(b, 0)), minor);
    minor = b_pi(b, h, b_pi(b, again, minor));
    rhs = app2(b, b_var(b, 2), b_var(b, 1), b_var(b, 0));
    if (form == HONEST || form == STUCK)
        rhs = b_app(b, rhs,
                    b_app(b, app2(b, b_const_at(b, "Loop.rec", elim), b_var(b, 3), b_var(b, 2)),
                          b_var(b, 0)));
    k.of_type = b_sort(b, b_level(b, "succ", 0));
    k.of_ctor = b_pi(b, h, b_pi(b, again, self));
    k.of_rec = b_pi(b, motive, b_pi(b, minor, b_pi(b, self, b_app(b, b_var(b, 2), b_var(b, 0)))));
    k.rhs = b_lam(b, motive, b_lam(b, minor, b_lam(b, h, b_lam(b, again, rhs))));
    write_block(b, &k);
}

static void loop_honest(struct builder *b)
{
    write_loop(b, HONEST);
}

static void loop_without_hypothesis(struct builder *b)
{
    write_loop(b, NOWHERE);
}

static void loop_with_short_rule(struct builder *b)
{
    write_loop(b, NOT_IN_RULE);
}

static void loop_over_stuck_field(struct builder *b)
{
    write_loop(b, STUCK);
}

static void hypotheses_are_not_missing(void **state)
{
    (void)state;
    check(loop_honest, NULL, LWB_KERNEL_ACCEPT, "");
    check(loop_without_hypothesis, NULL, LWB_KERNEL_REJECT, "Loop");
    check(loop_with_short_rule, NULL, LWB_KERNEL_REJECT, "Loop");
    check(loop_over_stuck_field, NULL, LWB_KERNEL_REJECT, "Loop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversion_is_not_closed),
        cmocka_unit_test(a_stuck_sort_is_no_sort),
        cmocka_unit_test(hypotheses_are_not_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
