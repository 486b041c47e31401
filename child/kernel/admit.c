#include "child/kernel/admit.h"

#include "child/kernel/conv.h"
#include "child/kernel/induct.h"
#include "child/kernel/infer.h"
#include "child/kernel/level.h"
#include "child/kernel/prim.h"
#include "child/kernel/quot.h"

/*
 * Admission, in file order: what follows from a declaration is derived, and
 * added to the environment. The axioms that an item rests on are the union of
 * those of what it uses.
 */
static bool fail_memory(struct kn_ctx *ctx)
{
    return kn_out_of_memory(ctx) != KN_NONE;
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
