#include "child/kernel/admit.h"

#include "child/kernel/level.h"
#include "lwbuild/base/alloc.h"

/*
 * The first look at an item: a walk over its terms for what they mention. It
 * reads of declarations what the file says, so that it may run ahead of
 * admission, on any thread.
 */

/* What may be used of the item's own declarations. */
enum own { OWN_NOTHING, OWN_TYPES, OWN_ALL };

struct scan {
    struct kn_ctx *ctx;
    struct kn_item *item;
    uint32_t index; /* of the item */
    enum own own;
    const kn_name *levels;
    uint32_t n_levels;
    uint32_t *uses;
    size_t n_uses, cap_uses;
};

static bool fail_memory(struct kn_ctx *ctx)
{
    return kn_out_of_memory(ctx) != KN_NONE;
}

static bool add_use(struct scan *s, uint32_t item)
{
    if (item == s->index || kn_map_get(&s->ctx->used, item) != KN_UNKNOWN)
        return true;
    if (!kn_map_put(&s->ctx->used, item, 1) ||
        lwb_grow(&s->uses, &s->cap_uses, s->n_uses, sizeof(*s->uses)) < 0)
        return fail_memory(s->ctx);
    s->uses[s->n_uses++] = item;
    return true;
}

static bool use_name(struct scan *s, kn_name name, uint32_t n_levels)
{
    const struct kn_decl *decl = kn_env_find(s->ctx->env, name);
    struct kn_shown shown;
    bool own = decl && decl->item == s->index &&
               (s->own == OWN_ALL || (s->own == OWN_TYPES && decl->kind == KN_INDUCTIVE));

    if (!decl || (decl->item >= s->index && !own))
        return kn_reject(s->ctx, "unknown constant %s", kn_show(s->ctx, name, &shown)) != KN_NONE;
    if (n_levels != KN_NONE && n_levels != decl->n_levels)
        return kn_reject(s->ctx, "%s takes %u universe levels, %u are given",
                         kn_show(s->ctx, name, &shown), decl->n_levels, n_levels) != KN_NONE;
    return add_use(s, decl->item);
}

static bool use_param(struct scan *s, kn_name name)
{
    struct kn_shown shown;
    uint32_t i;

    for (i = 0; i < s->n_levels; i++) {
        if (s->levels[i] == name)
            return true;
    }
    return kn_reject(s->ctx, "universe parameter %s is not declared",
                     kn_show(s->ctx, name, &shown)) != KN_NONE;
}

/* What is taken for granted without being mentioned: noted where the file declares it before. */
static bool use_known(struct scan *s, const enum kn_known *names, size_t n)
{
    const struct kn_env *env = s->ctx->env;
    size_t i;

    for (i = 0; i < n; i++) {
        const struct kn_decl *decl = kn_env_find(env, env->known[names[i]]);

        if (decl && decl->item < s->index && !add_use(s, decl->item))
            return false;
    }
    return true;
}

static bool use_literal(struct scan *s, bool text)
{
    static const enum kn_known names[] = {
        KN_NAME_NAT,  KN_NAME_STRING,      KN_NAME_STRING_OF_LIST, KN_NAME_STRING_MK,
        KN_NAME_CHAR, KN_NAME_CHAR_OF_NAT, KN_NAME_LIST_NIL
    };

    s->item->has_nat = true;
    s->item->has_text |= text;
    return use_known(s, names, text ? LWB_COUNT(names) : 1);
}

/* Quotients rest on Eq and on one another, also where their types do not say so. */
static bool use_quot(struct scan *s)
{
    static const enum kn_known names[] = { KN_NAME_EQ, KN_NAME_QUOT, KN_NAME_QUOT_MK,
                                           KN_NAME_QUOT_LIFT };

    return s->item->kind != KN_QUOT || use_known(s, names, LWB_COUNT(names));
}

static bool scan(struct scan *s, kn_ref e);

static bool scan_parts(struct scan *s, const struct kn_node *n)
{
    switch (n->kind) {
    case KN_PARAM:
        return use_param(s, n->a);
    case KN_SUCC:
    case KN_SORT:
        return scan(s, n->a);
    case KN_CONST:
        return use_name(s, n->a, kn_levels_count(s->ctx, n->b)) && scan(s, n->b);
    case KN_MAX:
    case KN_IMAX:
    case KN_CONS:
    case KN_APP:
    case KN_LAM:
    case KN_PI:
    case KN_LET:
    case KN_REST:
    case KN_PROJ:
        return scan(s, n->a) && scan(s, n->b);
    case KN_FIELD:
        return use_name(s, n->a, KN_NONE);
    case KN_NAT:
    case KN_BIG:
    case KN_STR:
        return use_literal(s, n->kind == KN_STR);
    default:
        return true;
    }
}

static bool is_leaf(const struct kn_node *n)
{
    return n->kind == KN_BVAR || n->kind == KN_ZERO || n->kind == KN_NIL;
}

static bool scan(struct scan *s, kn_ref e)
{
    const struct kn_node *n = kn_at(s->ctx, e);

    if (is_leaf(n) || kn_map_get(&s->ctx->seen, e) != KN_UNKNOWN)
        return true;
    if (!kn_may_go_on(s->ctx))
        return false;
    if (!kn_map_put(&s->ctx->seen, e, 1))
        return fail_memory(s->ctx);
    return scan_parts(s, n);
}

static bool scan_closed(struct scan *s, kn_ref e)
{
    if (kn_at(s->ctx, e)->loose)
        return kn_reject(s->ctx, "a loose bound variable") != KN_NONE;
    return scan(s, e);
}

static bool check_params(struct kn_ctx *ctx, const kn_name *levels, uint32_t n)
{
    struct kn_shown shown;
    uint32_t i, j;

    for (i = 0; levels && i < n; i++) {
        for (j = 0; j < i; j++) {
            if (levels[i] == levels[j])
                return kn_reject(ctx, "universe parameter %s is declared twice",
                                 kn_show(ctx, levels[i], &shown)) != KN_NONE;
        }
    }
    return true;
}

static bool scan_with(struct scan *s, enum own own, const kn_name *levels, uint32_t n, kn_ref e)
{
    if (s->levels != levels || s->n_levels != n || s->own != own) {
        kn_map_clear(&s->ctx->seen); /* what is allowed has changed */
        s->levels = levels;
        s->n_levels = n;
        s->own = own;
    }
    return check_params(s->ctx, levels, n) && scan_closed(s, e);
}

static bool scan_block(struct scan *s, const struct kn_given_block *b)
{
    uint32_t i, j;

    for (i = 0; i < b->n_types; i++) {
        if (!scan_with(s, OWN_NOTHING, b->types[i].levels, b->types[i].n_levels, b->types[i].type))
            return false;
    }
    for (i = 0; i < b->n_ctors; i++) {
        if (!scan_with(s, OWN_TYPES, b->ctors[i].levels, b->ctors[i].n_levels, b->ctors[i].type))
            return false;
    }
    for (i = 0; i < b->n_recs; i++) {
        const struct kn_given_rec *rec = &b->recs[i];

        if (!scan_with(s, OWN_ALL, rec->levels, rec->n_levels, rec->type))
            return false;
        for (j = 0; j < rec->n_rules; j++) {
            if (!scan_with(s, OWN_ALL, rec->levels, rec->n_levels, rec->rules[j].rhs))
                return false;
        }
    }
    return true;
}

static bool record_uses(struct scan *s)
{
    struct kn_item *item = s->item;
    uint32_t *uses = kn_arena_take(&s->ctx->keep, (s->n_uses + 1) * sizeof(*uses));

    if (!uses)
        return fail_memory(s->ctx);
    if (s->n_uses)
        memcpy(uses, s->uses, s->n_uses * sizeof(*uses));
    uses[s->n_uses] = s->index; /* a spare place: a list of one, for an axiom */
    item->uses = uses;
    item->n_uses = (uint32_t)s->n_uses;
    return true;
}

bool kn_look_over(struct kn_ctx *ctx, struct kn_item *item)
{
    const struct kn_env *env = ctx->env;
    const struct kn_decl *decl = &env->decls[item->first];
    struct scan s = { .ctx = ctx, .item = item, .index = (uint32_t)(item - env->items) };
    struct kn_shown shown;
    bool ok;

    kn_ctx_reset(ctx);
    kn_map_clear(&ctx->seen);
    kn_map_clear(&ctx->used);
    if (item->clash != KN_NO_NAME)
        return kn_reject(ctx, "%s is declared twice", kn_show(ctx, item->clash, &shown)) != KN_NONE;
    if (item->is_unsafe || item->is_partial)
        return kn_decline(ctx, "unsafe and partial declarations are not checked") != KN_NONE;
    if (item->block)
        ok = scan_block(&s, item->block);
    else
        ok = scan_with(&s, OWN_NOTHING, decl->levels, decl->n_levels, decl->type) &&
             (decl->body == KN_NONE || scan_closed(&s, decl->body));
    /* Also of an item that failed: what it rests on may be why. */
    ok = use_quot(&s) && record_uses(&s) && ok;
    lwb_free(s.uses);
    return ok;
}
