#include "child/kernel/cases.h"

#include "child/kernel/conv.h"
#include "child/kernel/infer.h"
#include "child/kernel/reduce.h"

enum { FIRST_LOCAL = 100, MAX_DEPTH = 40 }; /* locals of the term itself are below */

struct walk {
    bool (*fits)(struct kn_ctx *ctx, const struct kn_case *c, void *data);
    void *data;
    const struct kn_decl *decidable, *acc; /* NULL: the file's is not the real one */
    uint32_t next_local;
};

/* Where a term is stuck: the recursor application there and what it waits for. */
struct stuck {
    kn_ref major, type;
    const struct kn_decl *of; /* the inductive type */
};

/* The real ones ------------------------------------------------------------------------------- */

static kn_ref var(struct kn_ctx *ctx, uint32_t index)
{
    return kn_make(ctx, KN_BVAR, index, 0);
}

static kn_ref prop(struct kn_ctx *ctx)
{
    return kn_sort(ctx, ctx->zero);
}

static const struct kn_decl *inductive(struct kn_ctx *ctx, const char *name, uint32_t n_params,
                                       uint32_t n_indices, uint32_t n_ctors)
{
    const struct kn_decl *decl =
        kn_env_find(ctx->env, kn_name_find(&ctx->env->names, KN_ANONYMOUS, name));

    return decl && decl->kind == KN_INDUCTIVE && decl->admitted &&
                   decl->shape->n_params == n_params && decl->shape->n_indices == n_indices &&
                   decl->shape->n_ctors == n_ctors
               ? decl
               : NULL;
}

static bool has_type(struct kn_ctx *ctx, kn_name name, kn_ref type)
{
    const struct kn_decl *decl = kn_env_find(ctx->env, name);

    return decl && decl->admitted && type != KN_NONE && kn_equal(ctx, decl->type, type) == KN_YES;
}

static bool is_real_false(struct kn_ctx *ctx, const struct kn_decl *decl)
{
    return decl && decl->n_levels == 0 && decl->type == prop(ctx);
}

/* Prop -> Type with isFalse : (p -> False) -> Decidable p and isTrue : p -> Decidable p. */
static const struct kn_decl *real_decidable(struct kn_ctx *ctx)
{
    const struct kn_decl *decl = inductive(ctx, "Decidable", 1, 0, 2);
    const struct kn_decl *empty = inductive(ctx, "False", 0, 0, 0);
    kn_ref type, self, refuted;

    if (!decl || decl->n_levels || !is_real_false(ctx, empty))
        return NULL;
    type = kn_sort(ctx, kn_make(ctx, KN_SUCC, ctx->zero, 0));
    self = kn_app(ctx, kn_const(ctx, decl->name, ctx->nil), var(ctx, 1));
    refuted = kn_pi(ctx, var(ctx, 0), kn_const(ctx, empty->name, ctx->nil));
    if (!has_type(ctx, decl->name, kn_pi(ctx, prop(ctx), type)) ||
        !has_type(ctx, decl->shape->ctors[0], kn_pi(ctx, prop(ctx), kn_pi(ctx, refuted, self))) ||
        !has_type(ctx, decl->shape->ctors[1], kn_pi(ctx, prop(ctx), kn_pi(ctx, var(ctx, 0), self))))
        return NULL;
    return decl;
}

/* {α} (r : α -> α -> Prop) : α -> Prop with intro x : ((y : α) -> r y x -> Acc r y) -> Acc r x. */
static const struct kn_decl *real_acc(struct kn_ctx *ctx)
{
    const struct kn_decl *decl = inductive(ctx, "Acc", 2, 1, 1);
    kn_ref self, sort, relation, below, body, less;

    if (!decl || decl->n_levels != 1)
        return NULL;
    self = kn_const(ctx, decl->name, kn_param_levels(ctx, decl->levels, 1));
    sort = kn_sort(ctx, kn_make(ctx, KN_PARAM, decl->levels[0], 0));
    relation = kn_pi(ctx, var(ctx, 0), kn_pi(ctx, var(ctx, 1), prop(ctx)));
    if (!has_type(ctx, decl->name,
                  kn_pi(ctx, sort, kn_pi(ctx, relation, kn_pi(ctx, var(ctx, 1), prop(ctx))))))
        return NULL;
    /* Under α r x, then y, then y < x. */
    less = kn_app(ctx, kn_app(ctx, var(ctx, 2), var(ctx, 0)), var(ctx, 1));
    below = kn_app(ctx, kn_app(ctx, kn_app(ctx, self, var(ctx, 4)), var(ctx, 3)), var(ctx, 1));
    below = kn_pi(ctx, var(ctx, 2), kn_pi(ctx, less, below));
    body = kn_app(ctx, kn_app(ctx, kn_app(ctx, self, var(ctx, 3)), var(ctx, 2)), var(ctx, 1));
    body = kn_pi(ctx, var(ctx, 1), kn_pi(ctx, below, body));
    return has_type(ctx, decl->shape->ctors[0], kn_pi(ctx, sort, kn_pi(ctx, relation, body)))
               ? decl
               : NULL;
}

/* Finding and filling the gap ----------------------------------------------------------------- */

static const struct kn_decl *recursor(const struct kn_ctx *ctx, kn_ref e, uint32_t *major_at)
{
    kn_ref head = kn_head(ctx, e);
    const struct kn_decl *rec =
        kn_is(ctx, head, KN_CONST) ? kn_find(ctx, kn_at(ctx, head)->a) : NULL;

    if (!rec || rec->kind != KN_REC)
        return NULL;
    *major_at =
        rec->shape->n_params + rec->shape->n_motives + rec->shape->n_minors + rec->shape->n_indices;
    return kn_n_args(ctx, e) > *major_at ? rec : NULL;
}

static kn_ref argument(const struct kn_ctx *ctx, kn_ref e, uint32_t index)
{
    uint32_t back = kn_n_args(ctx, e) - 1 - index;

    for (; back > 0; back--)
        e = kn_at(ctx, e)->a;
    return kn_at(ctx, e)->b;
}

static kn_ref with_argument(struct kn_ctx *ctx, kn_ref e, uint32_t index, kn_ref arg)
{
    const struct kn_mark mark = kn_arena_mark(&ctx->stack);
    struct kn_spine s = kn_spine(ctx, e);
    kn_ref out = KN_NONE;

    if (s.args) {
        s.args[index] = arg;
        out = kn_apps(ctx, s.head, s.args, s.n);
    }
    kn_arena_back(&ctx->stack, mark);
    return out;
}

/* The outermost gap that can be filled, in a term in weak head normal form. */
static bool find_gap(struct kn_ctx *ctx, const struct walk *w, kn_ref e, struct stuck *out,
                     int depth)
{
    kn_ref head = kn_head(ctx, e);
    uint32_t at;
    const struct kn_decl *rec;

    if (depth > MAX_DEPTH)
        return false;
    if (kn_is(ctx, head, KN_PROJ)) {
        e = kn_whnf(ctx, kn_at(ctx, head)->a);
        return e != KN_NONE && find_gap(ctx, w, e, out, depth + 1);
    }
    rec = recursor(ctx, e, &at);
    if (!rec)
        return false;
    out->major = argument(ctx, e, at);
    out->of = kn_find(ctx, rec->shape->inductive);
    if (out->of && (out->of == w->decidable || out->of == w->acc)) {
        out->type = kn_infer(ctx, out->major);
        out->type = out->type == KN_NONE ? KN_NONE : kn_whnf(ctx, out->type);
        return out->type != KN_NONE &&
               kn_n_args(ctx, out->type) == out->of->shape->n_params + out->of->shape->n_indices;
    }
    e = kn_whnf(ctx, out->major);
    return e != KN_NONE && find_gap(ctx, w, e, out, depth + 1);
}

/* The same walk, with `filler` put into the gap. */
static kn_ref fill(struct kn_ctx *ctx, kn_ref e, const struct stuck *gap, kn_ref filler)
{
    const struct kn_mark mark = kn_arena_mark(&ctx->stack);
    kn_ref head = kn_head(ctx, e), inner;
    struct kn_spine s;
    uint32_t at;

    if (kn_is(ctx, head, KN_PROJ)) {
        const struct kn_node *n = kn_at(ctx, head);

        inner = kn_whnf(ctx, n->a);
        inner = inner == KN_NONE ? KN_NONE : fill(ctx, inner, gap, filler);
        s = kn_spine(ctx, e);
        inner =
            kn_apps(ctx, kn_proj(ctx, kn_rest(ctx, n)->a, kn_rest(ctx, n)->b, inner), s.args, s.n);
        kn_arena_back(&ctx->stack, mark);
        return ctx->fault ? KN_NONE : inner;
    }
    if (!recursor(ctx, e, &at))
        return KN_NONE;
    inner = argument(ctx, e, at);
    if (inner == gap->major)
        return with_argument(ctx, e, at, filler);
    inner = kn_whnf(ctx, inner);
    inner = inner == KN_NONE ? KN_NONE : fill(ctx, inner, gap, filler);
    return inner == KN_NONE ? KN_NONE : with_argument(ctx, e, at, inner);
}

/* The constructor applied to the arguments of the type and one new local for its last field. */
static kn_ref construct(struct kn_ctx *ctx, struct walk *w, const struct stuck *gap, uint32_t ctor)
{
    const uint32_t n = kn_n_args(ctx, gap->type);
    kn_ref term, type;
    uint32_t i;

    term = kn_const(ctx, gap->of->shape->ctors[ctor], kn_at(ctx, kn_head(ctx, gap->type))->b);
    for (i = 0; i < n; i++)
        term = kn_app(ctx, term, argument(ctx, gap->type, i));
    type = term == KN_NONE ? KN_NONE : kn_infer(ctx, term);
    type = type == KN_NONE ? KN_NONE : kn_whnf(ctx, type);
    if (type == KN_NONE || !kn_is(ctx, type, KN_PI))
        return KN_NONE;
    return kn_app(ctx, term, kn_local(ctx, w->next_local++, kn_at(ctx, type)->a));
}

/* The walk ------------------------------------------------------------------------------------ */

static bool follow(struct kn_ctx *ctx, struct walk *w, struct kn_case *c, kn_ref term, bool in_acc);

/* One side of a decision; a fact that is known already is not asked again. */
static bool decide(struct kn_ctx *ctx, struct walk *w, struct kn_case *c, const struct stuck *gap,
                   bool in_acc)
{
    const kn_ref stuck = c->value;
    kn_ref about = kn_at(ctx, gap->type)->b;
    uint32_t i, side;
    bool ok = true;

    for (i = 0; i < c->n; i++) {
        if (kn_equal(ctx, c->facts[i].prop, about) == KN_YES)
            break;
    }
    if (i == KN_FACTS || ctx->fault)
        return false;
    for (side = 0; side < 2 && ok; side++) {
        struct kn_case branch = *c;
        kn_ref term;

        if (i < c->n && c->facts[i].holds != (side == 1))
            continue;
        if (i == c->n)
            branch.facts[branch.n++] = (struct kn_fact){ about, side == 1 };
        term = construct(ctx, w, gap, side);
        term = term == KN_NONE ? KN_NONE : fill(ctx, stuck, gap, term);
        ok = term != KN_NONE && follow(ctx, w, &branch, term, in_acc);
    }
    return ok;
}

static bool follow(struct kn_ctx *ctx, struct walk *w, struct kn_case *c, kn_ref term, bool in_acc)
{
    struct stuck gap;

    c->value = kn_may_go_on(ctx) ? kn_whnf(ctx, term) : KN_NONE;
    if (c->value == KN_NONE)
        return false;
    /* Recursion that computes by itself may have come to the next call already. */
    if (w->fits(ctx, c, w->data))
        return !ctx->fault;
    if (ctx->fault || !find_gap(ctx, w, c->value, &gap, 0))
        return false;
    if (gap.of == w->decidable)
        return decide(ctx, w, c, &gap, in_acc);
    term = in_acc ? KN_NONE : construct(ctx, w, &gap, 0);
    term = term == KN_NONE ? KN_NONE : fill(ctx, c->value, &gap, term);
    return term != KN_NONE && follow(ctx, w, c, term, true);
}

bool kn_all_cases(struct kn_ctx *ctx, kn_ref term,
                  bool (*fits)(struct kn_ctx *ctx, const struct kn_case *c, void *data), void *data)
{
    struct walk w = { .fits = fits,
                      .data = data,
                      .decidable = real_decidable(ctx),
                      .acc = real_acc(ctx),
                      .next_local = FIRST_LOCAL };
    struct kn_case c = { .n = 0 };

    return term != KN_NONE && follow(ctx, &w, &c, term, false);
}
