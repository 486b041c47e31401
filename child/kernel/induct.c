#include "child/kernel/induct.h"

#include "child/kernel/conv.h"
#include "child/kernel/infer.h"
#include "child/kernel/level.h"
#include "child/kernel/reduce.h"
#include "lwbuild/base/alloc.h"

kn_ref kn_flat_local(struct kn_flat *flat, kn_ref type)
{
    return kn_local(flat->ctx, flat->next++, type);
}

bool kn_flat_fail(struct kn_flat *flat, kn_name name, const char *what)
{
    struct kn_shown shown;

    (void)kn_reject(flat->ctx, "%s: %s", kn_show(flat->ctx, name, &shown), what);
    return false;
}

/* Types --------------------------------------------------------------------------------------- */

/* *type as an arrow, reduced if needed; NULL if it is none. */
static const struct kn_node *as_arrow(struct kn_ctx *ctx, kn_ref *type)
{
    if (!kn_is(ctx, *type, KN_PI)) {
        *type = kn_whnf(ctx, *type);
        if (*type == KN_NONE || !kn_is(ctx, *type, KN_PI))
            return NULL;
    }
    return kn_at(ctx, *type);
}

bool kn_flat_open_params(struct kn_flat *flat, kn_name name, kn_ref *type, bool first)
{
    struct kn_ctx *ctx = flat->ctx;
    uint32_t i;

    for (i = 0; i < flat->n_params; i++) {
        const struct kn_node *arrow = as_arrow(ctx, type);
        enum kn_tri same = KN_YES;

        if (ctx->fault)
            return false;
        if (!arrow)
            return kn_flat_fail(flat, name, "the type has fewer arrows than there are parameters");
        if (first)
            flat->params[i] = kn_flat_local(flat, arrow->a);
        else
            same = kn_equal(ctx, arrow->a, kn_at(ctx, flat->params[i])->b);
        if (same == KN_NO)
            return kn_flat_fail(flat, name, "the parameters differ from those of the block");
        if (same == KN_STOP || flat->params[i] == KN_NONE)
            return false;
        *type = kn_instantiate(ctx, arrow->b, &flat->params[i], 1);
        if (*type == KN_NONE)
            return false;
    }
    return true;
}

static bool open_indices(struct kn_flat *flat, struct kn_flat_type *t, kn_ref *type)
{
    struct kn_ctx *ctx = flat->ctx;
    size_t cap = 8;
    kn_ref *locals = kn_stack_take(ctx, cap);
    const struct kn_node *arrow;

    while (locals && (arrow = as_arrow(ctx, type)) != NULL) {
        kn_ref local = kn_flat_local(flat, arrow->a);

        if (t->n_indices == cap) {
            kn_ref *more = kn_stack_take(ctx, 2 * cap);

            if (!more)
                return false;
            memcpy(more, locals, cap * sizeof(*more));
            locals = more;
            cap *= 2;
        }
        locals[t->n_indices++] = local;
        *type = local == KN_NONE ? KN_NONE : kn_instantiate(ctx, arrow->b, &local, 1);
        if (*type == KN_NONE)
            return false;
    }
    t->indices = locals;
    return ctx->fault == KN_FINE;
}

/* Open parameters and indices of type i; what is left must be the block's sort. */
static bool open_type(struct kn_flat *flat, uint32_t i)
{
    struct kn_ctx *ctx = flat->ctx;
    struct kn_flat_type *t = &flat->types[i];
    kn_ref type = t->type;
    enum kn_tri same;

    if (!kn_flat_open_params(flat, t->name, &type, i == 0) || !open_indices(flat, t, &type))
        return false;
    if (!kn_is(ctx, type, KN_SORT))
        return kn_flat_fail(flat, t->name, "the type does not end in a sort");
    if (i == 0)
        flat->sort = kn_at(ctx, type)->a;
    same = kn_level_equal(ctx, flat->sort, kn_at(ctx, type)->a);
    if (same == KN_NO)
        return kn_flat_fail(flat, t->name, "the types of the block live in different universes");
    t->self = kn_apps(ctx, kn_const(ctx, t->name, flat->level_list), flat->params, flat->n_params);
    return same == KN_YES && t->self != KN_NONE;
}

static bool same_names(const kn_name *a, uint32_t n_a, const kn_name *b, uint32_t n_b)
{
    return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a * sizeof(*a)) == 0);
}

static bool is_reserved(const struct kn_flat *flat, kn_name name)
{
    return kn_name_mentions(&flat->ctx->env->names, name, "_nested");
}

static bool add_type(struct kn_flat *flat, const struct kn_given_type *given)
{
    struct kn_ctx *ctx = flat->ctx;
    struct kn_decl *decl = kn_env_find(ctx->env, given->name);
    struct kn_shape shape = { .n_params = 0 };
    struct kn_flat_type *t;

    if (is_reserved(flat, given->name))
        return kn_flat_fail(flat, given->name, "the name is reserved for auxiliary types");
    if (!same_names(given->levels, given->n_levels, flat->levels, flat->n_levels) ||
        given->n_params != flat->n_params)
        return kn_flat_fail(flat, given->name, "the types of the block have different parameters");
    if (kn_sort_of(ctx, given->type, true) == KN_NONE)
        return false;
    if (lwb_grow(&flat->types, &flat->cap_types, flat->n_types, sizeof(*flat->types)) < 0)
        return kn_out_of_memory(ctx) != KN_NONE;
    t = &flat->types[flat->n_types++];
    *t = (struct kn_flat_type){ .name = given->name, .type = given->type, .nested = KN_NONE };
    t->rec = kn_name_find(&ctx->env->names, given->name, "rec");
    if (!open_type(flat, (uint32_t)flat->n_types - 1))
        return false;
    decl->type = given->type;
    shape.n_params = flat->n_params;
    shape.n_indices = t->n_indices;
    return kn_env_set_shape(ctx->env, decl, &shape) || kn_out_of_memory(ctx) != KN_NONE;
}

/* The types first: they are opaque constants while the constructors are checked. */
static bool admit_types(struct kn_flat *flat)
{
    const struct kn_given_block *given = flat->given;
    uint32_t i;

    for (i = 0; i < given->n_types; i++) {
        if (!add_type(flat, &given->types[i]))
            return false;
    }
    flat->n_declared = flat->n_types;
    for (i = 0; i < given->n_types; i++)
        kn_env_find(flat->ctx->env, given->types[i].name)->admitted = true;
    return true;
}

/* Constructors -------------------------------------------------------------------------------- */

static const struct kn_given_ctor *given_ctor(const struct kn_given_block *given, kn_name name)
{
    uint32_t i;

    for (i = 0; i < given->n_ctors; i++) {
        if (given->ctors[i].name == name)
            return &given->ctors[i];
    }
    return NULL;
}

static bool add_ctor(struct kn_flat *flat, uint32_t of, uint32_t index)
{
    struct kn_ctx *ctx = flat->ctx;
    const struct kn_given_type *type = &flat->given->types[of];
    const struct kn_given_ctor *given = given_ctor(flat->given, type->ctors[index]);
    struct kn_flat_ctor *c;

    if (!given || given->inductive != type->name || given->index != index)
        return kn_flat_fail(flat, type->name,
                            "its list of constructors does not fit the constructors");
    if (is_reserved(flat, given->name))
        return kn_flat_fail(flat, given->name, "the name is reserved for auxiliary types");
    if (!same_names(given->levels, given->n_levels, flat->levels, flat->n_levels))
        return kn_flat_fail(flat, given->name, "its universe parameters are not those of the type");
    if (kn_sort_of(ctx, given->type, true) == KN_NONE)
        return false;
    if (lwb_grow(&flat->ctors, &flat->cap_ctors, flat->n_ctors, sizeof(*flat->ctors)) < 0)
        return kn_out_of_memory(ctx) != KN_NONE;
    c = &flat->ctors[flat->n_ctors++];
    *c = (struct kn_flat_ctor){
        .name = given->name, .real_name = given->name, .type = given->type, .of = of
    };
    return true;
}

static bool add_ctors(struct kn_flat *flat)
{
    uint32_t i, j;

    for (i = 0; i < flat->n_declared; i++) {
        const struct kn_given_type *type = &flat->given->types[i];

        flat->types[i].first = (uint32_t)flat->n_ctors;
        flat->types[i].n_ctors = type->n_ctors;
        for (j = 0; j < type->n_ctors; j++) {
            if (!add_ctor(flat, i, j))
                return false;
        }
    }
    if (flat->n_ctors != flat->given->n_ctors)
        return kn_flat_fail(flat, flat->types[0].name, "the block has a constructor of no type");
    return true;
}

/* Large elimination --------------------------------------------------------------------------- */

/* Every field of the only constructor is a proof, or is determined by the indices. */
static enum kn_tri fields_are_determined(struct kn_flat *flat)
{
    struct kn_ctx *ctx = flat->ctx;
    const struct kn_flat_ctor *c = &flat->ctors[0];
    const uint32_t n_indices = flat->types[0].n_indices;
    uint32_t i, j;

    for (i = 0; i < c->n_fields; i++) {
        enum kn_tri tri = kn_is_prop(ctx, kn_at(ctx, c->fields[i].local)->b);

        if (tri == KN_STOP)
            return tri;
        for (j = 0; j < n_indices && tri == KN_NO; j++) {
            if (c->indices[j] == c->fields[i].local)
                tri = KN_YES;
        }
        if (tri == KN_NO)
            return KN_NO;
    }
    return KN_YES;
}

static bool decide_elimination(struct kn_flat *flat)
{
    enum kn_tri tri = kn_level_is_never_zero(flat->ctx, flat->sort);

    if (tri == KN_NO && flat->n_types == 1 && flat->n_ctors <= 1)
        tri = flat->n_ctors == 0 ? KN_YES : fields_are_determined(flat);
    flat->large = tri == KN_YES;
    return tri != KN_STOP;
}

/* Admission ----------------------------------------------------------------------------------- */

static bool check_given_flags(struct kn_flat *flat, const struct kn_given_type *given)
{
    const struct kn_decl *decl = kn_env_find(flat->ctx->env, given->name);

    if (given->n_indices != decl->shape->n_indices)
        return kn_flat_fail(flat, given->name, "the file states another number of indices");
    if (given->n_nested != flat->n_types - flat->n_declared)
        return kn_flat_fail(flat, given->name, "the file states another number of nested types");
    if (given->is_rec != flat->is_recursive || given->is_reflexive != flat->is_reflexive)
        return kn_flat_fail(flat, given->name,
                            "the file states wrongly whether the type is recursive");
    return true;
}

static bool admit_ctors(struct kn_flat *flat)
{
    struct kn_env *env = flat->ctx->env;
    uint32_t i;

    for (i = 0; i < flat->given->n_ctors; i++) {
        const struct kn_flat_ctor *c = &flat->ctors[i];
        const struct kn_given_ctor *given = given_ctor(flat->given, c->name);
        struct kn_decl *decl = kn_env_find(env, c->name);
        const struct kn_shape shape = {
            .n_params = flat->n_params,
            .n_fields = c->n_fields,
            .index = (uint32_t)given->index,
            .inductive = given->inductive,
        };

        if (given->n_params != flat->n_params || given->n_fields != c->n_fields)
            return kn_flat_fail(flat, c->name,
                                "the file states another number of parameters or fields");
        decl->type = given->type;
        if (!kn_env_set_shape(env, decl, &shape))
            return kn_out_of_memory(flat->ctx) != KN_NONE;
        decl->admitted = true;
    }
    for (i = 0; i < flat->given->n_types; i++) {
        struct kn_decl *decl = kn_env_find(env, flat->given->types[i].name);
        struct kn_shape shape = *decl->shape;

        shape.ctors = flat->given->types[i].ctors;
        shape.n_ctors = flat->given->types[i].n_ctors;
        if (!kn_env_set_shape(env, decl, &shape))
            return kn_out_of_memory(flat->ctx) != KN_NONE;
        decl->is_recursive = flat->is_recursive;
        if (!check_given_flags(flat, &flat->given->types[i]))
            return false;
    }
    return true;
}

static bool check_block(struct kn_flat *flat)
{
    struct kn_ctx *ctx = flat->ctx;
    enum kn_tri tri;
    size_t i;

    if (!admit_types(flat) || !add_ctors(flat) || !kn_flat_unnest(flat))
        return false;
    tri = kn_level_is_zero(ctx, flat->sort);
    flat->is_prop = tri == KN_YES;
    if (tri == KN_STOP)
        return false;
    /* Auxiliary types follow the declared ones: all types are open before any field is looked at.
     */
    for (i = flat->n_declared; i < flat->n_types; i++) {
        if (!open_type(flat, (uint32_t)i))
            return false;
    }
    for (i = 0; i < flat->n_ctors; i++) {
        if (!kn_flat_check_ctor(flat, &flat->ctors[i]))
            return false;
    }
    if (!decide_elimination(flat) || !admit_ctors(flat))
        return false;
    /* What was found out while the types had no constructors is not to be relied on. */
    kn_ctx_forget(ctx);
    return kn_flat_admit_recursors(flat);
}

bool kn_admit_inductive(struct kn_ctx *ctx, struct kn_item *item)
{
    const struct kn_given_block *given = item->block;
    struct kn_flat flat = { .ctx = ctx, .item = item, .given = given };
    bool ok;

    if (given->n_types == 0)
        return kn_reject(ctx, "an inductive block without types") != KN_NONE;
    if (given->types[0].n_params > KN_RANGE_MAX / 4)
        return kn_reject(ctx, "more parameters than the type has arrows") != KN_NONE;
    flat.levels = given->types[0].levels;
    flat.n_levels = given->types[0].n_levels;
    flat.n_params = (uint32_t)given->types[0].n_params;
    flat.level_list = kn_param_levels(ctx, flat.levels, flat.n_levels);
    flat.params = kn_stack_take(ctx, flat.n_params);
    if (flat.params)
        memset(flat.params, 0xff, flat.n_params * sizeof(*flat.params));
    ok = flat.params && flat.level_list != KN_NONE && check_block(&flat);
    lwb_free(flat.types);
    lwb_free(flat.ctors);
    lwb_free(ctx->aux);
    ctx->aux = NULL;
    ctx->n_aux = 0;
    kn_ctx_forget(ctx); /* scratch names mean nothing from here on */
    return ok;
}
