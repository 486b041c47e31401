#include "child/kernel/prim.h"

#include "child/kernel/cases.h"
#include "child/kernel/conv.h"
#include "child/kernel/facts.h"
#include "child/kernel/forms.h"
#include "child/kernel/infer.h"

/* Verifies that a definition has one of the forms: its equations are read and compared. */

struct reader {
    struct kn_ctx *ctx;
    const struct kn_form *form;
    const struct kn_equation *equation; /* the present one */
    kn_ref self, x, y, n;
    kn_ref go;                     /* what g is applied to its two arguments, or */
    const struct kn_decl *go_decl; /* to y and proofs as well */
    const char *at;
};

static kn_ref known(struct kn_ctx *ctx, enum kn_known name)
{
    return kn_const(ctx, ctx->env->known[name], ctx->nil);
}

static kn_ref apply2(struct kn_ctx *ctx, kn_ref f, kn_ref a, kn_ref b)
{
    return kn_app(ctx, kn_app(ctx, f, a), b);
}

/* Can what the letter stands for be relied on? */
static bool is_there(struct kn_ctx *ctx, char letter)
{
    switch (letter) {
    case 'L':
        return kn_has_order(ctx);
    case 'E':
        return ctx->env->eq_item != KN_NONE;
    default:
        return kn_helper(ctx, letter) != NULL;
    }
}

/* go y _ fuel number _ where _ are any proofs. */
static kn_ref apply_go(struct reader *r, kn_ref fuel, kn_ref number)
{
    enum { FIRST_PROOF = 10 };
    const kn_ref args[] = { r->y, KN_NONE, fuel, number, KN_NONE };
    struct kn_ctx *ctx = r->ctx;
    kn_ref type = r->go_decl->type, e = kn_const(ctx, r->go_decl->name, ctx->nil);
    uint32_t i;

    for (i = 0; i < LWB_COUNT(args) && e != KN_NONE; i++) {
        kn_ref arg = args[i];

        if (!kn_is(ctx, type, KN_PI))
            return KN_NONE;
        if (arg == KN_NONE)
            arg = kn_local(ctx, FIRST_PROOF + i, kn_at(ctx, type)->a);
        e = kn_app(ctx, e, arg);
        type = arg == KN_NONE ? arg : kn_instantiate(ctx, kn_at(ctx, type)->b, &arg, 1);
        e = type == KN_NONE ? type : e;
    }
    return e;
}

static kn_ref read_go(struct reader *r);

static kn_ref read_term(struct reader *r)
{
    struct kn_ctx *ctx = r->ctx;
    const char c = *r->at++;
    const struct kn_decl *decl;
    kn_ref f, a;

    switch (c) {
    case 'x':
        return r->x;
    case 'y':
        return r->y;
    case 'n':
        return r->n;
    case 'g':
        return read_go(r);
    case '0':
    case '1':
    case '2':
        return kn_nat(ctx, (uint64_t)(c - '0'));
    case 'T':
        return known(ctx, KN_NAME_TRUE);
    case 'F':
        return known(ctx, KN_NAME_FALSE);
    case 'S':
        a = read_term(r);
        return kn_app(ctx, known(ctx, KN_NAME_NAT_SUCC), a);
    case 'f':
        f = r->self;
        break;
    default:
        decl = kn_helper(ctx, c);
        f = decl ? kn_const(ctx, decl->name, ctx->nil) : KN_NONE;
        break;
    }
    a = read_term(r);
    if (c == 'p' || (c == 'f' && r->form->unary))
        return kn_app(ctx, f, a);
    return apply2(ctx, f, a, read_term(r));
}

static kn_ref read_go(struct reader *r)
{
    const kn_ref fuel = read_term(r), number = read_term(r);

    if (fuel == KN_NONE || number == KN_NONE)
        return KN_NONE;
    return r->go_decl ? apply_go(r, fuel, number) : apply2(r->ctx, r->go, fuel, number);
}

static kn_ref read_side(struct reader *r, const char *text)
{
    r->at = text;
    return read_term(r);
}

static kn_ref read_condition(struct reader *r, const char *text)
{
    const kn_ref nat = known(r->ctx, KN_NAME_NAT);
    kn_ref a, b;

    r->at = text + 1;
    a = read_term(r);
    b = read_term(r);
    return *text == 'L' ? kn_fact_order(r->ctx, a, b) : kn_fact_equation(r->ctx, nat, a, b);
}

/* Bits: the truth values A + 2 B of the two conditions that this fact allows; 0: unknown fact. */
static unsigned allowed_by(struct reader *r, const struct kn_fact *fact)
{
    const char *const *when = r->equation->when;
    struct kn_ctx *ctx = r->ctx;
    kn_ref a = when[0] ? read_condition(r, when[0]) : KN_NONE;
    kn_ref b = when[1] ? read_condition(r, when[1]) : KN_NONE;
    kn_ref both;

    if (a != KN_NONE && kn_equal(ctx, fact->prop, a) == KN_YES)
        return fact->holds ? 1U << 1 | 1U << 3 : 1U << 0 | 1U << 2;
    if (b != KN_NONE && kn_equal(ctx, fact->prop, b) == KN_YES)
        return fact->holds ? 1U << 2 | 1U << 3 : 1U << 0 | 1U << 1;
    both = a == KN_NONE || b == KN_NONE ? KN_NONE : kn_fact_and(ctx, a, b);
    if (both != KN_NONE && kn_equal(ctx, fact->prop, both) == KN_YES)
        return fact->holds ? 1U << 3 : 1U << 0 | 1U << 1 | 1U << 2;
    return 0;
}

static const char *right_in_case(const struct kn_equation *equation, unsigned i)
{
    return equation->right[i] ? equation->right[i] : equation->right[0];
}

/* Is the value what the equation says, for all truth values that the path allows? */
static bool case_fits(struct kn_ctx *ctx, const struct kn_case *c, void *data)
{
    struct reader *r = data;
    unsigned allowed = 0xf, i;

    for (i = 0; i < c->n; i++) {
        unsigned here = allowed_by(r, &c->facts[i]);

        if (here == 0 || ctx->fault)
            return false;
        allowed &= here;
    }
    for (i = 0; i < KN_MOST_CASES; i++) {
        kn_ref right;

        if (!(allowed & 1U << i))
            continue;
        right = read_side(r, right_in_case(r->equation, i));
        if (right == KN_NONE || kn_equal(ctx, c->value, right) != KN_YES)
            return false;
    }
    return true;
}

static bool equation_holds(struct reader *r, const struct kn_equation *equation)
{
    kn_ref left, right;

    r->equation = equation;
    left = read_side(r, equation->left);
    if (r->form->by_cases)
        return kn_all_cases(r->ctx, left, case_fits, r);
    right = read_side(r, equation->right[0]);
    return left != KN_NONE && right != KN_NONE && kn_equal(r->ctx, left, right) == KN_YES;
}

static bool value_fits(struct kn_ctx *ctx, const struct kn_decl *decl)
{
    kn_ref own = decl->value == KN_NONE ? KN_NONE : kn_check(ctx, decl->value);

    return own != KN_NONE && kn_equal(ctx, own, decl->type) == KN_YES;
}

/* The definition is fun x => R x x with R the recursor of Nat applied to all but its major. */
static bool find_recursor(struct reader *r, const struct kn_decl *decl)
{
    const struct kn_ctx *ctx = r->ctx;
    const struct kn_node *outer, *inner;
    const struct kn_decl *rec;
    kn_ref body, head, x = kn_make(r->ctx, KN_BVAR, 0, 0);

    if (!kn_is(ctx, decl->value, KN_LAM))
        return false;
    body = kn_at(ctx, decl->value)->b;
    outer = kn_at(ctx, body);
    inner = outer->kind == KN_APP ? kn_at(ctx, outer->a) : NULL;
    if (!inner || inner->kind != KN_APP || outer->b != x || inner->b != x)
        return false;
    head = kn_head(ctx, inner->a);
    rec = kn_is(ctx, head, KN_CONST) ? kn_find(ctx, kn_at(ctx, head)->a) : NULL;
    if (!rec || rec->kind != KN_REC || rec->shape->inductive != ctx->env->known[KN_NAME_NAT] ||
        kn_n_args(ctx, inner->a) != rec->shape->n_motives + rec->shape->n_minors ||
        kn_at(ctx, inner->a)->loose != 0)
        return false;
    r->go = inner->a;
    return true;
}

static bool find_go(struct reader *r, const struct kn_decl *decl)
{
    if (r->form->by_recursor)
        return find_recursor(r, decl);
    if (!r->form->go)
        return true;
    r->go_decl =
        kn_env_find(r->ctx->env, kn_name_find(&r->ctx->env->names, KN_ANONYMOUS, r->form->go));
    return r->go_decl && r->go_decl->item < decl->item && r->go_decl->admitted &&
           r->go_decl->n_levels == 0 && value_fits(r->ctx, r->go_decl);
}

static bool has_form(struct kn_ctx *ctx, const struct kn_form *form, const struct kn_decl *decl)
{
    kn_ref nat = known(ctx, KN_NAME_NAT);
    kn_ref result = form->truth ? known(ctx, KN_NAME_BOOL) : nat;
    kn_ref type = kn_pi(ctx, nat, form->unary ? result : kn_pi(ctx, nat, result));
    struct reader r = {
        .ctx = ctx,
        .form = form,
        .self = kn_const(ctx, decl->name, ctx->nil),
        .x = kn_local(ctx, 0, nat),
        .y = kn_local(ctx, 1, nat),
        .n = kn_local(ctx, 2, nat),
    };
    size_t i;

    if (type == KN_NONE || decl->type != type || !value_fits(ctx, decl) || !find_go(&r, decl))
        return false;
    for (i = 0; i < KN_MOST_EQUATIONS && form->equations[i].left; i++) {
        if (!equation_holds(&r, &form->equations[i]))
            return false;
    }
    return true;
}

static bool may_have_form(struct kn_ctx *ctx, const struct kn_form *form,
                          const struct kn_decl *decl)
{
    const char *need;

    if (decl->name != kn_name_find(&ctx->env->names, KN_ANONYMOUS, form->name) ||
        (form->truth && ctx->env->bool_item == KN_NONE))
        return false;
    for (need = form->needs; *need; need++) {
        if (!is_there(ctx, *need))
            return false;
    }
    return true;
}

void kn_license_operation(struct kn_ctx *ctx, struct kn_decl *decl)
{
    size_t i;

    if (ctx->env->nat_item == KN_NONE || decl->value == KN_NONE || decl->n_levels)
        return;
    for (i = 0; i < kn_n_forms && decl->op == KN_OP_NONE; i++) {
        if (may_have_form(ctx, &kn_forms[i], decl) && has_form(ctx, &kn_forms[i], decl) &&
            ctx->fault == KN_FINE)
            decl->op = (uint8_t)kn_forms[i].op;
        ctx->fault = KN_FINE;
    }
}
