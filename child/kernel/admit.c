#include "child/kernel/admit.h"

#include "child/kernel/conv.h"
#include "child/kernel/induct.h"
#include "child/kernel/infer.h"
#include "child/kernel/level.h"
#include "child/kernel/prim.h"
#include "child/kernel/quot.h"
#include "lwbuild/base/alloc.h"

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

static bool is_subset(const uint32_t *a, uint32_t n_a, const uint32_t *b, uint32_t n_b)
{
    uint32_t i, j = 0;

    for (i = 0; i < n_a; i++) {
        while (j < n_b && b[j] < a[i])
            j++;
        if (j == n_b || b[j] != a[i])
            return false;
    }
    return true;
}

/* item->axioms becomes its union with the ascending list `more`; lists are shared where equal. */
static bool add_axioms(struct kn_ctx *ctx, struct kn_item *item, const uint32_t *more, uint32_t n)
{
    uint32_t i = 0, j = 0, k = 0;
    uint32_t *sum;

    if (more == item->axioms || is_subset(more, n, item->axioms, item->n_axioms))
        return true;
    if (is_subset(item->axioms, item->n_axioms, more, n)) {
        item->axioms = more;
        item->n_axioms = n;
        return true;
    }
    sum = kn_arena_take(&ctx->env->arena, (item->n_axioms + n) * sizeof(*sum));
    if (!sum)
        return fail_memory(ctx);
    while (i < item->n_axioms || j < n) {
        uint32_t x = i < item->n_axioms ? item->axioms[i] : UINT32_MAX;
        uint32_t y = j < n ? more[j] : UINT32_MAX;

        sum[k++] = x < y ? x : y;
        i += x <= y;
        j += y <= x;
    }
    item->axioms = sum;
    item->n_axioms = k;
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

static bool sum_axioms(struct kn_ctx *ctx, struct kn_item *item)
{
    uint32_t i;

    for (i = 0; i < item->n_uses; i++) {
        const struct kn_item *used = &ctx->env->items[item->uses[i]];

        if (!add_axioms(ctx, item, used->axioms, used->n_axioms))
            return false;
    }
    return item->kind != KN_AXIOM || add_axioms(ctx, item, item->uses + item->n_uses, 1);
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

/* Admission of each kind ---------------------------------------------------------------------- */

/* The type ends in a sort, or in an inductive type that is never a proposition. */
static bool is_never_proof(struct kn_ctx *ctx, struct kn_decl *decl)
{
    const struct kn_decl *end;
    kn_ref type = decl->type;
    uint32_t n_args;

    for (decl->arity = 0; kn_is(ctx, type, KN_PI); type = kn_at(ctx, type)->b)
        decl->arity++;
    if (kn_is(ctx, type, KN_SORT))
        return true;
    n_args = kn_n_args(ctx, type);
    type = kn_head(ctx, type);
    end = kn_is(ctx, type, KN_CONST) ? kn_find(ctx, kn_at(ctx, type)->a) : NULL;
    if (!end || end->kind != KN_INDUCTIVE || !end->admitted || end->arity != n_args)
        return false;
    for (type = end->type; kn_is(ctx, type, KN_PI); type = kn_at(ctx, type)->b)
        continue;
    return kn_is(ctx, type, KN_SORT) && kn_level_is_never_zero(ctx, kn_at(ctx, type)->a) == KN_YES;
}

static void finish(struct kn_ctx *ctx, struct kn_decl *decl)
{
    decl->never_proof = is_never_proof(ctx, decl);
}

static void admit_block(struct kn_ctx *ctx, struct kn_item *item)
{
    uint32_t i;

    if (!kn_admit_inductive(ctx, item))
        return;
    for (i = 0; i < item->n_decls; i++)
        finish(ctx, &ctx->env->decls[item->first + i]);
    kn_license_block(ctx, item);
}

static void admit_item(struct kn_ctx *ctx, struct kn_item *item)
{
    struct kn_decl *decl = &ctx->env->decls[item->first];

    switch (item->kind) {
    case KN_INDUCTIVE:
        admit_block(ctx, item);
        return;
    case KN_QUOT:
        if (kn_sort_of(ctx, decl->type, true) != KN_NONE && kn_admit_quot(ctx, decl))
            finish(ctx, decl);
        return;
    case KN_AXIOM:
        if (kn_sort_of(ctx, decl->type, true) == KN_NONE || !kn_check_standard_axiom(ctx, decl))
            return;
        decl->admitted = true;
        finish(ctx, decl);
        return;
    case KN_DEFINITION:
        decl->admitted = true;
        finish(ctx, decl);
        kn_license_operation(ctx, decl);
        return;
    default:
        decl->admitted = true;
        finish(ctx, decl);
        return;
    }
}

static bool is_checked_later(const struct kn_item *item)
{
    return item->kind == KN_DEFINITION || item->kind == KN_THEOREM || item->kind == KN_OPAQUE;
}

void kn_conclude(struct kn_ctx *ctx, struct kn_item *item)
{
    size_t n = strlen(ctx->reason) + 1;
    char *reason;

    if (ctx->fault == KN_FINE) {
        item->state = KN_ACCEPTED;
        return;
    }
    reason = kn_arena_take(&ctx->keep, n);
    if (reason)
        memcpy(reason, ctx->reason, n);
    item->reason = reason ? reason : kn_describe_cause(LWB_KERNEL_CAUSE_MEMORY);
    item->cause = (uint8_t)(reason ? ctx->cause : LWB_KERNEL_CAUSE_MEMORY);
    item->state = ctx->fault == KN_REJECT ? KN_REJECTED : KN_DECLINED;
}

static bool is_blocked(const struct kn_env *env, const struct kn_item *item)
{
    uint32_t i;

    for (i = 0; i < item->n_uses; i++) {
        uint8_t state = env->items[item->uses[i]].state;

        if (state != KN_PENDING && state != KN_ACCEPTED)
            return true;
    }
    return false;
}

static bool may_use_literals(struct kn_ctx *ctx, const struct kn_item *item)
{
    if (item->has_nat && ctx->env->nat_item == KN_NONE)
        return kn_reject(ctx, "a literal, but no Nat is declared that fits") != KN_NONE;
    return !item->has_text || kn_license_strings(ctx, ctx->item);
}

void kn_admit(struct kn_ctx *ctx, struct kn_item *item)
{
    kn_ctx_reset(ctx);
    ctx->item = (uint32_t)(item - ctx->env->items);
    if (item->state != KN_PENDING)
        return;
    if (is_blocked(ctx->env, item)) {
        item->state = KN_BLOCKED;
        return;
    }
    if (sum_axioms(ctx, item) && may_use_literals(ctx, item))
        admit_item(ctx, item);
    if (ctx->fault != KN_FINE || !is_checked_later(item))
        kn_conclude(ctx, item);
}

/* Values -------------------------------------------------------------------------------------- */

void kn_check_value(struct kn_ctx *ctx, struct kn_item *item)
{
    const struct kn_decl *decl = &ctx->env->decls[item->first];
    enum kn_tri tri;
    kn_ref level, type;

    ctx->item = decl->item;
    level = kn_sort_of(ctx, decl->type, true);
    if (level == KN_NONE)
        return;
    if (item->kind == KN_THEOREM) {
        tri = kn_level_is_zero(ctx, level);
        if (tri == KN_NO)
            (void)kn_reject(ctx, "the type of the theorem is not a proposition");
        if (tri != KN_YES)
            return;
    }
    type = kn_check(ctx, decl->body);
    if (type != KN_NONE && kn_equal(ctx, type, decl->type) == KN_NO)
        (void)kn_reject(ctx, "the value does not have the type that is stated");
}
