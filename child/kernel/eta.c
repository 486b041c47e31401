#include "child/kernel/conv.h"

#include "child/kernel/infer.h"
#include "child/kernel/reduce.h"

/*
 * What is equal though it does not reduce to one thing: functions and
 * structures by what can be got out of them, and string literals.
 */

/* b is no lambda but of a function type: compare with fun x => b x. */
static int equal_by_eta(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    kn_ref type, body;

    if (!kn_is(ctx, a, KN_LAM) || kn_is(ctx, b, KN_LAM))
        return KN_OPEN;
    type = kn_infer(ctx, b);
    if (type == KN_NONE || (type = kn_whnf(ctx, type)) == KN_NONE)
        return KN_STOP;
    if (!kn_is(ctx, type, KN_PI))
        return KN_OPEN;
    body = kn_app(ctx, b, kn_make(ctx, KN_BVAR, 0, 0));
    body = kn_lam(ctx, kn_at(ctx, type)->a, body);
    return body == KN_NONE ? KN_STOP : kn_equal(ctx, a, body);
}

/* b is S.mk params f0 f1 ...: compare each field with a.0, a.1, ... */
static int equal_by_structure_eta(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const struct kn_decl *ctor = kn_ctor_of(ctx, b);
    const struct kn_decl *structure = ctor ? kn_find(ctx, ctor->shape->inductive) : NULL;
    kn_ref type_a, type_b;
    struct kn_spine s;
    uint32_t i;
    int r;

    if (!ctor || kn_n_args(ctx, b) != ctor->shape->n_params + ctor->shape->n_fields ||
        !kn_is_structure(structure))
        return KN_OPEN;
    type_a = kn_infer(ctx, a);
    type_b = type_a == KN_NONE ? KN_NONE : kn_infer(ctx, b);
    if (type_b == KN_NONE)
        return KN_STOP;
    r = kn_equal(ctx, type_a, type_b);
    if (r != KN_YES)
        return r == KN_NO ? KN_OPEN : r;
    s = kn_spine(ctx, b);
    for (i = 0; i < ctor->shape->n_fields; i++) {
        kn_ref field = kn_proj(ctx, structure->name, i, a);

        r = field == KN_NONE || ctx->fault
                ? KN_STOP
                : kn_equal(ctx, field, s.args[ctor->shape->n_params + i]);
        if (r != KN_YES)
            return r == KN_NO ? KN_OPEN : r;
    }
    return KN_YES;
}

/* Any two values of a structure without fields are equal. */
static int equal_as_units(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    kn_ref type = kn_infer(ctx, a);
    const struct kn_decl *structure, *ctor;
    kn_ref head, type_b;
    int r;

    if (type == KN_NONE || (type = kn_whnf(ctx, type)) == KN_NONE)
        return KN_STOP;
    head = kn_head(ctx, type);
    structure = kn_is(ctx, head, KN_CONST) ? kn_find(ctx, kn_at(ctx, head)->a) : NULL;
    if (!structure || !kn_is_structure(structure))
        return KN_OPEN;
    ctor = kn_find(ctx, structure->shape->ctors[0]);
    if (!ctor || ctor->shape->n_fields != 0)
        return KN_OPEN;
    type_b = kn_infer(ctx, b);
    if (type_b == KN_NONE)
        return KN_STOP;
    r = kn_equal(ctx, type, type_b);
    return r == KN_NO ? KN_OPEN : r;
}

/* A string literal and String.ofList x (or String.mk x). */
static int equal_string(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const struct kn_node *n;
    kn_ref list;

    if (!kn_is(ctx, a, KN_STR) || !kn_is(ctx, b, KN_APP))
        return KN_OPEN;
    n = kn_at(ctx, kn_at(ctx, b)->a);
    if (n->kind != KN_CONST || n->a != ctx->env->string_maker)
        return KN_OPEN;
    list = kn_string_as_list(ctx, a);
    if (list == KN_NONE)
        return ctx->fault ? KN_STOP : KN_OPEN;
    return kn_equal(ctx, list, b);
}

typedef int (*rule)(struct kn_ctx *ctx, kn_ref a, kn_ref b);

static int try_both_ways(struct kn_ctx *ctx, rule fn, kn_ref a, kn_ref b)
{
    const struct kn_mark mark = kn_arena_mark(&ctx->stack);
    int r = fn(ctx, a, b);

    if (r == KN_OPEN)
        r = fn(ctx, b, a);
    kn_arena_back(&ctx->stack, mark);
    return r;
}

int kn_equal_by_eta(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    static const rule rules[] = { equal_by_eta, equal_by_structure_eta, equal_string };
    int r = KN_OPEN;
    size_t i;

    for (i = 0; i < LWB_COUNT(rules) && r == KN_OPEN; i++)
        r = try_both_ways(ctx, rules[i], a, b);
    return r == KN_OPEN ? equal_as_units(ctx, a, b) : r;
}
