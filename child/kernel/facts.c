#include "child/kernel/facts.h"

static kn_ref known(struct kn_ctx *ctx, enum kn_known name)
{
    return kn_const(ctx, ctx->env->known[name], ctx->nil);
}

static const struct {
    char letter;
    const char *name;
    enum kn_op op;
} helpers[] = {
    { 'a', "Nat.add", KN_OP_ADD },   { 'm', "Nat.mul", KN_OP_MUL }, { 's', "Nat.sub", KN_OP_SUB },
    { 'p', "Nat.pred", KN_OP_PRED }, { 'd', "Nat.div", KN_OP_DIV }, { 'r', "Nat.mod", KN_OP_MOD },
    { 'b', "Nat.ble", KN_OP_BLE },
};

const struct kn_decl *kn_helper(struct kn_ctx *ctx, char letter)
{
    size_t i;

    for (i = 0; i < LWB_COUNT(helpers); i++) {
        if (helpers[i].letter == letter) {
            const struct kn_decl *decl = kn_env_find(
                ctx->env, kn_name_find(&ctx->env->names, KN_ANONYMOUS, helpers[i].name));

            return decl && decl->op == helpers[i].op ? decl : NULL;
        }
    }
    return NULL;
}

static kn_ref apply2(struct kn_ctx *ctx, kn_ref f, kn_ref a, kn_ref b)
{
    return kn_app(ctx, kn_app(ctx, f, a), b);
}

static kn_ref var(struct kn_ctx *ctx, uint32_t index)
{
    return kn_make(ctx, KN_BVAR, index, 0);
}

static kn_ref prop(struct kn_ctx *ctx)
{
    return kn_sort(ctx, ctx->zero);
}

/* The inductive type of this name with so many constructors. */
static const struct kn_decl *inductive(struct kn_ctx *ctx, const char *name, uint32_t n_ctors)
{
    const struct kn_decl *decl =
        kn_env_find(ctx->env, kn_name_find(&ctx->env->names, KN_ANONYMOUS, name));

    return decl && decl->kind == KN_INDUCTIVE && decl->admitted && decl->n_levels == 0 &&
                   decl->shape->n_ctors == n_ctors
               ? decl
               : NULL;
}

static bool ctor_is(struct kn_ctx *ctx, const struct kn_decl *of, uint32_t i, kn_ref type)
{
    const struct kn_decl *ctor = kn_env_find(ctx->env, of->shape->ctors[i]);

    return ctor && type != KN_NONE && ctor->type == type;
}

/* Nat -> Nat -> Prop with refl : n <= n and step : n <= m -> n <= m + 1. */
static kn_ref real_le(struct kn_ctx *ctx)
{
    const struct kn_decl *decl = inductive(ctx, "Nat.le", 2);
    kn_ref nat = known(ctx, KN_NAME_NAT), self, from, to;

    if (!decl || decl->type != kn_pi(ctx, nat, kn_pi(ctx, nat, prop(ctx))))
        return KN_NONE;
    self = kn_const(ctx, decl->name, ctx->nil);
    from = apply2(ctx, self, var(ctx, 1), var(ctx, 0));
    to = apply2(ctx, self, var(ctx, 2), kn_app(ctx, known(ctx, KN_NAME_NAT_SUCC), var(ctx, 1)));
    if (!ctor_is(ctx, decl, 0, kn_pi(ctx, nat, apply2(ctx, self, var(ctx, 0), var(ctx, 0)))) ||
        !ctor_is(ctx, decl, 1, kn_pi(ctx, nat, kn_pi(ctx, nat, kn_pi(ctx, from, to)))))
        return KN_NONE;
    return self;
}

/* Prop -> Prop -> Prop with intro : a -> b -> And a b. */
static kn_ref real_and(struct kn_ctx *ctx)
{
    const struct kn_decl *decl = inductive(ctx, "And", 1);
    kn_ref self, type;

    if (!decl || decl->type != kn_pi(ctx, prop(ctx), kn_pi(ctx, prop(ctx), prop(ctx))))
        return KN_NONE;
    self = kn_const(ctx, decl->name, ctx->nil);
    type = kn_pi(ctx, var(ctx, 1), apply2(ctx, self, var(ctx, 3), var(ctx, 2)));
    type = kn_pi(ctx, prop(ctx), kn_pi(ctx, prop(ctx), kn_pi(ctx, var(ctx, 1), type)));
    return ctor_is(ctx, decl, 0, type) ? self : KN_NONE;
}

kn_ref kn_fact_equation(struct kn_ctx *ctx, kn_ref type, kn_ref a, kn_ref b)
{
    kn_ref level = kn_make(ctx, KN_SUCC, ctx->zero, 0);
    kn_ref eq = kn_const(ctx, ctx->env->known[KN_NAME_EQ], kn_make(ctx, KN_CONS, level, ctx->nil));

    return apply2(ctx, kn_app(ctx, eq, type), a, b);
}

/* a <= b: the inductive proposition of today, or Nat.ble a b = true as it was in 2021. */
kn_ref kn_fact_order(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const struct kn_decl *ble;
    kn_ref le = real_le(ctx);

    if (le != KN_NONE)
        return apply2(ctx, le, a, b);
    ble = kn_helper(ctx, 'b');
    if (!ble || ctx->env->eq_item == KN_NONE)
        return KN_NONE;
    return kn_fact_equation(ctx, known(ctx, KN_NAME_BOOL),
                            apply2(ctx, kn_const(ctx, ble->name, ctx->nil), a, b),
                            known(ctx, KN_NAME_TRUE));
}

kn_ref kn_fact_and(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    kn_ref both = real_and(ctx);

    return both == KN_NONE ? KN_NONE : apply2(ctx, both, a, b);
}

bool kn_has_order(struct kn_ctx *ctx)
{
    return real_le(ctx) != KN_NONE || (kn_helper(ctx, 'b') && ctx->env->eq_item != KN_NONE);
}
