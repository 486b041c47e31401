#include "child/kernel/induct.h"
#include "child/kernel/level.h"
#include "lwbuild/base/alloc.h"

/*
 * Nested occurrences. Where a constructor's field has a type C Ds is with C an
 * inductive type declared before and the parameters Ds mentioning the block,
 * C Ds becomes an auxiliary family of the block: it gets the constructors of
 * C at Ds (and with it all types declared together with C), in which nested
 * occurrences are replaced in turn. The order in which they are found is the
 * order of the motives. Ds must be built from the block's parameters alone.
 *
 * Replacing and putting back are exchanges of references: with the block's
 * parameters opened to one list of locals, `aux params` and `C Ds` are one
 * node each.
 */
static bool out_of_memory(struct kn_flat *flat)
{
    (void)kn_out_of_memory(flat->ctx);
    return false;
}

/* A fresh auxiliary constant of this (closed) type: its scratch name, or KN_NONE. */
static kn_name add_aux(struct kn_flat *flat, enum kn_decl_kind kind, kn_ref type)
{
    struct kn_ctx *ctx = flat->ctx;
    struct kn_decl *aux = lwb_realloc(ctx->aux, (ctx->n_aux + 1) * sizeof(*aux));

    if (!aux || type == KN_NONE) {
        ctx->aux = aux ? aux : ctx->aux;
        (void)out_of_memory(flat);
        return KN_NONE;
    }
    ctx->aux = aux;
    aux[ctx->n_aux] = (struct kn_decl){ .name = KN_SCRATCH | ctx->n_aux,
                                        .kind = (uint8_t)kind,
                                        .admitted = true,
                                        .type = type,
                                        .value = KN_NONE,
                                        .shape = &kn_no_shape,
                                        .levels = flat->levels,
                                        .n_levels = flat->n_levels };
    return KN_SCRATCH | ctx->n_aux++;
}

/* (x1 : A1) ... -> B applied to arguments; a fault if it has fewer arrows. */
static kn_ref apply_type(struct kn_ctx *ctx, kn_ref type, const kn_ref *args, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n && type != KN_NONE; i++) {
        if (!kn_is(ctx, type, KN_PI))
            return kn_reject(ctx, "a nested occurrence of a type with too few parameters");
        type = kn_at(ctx, type)->b;
    }
    return kn_instantiate(ctx, type, args, n);
}

static kn_ref type_at(struct kn_flat *flat, const struct kn_decl *decl, kn_ref levels,
                      const kn_ref *args)
{
    struct kn_ctx *ctx = flat->ctx;
    kn_ref c = kn_const(ctx, decl->name, levels);
    kn_ref type = c == KN_NONE ? c : kn_const_type(ctx, decl, c);

    if (type == KN_NONE && !ctx->fault)
        (void)kn_reject(ctx, "a nested occurrence with the wrong number of universe levels");
    return apply_type(ctx, type, args, decl->shape->n_params);
}

static bool add_aux_ctor(struct kn_flat *flat, uint32_t of, const struct kn_decl *ctor,
                         kn_ref levels, const kn_ref *args)
{
    struct kn_ctx *ctx = flat->ctx;
    kn_ref type = type_at(flat, ctor, levels, args);
    struct kn_flat_ctor *c;

    type = kn_close_pi(ctx, type, flat->params, flat->n_params);
    if (type == KN_NONE ||
        lwb_grow(&flat->ctors, &flat->cap_ctors, flat->n_ctors, sizeof(*flat->ctors)) < 0)
        return ctx->fault ? false : out_of_memory(flat);
    c = &flat->ctors[flat->n_ctors++];
    *c = (struct kn_flat_ctor){ .real_name = ctor->name, .type = type, .of = of };
    c->name = add_aux(flat, KN_CTOR, type);
    c->real_self = kn_apps(ctx, kn_const(ctx, ctor->name, levels), args, ctor->shape->n_params);
    return c->name != KN_NONE && c->real_self != KN_NONE;
}

static kn_name aux_rec_name(struct kn_flat *flat)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "rec_%zu", flat->n_types - flat->n_declared);
    return kn_name_find(&flat->ctx->env->names, flat->types[0].name, text);
}

/* The family for `decl` (declared together with C) at the levels and parameters of C Ds. */
static bool add_aux_type(struct kn_flat *flat, const struct kn_decl *decl, kn_ref levels,
                         const kn_ref *args)
{
    struct kn_ctx *ctx = flat->ctx;
    kn_ref type = type_at(flat, decl, levels, args);
    struct kn_shape shape = { .n_params = 0 };
    struct kn_flat_type *t;
    uint32_t i;

    type = kn_close_pi(ctx, type, flat->params, flat->n_params);
    if (type == KN_NONE ||
        lwb_grow(&flat->types, &flat->cap_types, flat->n_types, sizeof(*flat->types)) < 0)
        return ctx->fault ? false : out_of_memory(flat);
    t = &flat->types[flat->n_types++];
    *t = (struct kn_flat_type){ .type = type };
    t->name = add_aux(flat, KN_INDUCTIVE, type);
    if (t->name == KN_NONE)
        return false;
    shape.n_params = flat->n_params;
    shape.n_indices = decl->shape->n_indices;
    if (!kn_env_set_shape(ctx->env, &ctx->aux[t->name & ~KN_SCRATCH], &shape))
        return out_of_memory(flat);
    t->nested = kn_apps(ctx, kn_const(ctx, decl->name, levels), args, decl->shape->n_params);
    t->self = kn_apps(ctx, kn_const(ctx, t->name, flat->level_list), flat->params, flat->n_params);
    t->rec = aux_rec_name(flat);
    t->first = (uint32_t)flat->n_ctors;
    t->n_ctors = decl->shape->n_ctors;
    if (t->nested == KN_NONE || t->self == KN_NONE)
        return false;
    for (i = 0; i < decl->shape->n_ctors; i++) {
        if (!add_aux_ctor(flat, (uint32_t)flat->n_types - 1, kn_find(ctx, decl->shape->ctors[i]),
                          levels, args))
            return false;
    }
    return true;
}

static kn_ref find_aux(const struct kn_flat *flat, kn_ref nested)
{
    size_t i;

    for (i = flat->n_declared; i < flat->n_types; i++) {
        if (flat->types[i].nested == nested)
            return flat->types[i].self;
    }
    return KN_NONE;
}

/* All types of the block that `container` was declared in become auxiliary families. */
static kn_ref add_container(struct kn_flat *flat, const struct kn_decl *container, kn_ref e,
                            const struct kn_spine *s)
{
    const struct kn_env *env = flat->ctx->env;
    const struct kn_item *item = &env->items[container->item];
    uint32_t i;

    if (flat->n_types > 1000)
        return kn_decline(flat->ctx, "more than 1000 types in a nested block");
    for (i = 0; i < item->n_decls; i++) {
        const struct kn_decl *decl = &env->decls[item->first + i];

        if (decl->kind == KN_INDUCTIVE &&
            !add_aux_type(flat, decl, kn_at(flat->ctx, s->head)->b, s->args))
            return KN_NONE;
    }
    return find_aux(flat, e);
}

static kn_ref unnest_step(struct kn_ctx *ctx, kn_ref e, void *data)
{
    struct kn_flat *flat = data;
    const struct kn_node *head = kn_at(ctx, kn_head(ctx, e));
    const struct kn_decl *container;
    enum kn_tri occurs;
    struct kn_spine s;
    kn_ref known;

    if (head->kind != KN_CONST || head->a & KN_SCRATCH)
        return KN_NONE;
    container = kn_find(ctx, head->a);
    if (!container || container->kind != KN_INDUCTIVE || !container->shape->n_ctors ||
        &ctx->env->items[container->item] == flat->item || container->shape->n_params == 0 ||
        kn_n_args(ctx, e) != container->shape->n_params)
        return KN_NONE;
    known = find_aux(flat, e);
    if (known != KN_NONE)
        return known;
    s = kn_spine(ctx, e);
    occurs = ctx->fault ? KN_STOP : KN_NO;
    {
        /* This runs inside kn_replace, whose memo another walk would spoil. */
        struct kn_map outer = ctx->memo_replace;
        uint32_t i;

        memset(&ctx->memo_replace, 0, sizeof(ctx->memo_replace));
        ctx->memo_replace.budget = ctx->budget;
        for (i = 0; i < s.n && occurs == KN_NO; i++)
            occurs = kn_flat_occurs(flat, s.args[i]);
        kn_map_release(&ctx->memo_replace);
        ctx->memo_replace = outer;
    }
    if (occurs != KN_YES)
        return KN_NONE;
    if (kn_at(ctx, e)->loose)
        return kn_reject(ctx, "a nested occurrence whose parameters depend on a field");
    return add_container(flat, container, e, &s);
}

/* Constructor i with its parameters opened, replaced, and closed again. */
static bool unnest_ctor(struct kn_flat *flat, size_t i)
{
    struct kn_ctx *ctx = flat->ctx;
    kn_ref type = apply_type(ctx, flat->ctors[i].type, flat->params, flat->n_params);

    type = kn_replace(ctx, type, unnest_step, flat, false);
    type = kn_close_pi(ctx, type, flat->params, flat->n_params);
    if (type == KN_NONE)
        return false;
    /* The binder types of the file's own parameters are compared when the constructor is. */
    if (i < flat->given->n_ctors && flat->n_params) {
        kn_ref own = flat->ctors[i].type, at = type;
        kn_ref *doms = kn_stack_take(ctx, flat->n_params);
        uint32_t p;

        for (p = 0; doms && p < flat->n_params; p++) {
            doms[p] = kn_at(ctx, own)->a;
            own = kn_at(ctx, own)->b;
            at = kn_at(ctx, at)->b;
        }
        for (type = at; doms && p > 0 && type != KN_NONE; p--)
            type = kn_pi(ctx, doms[p - 1], type);
        if (!doms || type == KN_NONE)
            return false;
    }
    flat->ctors[i].type = type;
    if (flat->ctors[i].name & KN_SCRATCH)
        ctx->aux[flat->ctors[i].name & ~KN_SCRATCH].type = type;
    return true;
}

bool kn_flat_unnest(struct kn_flat *flat)
{
    struct kn_ctx *ctx = flat->ctx;
    size_t i;

    /* The list grows while it is walked. */
    for (i = 0; i < flat->n_ctors; i++) {
        if (!unnest_ctor(flat, i))
            return false;
    }
    for (i = 0; i < flat->n_ctors; i++) {
        struct kn_flat_ctor *c = &flat->ctors[i];

        c->self =
            kn_apps(ctx, kn_const(ctx, c->name, flat->level_list), flat->params, flat->n_params);
        if (!(c->name & KN_SCRATCH))
            c->real_self = c->self;
        if (c->self == KN_NONE || c->real_self == KN_NONE)
            return false;
    }
    kn_ctx_forget(ctx);
    return true;
}

static kn_ref restore_step(struct kn_ctx *ctx, kn_ref e, void *data)
{
    const struct kn_flat *flat = data;
    const struct kn_node *head = kn_at(ctx, kn_head(ctx, e));
    size_t i;

    if (head->kind != KN_CONST || !(head->a & KN_SCRATCH))
        return KN_NONE;
    for (i = flat->n_declared; i < flat->n_types; i++) {
        if (flat->types[i].self == e)
            return flat->types[i].nested;
    }
    for (i = flat->given->n_ctors; i < flat->n_ctors; i++) {
        if (flat->ctors[i].self == e)
            return flat->ctors[i].real_self;
    }
    return KN_NONE;
}

kn_ref kn_flat_restore(struct kn_flat *flat, kn_ref e)
{
    if (flat->n_types == flat->n_declared)
        return e;
    return kn_replace(flat->ctx, e, restore_step, flat, true);
}
