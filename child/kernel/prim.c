#include "child/kernel/prim.h"

#include "child/kernel/conv.h"
#include "child/kernel/infer.h"
#include "child/kernel/quot.h"
#include "child/kernel/reduce.h"

static kn_ref known(struct kn_ctx *ctx, enum kn_known name)
{
    return kn_const(ctx, ctx->env->known[name], ctx->nil);
}

static const struct kn_decl *find(const struct kn_ctx *ctx, enum kn_known name)
{
    return kn_env_find(ctx->env, ctx->env->known[name]);
}

/* A type in Type without parameters, with exactly these two constructors in this order. */
static bool has_shape(const struct kn_ctx *ctx, kn_ref sort, enum kn_known type,
                      enum kn_known first, enum kn_known second)
{
    const struct kn_decl *decl = find(ctx, type);
    const kn_name *names = ctx->env->known;

    return decl && decl->kind == KN_INDUCTIVE && decl->admitted && decl->n_levels == 0 &&
           decl->shape->n_params == 0 && decl->shape->n_indices == 0 && decl->type == sort &&
           decl->shape->n_ctors == 2 && decl->shape->ctors[0] == names[first] &&
           decl->shape->ctors[1] == names[second];
}

static kn_ref type_sort(struct kn_ctx *ctx)
{
    return kn_sort(ctx, kn_make(ctx, KN_SUCC, ctx->zero, 0));
}

static void license_nat(struct kn_ctx *ctx, uint32_t item)
{
    kn_ref nat = known(ctx, KN_NAME_NAT);
    kn_ref arrow = kn_pi(ctx, nat, nat);
    struct kn_decl *succ = kn_env_find(ctx->env, ctx->env->known[KN_NAME_NAT_SUCC]);

    if (!has_shape(ctx, type_sort(ctx), KN_NAME_NAT, KN_NAME_NAT_ZERO, KN_NAME_NAT_SUCC) ||
        find(ctx, KN_NAME_NAT_ZERO)->type != nat || succ->type != arrow)
        return;
    ctx->env->nat_item = item;
    succ->op = KN_OP_SUCC;
}

static void license_bool(struct kn_ctx *ctx, uint32_t item)
{
    kn_ref type = known(ctx, KN_NAME_BOOL);

    if (has_shape(ctx, type_sort(ctx), KN_NAME_BOOL, KN_NAME_FALSE, KN_NAME_TRUE) &&
        find(ctx, KN_NAME_FALSE)->type == type && find(ctx, KN_NAME_TRUE)->type == type)
        ctx->env->bool_item = item;
}

void kn_license_block(struct kn_ctx *ctx, const struct kn_item *item)
{
    struct kn_env *env = ctx->env;
    const uint32_t index = (uint32_t)(item - env->items);
    const kn_name name = item->block->types[0].name;

    if (name == env->known[KN_NAME_NAT])
        license_nat(ctx, index);
    else if (name == env->known[KN_NAME_BOOL])
        license_bool(ctx, index);
    else if (name == env->known[KN_NAME_EQ] && kn_is_real_eq(ctx))
        env->eq_item = index;
}

/* Strings ------------------------------------------------------------------------------------- */

static bool is_string(struct kn_ctx *ctx, kn_ref e)
{
    kn_ref type = e == KN_NONE ? KN_NONE : kn_check(ctx, e);

    return type != KN_NONE && kn_equal(ctx, type, known(ctx, KN_NAME_STRING)) == KN_YES;
}

static const struct kn_decl *declared_before(const struct kn_ctx *ctx, enum kn_known name,
                                             uint32_t item)
{
    const struct kn_decl *decl = find(ctx, name);

    return decl && decl->admitted && decl->item < item ? decl : NULL;
}

/* String.ofList [] or String.mk []: there is a value of the type. */
static bool license_type(struct kn_ctx *ctx, uint32_t item)
{
    const struct kn_decl *maker = declared_before(ctx, KN_NAME_STRING_OF_LIST, item);
    kn_ref level0 = kn_make(ctx, KN_CONS, ctx->zero, ctx->nil);
    kn_ref nil;

    if (!maker)
        maker = declared_before(ctx, KN_NAME_STRING_MK, item);
    if (!maker || !declared_before(ctx, KN_NAME_CHAR, item) ||
        !declared_before(ctx, KN_NAME_LIST_NIL, item) ||
        !declared_before(ctx, KN_NAME_STRING, item) || level0 == KN_NONE)
        return false;
    nil = kn_app(ctx, kn_const(ctx, ctx->env->known[KN_NAME_LIST_NIL], level0),
                 known(ctx, KN_NAME_CHAR));
    if (!is_string(ctx, kn_app(ctx, kn_const(ctx, maker->name, ctx->nil), nil)))
        return false;
    ctx->env->string_maker = maker->name;
    ctx->env->string_item = item;
    return true;
}

static void license_list(struct kn_ctx *ctx, uint32_t item)
{
    struct kn_env *env = ctx->env;

    if (!declared_before(ctx, KN_NAME_CHAR_OF_NAT, item) ||
        !declared_before(ctx, KN_NAME_LIST_CONS, item))
        return;
    env->string_list_item = item;
    if (!is_string(ctx, kn_string_as_list(ctx, kn_make(ctx, KN_STR, env->sample_text, 0))))
        env->string_list_item = KN_NONE;
    if (ctx->fault == KN_REJECT)
        ctx->fault = KN_FINE;
}

bool kn_license_strings(struct kn_ctx *ctx, uint32_t item)
{
    struct kn_env *env = ctx->env;

    if (env->string_item == KN_NONE && (env->nat_item == KN_NONE || !license_type(ctx, item)))
        (void)kn_reject(ctx, "a string literal, but no String is declared that fits");
    if (ctx->fault == KN_FINE && env->string_list_item == KN_NONE) {
        license_list(ctx, item);
        kn_ctx_forget(ctx);
    }
    return ctx->fault == KN_FINE;
}
