#include "child/kernel/environment.h"

#include "child/kernel/level.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/utf8.h"

static const char *const known_names[KN_NAMES_END] = {
    [KN_NAME_NAT] = "Nat",
    [KN_NAME_NAT_ZERO] = "Nat.zero",
    [KN_NAME_NAT_SUCC] = "Nat.succ",
    [KN_NAME_BOOL] = "Bool",
    [KN_NAME_FALSE] = "Bool.false",
    [KN_NAME_TRUE] = "Bool.true",
    [KN_NAME_STRING] = "String",
    [KN_NAME_STRING_OF_LIST] = "String.ofList",
    [KN_NAME_STRING_MK] = "String.mk",
    [KN_NAME_CHAR] = "Char",
    [KN_NAME_CHAR_OF_NAT] = "Char.ofNat",
    [KN_NAME_LIST_NIL] = "List.nil",
    [KN_NAME_LIST_CONS] = "List.cons",
    [KN_NAME_EQ] = "Eq",
    [KN_NAME_EQ_REFL] = "Eq.refl",
    [KN_NAME_QUOT] = "Quot",
    [KN_NAME_QUOT_MK] = "Quot.mk",
    [KN_NAME_QUOT_LIFT] = "Quot.lift",
    [KN_NAME_QUOT_IND] = "Quot.ind",
    [KN_NAME_QUOT_SOUND] = "Quot.sound",
    [KN_NAME_PROPEXT] = "propext",
    [KN_NAME_CHOICE] = "Classical.choice",
    [KN_NAME_IFF] = "Iff",
    [KN_NAME_IFF_INTRO] = "Iff.intro",
    [KN_NAME_NONEMPTY] = "Nonempty",
    [KN_NAME_NONEMPTY_INTRO] = "Nonempty.intro",
    [KN_NAME_EAGER_REDUCE] = "eagerReduce",
};

bool kn_env_init(struct kn_env *env, struct kn_budget *budget)
{
    size_t i;

    memset(env, 0, sizeof(*env));
    env->budget = budget;
    env->arena.budget = budget;
    env->nat_item = env->bool_item = env->eq_item = KN_NONE;
    env->string_item = env->string_list_item = KN_NONE;
    if (!kn_names_init(&env->names, budget))
        return false;
    for (i = 0; i < KN_NAMES_END; i++) {
        env->known[i] = kn_name_parse(&env->names, known_names[i]);
        if (env->known[i] == KN_NO_NAME)
            return false;
    }
    env->sample_text = kn_text(&env->names, lwb_bytes_text("a"));
    return env->sample_text != KN_NO_NAME;
}

void kn_env_release(struct kn_env *env)
{
    if (!env->budget)
        return;
    kn_names_release(&env->names);
    kn_arena_release(&env->arena);
    kn_give(env->budget, env->decls, env->cap_decls * sizeof(*env->decls));
    kn_give(env->budget, env->items, env->cap_items * sizeof(*env->items));
    kn_give(env->budget, env->decl_of, env->n_decl_of * sizeof(*env->decl_of));
    memset(env, 0, sizeof(*env));
}

struct kn_item *kn_env_add_item(struct kn_env *env, enum kn_decl_kind kind, uint32_t line)
{
    struct kn_item *item;

    if (!kn_grow(env->budget, &env->items, &env->cap_items, env->n_items, sizeof(*env->items)))
        return NULL;
    item = &env->items[env->n_items++];
    memset(item, 0, sizeof(*item));
    item->kind = (uint8_t)kind;
    item->line = line;
    item->first = (uint32_t)env->n_decls;
    item->clash = KN_NO_NAME;
    return item;
}

static bool cover_name(struct kn_env *env, kn_name name)
{
    size_t n = env->n_decl_of ? env->n_decl_of : 1024;
    size_t more_bytes;
    uint32_t *more;

    if (name < env->n_decl_of)
        return true;
    while (n <= name)
        n *= 2;
    more = lwb_realloc(env->decl_of, n * sizeof(*more));
    if (!more)
        return false;
    memset(more + env->n_decl_of, 0, (n - env->n_decl_of) * sizeof(*more));
    more_bytes = (n - env->n_decl_of) * sizeof(*more);
    env->decl_of = more;
    env->n_decl_of = n;
    return kn_charge(env->budget, more_bytes);
}

const struct kn_shape kn_no_shape;

bool kn_env_set_shape(struct kn_env *env, struct kn_decl *decl, const struct kn_shape *shape)
{
    struct kn_shape *copy = kn_arena_take(&env->arena, sizeof(*copy));

    if (!copy)
        return false;
    *copy = *shape;
    decl->shape = copy;
    return true;
}

struct kn_decl *kn_env_add_decl(struct kn_env *env, enum kn_decl_kind kind, kn_name name)
{
    struct kn_item *item = &env->items[env->n_items - 1];
    struct kn_decl *decl;

    if (!cover_name(env, name) ||
        !kn_grow(env->budget, &env->decls, &env->cap_decls, env->n_decls, sizeof(*env->decls)))
        return NULL;
    decl = &env->decls[env->n_decls++];
    memset(decl, 0, sizeof(*decl));
    decl->kind = (uint8_t)kind;
    decl->name = name;
    decl->item = (uint32_t)(env->n_items - 1);
    decl->type = decl->value = decl->body = KN_NONE;
    decl->shape = &kn_no_shape;
    if (env->decl_of[name])
        item->clash = name;
    else
        env->decl_of[name] = (uint32_t)env->n_decls;
    item->n_decls++;
    return decl;
}

struct kn_decl *kn_env_find(const struct kn_env *env, kn_name name)
{
    if (name >= env->n_decl_of || !env->decl_of[name])
        return NULL;
    return &env->decls[env->decl_of[name] - 1];
}

struct kn_decl *kn_find(const struct kn_ctx *ctx, kn_name name)
{
    if (name & KN_SCRATCH)
        return (name & ~KN_SCRATCH) < ctx->n_aux ? &ctx->aux[name & ~KN_SCRATCH] : NULL;
    return kn_env_find(ctx->env, name);
}

const char *kn_show(const struct kn_ctx *ctx, kn_name name, struct kn_shown *out)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf buf = LWB_BUF(1 << 20);
    size_t n;

    kn_name_describe(&ctx->env->names, name, &buf);
    if (!buf.ptr)
        return "?";
    n = lwb_utf8_cut(lwb_bytes(buf.ptr, buf.len), sizeof(out->text) - 1);
    memcpy(out->text, buf.ptr, n);
    out->text[n] = '\0';
    return out->text;
}

kn_ref kn_const_type(struct kn_ctx *ctx, const struct kn_decl *decl, kn_ref e)
{
    const struct kn_node *n = kn_at(ctx, e);
    kn_ref type;

    if (kn_levels_count(ctx, n->b) != decl->n_levels)
        return KN_NONE;
    if (decl->n_levels == 0)
        return decl->type;
    type = kn_map_get(&ctx->const_types, e);
    if (type != KN_UNKNOWN)
        return type;
    type = kn_substitute_levels(ctx, decl->type, decl->levels, decl->n_levels, n->b);
    if (type != KN_NONE && !ctx->no_caches)
        (void)kn_map_put(&ctx->const_types, e, type);
    return type;
}

kn_ref kn_const_value(struct kn_ctx *ctx, const struct kn_decl *decl, kn_ref e)
{
    const struct kn_node *n = kn_at(ctx, e);
    kn_ref value;

    if (decl->value == KN_NONE || kn_levels_count(ctx, n->b) != decl->n_levels)
        return KN_NONE;
    if (decl->n_levels == 0)
        return decl->value;
    value = kn_map_get(&ctx->unfolded, e);
    if (value != KN_UNKNOWN)
        return value;
    value = kn_substitute_levels(ctx, decl->value, decl->levels, decl->n_levels, n->b);
    if (value != KN_NONE && !ctx->no_caches)
        (void)kn_map_put(&ctx->unfolded, e, value);
    return value;
}

kn_ref kn_param_levels(struct kn_ctx *ctx, const kn_name *levels, uint32_t n)
{
    kn_ref list = ctx->nil;

    while (n > 0 && list != KN_NONE) {
        kn_ref param = kn_make(ctx, KN_PARAM, levels[--n], 0);

        list = param == KN_NONE ? param : kn_make(ctx, KN_CONS, param, list);
    }
    return list;
}
