#include "child/kernel/conv.h"

#include "child/kernel/infer.h"
#include "child/kernel/level.h"
#include "child/kernel/nat.h"
#include "child/kernel/reduce.h"

/*
 * The order of attempts: identity and cache; binders, sorts and literals by
 * structure; weak head normal form without unfolding; proof irrelevance;
 * unfolding the higher side step by step, comparing arguments first where the
 * heads agree; then what is left by structure: constants, projections,
 * applications, and the eta rules.
 *
 * A third answer beside yes and no: KN_OPEN, "not decided by this rule".
 */
static int equal(struct kn_ctx *ctx, kn_ref a, kn_ref b);

static int equal_args(struct kn_ctx *ctx, const kn_ref *a, const kn_ref *b, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        int r = equal(ctx, a[i], b[i]);

        if (r != KN_YES)
            return r;
    }
    return KN_YES;
}

/* (x : A) -> B and fun (x : A) => b: one binder after the other, opened with one local. */
static int equal_binders(struct kn_ctx *ctx, kn_ref a, kn_ref b, enum kn_kind kind)
{
    const struct kn_mark mark = kn_arena_mark(&ctx->stack);
    const uint16_t ra = kn_at(ctx, a)->locals, rb = kn_at(ctx, b)->locals;
    uint32_t number = ra > rb ? ra : rb;
    uint32_t n = 0, most = 0;
    kn_ref *locals, e;
    int r = KN_YES;

    for (e = a; kn_is(ctx, e, kind); e = kn_at(ctx, e)->b)
        most++;
    locals = kn_stack_take(ctx, most);
    if (!locals)
        return KN_STOP;
    for (; kn_is(ctx, a, kind) && kn_is(ctx, b, kind); n++) {
        const struct kn_node *x = kn_at(ctx, a), *y = kn_at(ctx, b);
        kn_ref type = kn_instantiate(ctx, x->a, locals, n);

        if (type == KN_NONE)
            return KN_STOP;
        if (x->a != y->a) {
            kn_ref other = kn_instantiate(ctx, y->a, locals, n);

            r = other == KN_NONE ? KN_STOP : equal(ctx, type, other);
            if (r != KN_YES)
                break;
        }
        locals[n] = kn_local(ctx, number++, type);
        if (locals[n] == KN_NONE)
            return KN_STOP;
        a = x->b;
        b = y->b;
    }
    if (r == KN_YES) {
        a = kn_instantiate(ctx, a, locals, n);
        b = kn_instantiate(ctx, b, locals, n);
        r = a == KN_NONE || b == KN_NONE ? KN_STOP : equal(ctx, a, b);
    }
    kn_arena_back(&ctx->stack, mark);
    return r;
}

static int equal_quick(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const struct kn_node *x = kn_at(ctx, a), *y = kn_at(ctx, b);

    if (a == b)
        return KN_YES;
    if (kn_is_nat_literal(ctx, a) && kn_is_nat_literal(ctx, b))
        return KN_NO; /* equal literals are equal references */
    if (x->kind != y->kind)
        return KN_OPEN;
    switch (x->kind) {
    case KN_LAM:
    case KN_PI:
        return equal_binders(ctx, a, b, x->kind);
    case KN_SORT:
        return kn_level_equal(ctx, x->a, y->a);
    case KN_STR:
        return KN_NO;
    default:
        return KN_OPEN;
    }
}

/* Two proofs of one proposition are equal; so is nothing said if they are no proofs. */
static int equal_as_proofs(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    kn_ref type_a, type_b;
    enum kn_tri proof;
    int r;

    if (kn_is_never_proof(ctx, a) || kn_is_never_proof(ctx, b))
        return KN_OPEN;
    type_a = kn_infer(ctx, a);
    if (type_a == KN_NONE)
        return KN_STOP;
    proof = kn_is_prop(ctx, type_a);
    if (proof != KN_YES)
        return proof == KN_NO ? KN_OPEN : KN_STOP;
    type_b = kn_infer(ctx, b);
    if (type_b == KN_NONE)
        return KN_STOP;
    r = equal(ctx, type_a, type_b);
    return r == KN_NO ? KN_OPEN : r;
}

/* n + 1 as a literal or Nat.succ n: n; else KN_NONE. */
static kn_ref pred_of(struct kn_ctx *ctx, kn_ref e)
{
    const struct kn_node *n = kn_at(ctx, e);
    const struct kn_node *f;

    if (kn_is_nat_literal(ctx, e))
        return kn_nat_is_zero(ctx, e) ? KN_NONE : kn_nat_pred(ctx, e);
    if (n->kind != KN_APP)
        return KN_NONE;
    f = kn_at(ctx, n->a);
    return f->kind == KN_CONST && f->a == ctx->env->known[KN_NAME_NAT_SUCC] &&
                   ctx->env->nat_item != KN_NONE
               ? n->b
               : KN_NONE;
}

static bool is_zero(const struct kn_ctx *ctx, kn_ref e)
{
    const struct kn_node *n = kn_at(ctx, e);

    if (kn_is_nat_literal(ctx, e))
        return kn_nat_is_zero(ctx, e);
    return n->kind == KN_CONST && n->a == ctx->env->known[KN_NAME_NAT_ZERO] &&
           ctx->env->nat_item != KN_NONE;
}

static int equal_offsets(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    kn_ref x, y;

    if (is_zero(ctx, a) && is_zero(ctx, b))
        return KN_YES;
    x = pred_of(ctx, a);
    y = x == KN_NONE ? x : pred_of(ctx, b);
    if (ctx->fault)
        return KN_STOP;
    return x == KN_NONE || y == KN_NONE ? KN_OPEN : equal(ctx, x, y);
}

/* Constants at equal levels, applied to equal arguments; OPEN if that does not show it. */
static int equal_spines(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const struct kn_mark mark = kn_arena_mark(&ctx->stack);
    struct kn_spine x = kn_spine(ctx, a), y = kn_spine(ctx, b);
    int r = KN_NO;

    if (ctx->fault)
        return KN_STOP;
    if (x.n == y.n) {
        r = equal(ctx, x.head, y.head);
        if (r == KN_YES)
            r = equal_args(ctx, x.args, y.args, x.n);
    }
    kn_arena_back(&ctx->stack, mark);
    return r == KN_NO ? KN_OPEN : r;
}

/* Unfolding ----------------------------------------------------------------------------------- */

static int compare_hints(const struct kn_decl *a, const struct kn_decl *b)
{
    if (a->hint != b->hint)
        return a->hint < b->hint ? -1 : 1;
    if (a->hint != KN_HINT_REGULAR || a->height == b->height)
        return 0;
    return a->height < b->height ? -1 : 1;
}

/* f a b = f c d is first tried as a = c and b = d, once per pair. */
static int equal_same_head(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const uint64_t key = kn_pair(a, b);
    kn_ref head_a = kn_head(ctx, a), head_b = kn_head(ctx, b);
    int r;

    if (kn_map_get(&ctx->failed_args, key) != KN_UNKNOWN)
        return KN_OPEN;
    r = kn_levels_equal(ctx, kn_at(ctx, head_a)->b, kn_at(ctx, head_b)->b);
    if (r == KN_YES)
        r = equal_spines(ctx, a, b);
    if ((r == KN_OPEN || r == KN_NO) && !ctx->no_caches)
        (void)kn_map_put(&ctx->failed_args, key, 1);
    return r == KN_NO ? KN_OPEN : r;
}

static bool is_proj_app(const struct kn_ctx *ctx, kn_ref e)
{
    return kn_is(ctx, kn_head(ctx, e), KN_PROJ);
}

/* Unfold e's head, or e if it is a projection of something that unfolds. False: a fault. */
static bool unfold_one(struct kn_ctx *ctx, kn_ref *e)
{
    kn_ref next = kn_unfold(ctx, *e);

    if (next != KN_NONE)
        next = kn_whnf_core_cheap(ctx, next);
    if (next == KN_NONE)
        return false;
    *e = next;
    return true;
}

/* A projection application on the side without a definition may still go on: do that first. */
static int step_one_sided(struct kn_ctx *ctx, kn_ref *defined, kn_ref *other)
{
    if (is_proj_app(ctx, *other)) {
        kn_ref next = kn_whnf_core(ctx, *other);

        if (next == KN_NONE)
            return KN_STOP;
        if (next != *other) {
            *other = next;
            return KN_OPEN;
        }
    }
    return unfold_one(ctx, defined) ? KN_OPEN : KN_STOP;
}

/* One step of unfolding. KN_NO: nothing is left to unfold; KN_OPEN: something was. */
static int step_unfold(struct kn_ctx *ctx, kn_ref *a, kn_ref *b)
{
    const struct kn_decl *x = kn_unfoldable(ctx, *a), *y = kn_unfoldable(ctx, *b);
    int order, r;

    if (!x && !y)
        return KN_NO;
    if (!y)
        return step_one_sided(ctx, a, b);
    if (!x)
        return step_one_sided(ctx, b, a);
    order = compare_hints(x, y);
    if (order < 0)
        return unfold_one(ctx, b) ? KN_OPEN : KN_STOP;
    if (order > 0)
        return unfold_one(ctx, a) ? KN_OPEN : KN_STOP;
    if (x == y && kn_is(ctx, *a, KN_APP) && kn_is(ctx, *b, KN_APP) && x->hint == KN_HINT_REGULAR) {
        r = equal_same_head(ctx, *a, *b);
        if (r != KN_OPEN)
            return r;
    }
    return unfold_one(ctx, a) && unfold_one(ctx, b) ? KN_OPEN : KN_STOP;
}

static int equal_by_arithmetic(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const bool closed = kn_at(ctx, a)->locals == 0 && kn_at(ctx, b)->locals == 0;
    kn_ref value;

    if (!closed && !ctx->eager)
        return KN_OPEN;
    value = kn_reduce_nat(ctx, a, ctx->eager);
    if (value != KN_NONE)
        return equal(ctx, value, b);
    if (ctx->fault)
        return KN_STOP;
    value = kn_reduce_nat(ctx, b, ctx->eager);
    if (value != KN_NONE)
        return equal(ctx, a, value);
    return ctx->fault ? KN_STOP : KN_OPEN;
}

/* Unfold both sides until a rule decides or nothing is left (KN_OPEN, with the new terms). */
static int equal_by_unfolding(struct kn_ctx *ctx, kn_ref *a, kn_ref *b)
{
    for (;;) {
        int r;

        if (!kn_may_go_on(ctx))
            return KN_STOP;
        r = equal_offsets(ctx, *a, *b);
        if (r == KN_OPEN)
            r = equal_by_arithmetic(ctx, *a, *b);
        if (r != KN_OPEN)
            return r;
        r = step_unfold(ctx, a, b);
        if (r == KN_NO)
            return KN_OPEN;
        if (r != KN_OPEN)
            return r;
        r = equal_quick(ctx, *a, *b);
        if (r != KN_OPEN)
            return r;
    }
}

/* The whole ----------------------------------------------------------------------------------- */

/* Both are fully unfolded, a and b the results: by structure, then by eta. */
static int equal_stuck(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const struct kn_node *x = kn_at(ctx, a), *y = kn_at(ctx, b);
    int r = KN_OPEN;

    if (x->kind == KN_CONST && y->kind == KN_CONST && x->a == y->a) {
        r = kn_levels_equal(ctx, x->b, y->b);
        if (r != KN_NO)
            return r;
    }
    if (x->kind == KN_PROJ && y->kind == KN_PROJ && x->b == y->b) {
        r = equal(ctx, x->a, y->a);
        if (r != KN_NO)
            return r;
    }
    return KN_OPEN;
}

static int equal_in_the_end(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    int r = KN_OPEN;

    if (kn_is(ctx, a, KN_APP) && kn_is(ctx, b, KN_APP))
        r = equal_spines(ctx, a, b);
    if (r == KN_OPEN)
        r = kn_equal_by_eta(ctx, a, b);
    return r == KN_OPEN ? KN_NO : r;
}

/* Is a, which has no locals, Bool.true after evaluation? For proofs by decision. */
static int equal_to_true(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const struct kn_node *n = kn_at(ctx, b);

    if (n->kind != KN_CONST || n->a != ctx->env->known[KN_NAME_TRUE] ||
        (kn_at(ctx, a)->locals && !ctx->eager))
        return KN_OPEN;
    a = kn_whnf(ctx, a);
    if (a == KN_NONE)
        return KN_STOP;
    return a == b ? KN_YES : KN_OPEN;
}

static int equal_anew(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    kn_ref x, y;
    int r = equal_to_true(ctx, a, b);

    if (r == KN_OPEN)
        r = equal_to_true(ctx, b, a);
    if (r != KN_OPEN)
        return r;
    x = kn_whnf_core_cheap(ctx, a);
    y = x == KN_NONE ? x : kn_whnf_core_cheap(ctx, b);
    if (y == KN_NONE)
        return KN_STOP;
    if (x != a || y != b) {
        r = equal_quick(ctx, x, y);
        if (r != KN_OPEN)
            return r;
    }
    r = equal_as_proofs(ctx, x, y);
    if (r == KN_OPEN)
        r = equal_by_unfolding(ctx, &x, &y);
    if (r == KN_OPEN)
        r = equal_stuck(ctx, x, y);
    if (r != KN_OPEN)
        return r;
    a = kn_whnf_core(ctx, x);
    b = a == KN_NONE ? a : kn_whnf_core(ctx, y);
    if (b == KN_NONE)
        return KN_STOP;
    if (a != x || b != y)
        return equal(ctx, a, b);
    return equal_in_the_end(ctx, x, y);
}

static int equal(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const uint64_t key = kn_pair(a, b);
    uint32_t known;
    int r = equal_quick(ctx, a, b);

    if (r != KN_OPEN)
        return r;
    /* What is equal in eager mode is equal; what is not may only look so outside of it. */
    known = kn_map_get(&ctx->equal, key);
    if (known == KN_YES || (known == KN_NO && !ctx->eager))
        return (int)known;
    if (!kn_may_go_on(ctx))
        return KN_STOP;
    r = equal_anew(ctx, a, b);
    if (r != KN_STOP && !ctx->no_caches && (r == KN_YES || !ctx->eager))
        (void)kn_map_put(&ctx->equal, key, (uint32_t)r);
    return r;
}

enum kn_tri kn_equal(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    return (enum kn_tri)equal(ctx, a, b);
}
