#include "child/kernel/infer.h"

#include "child/kernel/conv.h"
#include "child/kernel/level.h"
#include "child/kernel/nat.h"
#include "child/kernel/reduce.h"

static kn_ref infer(struct kn_ctx *ctx, kn_ref e, bool check);

kn_ref kn_sort_of(struct kn_ctx *ctx, kn_ref type, bool check)
{
    kn_ref sort = infer(ctx, type, check);

    if (sort != KN_NONE && !kn_is(ctx, sort, KN_SORT))
        sort = kn_whnf(ctx, sort);
    if (sort == KN_NONE)
        return KN_NONE;
    if (!kn_is(ctx, sort, KN_SORT))
        return kn_reject(ctx, "a term is used as a type, but its type is no sort");
    return kn_at(ctx, sort)->a;
}

enum kn_tri kn_is_prop(struct kn_ctx *ctx, kn_ref type)
{
    kn_ref level = kn_sort_of(ctx, type, false);

    return level == KN_NONE ? KN_STOP : kn_level_is_zero(ctx, level);
}

bool kn_is_never_proof(struct kn_ctx *ctx, kn_ref e)
{
    const struct kn_node *n = kn_at(ctx, e);
    const struct kn_decl *decl;
    uint32_t n_args = 0;

    switch (n->kind) {
    case KN_SORT:
    case KN_PI:
    case KN_NAT:
    case KN_BIG:
    case KN_STR:
        return true;
    case KN_APP:
    case KN_CONST:
        break;
    default:
        return false;
    }
    for (; n->kind == KN_APP; n = kn_at(ctx, n->a))
        n_args++;
    decl = n->kind == KN_CONST ? kn_find(ctx, n->a) : NULL;
    return decl && decl->never_proof && n_args <= decl->arity;
}

static kn_ref infer_const(struct kn_ctx *ctx, kn_ref e)
{
    const struct kn_node *n = kn_at(ctx, e);
    const struct kn_decl *decl = kn_find(ctx, n->a);
    struct kn_shown shown;
    kn_ref type;

    if (!decl || !decl->admitted)
        return kn_reject(ctx, "unknown constant %s", kn_show(ctx, n->a, &shown));
    type = kn_const_type(ctx, decl, e);
    if (type == KN_NONE && !ctx->fault)
        return kn_reject(ctx, "%s takes %u universe levels, %u are given",
                         kn_show(ctx, n->a, &shown), decl->n_levels, kn_levels_count(ctx, n->b));
    return type;
}

static bool is_eager(const struct kn_ctx *ctx, kn_ref arg)
{
    const struct kn_node *n = kn_at(ctx, arg);

    if (n->kind != KN_APP || kn_at(ctx, n->a)->kind != KN_APP)
        return false;
    n = kn_at(ctx, kn_at(ctx, n->a)->a);
    return n->kind == KN_CONST && n->a == ctx->env->known[KN_NAME_EAGER_REDUCE];
}

static const char *describe_head(const struct kn_ctx *ctx, kn_ref e, struct kn_shown *out)
{
    const struct kn_node *n = kn_at(ctx, kn_head(ctx, e));

    return n->kind == KN_CONST ? kn_show(ctx, n->a, out) : "a function";
}

static bool argument_fits(struct kn_ctx *ctx, kn_ref head, uint32_t index, kn_ref arg,
                          kn_ref domain)
{
    const bool outer = ctx->eager;
    kn_ref type = infer(ctx, arg, true);
    struct kn_shown shown;
    enum kn_tri same;

    if (type == KN_NONE || domain == KN_NONE)
        return false;
    ctx->eager = outer || is_eager(ctx, arg);
    same = kn_equal(ctx, type, domain);
    ctx->eager = outer;
    if (same == KN_NO)
        (void)kn_reject(ctx, "argument %u of %s has the wrong type", index + 1,
                        describe_head(ctx, head, &shown));
    return same == KN_YES;
}

static kn_ref infer_spine(struct kn_ctx *ctx, const struct kn_spine *s, bool check)
{
    kn_ref type = infer(ctx, s->head, check);
    uint32_t first = 0; /* the arguments from here on are not in `type` yet */
    uint32_t i;

    for (i = 0; i < s->n && type != KN_NONE; i++) {
        const struct kn_node *n = kn_at(ctx, type);
        struct kn_shown shown;

        if (n->kind != KN_PI) {
            type = kn_instantiate(ctx, type, s->args + first, i - first);
            type = type == KN_NONE ? type : kn_whnf(ctx, type);
            if (type == KN_NONE)
                return KN_NONE;
            first = i;
            n = kn_at(ctx, type);
            if (n->kind != KN_PI)
                return kn_reject(ctx, "%s is applied to too many arguments",
                                 describe_head(ctx, s->head, &shown));
        }
        if (check && !argument_fits(ctx, s->head, i, s->args[i],
                                    kn_instantiate(ctx, n->a, s->args + first, i - first)))
            return KN_NONE;
        type = n->b;
    }
    return kn_instantiate(ctx, type, s->args + first, s->n - first);
}

static kn_ref infer_app(struct kn_ctx *ctx, kn_ref e, bool check)
{
    const struct kn_mark mark = kn_arena_mark(&ctx->stack);
    struct kn_spine s = kn_spine(ctx, e);
    kn_ref type = ctx->fault ? KN_NONE : infer_spine(ctx, &s, check);

    kn_arena_back(&ctx->stack, mark);
    return type;
}

static uint32_t count_binders(const struct kn_ctx *ctx, kn_ref e, enum kn_kind kind)
{
    uint32_t n = 0;

    for (; kn_at(ctx, e)->kind == kind; e = kn_at(ctx, e)->b)
        n++;
    return n;
}

/*
 * Open the binders of e into locals[0..n) and return the body. For each, the
 * type is verified to be one and its level stored where that is asked for.
 */
static kn_ref open_binders(struct kn_ctx *ctx, kn_ref e, kn_ref *locals, uint32_t n, kn_ref *levels,
                           bool check)
{
    const uint32_t number = kn_at(ctx, e)->locals;
    uint32_t i;

    for (i = 0; i < n; i++, e = kn_at(ctx, e)->b) {
        kn_ref type = kn_instantiate(ctx, kn_at(ctx, e)->a, locals, i);

        if (type == KN_NONE)
            return KN_NONE;
        if (levels || check) {
            kn_ref level = kn_sort_of(ctx, type, check);

            if (level == KN_NONE)
                return KN_NONE;
            if (levels)
                levels[i] = level;
        }
        locals[i] = kn_local(ctx, number + i, type);
        if (locals[i] == KN_NONE)
            return KN_NONE;
    }
    return kn_instantiate(ctx, e, locals, n);
}

/* Put the binder types of the first n binders of `e` back around `body`. */
static kn_ref rebind(struct kn_ctx *ctx, kn_ref e, uint32_t n, kn_ref body)
{
    if (n == 0 || body == KN_NONE)
        return body;
    if (!kn_may_go_on(ctx))
        return KN_NONE;
    return kn_pi(ctx, kn_at(ctx, e)->a, rebind(ctx, kn_at(ctx, e)->b, n - 1, body));
}

static kn_ref infer_lam(struct kn_ctx *ctx, kn_ref e, bool check)
{
    const struct kn_mark mark = kn_arena_mark(&ctx->stack);
    const uint32_t n = count_binders(ctx, e, KN_LAM);
    kn_ref *locals = kn_stack_take(ctx, n);
    kn_ref body = locals ? open_binders(ctx, e, locals, n, NULL, check) : KN_NONE;
    kn_ref type = body == KN_NONE ? KN_NONE : infer(ctx, body, check);

    type = kn_abstract(ctx, type, locals, n);
    kn_arena_back(&ctx->stack, mark);
    return rebind(ctx, e, n, type);
}

static kn_ref infer_pi(struct kn_ctx *ctx, kn_ref e, bool check)
{
    const struct kn_mark mark = kn_arena_mark(&ctx->stack);
    uint32_t n = count_binders(ctx, e, KN_PI);
    kn_ref *locals = kn_stack_take(ctx, 2 * (size_t)n);
    kn_ref body = locals ? open_binders(ctx, e, locals, n, locals + n, check) : KN_NONE;
    kn_ref level = body == KN_NONE ? KN_NONE : kn_sort_of(ctx, body, check);
    uint32_t i;

    for (i = n; i > 0 && level != KN_NONE; i--)
        level = kn_level_imax(ctx, locals[n + i - 1], level);
    kn_arena_back(&ctx->stack, mark);
    return kn_sort(ctx, level);
}

static kn_ref infer_let(struct kn_ctx *ctx, kn_ref e, bool check)
{
    const struct kn_node *n = kn_at(ctx, e), *rest = kn_rest(ctx, n);

    if (check) {
        kn_ref type;
        enum kn_tri same;

        if (kn_sort_of(ctx, n->a, true) == KN_NONE)
            return KN_NONE;
        type = infer(ctx, rest->a, true);
        same = type == KN_NONE ? KN_STOP : kn_equal(ctx, type, n->a);
        if (same == KN_NO)
            return kn_reject(ctx, "the value of a let has another type than it says");
        if (same == KN_STOP)
            return KN_NONE;
    }
    e = kn_instantiate(ctx, rest->b, &rest->a, 1);
    return e == KN_NONE ? KN_NONE : infer(ctx, e, check);
}

/* Strip one arrow off `type`, or fail: constructor types are arrows by admission. */
static const struct kn_node *next_arrow(struct kn_ctx *ctx, kn_ref *type)
{
    if (*type != KN_NONE && !kn_is(ctx, *type, KN_PI))
        *type = kn_whnf(ctx, *type);
    if (*type == KN_NONE)
        return NULL;
    if (!kn_is(ctx, *type, KN_PI)) {
        (void)kn_reject(ctx, "a projection has no such field");
        return NULL;
    }
    return kn_at(ctx, *type);
}

/* Data must not flow out of a proposition: neither the field nor what its type depends on. */
static bool may_project(struct kn_ctx *ctx, bool from_prop, kn_ref field_type)
{
    enum kn_tri tri = from_prop ? kn_is_prop(ctx, field_type) : KN_YES;

    if (tri == KN_NO)
        (void)kn_reject(ctx, "a projection takes data out of a proposition");
    return tri == KN_YES;
}

static kn_ref field_type(struct kn_ctx *ctx, kn_ref e, kn_ref ctor_type, bool from_prop)
{
    const struct kn_node *n = kn_at(ctx, e), *field = kn_rest(ctx, n);
    kn_ref type = ctor_type;
    const struct kn_node *arrow;
    uint32_t i;

    for (i = 0; i < field->b; i++) {
        kn_ref value;

        arrow = next_arrow(ctx, &type);
        if (!arrow)
            return KN_NONE;
        type = arrow->b;
        if (kn_at(ctx, type)->loose == 0)
            continue;
        if (!may_project(ctx, from_prop, arrow->a))
            return KN_NONE;
        value = kn_proj(ctx, field->a, i, n->a);
        type = value == KN_NONE ? KN_NONE : kn_instantiate(ctx, type, &value, 1);
    }
    arrow = next_arrow(ctx, &type);
    return arrow && may_project(ctx, from_prop, arrow->a) ? arrow->a : KN_NONE;
}

static const struct kn_decl *structure_of(struct kn_ctx *ctx, kn_ref e, const struct kn_spine *s)
{
    const struct kn_node *field = kn_rest(ctx, kn_at(ctx, e));
    const struct kn_decl *decl = kn_find(ctx, field->a);
    struct kn_shown shown;

    if (!kn_is(ctx, s->head, KN_CONST) || kn_at(ctx, s->head)->a != field->a || !decl ||
        decl->kind != KN_INDUCTIVE || decl->shape->n_ctors != 1 || decl->shape->n_indices != 0 ||
        s->n != decl->shape->n_params) {
        (void)kn_reject(ctx,
                        "a projection of %s is applied to something else, or %s is no "
                        "structure",
                        kn_show(ctx, field->a, &shown), shown.text);
        return NULL;
    }
    decl = kn_find(ctx, decl->shape->ctors[0]);
    if (!decl || !decl->admitted || field->b >= decl->shape->n_fields) {
        (void)kn_reject(ctx, "a projection names field %u of %s, which has fewer", field->b,
                        kn_show(ctx, field->a, &shown));
        return NULL;
    }
    return decl;
}

static kn_ref infer_proj(struct kn_ctx *ctx, kn_ref e, bool check)
{
    const struct kn_mark mark = kn_arena_mark(&ctx->stack);
    kn_ref type = infer(ctx, kn_at(ctx, e)->a, check);
    const struct kn_decl *ctor;
    struct kn_spine s;
    enum kn_tri from_prop;
    kn_ref r;
    uint32_t i;

    if (type == KN_NONE || (type = kn_whnf(ctx, type)) == KN_NONE)
        return KN_NONE;
    s = kn_spine(ctx, type);
    ctor = ctx->fault ? NULL : structure_of(ctx, e, &s);
    if (!ctor)
        return KN_NONE;
    from_prop = kn_is_prop(ctx, type);
    r = kn_const(ctx, ctor->name, kn_at(ctx, s.head)->b);
    if (from_prop == KN_STOP || r == KN_NONE)
        return KN_NONE;
    r = infer_const(ctx, r);
    for (i = 0; i < s.n && r != KN_NONE; i++) {
        const struct kn_node *arrow = next_arrow(ctx, &r);

        r = arrow ? kn_instantiate(ctx, arrow->b, &s.args[i], 1) : KN_NONE;
    }
    kn_arena_back(&ctx->stack, mark);
    return r == KN_NONE ? KN_NONE : field_type(ctx, e, r, from_prop == KN_YES);
}

static kn_ref infer_literal(struct kn_ctx *ctx, kn_ref e)
{
    const bool text = kn_is(ctx, e, KN_STR);
    const struct kn_env *env = ctx->env;

    if ((text ? env->string_item : env->nat_item) == KN_NONE)
        return kn_reject(ctx, "a %s literal, but no %s is declared that fits",
                         text ? "string" : "natural", text ? "String" : "Nat");
    return kn_const(ctx, env->known[text ? KN_NAME_STRING : KN_NAME_NAT], ctx->nil);
}

static kn_ref infer_anew(struct kn_ctx *ctx, kn_ref e, bool check)
{
    switch (kn_at(ctx, e)->kind) {
    case KN_SORT:
        return kn_sort(ctx, kn_level_succ(ctx, kn_at(ctx, e)->a));
    case KN_CONST:
        return infer_const(ctx, e);
    case KN_APP:
        return infer_app(ctx, e, check);
    case KN_LAM:
        return infer_lam(ctx, e, check);
    case KN_PI:
        return infer_pi(ctx, e, check);
    case KN_LET:
        return infer_let(ctx, e, check);
    case KN_PROJ:
        return infer_proj(ctx, e, check);
    case KN_NAT:
    case KN_BIG:
    case KN_STR:
        return infer_literal(ctx, e);
    default:
        return kn_reject(ctx, "a loose bound variable");
    }
}

static kn_ref infer(struct kn_ctx *ctx, kn_ref e, bool check)
{
    const struct kn_node *n = kn_at(ctx, e);
    kn_ref type;

    if (n->kind == KN_LOCAL)
        return n->b;
    if (n->kind == KN_CONST)
        return infer_const(ctx, e);
    type = kn_map_get(&ctx->types[1], e);
    if (type == KN_UNKNOWN && !check)
        type = kn_map_get(&ctx->types[0], e);
    if (type != KN_UNKNOWN)
        return type;
    if (!kn_may_go_on(ctx))
        return KN_NONE;
    if (n->loose)
        return kn_reject(ctx, "a loose bound variable");
    type = infer_anew(ctx, e, check);
    if (type != KN_NONE && !ctx->no_caches)
        (void)kn_map_put(&ctx->types[check], e, type);
    return type;
}

kn_ref kn_check(struct kn_ctx *ctx, kn_ref e)
{
    return infer(ctx, e, true);
}

kn_ref kn_infer(struct kn_ctx *ctx, kn_ref e)
{
    return infer(ctx, e, false);
}
