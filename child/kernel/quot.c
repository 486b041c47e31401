#include "child/kernel/quot.h"

#include "child/kernel/conv.h"

/* Terms with de Bruijn indices, as one would write them down. */
static kn_ref var(struct kn_ctx *ctx, uint32_t index)
{
    return kn_make(ctx, KN_BVAR, index, 0);
}

static kn_ref known(struct kn_ctx *ctx, enum kn_known name, kn_ref level)
{
    kn_ref levels = ctx->nil;

    if (level != KN_NONE)
        levels = kn_make(ctx, KN_CONS, level, ctx->nil);
    return kn_const(ctx, ctx->env->known[name], levels);
}

static kn_ref app2(struct kn_ctx *ctx, kn_ref f, kn_ref a, kn_ref b)
{
    return kn_app(ctx, kn_app(ctx, f, a), b);
}

static kn_ref app3(struct kn_ctx *ctx, kn_ref f, kn_ref a, kn_ref b, kn_ref c)
{
    return kn_app(ctx, app2(ctx, f, a, b), c);
}

static kn_ref prop(struct kn_ctx *ctx)
{
    return kn_sort(ctx, ctx->zero);
}

/* α -> α -> Prop where α is variable 0. */
static kn_ref relation(struct kn_ctx *ctx)
{
    return kn_pi(ctx, var(ctx, 0), kn_pi(ctx, var(ctx, 1), prop(ctx)));
}

static kn_ref level_of(struct kn_ctx *ctx, const struct kn_decl *decl, uint32_t i)
{
    return i < decl->n_levels ? kn_make(ctx, KN_PARAM, decl->levels[i], 0) : KN_NONE;
}

static bool has_type(struct kn_ctx *ctx, const struct kn_decl *decl, kn_ref type)
{
    return decl && type != KN_NONE && kn_equal(ctx, decl->type, type) == KN_YES;
}

static const struct kn_decl *admitted(const struct kn_ctx *ctx, enum kn_known name,
                                      enum kn_decl_kind kind)
{
    const struct kn_decl *decl = kn_env_find(ctx->env, ctx->env->known[name]);

    return decl && decl->admitted && decl->kind == kind ? decl : NULL;
}

/* {α : Sort u} -> α -> α -> Prop with refl : {α : Sort u} -> (a : α) -> @Eq α a a. */
bool kn_is_real_eq(struct kn_ctx *ctx)
{
    const struct kn_decl *eq = admitted(ctx, KN_NAME_EQ, KN_INDUCTIVE);
    const struct kn_decl *refl = admitted(ctx, KN_NAME_EQ_REFL, KN_CTOR);
    kn_ref u, sort, type;

    if (!eq || !refl || refl->shape->inductive != eq->name || eq->n_levels != 1 ||
        eq->shape->n_ctors != 1 || eq->shape->n_params != 2)
        return false;
    u = level_of(ctx, eq, 0);
    sort = kn_sort(ctx, u);
    if (!has_type(ctx, eq, kn_pi(ctx, sort, relation(ctx))))
        return false;
    type = app3(ctx, known(ctx, KN_NAME_EQ, u), var(ctx, 1), var(ctx, 0), var(ctx, 0));
    return has_type(ctx, refl, kn_pi(ctx, sort, kn_pi(ctx, var(ctx, 0), type)));
}

/* (a b : Prop) : Prop with intro : (a -> b) -> (b -> a) -> Iff a b. */
static bool is_real_iff(struct kn_ctx *ctx)
{
    const struct kn_decl *iff = admitted(ctx, KN_NAME_IFF, KN_INDUCTIVE);
    const struct kn_decl *intro = admitted(ctx, KN_NAME_IFF_INTRO, KN_CTOR);
    kn_ref type;

    if (!iff || !intro || intro->shape->inductive != iff->name || iff->shape->n_ctors != 1 ||
        iff->n_levels)
        return false;
    type = kn_pi(ctx, prop(ctx), kn_pi(ctx, prop(ctx), prop(ctx)));
    if (!has_type(ctx, iff, type))
        return false;
    type = app2(ctx, known(ctx, KN_NAME_IFF, KN_NONE), var(ctx, 3), var(ctx, 2));
    type = kn_pi(ctx, kn_pi(ctx, var(ctx, 1), var(ctx, 3)), type);
    type = kn_pi(ctx, kn_pi(ctx, var(ctx, 1), var(ctx, 1)), type);
    return has_type(ctx, intro, kn_pi(ctx, prop(ctx), kn_pi(ctx, prop(ctx), type)));
}

/* (α : Sort u) : Prop with intro : α -> Nonempty α. */
static bool is_real_nonempty(struct kn_ctx *ctx)
{
    const struct kn_decl *ne = admitted(ctx, KN_NAME_NONEMPTY, KN_INDUCTIVE);
    const struct kn_decl *intro = admitted(ctx, KN_NAME_NONEMPTY_INTRO, KN_CTOR);
    kn_ref u, sort, type;

    if (!ne || !intro || intro->shape->inductive != ne->name || ne->shape->n_ctors != 1 ||
        ne->n_levels != 1)
        return false;
    u = level_of(ctx, ne, 0);
    sort = kn_sort(ctx, u);
    if (!has_type(ctx, ne, kn_pi(ctx, sort, prop(ctx))))
        return false;
    type = kn_app(ctx, known(ctx, KN_NAME_NONEMPTY, u), var(ctx, 1));
    return has_type(ctx, intro, kn_pi(ctx, sort, kn_pi(ctx, var(ctx, 0), type)));
}

/* {α : Sort u} -> {r : α -> α -> Prop} -> body. */
static kn_ref over_relation(struct kn_ctx *ctx, kn_ref u, kn_ref body)
{
    return kn_pi(ctx, kn_sort(ctx, u), kn_pi(ctx, relation(ctx), body));
}

/* Quot α r with α, r these variables. */
static kn_ref quot_of(struct kn_ctx *ctx, kn_ref u, uint32_t alpha, uint32_t r)
{
    return app2(ctx, known(ctx, KN_NAME_QUOT, u), var(ctx, alpha), var(ctx, r));
}

static kn_ref quot_mk(struct kn_ctx *ctx, kn_ref u, uint32_t alpha, uint32_t r, uint32_t a)
{
    return app3(ctx, known(ctx, KN_NAME_QUOT_MK, u), var(ctx, alpha), var(ctx, r), var(ctx, a));
}

/* {β : Sort v} (f : α -> β) ((a b : α) -> r a b -> f a = f b) : Quot r -> β. */
static kn_ref lift_type(struct kn_ctx *ctx, kn_ref u, kn_ref v)
{
    kn_ref same, body;

    same = app3(ctx, known(ctx, KN_NAME_EQ, v), var(ctx, 4), kn_app(ctx, var(ctx, 3), var(ctx, 2)),
                kn_app(ctx, var(ctx, 3), var(ctx, 1)));
    same = kn_pi(ctx, app2(ctx, var(ctx, 4), var(ctx, 1), var(ctx, 0)), same);
    same = kn_pi(ctx, var(ctx, 3), kn_pi(ctx, var(ctx, 4), same));
    body = kn_pi(ctx, quot_of(ctx, u, 4, 3), var(ctx, 3));
    body = kn_pi(ctx, kn_pi(ctx, var(ctx, 2), var(ctx, 1)), kn_pi(ctx, same, body));
    return over_relation(ctx, u, kn_pi(ctx, kn_sort(ctx, v), body));
}

/* {β : Quot r -> Prop} (mk : (a : α) -> β (Quot.mk r a)) (q : Quot r) : β q. */
static kn_ref ind_type(struct kn_ctx *ctx, kn_ref u)
{
    kn_ref mk = kn_pi(ctx, var(ctx, 2), kn_app(ctx, var(ctx, 1), quot_mk(ctx, u, 3, 2, 0)));
    kn_ref body = kn_pi(ctx, quot_of(ctx, u, 3, 2), kn_app(ctx, var(ctx, 2), var(ctx, 0)));

    body = kn_pi(ctx, kn_pi(ctx, quot_of(ctx, u, 1, 0), prop(ctx)), kn_pi(ctx, mk, body));
    return over_relation(ctx, u, body);
}

static kn_ref quot_type(struct kn_ctx *ctx, const struct kn_decl *decl)
{
    kn_ref u = level_of(ctx, decl, 0);

    if (decl->n_levels != (decl->quot == KN_QUOT_LIFT ? 2 : 1))
        return KN_NONE;
    switch (decl->quot) {
    case KN_QUOT_TYPE:
        return over_relation(ctx, u, kn_sort(ctx, u));
    case KN_QUOT_CTOR:
        return over_relation(ctx, u, kn_pi(ctx, var(ctx, 1), quot_of(ctx, u, 2, 1)));
    case KN_QUOT_LIFT:
        return lift_type(ctx, u, level_of(ctx, decl, 1));
    default:
        return ind_type(ctx, u);
    }
}

bool kn_admit_quot(struct kn_ctx *ctx, struct kn_decl *decl)
{
    static const enum kn_known names[] = { KN_NAME_QUOT, KN_NAME_QUOT_MK, KN_NAME_QUOT_LIFT,
                                           KN_NAME_QUOT_IND };
    const struct kn_env *env = ctx->env;
    struct kn_shown shown;
    uint8_t i;

    if (env->eq_item == KN_NONE)
        (void)kn_reject(ctx, "quotients need the inductive type Eq before them");
    for (i = 0; i < decl->quot && i < KN_QUOT_LIFT; i++) {
        if (!admitted(ctx, names[i], KN_QUOT))
            (void)kn_reject(ctx, "the constants of quotients are not in order");
    }
    if (decl->name != env->known[names[decl->quot]] || !has_type(ctx, decl, quot_type(ctx, decl)))
        (void)kn_reject(ctx, "%s is not the constant of that kind",
                        kn_show(ctx, decl->name, &shown));
    decl->admitted = ctx->fault == KN_FINE;
    return decl->admitted;
}

/* {α : Sort u} {r : α -> α -> Prop} {a b : α} : r a b -> Quot.mk r a = Quot.mk r b. */
static kn_ref sound_type(struct kn_ctx *ctx, kn_ref u)
{
    kn_ref body = app3(ctx, known(ctx, KN_NAME_EQ, u), quot_of(ctx, u, 4, 3),
                       quot_mk(ctx, u, 4, 3, 2), quot_mk(ctx, u, 4, 3, 1));

    body = kn_pi(ctx, app2(ctx, var(ctx, 2), var(ctx, 1), var(ctx, 0)), body);
    return over_relation(ctx, u, kn_pi(ctx, var(ctx, 1), kn_pi(ctx, var(ctx, 2), body)));
}

/* {a b : Prop} : Iff a b -> a = b. */
static kn_ref propext_type(struct kn_ctx *ctx)
{
    kn_ref one = kn_make(ctx, KN_SUCC, ctx->zero, 0);
    kn_ref body = app3(ctx, known(ctx, KN_NAME_EQ, one), prop(ctx), var(ctx, 2), var(ctx, 1));
    kn_ref iff = app2(ctx, known(ctx, KN_NAME_IFF, KN_NONE), var(ctx, 1), var(ctx, 0));

    return kn_pi(ctx, prop(ctx), kn_pi(ctx, prop(ctx), kn_pi(ctx, iff, body)));
}

/* {α : Sort u} : Nonempty α -> α. */
static kn_ref choice_type(struct kn_ctx *ctx, kn_ref u)
{
    kn_ref nonempty = kn_app(ctx, known(ctx, KN_NAME_NONEMPTY, u), var(ctx, 0));

    return kn_pi(ctx, kn_sort(ctx, u), kn_pi(ctx, nonempty, var(ctx, 1)));
}

bool kn_check_standard_axiom(struct kn_ctx *ctx, const struct kn_decl *decl)
{
    const kn_name *names = ctx->env->known;
    kn_ref u = level_of(ctx, decl, 0);
    bool fine = true;
    struct kn_shown shown;

    if (decl->name == names[KN_NAME_PROPEXT])
        fine = decl->n_levels == 0 && ctx->env->eq_item != KN_NONE && is_real_iff(ctx) &&
               has_type(ctx, decl, propext_type(ctx));
    else if (decl->name == names[KN_NAME_CHOICE])
        fine = decl->n_levels == 1 && is_real_nonempty(ctx) &&
               has_type(ctx, decl, choice_type(ctx, u));
    else if (decl->name == names[KN_NAME_QUOT_SOUND])
        fine = decl->n_levels == 1 && admitted(ctx, KN_NAME_QUOT_MK, KN_QUOT) &&
               has_type(ctx, decl, sound_type(ctx, u));
    if (!fine)
        (void)kn_reject(ctx, "the axiom %s does not say what its name stands for",
                        kn_show(ctx, decl->name, &shown));
    return fine && ctx->fault == KN_FINE;
}
