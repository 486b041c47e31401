#include "child/kernel/expr.h"

#include <assert.h>

#include "child/kernel/level.h"

kn_ref kn_app(struct kn_ctx *ctx, kn_ref f, kn_ref arg)
{
    return f == KN_NONE || arg == KN_NONE ? KN_NONE : kn_make(ctx, KN_APP, f, arg);
}

kn_ref kn_apps(struct kn_ctx *ctx, kn_ref f, const kn_ref *args, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n && f != KN_NONE; i++)
        f = kn_app(ctx, f, args[i]);
    return f;
}

kn_ref kn_const(struct kn_ctx *ctx, kn_name name, kn_ref levels)
{
    return levels == KN_NONE ? KN_NONE : kn_make(ctx, KN_CONST, name, levels);
}

kn_ref kn_sort(struct kn_ctx *ctx, kn_ref level)
{
    return level == KN_NONE ? KN_NONE : kn_make(ctx, KN_SORT, level, 0);
}

kn_ref kn_pi(struct kn_ctx *ctx, kn_ref type, kn_ref body)
{
    return type == KN_NONE || body == KN_NONE ? KN_NONE : kn_make(ctx, KN_PI, type, body);
}

kn_ref kn_lam(struct kn_ctx *ctx, kn_ref type, kn_ref body)
{
    return type == KN_NONE || body == KN_NONE ? KN_NONE : kn_make(ctx, KN_LAM, type, body);
}

kn_ref kn_let(struct kn_ctx *ctx, kn_ref type, kn_ref value, kn_ref body)
{
    kn_ref rest;

    if (type == KN_NONE || value == KN_NONE || body == KN_NONE)
        return KN_NONE;
    rest = kn_make(ctx, KN_REST, value, body);
    return rest == KN_NONE ? KN_NONE : kn_make(ctx, KN_LET, type, rest);
}

kn_ref kn_proj(struct kn_ctx *ctx, kn_name structure, uint32_t field, kn_ref value)
{
    kn_ref which = value == KN_NONE ? KN_NONE : kn_make(ctx, KN_FIELD, structure, field);

    return which == KN_NONE ? KN_NONE : kn_make(ctx, KN_PROJ, value, which);
}

kn_ref kn_nat(struct kn_ctx *ctx, uint64_t value)
{
    return kn_make(ctx, KN_NAT, (uint32_t)value, (uint32_t)(value >> 32));
}

kn_ref *kn_stack_take(struct kn_ctx *ctx, size_t n)
{
    kn_ref *out = kn_arena_take(&ctx->stack, (n ? n : 1) * sizeof(*out));

    if (!out)
        (void)kn_out_of_memory(ctx);
    return out;
}

kn_ref kn_head(const struct kn_ctx *ctx, kn_ref e)
{
    while (kn_at(ctx, e)->kind == KN_APP)
        e = kn_at(ctx, e)->a;
    return e;
}

uint32_t kn_n_args(const struct kn_ctx *ctx, kn_ref e)
{
    uint32_t n = 0;

    for (; kn_at(ctx, e)->kind == KN_APP; e = kn_at(ctx, e)->a)
        n++;
    return n;
}

struct kn_spine kn_spine(struct kn_ctx *ctx, kn_ref e)
{
    struct kn_spine spine = { .n = kn_n_args(ctx, e) };
    uint32_t i = spine.n;

    spine.args = spine.n ? kn_stack_take(ctx, spine.n) : NULL;
    if (!spine.args)
        spine.n = i = 0;
    for (; i > 0; e = kn_at(ctx, e)->a)
        spine.args[--i] = kn_at(ctx, e)->b;
    spine.head = kn_head(ctx, e);
    return spine;
}

static bool is_small(const struct kn_node *n)
{
    return n->kind == KN_BVAR || n->kind == KN_LOCAL || n->kind == KN_SORT || n->kind == KN_CONST;
}

/*
 * The traversals below remember what they did with a shared subterm under the
 * same number of binders: without that, a term whose tree is exponentially
 * larger than its graph would take exponential time.
 */
typedef kn_ref (*rebuild)(struct kn_ctx *ctx, kn_ref e, uint32_t under, void *data);

static kn_ref rebuild_parts(struct kn_ctx *ctx, kn_ref e, uint32_t under, rebuild fn, void *data)
{
    const struct kn_node *n = kn_at(ctx, e);
    const bool binds = n->kind == KN_LAM || n->kind == KN_PI || n->kind == KN_REST;
    kn_ref a, b;

    switch (n->kind) {
    case KN_APP:
    case KN_LAM:
    case KN_PI:
    case KN_LET:
    case KN_REST:
    case KN_PROJ:
        a = fn(ctx, n->a, under, data);
        if (a == KN_NONE)
            return KN_NONE;
        b = fn(ctx, n->b, under + binds, data);
        if (b == KN_NONE)
            return KN_NONE;
        return a == n->a && b == n->b ? e : kn_make(ctx, n->kind, a, b);
    default:
        return e;
    }
}

static kn_ref rebuild_once(struct kn_ctx *ctx, kn_ref e, uint32_t under, rebuild fn, void *data)
{
    const uint64_t key = kn_pair(e, under);
    kn_ref out = kn_map_get(&ctx->memo, key);

    if (out != KN_UNKNOWN)
        return out;
    if (!kn_may_go_on(ctx))
        return KN_NONE;
    out = rebuild_parts(ctx, e, under, fn, data);
    if (out != KN_NONE)
        (void)kn_map_put(&ctx->memo, key, out);
    return out;
}

struct values {
    const kn_ref *refs;
    uint32_t n;
};

static kn_ref instantiate(struct kn_ctx *ctx, kn_ref e, uint32_t under, void *data)
{
    const struct kn_node *n = kn_at(ctx, e);
    const struct values *values = data;

    if (n->loose <= under)
        return e;
    if (n->kind != KN_BVAR)
        return rebuild_once(ctx, e, under, instantiate, data);
    if (n->a - under < values->n)
        return values->refs[values->n - 1 - (n->a - under)];
    return kn_make(ctx, KN_BVAR, n->a - values->n, 0);
}

kn_ref kn_instantiate(struct kn_ctx *ctx, kn_ref e, const kn_ref *values, uint32_t n)
{
    struct values data = { values, n };

    if (e == KN_NONE || n == 0 || kn_at(ctx, e)->loose == 0)
        return e;
    if (!is_small(kn_at(ctx, e)))
        kn_map_clear(&ctx->memo);
    return instantiate(ctx, e, 0, &data);
}

kn_ref kn_beta(struct kn_ctx *ctx, kn_ref f, const kn_ref *args, uint32_t n)
{
    uint32_t i = 0;

    while (i < n && f != KN_NONE && kn_at(ctx, f)->kind == KN_LAM) {
        uint32_t first = i;

        for (; i < n && kn_at(ctx, f)->kind == KN_LAM; i++)
            f = kn_at(ctx, f)->b;
        f = kn_instantiate(ctx, f, args + first, i - first);
    }
    return kn_apps(ctx, f, args + i, n - i);
}

struct locals {
    const kn_ref *refs;
    uint32_t n;
    uint32_t lowest; /* number among them */
};

static kn_ref abstract(struct kn_ctx *ctx, kn_ref e, uint32_t under, void *data)
{
    const struct kn_node *n = kn_at(ctx, e);
    const struct locals *locals = data;
    uint32_t i;

    if (n->locals <= locals->lowest)
        return e;
    if (n->kind != KN_LOCAL)
        return rebuild_once(ctx, e, under, abstract, data);
    for (i = 0; i < locals->n; i++) {
        if (locals->refs[locals->n - 1 - i] == e)
            return kn_make(ctx, KN_BVAR, i + under, 0);
    }
    return e;
}

kn_ref kn_abstract(struct kn_ctx *ctx, kn_ref e, const kn_ref *locals, uint32_t n)
{
    struct locals data = { locals, n, UINT32_MAX };
    uint32_t i;

    if (e == KN_NONE || n == 0 || kn_at(ctx, e)->locals == 0)
        return e;
    for (i = 0; i < n; i++) {
        if (kn_at(ctx, locals[i])->a < data.lowest)
            data.lowest = kn_at(ctx, locals[i])->a;
    }
    if (!is_small(kn_at(ctx, e)))
        kn_map_clear(&ctx->memo);
    return abstract(ctx, e, 0, &data);
}

static kn_ref close(struct kn_ctx *ctx, enum kn_kind kind, kn_ref e, const kn_ref *locals,
                    uint32_t n)
{
    e = kn_abstract(ctx, e, locals, n);
    while (n > 0 && e != KN_NONE) {
        kn_ref type = kn_abstract(ctx, kn_at(ctx, locals[n - 1])->b, locals, n - 1);

        n--;
        e = type == KN_NONE ? KN_NONE : kn_make(ctx, kind, type, e);
    }
    return e;
}

kn_ref kn_close_pi(struct kn_ctx *ctx, kn_ref e, const kn_ref *locals, uint32_t n)
{
    return close(ctx, KN_PI, e, locals, n);
}

kn_ref kn_close_lam(struct kn_ctx *ctx, kn_ref e, const kn_ref *locals, uint32_t n)
{
    return close(ctx, KN_LAM, e, locals, n);
}

kn_ref kn_local(struct kn_ctx *ctx, uint32_t number, kn_ref type)
{
    return type == KN_NONE ? KN_NONE : kn_make(ctx, KN_LOCAL, number, type);
}

struct level_values {
    const kn_name *names;
    uint32_t n;
    kn_ref list;
};

static kn_ref substitute_levels(struct kn_ctx *ctx, kn_ref e, uint32_t under, void *data)
{
    const struct kn_node *n = kn_at(ctx, e);
    const struct level_values *v = data;
    kn_ref level;

    if (!n->has_param)
        return e;
    if (n->kind == KN_SORT) {
        level = kn_level_substitute(ctx, n->a, v->names, v->n, v->list);
        return kn_sort(ctx, level);
    }
    if (n->kind == KN_CONST) {
        level = kn_levels_substitute(ctx, n->b, v->names, v->n, v->list);
        return kn_const(ctx, n->a, level);
    }
    if (n->kind == KN_LOCAL) /* its type is fixed: terms of declarations have none */
        return e;
    /* The number of binders does not matter here: one result per subterm. */
    (void)under;
    return rebuild_once(ctx, e, 0, substitute_levels, data);
}

kn_ref kn_substitute_levels(struct kn_ctx *ctx, kn_ref e, const kn_name *names, uint32_t n,
                            kn_ref list)
{
    struct level_values data = { names, n, list };

    if (e == KN_NONE || n == 0 || !kn_at(ctx, e)->has_param)
        return e;
    if (!is_small(kn_at(ctx, e)))
        kn_map_clear(&ctx->memo);
    return substitute_levels(ctx, e, 0, &data);
}

struct replacement {
    kn_replacer fn;
    void *data;
    bool into_locals;
};

static kn_ref replace(struct kn_ctx *ctx, kn_ref e, uint32_t under, void *data)
{
    const struct replacement *r = data;
    kn_ref out = kn_map_get(&ctx->memo_replace, kn_pair(e, 0));

    (void)under;
    if (out != KN_UNKNOWN)
        return out;
    if (!kn_may_go_on(ctx))
        return KN_NONE;
    out = r->fn(ctx, e, r->data);
    if (out == KN_NONE && ctx->fault == KN_FINE) {
        if (r->into_locals && kn_is(ctx, e, KN_LOCAL)) {
            kn_ref type = replace(ctx, kn_at(ctx, e)->b, 0, data);

            out = kn_local(ctx, kn_at(ctx, e)->a, type);
        } else {
            out = rebuild_parts(ctx, e, 0, replace, data);
        }
    }
    if (out != KN_NONE)
        (void)kn_map_put(&ctx->memo_replace, kn_pair(e, 0), out);
    return out;
}

kn_ref kn_replace(struct kn_ctx *ctx, kn_ref e, kn_replacer fn, void *data, bool into_locals)
{
    struct replacement r = { fn, data, into_locals };

    if (e == KN_NONE)
        return e;
    kn_map_clear(&ctx->memo_replace);
    return replace(ctx, e, 0, &r);
}
