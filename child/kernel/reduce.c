#include "child/kernel/reduce.h"

#include "child/kernel/conv.h"
#include "child/kernel/infer.h"
#include "child/kernel/level.h"
#include "child/kernel/nat.h"

const struct kn_decl *kn_ctor_of(const struct kn_ctx *ctx, kn_ref e)
{
    kn_ref head = kn_head(ctx, e);
    const struct kn_decl *decl;

    if (!kn_is(ctx, head, KN_CONST))
        return NULL;
    decl = kn_find(ctx, kn_at(ctx, head)->a);
    return decl && decl->kind == KN_CTOR ? decl : NULL;
}

bool kn_is_structure(const struct kn_decl *decl)
{
    return decl && decl->kind == KN_INDUCTIVE && decl->shape->n_ctors == 1 &&
           decl->shape->n_indices == 0 && !decl->is_recursive;
}

kn_ref kn_nat_as_ctor(struct kn_ctx *ctx, kn_ref e)
{
    kn_ref pred;

    if (kn_nat_is_zero(ctx, e))
        return kn_const(ctx, ctx->env->known[KN_NAME_NAT_ZERO], ctx->nil);
    pred = kn_nat_pred(ctx, e);
    return kn_app(ctx, kn_const(ctx, ctx->env->known[KN_NAME_NAT_SUCC], ctx->nil), pred);
}

/* The code point that starts at *at of valid UTF-8 and ends where *at is moved to, going back. */
static uint32_t last_code_point(struct lwb_bytes text, size_t *at)
{
    uint32_t c = 0;
    int shift = 0;
    unsigned char byte;

    do {
        byte = (unsigned char)text.ptr[--*at];
        if ((byte & 0xc0) == 0x80) {
            c |= (uint32_t)(byte & 0x3f) << shift;
            shift += 6;
        }
    } while ((byte & 0xc0) == 0x80 && *at > 0);
    if (byte < 0x80)
        return byte;
    return c | (uint32_t)(byte & (0x3f >> (shift / 6))) << shift;
}

kn_ref kn_string_as_list(struct kn_ctx *ctx, kn_ref e)
{
    const struct kn_env *env = ctx->env;
    struct lwb_bytes text = env->names.texts[kn_at(ctx, e)->a];
    kn_ref level0 = kn_make(ctx, KN_CONS, ctx->zero, ctx->nil);
    kn_ref type = kn_const(ctx, env->known[KN_NAME_CHAR], ctx->nil);
    kn_ref of_nat = kn_const(ctx, env->known[KN_NAME_CHAR_OF_NAT], ctx->nil);
    kn_ref cons = kn_app(ctx, kn_const(ctx, env->known[KN_NAME_LIST_CONS], level0), type);
    kn_ref list = kn_app(ctx, kn_const(ctx, env->known[KN_NAME_LIST_NIL], level0), type);
    size_t at = text.len;

    if (env->string_list_item == KN_NONE || ctx->item < env->string_list_item)
        return KN_NONE;
    while (at > 0 && list != KN_NONE && kn_may_go_on(ctx)) {
        kn_ref c = kn_app(ctx, of_nat, kn_nat(ctx, last_code_point(text, &at)));

        list = kn_app(ctx, kn_app(ctx, cons, c), list);
    }
    if (ctx->fault)
        return KN_NONE;
    return kn_app(ctx, kn_const(ctx, env->string_maker, ctx->nil), list);
}

static kn_ref whnf_core(struct kn_ctx *ctx, kn_ref e, bool cheap);

/* Projection ---------------------------------------------------------------------------------- */

static kn_ref reduce_proj(struct kn_ctx *ctx, kn_ref e, bool cheap)
{
    const struct kn_node *n = kn_at(ctx, e), *field = kn_rest(ctx, n);
    kn_ref value = cheap ? whnf_core(ctx, n->a, true) : kn_whnf(ctx, n->a);
    const struct kn_decl *ctor;
    uint64_t i;
    uint32_t n_args;

    if (value != KN_NONE && kn_is(ctx, value, KN_STR)) {
        value = kn_string_as_list(ctx, value);
        if (value != KN_NONE)
            value = cheap ? whnf_core(ctx, value, true) : kn_whnf(ctx, value);
    }
    if (value == KN_NONE)
        return KN_NONE;
    ctor = kn_ctor_of(ctx, value);
    if (!ctor || ctor->shape->inductive != field->a)
        return KN_NONE;
    i = (uint64_t)ctor->shape->n_params + field->b;
    n_args = kn_n_args(ctx, value);
    if (field->b >= ctor->shape->n_fields || i >= n_args)
        return KN_NONE;
    for (i = n_args - 1 - i; i > 0; i--)
        value = kn_at(ctx, value)->a;
    return kn_at(ctx, value)->b;
}

/* Recursors ----------------------------------------------------------------------------------- */

/* The nullary constructor of a K inductive type, if the major premise's type makes it fit. */
static kn_ref major_by_k(struct kn_ctx *ctx, const struct kn_decl *rec, kn_ref major)
{
    const struct kn_decl *inductive = kn_find(ctx, rec->shape->inductive);
    kn_ref type = kn_infer(ctx, major);
    struct kn_spine spine;
    kn_ref ctor, ctor_type;
    enum kn_tri same;

    if (type == KN_NONE || (type = kn_whnf(ctx, type)) == KN_NONE)
        return KN_NONE;
    spine = kn_spine(ctx, type);
    if (!kn_is(ctx, spine.head, KN_CONST) || kn_at(ctx, spine.head)->a != rec->shape->inductive ||
        !inductive || inductive->shape->n_ctors != 1 || spine.n < inductive->shape->n_params)
        return KN_NONE;
    ctor = kn_const(ctx, inductive->shape->ctors[0], kn_at(ctx, spine.head)->b);
    ctor = kn_apps(ctx, ctor, spine.args, inductive->shape->n_params);
    ctor_type = ctor == KN_NONE ? KN_NONE : kn_infer(ctx, ctor);
    if (ctor_type == KN_NONE)
        return KN_NONE;
    same = kn_equal(ctx, type, ctor_type);
    return same == KN_YES ? ctor : KN_NONE;
}

/* S.mk params (major.0) (major.1) ... for a structure that is no proposition. */
static kn_ref major_by_eta(struct kn_ctx *ctx, const struct kn_decl *rec, kn_ref major)
{
    const struct kn_decl *inductive = kn_find(ctx, rec->shape->inductive);
    const struct kn_decl *ctor;
    struct kn_spine spine;
    kn_ref type, out;
    enum kn_tri proof;
    uint32_t i;

    if (!kn_is_structure(inductive) || kn_ctor_of(ctx, major))
        return major;
    type = kn_infer(ctx, major);
    if (type == KN_NONE || (type = kn_whnf(ctx, type)) == KN_NONE)
        return KN_NONE;
    spine = kn_spine(ctx, type);
    if (!kn_is(ctx, spine.head, KN_CONST) || kn_at(ctx, spine.head)->a != rec->shape->inductive ||
        spine.n != inductive->shape->n_params)
        return ctx->fault ? KN_NONE : major;
    proof = kn_is_prop(ctx, type);
    if (proof != KN_NO)
        return proof == KN_STOP ? KN_NONE : major;
    ctor = kn_find(ctx, inductive->shape->ctors[0]);
    out = kn_const(ctx, ctor->name, kn_at(ctx, spine.head)->b);
    out = kn_apps(ctx, out, spine.args, spine.n);
    for (i = 0; i < ctor->shape->n_fields && out != KN_NONE; i++)
        out = kn_app(ctx, out, kn_proj(ctx, inductive->name, i, major));
    return out;
}

static kn_ref prepare_major(struct kn_ctx *ctx, const struct kn_decl *rec, kn_ref major)
{
    kn_ref by_k;

    if (rec->k) {
        by_k = major_by_k(ctx, rec, major);
        if (by_k != KN_NONE || ctx->fault)
            return by_k;
    }
    major = kn_whnf(ctx, major);
    if (major == KN_NONE)
        return KN_NONE;
    if (kn_is_nat_literal(ctx, major))
        return kn_nat_as_ctor(ctx, major);
    if (kn_is(ctx, major, KN_STR)) {
        major = kn_string_as_list(ctx, major);
        return major == KN_NONE ? KN_NONE : kn_whnf(ctx, major);
    }
    return major_by_eta(ctx, rec, major);
}

static const struct kn_rule *rule_for(const struct kn_decl *rec, const struct kn_decl *ctor)
{
    uint32_t i;

    for (i = 0; ctor && i < rec->shape->n_rules; i++) {
        if (rec->shape->rules[i].ctor == ctor->name)
            return &rec->shape->rules[i];
    }
    return NULL;
}

static kn_ref apply_rule(struct kn_ctx *ctx, const struct kn_decl *rec, const struct kn_spine *s,
                         kn_ref major)
{
    const struct kn_rule *rule = rule_for(rec, kn_ctor_of(ctx, major));
    const uint32_t n_first = rec->shape->n_params + rec->shape->n_motives + rec->shape->n_minors;
    const uint32_t major_at = n_first + rec->shape->n_indices;
    struct kn_spine m;
    kn_ref *args;
    kn_ref rhs;

    if (!rule)
        return KN_NONE;
    m = kn_spine(ctx, major);
    if (m.n < rule->n_fields || kn_levels_count(ctx, kn_at(ctx, s->head)->b) != rec->n_levels)
        return KN_NONE;
    rhs = kn_substitute_levels(ctx, rule->rhs, rec->levels, rec->n_levels, kn_at(ctx, s->head)->b);
    args = kn_stack_take(ctx, n_first + rule->n_fields + (s->n - major_at - 1));
    if (rhs == KN_NONE || !args)
        return KN_NONE;
    memcpy(args, s->args, n_first * sizeof(*args));
    /* The fields are the last arguments: a nested type's constructor has other parameters. */
    if (rule->n_fields)
        memcpy(args + n_first, m.args + (m.n - rule->n_fields), rule->n_fields * sizeof(*args));
    memcpy(args + n_first + rule->n_fields, s->args + major_at + 1,
           (s->n - major_at - 1) * sizeof(*args));
    return kn_beta(ctx, rhs, args, n_first + rule->n_fields + (s->n - major_at - 1));
}

static kn_ref reduce_rec(struct kn_ctx *ctx, const struct kn_decl *rec, const struct kn_spine *s)
{
    const uint32_t major_at =
        rec->shape->n_params + rec->shape->n_motives + rec->shape->n_minors + rec->shape->n_indices;
    kn_ref major;

    if (!rec->admitted || s->n <= major_at)
        return KN_NONE;
    major = prepare_major(ctx, rec, s->args[major_at]);
    return major == KN_NONE ? KN_NONE : apply_rule(ctx, rec, s, major);
}

/* Quot.lift f h (Quot.mk a) = f a, and the same for Quot.ind. */
static kn_ref reduce_quot(struct kn_ctx *ctx, const struct kn_decl *decl, const struct kn_spine *s)
{
    const uint32_t mk_at = decl->quot == KN_QUOT_LIFT ? 5 : 4;
    struct kn_spine m;
    kn_ref mk;

    if (!decl->admitted || decl->quot < KN_QUOT_LIFT || s->n <= mk_at)
        return KN_NONE;
    mk = kn_whnf(ctx, s->args[mk_at]);
    if (mk == KN_NONE)
        return KN_NONE;
    m = kn_spine(ctx, mk);
    if (!kn_is(ctx, m.head, KN_CONST) ||
        kn_at(ctx, m.head)->a != ctx->env->known[KN_NAME_QUOT_MK] || m.n != 3)
        return KN_NONE;
    return kn_apps(ctx, kn_app(ctx, s->args[3], m.args[2]), s->args + mk_at + 1, s->n - mk_at - 1);
}

/* Weak head normal form without unfolding ----------------------------------------------------- */

static kn_ref reduce_const_app(struct kn_ctx *ctx, const struct kn_spine *s)
{
    const struct kn_decl *decl = kn_find(ctx, kn_at(ctx, s->head)->a);

    if (decl && decl->kind == KN_REC)
        return reduce_rec(ctx, decl, s);
    if (decl && decl->kind == KN_QUOT)
        return reduce_quot(ctx, decl, s);
    return KN_NONE;
}

static bool head_is_inert(const struct kn_ctx *ctx, kn_ref head)
{
    const struct kn_node *n = kn_at(ctx, head);
    const struct kn_decl *decl;

    if (n->kind == KN_LOCAL)
        return true;
    if (n->kind != KN_CONST)
        return false;
    decl = kn_find(ctx, n->a);
    return !decl || (decl->kind != KN_REC && decl->kind != KN_QUOT);
}

/* One step at the head of an application; KN_NONE: none. */
static kn_ref step_app(struct kn_ctx *ctx, kn_ref e, bool cheap)
{
    const struct kn_mark mark = kn_arena_mark(&ctx->stack);
    struct kn_spine s = kn_spine(ctx, e);
    kn_ref head, out = KN_NONE;

    if (ctx->fault)
        return KN_NONE;
    if (kn_is(ctx, s.head, KN_LAM)) {
        out = kn_beta(ctx, s.head, s.args, s.n);
    } else if (kn_is(ctx, s.head, KN_CONST)) {
        out = reduce_const_app(ctx, &s);
    } else {
        head = whnf_core(ctx, s.head, cheap);
        if (head != KN_NONE && head != s.head)
            out = kn_beta(ctx, head, s.args, s.n);
    }
    kn_arena_back(&ctx->stack, mark);
    return out;
}

static kn_ref step_core(struct kn_ctx *ctx, kn_ref e, bool cheap)
{
    const struct kn_node *n = kn_at(ctx, e);

    switch (n->kind) {
    case KN_APP:
        return head_is_inert(ctx, kn_head(ctx, e)) ? KN_NONE : step_app(ctx, e, cheap);
    case KN_LET:
        return kn_instantiate(ctx, kn_rest(ctx, n)->b, &kn_rest(ctx, n)->a, 1);
    case KN_PROJ:
        return reduce_proj(ctx, e, cheap);
    default:
        return KN_NONE;
    }
}

static bool is_core_normal(const struct kn_ctx *ctx, kn_ref e)
{
    const uint8_t kind = kn_at(ctx, e)->kind;

    if (kind == KN_APP)
        return head_is_inert(ctx, kn_head(ctx, e));
    return kind != KN_LET && kind != KN_PROJ;
}

static kn_ref whnf_core(struct kn_ctx *ctx, kn_ref e, bool cheap)
{
    struct kn_mark mark;
    const kn_ref start = e;
    kn_ref next;

    if (is_core_normal(ctx, e))
        return e;
    next = kn_map_get(&ctx->whnf_core, kn_pair(e, cheap));
    if (next != KN_UNKNOWN)
        return next;
    mark = kn_arena_mark(&ctx->stack);
    for (;;) {
        if (!kn_may_go_on(ctx))
            return KN_NONE;
        next = step_core(ctx, e, cheap);
        kn_arena_back(&ctx->stack, mark);
        if (ctx->fault)
            return KN_NONE;
        if (next == KN_NONE)
            break;
        e = next;
    }
    if (!ctx->no_caches)
        (void)kn_map_put(&ctx->whnf_core, kn_pair(start, cheap), e);
    return e;
}

kn_ref kn_whnf_core(struct kn_ctx *ctx, kn_ref e)
{
    return whnf_core(ctx, e, false);
}

kn_ref kn_whnf_core_cheap(struct kn_ctx *ctx, kn_ref e)
{
    return whnf_core(ctx, e, true);
}

/* Unfolding and arithmetic -------------------------------------------------------------------- */

const struct kn_decl *kn_unfoldable(const struct kn_ctx *ctx, kn_ref e)
{
    const struct kn_node *n = kn_at(ctx, kn_head(ctx, e));
    const struct kn_decl *decl;

    if (n->kind != KN_CONST)
        return NULL;
    decl = kn_find(ctx, n->a);
    if (!decl || decl->value == KN_NONE || kn_levels_count(ctx, n->b) != decl->n_levels)
        return NULL;
    return decl;
}

kn_ref kn_unfold(struct kn_ctx *ctx, kn_ref e)
{
    const struct kn_decl *decl = kn_unfoldable(ctx, e);
    const struct kn_mark mark = kn_arena_mark(&ctx->stack);
    struct kn_spine s;
    kn_ref value;

    if (!decl)
        return KN_NONE;
    value = kn_const_value(ctx, decl, kn_head(ctx, e));
    if (value == KN_NONE || !kn_is(ctx, e, KN_APP))
        return value;
    s = kn_spine(ctx, e);
    value = ctx->fault ? KN_NONE : kn_beta(ctx, value, s.args, s.n);
    kn_arena_back(&ctx->stack, mark);
    return value;
}

/* The argument as a literal, KN_NONE if it is none. */
static kn_ref literal_of(struct kn_ctx *ctx, kn_ref e)
{
    const struct kn_node *n;

    if (kn_is_nat_literal(ctx, e))
        return e;
    e = kn_whnf(ctx, e);
    if (e == KN_NONE || kn_is_nat_literal(ctx, e))
        return e;
    n = kn_at(ctx, e);
    if (n->kind == KN_CONST && n->a == ctx->env->known[KN_NAME_NAT_ZERO])
        return kn_nat(ctx, 0);
    return KN_NONE;
}

kn_ref kn_reduce_nat(struct kn_ctx *ctx, kn_ref e, bool open)
{
    const struct kn_node *n = kn_at(ctx, e);
    const struct kn_node *f, *head;
    const struct kn_decl *decl;
    bool unary;
    kn_ref a, b;

    if (n->kind != KN_APP || (n->locals && !open))
        return KN_NONE;
    f = kn_at(ctx, n->a);
    unary = f->kind == KN_CONST;
    head = f->kind == KN_APP ? kn_at(ctx, f->a) : f;
    if (head->kind != KN_CONST)
        return KN_NONE;
    decl = kn_find(ctx, head->a);
    if (!decl || decl->op == KN_OP_NONE)
        return KN_NONE;
    if (unary != (decl->op == KN_OP_SUCC || decl->op == KN_OP_PRED || decl->op == KN_OP_LOG2))
        return KN_NONE;
    a = literal_of(ctx, unary ? n->b : f->b);
    b = a == KN_NONE || unary ? a : literal_of(ctx, n->b);
    return b == KN_NONE ? KN_NONE : kn_nat_compute(ctx, decl->op, a, b);
}

kn_ref kn_whnf(struct kn_ctx *ctx, kn_ref e)
{
    const kn_ref start = e;
    kn_ref next;

    if (is_core_normal(ctx, e) && !kn_unfoldable(ctx, e) && !kn_is(ctx, e, KN_APP))
        return e;
    next = kn_map_get(&ctx->whnf, e);
    if (next != KN_UNKNOWN)
        return next;
    for (;;) {
        if (!kn_may_go_on(ctx))
            return KN_NONE;
        e = whnf_core(ctx, e, false);
        if (e == KN_NONE)
            return KN_NONE;
        next = kn_reduce_nat(ctx, e, false);
        if (next == KN_NONE && !ctx->fault)
            next = kn_unfold(ctx, e);
        if (ctx->fault)
            return KN_NONE;
        if (next == KN_NONE)
            break;
        e = next;
    }
    if (!ctx->no_caches)
        (void)kn_map_put(&ctx->whnf, start, e);
    return e;
}
