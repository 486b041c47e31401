#include "child/kernel/level.h"

/*
 * Levels are small in honest files; the budget on case splits only bounds the
 * time a hostile one can take, and using it up is giving up.
 */
enum { MAX_SPLITS = 1 << 14, MAX_ATOMS = 512, MAX_STEPS = 1 << 22 };

kn_ref kn_level_succ(struct kn_ctx *ctx, kn_ref level)
{
    return kn_make(ctx, KN_SUCC, level, 0);
}

/* succ (succ ... 0): how many; -1 if it is something else. */
static int64_t numeral(const struct kn_ctx *ctx, kn_ref level)
{
    int64_t n = 0;

    for (; kn_at(ctx, level)->kind == KN_SUCC; level = kn_at(ctx, level)->a)
        n++;
    return level == ctx->zero ? n : -1;
}

static bool is_part_of(const struct kn_ctx *ctx, kn_ref a, kn_ref max)
{
    const struct kn_node *n = kn_at(ctx, max);

    return n->kind == KN_MAX && (n->a == a || n->b == a);
}

kn_ref kn_level_max(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    int64_t x, y;

    if (a == KN_NONE || b == KN_NONE)
        return KN_NONE;
    if (a == b || b == ctx->zero || is_part_of(ctx, b, a))
        return a;
    if (a == ctx->zero || is_part_of(ctx, a, b))
        return b;
    x = numeral(ctx, a);
    y = x < 0 ? x : numeral(ctx, b);
    if (y >= 0)
        return x < y ? b : a;
    return kn_make(ctx, KN_MAX, a, b);
}

kn_ref kn_level_imax(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    if (a == KN_NONE || b == KN_NONE)
        return KN_NONE;
    if (b == ctx->zero || a == ctx->zero || a == b)
        return b;
    if (kn_at(ctx, b)->kind == KN_SUCC)
        return kn_level_max(ctx, a, b);
    return kn_make(ctx, KN_IMAX, a, b);
}

/* imax a b with b already without reducible imax: push it down to parameters. */
static kn_ref push_imax(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const struct kn_node *n;

    if (!kn_may_go_on(ctx) || b == KN_NONE)
        return KN_NONE;
    n = kn_at(ctx, b);
    switch (n->kind) {
    case KN_ZERO:
        return b;
    case KN_SUCC:
        return kn_level_max(ctx, a, b);
    case KN_MAX: /* imax a (max x y) = max (imax a x) (imax a y) */
        return kn_level_max(ctx, push_imax(ctx, a, n->a), push_imax(ctx, a, n->b));
    case KN_IMAX: /* imax a (imax x p) = max (imax a p) (imax x p) */
        return kn_level_max(ctx, push_imax(ctx, a, n->b), b);
    default:
        return kn_make(ctx, KN_IMAX, a, b);
    }
}

/* Replace parameter `name` by `value` and bring every imax to the form imax x p. */
static kn_ref simplify(struct kn_ctx *ctx, kn_ref level, kn_name name, kn_ref value)
{
    const struct kn_node *n = kn_at(ctx, level);
    kn_ref a, b;

    if (n->kind == KN_ZERO)
        return level;
    if (!kn_may_go_on(ctx))
        return KN_NONE;
    if (++ctx->level_steps > MAX_STEPS)
        return kn_decline(ctx, "a comparison of universe levels is too large");
    switch (n->kind) {
    case KN_PARAM:
        return n->a == name ? value : level;
    case KN_SUCC:
        a = simplify(ctx, n->a, name, value);
        return a == KN_NONE ? KN_NONE : kn_level_succ(ctx, a);
    default:
        break;
    }
    a = simplify(ctx, n->a, name, value);
    b = a == KN_NONE ? KN_NONE : simplify(ctx, n->b, name, value);
    if (b == KN_NONE)
        return KN_NONE;
    return n->kind == KN_MAX ? kn_level_max(ctx, a, b) : push_imax(ctx, a, b);
}

/* A parameter that an imax of `level` hangs on, or KN_NO_NAME. */
static kn_name blocking_param(const struct kn_ctx *ctx, kn_ref level)
{
    const struct kn_node *n = kn_at(ctx, level);
    kn_name name;

    while (n->kind == KN_SUCC)
        n = kn_at(ctx, n->a);
    if (n->kind == KN_IMAX)
        return kn_at(ctx, n->b)->a;
    if (n->kind != KN_MAX)
        return KN_NONE;
    name = blocking_param(ctx, n->a);
    return name != KN_NONE ? name : blocking_param(ctx, n->b);
}

/* Of a maximum, one per parameter: p + k (name KN_NONE: the constant k). */
struct atom {
    kn_name name;
    uint64_t k;
};

static bool collect(const struct kn_ctx *ctx, kn_ref level, uint64_t k, struct atom *atoms,
                    uint32_t *n_atoms)
{
    const struct kn_node *n = kn_at(ctx, level);
    kn_name name;
    uint32_t i;

    for (; n->kind == KN_SUCC; k++)
        n = kn_at(ctx, n->a);
    if (n->kind == KN_MAX)
        return collect(ctx, n->a, k, atoms, n_atoms) && collect(ctx, n->b, k, atoms, n_atoms);
    name = n->kind == KN_PARAM ? n->a : KN_NONE;
    for (i = 0; i < *n_atoms && atoms[i].name != name; i++)
        continue;
    if (i == MAX_ATOMS)
        return false;
    if (i == *n_atoms)
        atoms[(*n_atoms)++] = (struct atom){ name, k };
    else if (atoms[i].k < k)
        atoms[i].k = k;
    return true;
}

static bool is_covered(const struct atom *atom, const struct atom *by, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        if (by[i].k >= atom->k && (atom->name == KN_NONE || by[i].name == atom->name))
            return true;
    }
    return false;
}

static enum kn_tri compare_atoms(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    struct atom left[MAX_ATOMS], right[MAX_ATOMS];
    uint32_t n_left = 0, n_right = 0, i;

    if (!collect(ctx, a, 0, left, &n_left) || !collect(ctx, b, 0, right, &n_right)) {
        (void)kn_decline(ctx, "a universe level is too large to decide");
        return KN_STOP;
    }
    for (i = 0; i < n_left; i++) {
        /* The constant 0 is below everything. */
        if (left[i].name == KN_NONE && left[i].k == 0)
            continue;
        if (!is_covered(&left[i], right, n_right))
            return KN_NO;
    }
    return KN_YES;
}

/* a and b are simplified. */
static enum kn_tri decide(struct kn_ctx *ctx, kn_ref a, kn_ref b, uint32_t *splits)
{
    kn_name name;
    kn_ref value, a2, b2;
    int i;

    if (a == b || a == ctx->zero)
        return KN_YES;
    if (!kn_may_go_on(ctx))
        return KN_STOP;
    name = blocking_param(ctx, a);
    if (name == KN_NONE)
        name = blocking_param(ctx, b);
    if (name == KN_NONE)
        return compare_atoms(ctx, a, b);
    if (++*splits > MAX_SPLITS) {
        (void)kn_decline(ctx, "a comparison of universe levels has too many cases");
        return KN_STOP;
    }
    for (i = 0; i < 2; i++) {
        enum kn_tri tri;

        value = i ? kn_level_succ(ctx, kn_make(ctx, KN_PARAM, name, 0)) : ctx->zero;
        if (value == KN_NONE)
            return KN_STOP;
        a2 = simplify(ctx, a, name, value);
        b2 = a2 == KN_NONE ? KN_NONE : simplify(ctx, b, name, value);
        tri = b2 == KN_NONE ? KN_STOP : decide(ctx, a2, b2, splits);
        if (tri != KN_YES)
            return tri;
    }
    return KN_YES;
}

enum kn_tri kn_level_le(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const uint64_t key = kn_pair(a, b);
    uint32_t splits = 0;
    uint32_t known;
    enum kn_tri tri;

    if (a == b || a == ctx->zero)
        return KN_YES;
    known = kn_map_get(&ctx->levels_le, key);
    if (known != KN_UNKNOWN)
        return known ? KN_YES : KN_NO;
    ctx->level_steps = 0;
    a = simplify(ctx, a, KN_NO_NAME, KN_NONE);
    b = a == KN_NONE ? KN_NONE : simplify(ctx, b, KN_NO_NAME, KN_NONE);
    tri = b == KN_NONE ? KN_STOP : decide(ctx, a, b, &splits);
    if (tri != KN_STOP && !ctx->no_caches)
        (void)kn_map_put(&ctx->levels_le, key, tri == KN_YES);
    return tri;
}

enum kn_tri kn_level_equal(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    enum kn_tri tri = kn_level_le(ctx, a, b);

    return tri == KN_YES ? kn_level_le(ctx, b, a) : tri;
}

enum kn_tri kn_level_is_zero(struct kn_ctx *ctx, kn_ref level)
{
    return kn_level_le(ctx, level, ctx->zero);
}

enum kn_tri kn_level_is_never_zero(struct kn_ctx *ctx, kn_ref level)
{
    kn_ref one = kn_level_succ(ctx, ctx->zero);

    return one == KN_NONE ? KN_STOP : kn_level_le(ctx, one, level);
}

enum kn_tri kn_levels_equal(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    while (a != b) {
        const struct kn_node *x = kn_at(ctx, a);
        const struct kn_node *y = kn_at(ctx, b);
        enum kn_tri tri;

        if (x->kind != KN_CONS || y->kind != KN_CONS)
            return KN_NO;
        tri = kn_level_equal(ctx, x->a, y->a);
        if (tri != KN_YES)
            return tri;
        a = x->b;
        b = y->b;
    }
    return KN_YES;
}

uint32_t kn_levels_count(const struct kn_ctx *ctx, kn_ref list)
{
    uint32_t n = 0;

    for (; kn_at(ctx, list)->kind == KN_CONS; list = kn_at(ctx, list)->b)
        n++;
    return n;
}

static kn_ref item_for(const struct kn_ctx *ctx, kn_name name, const kn_name *names, uint32_t n,
                       kn_ref list)
{
    uint32_t i;

    for (i = 0; i < n && kn_at(ctx, list)->kind == KN_CONS; i++) {
        if (names[i] == name)
            return kn_at(ctx, list)->a;
        list = kn_at(ctx, list)->b;
    }
    return KN_NONE;
}

kn_ref kn_level_substitute(struct kn_ctx *ctx, kn_ref level, const kn_name *names, uint32_t n,
                           kn_ref list)
{
    const struct kn_node *node = kn_at(ctx, level);
    kn_ref a, b;

    if (!node->has_param)
        return level;
    if (!kn_may_go_on(ctx))
        return KN_NONE;
    if (node->kind == KN_PARAM) {
        a = item_for(ctx, node->a, names, n, list);
        return a == KN_NONE ? level : a;
    }
    a = kn_level_substitute(ctx, node->a, names, n, list);
    if (a == KN_NONE || node->kind == KN_SUCC)
        return a == KN_NONE ? a : kn_level_succ(ctx, a);
    b = kn_level_substitute(ctx, node->b, names, n, list);
    return b == KN_NONE ? b : kn_make(ctx, node->kind, a, b);
}

kn_ref kn_levels_substitute(struct kn_ctx *ctx, kn_ref levels, const kn_name *names, uint32_t n,
                            kn_ref list)
{
    const struct kn_node *node = kn_at(ctx, levels);
    kn_ref a, b;

    if (!node->has_param)
        return levels;
    a = kn_level_substitute(ctx, node->a, names, n, list);
    b = a == KN_NONE ? a : kn_levels_substitute(ctx, node->b, names, n, list);
    return b == KN_NONE ? b : kn_make(ctx, KN_CONS, a, b);
}
