#include "child/kernel/induct.h"

#include "child/kernel/conv.h"
#include "child/kernel/infer.h"
#include "child/kernel/level.h"
#include "child/kernel/reduce.h"

/*
 * Constructors: their fields fit into the universe of the block, the block
 * occurs in them strictly positively, and they end in their type.
 */

static bool is_of_block(const struct kn_flat *flat, kn_name name)
{
    size_t i;

    if (name & KN_SCRATCH)
        return true;
    for (i = 0; i < flat->n_declared; i++) {
        if (flat->types[i].name == name)
            return true;
    }
    return false;
}

static kn_ref stop_at_block(struct kn_ctx *ctx, kn_ref e, void *data)
{
    struct kn_flat *flat = data;
    const struct kn_node *n = kn_at(ctx, e);

    /* Any other reference than e says "found": the list constructor is no expression. */
    return n->kind == KN_CONST && is_of_block(flat, n->a) ? ctx->nil : KN_NONE;
}

/* Replacing every such constant changes the term iff there is one. */
enum kn_tri kn_flat_occurs(struct kn_flat *flat, kn_ref e)
{
    kn_ref out = kn_replace(flat->ctx, e, stop_at_block, flat, false);

    if (out == KN_NONE)
        return KN_STOP;
    return out == e ? KN_NO : KN_YES;
}

/*
 * e is one of the block's types applied to exactly the block's parameters, and
 * to indices in which the block does not occur. Sets *of and *indices.
 */
static enum kn_tri is_valid_occurrence(struct kn_flat *flat, kn_ref e, uint32_t *of,
                                       kn_ref **indices)
{
    struct kn_ctx *ctx = flat->ctx;
    struct kn_spine s = kn_spine(ctx, e);
    const struct kn_node *head = kn_at(ctx, s.head);
    enum kn_tri tri;
    uint32_t i, t;

    if (ctx->fault)
        return KN_STOP;
    for (t = 0; t < flat->n_types; t++) {
        if (head->kind == KN_CONST && flat->types[t].name == head->a)
            break;
    }
    if (t == flat->n_types || s.n != flat->n_params + flat->types[t].n_indices)
        return KN_NO;
    tri = kn_levels_equal(ctx, head->b, flat->level_list);
    for (i = 0; i < flat->n_params && tri == KN_YES; i++)
        tri = kn_equal(ctx, s.args[i], flat->params[i]);
    for (; i < s.n && tri == KN_YES; i++) {
        tri = kn_flat_occurs(flat, s.args[i]);
        if (tri != KN_STOP)
            tri = tri == KN_YES ? KN_NO : KN_YES;
    }
    *of = t;
    *indices = s.n ? s.args + flat->n_params : NULL;
    return tri;
}

/* The field's type is T, or (x : A) -> ... -> T with T of the block: which, and where. */
static bool classify_field(struct kn_flat *flat, struct kn_flat_field *field)
{
    struct kn_ctx *ctx = flat->ctx;
    kn_ref type = kn_whnf(ctx, kn_at(ctx, field->local)->b);
    uint32_t cap = 0;
    enum kn_tri tri;

    field->of = KN_NONE;
    if (type == KN_NONE)
        return false;
    while (kn_is(ctx, type, KN_PI)) {
        kn_ref x = kn_flat_local(flat, kn_at(ctx, type)->a);

        if (field->n_xs == cap) {
            kn_ref *more = kn_stack_take(ctx, cap ? 2 * cap : 4);

            if (!more)
                return false;
            if (cap)
                memcpy(more, field->xs, cap * sizeof(*more));
            field->xs = more;
            cap = cap ? 2 * cap : 4;
        }
        field->xs[field->n_xs++] = x;
        type = x == KN_NONE ? x : kn_instantiate(ctx, kn_at(ctx, type)->b, &x, 1);
        type = type == KN_NONE ? type : kn_whnf(ctx, type);
        if (type == KN_NONE)
            return false;
    }
    field->end = type;
    tri = is_valid_occurrence(flat, type, &field->of, &field->indices);
    if (tri == KN_NO)
        field->of = KN_NONE;
    return tri != KN_STOP;
}

/* Strictly positive: the block occurs at most as the end of the arrows, and validly there. */
static bool check_positivity(struct kn_flat *flat, const struct kn_flat_ctor *c,
                             const struct kn_flat_field *field)
{
    enum kn_tri tri = kn_flat_occurs(flat, kn_at(flat->ctx, field->local)->b);
    uint32_t i;

    if (tri != KN_YES)
        return tri == KN_NO;
    flat->is_recursive = true;
    if (kn_is(flat->ctx, kn_at(flat->ctx, field->local)->b, KN_PI))
        flat->is_reflexive = true;
    for (i = 0; i < field->n_xs; i++) {
        tri = kn_flat_occurs(flat, kn_at(flat->ctx, field->xs[i])->b);
        if (tri == KN_YES)
            return kn_flat_fail(flat, c->real_name, "the type occurs to the left of an arrow");
        if (tri == KN_STOP)
            return false;
    }
    if (field->of != KN_NONE)
        return true;
    /* It may be that reducing made the occurrence go away. */
    tri = kn_flat_occurs(flat, field->end);
    if (tri == KN_YES)
        return kn_flat_fail(flat, c->real_name, "the type occurs where it must not");
    return tri == KN_NO;
}

static bool check_field(struct kn_flat *flat, const struct kn_flat_ctor *c,
                        struct kn_flat_field *field)
{
    struct kn_ctx *ctx = flat->ctx;
    kn_ref level = kn_sort_of(ctx, kn_at(ctx, field->local)->b, false);
    enum kn_tri fits;

    if (level == KN_NONE)
        return false;
    fits = flat->is_prop ? KN_YES : kn_level_le(ctx, level, flat->sort);
    if (fits == KN_NO)
        return kn_flat_fail(flat, c->real_name, "a field lives in a higher universe than the type");
    return fits == KN_YES && classify_field(flat, field) && check_positivity(flat, c, field);
}

static uint32_t count_arrows(const struct kn_ctx *ctx, kn_ref type)
{
    uint32_t n = 0;

    for (; kn_is(ctx, type, KN_PI); type = kn_at(ctx, type)->b)
        n++;
    return n;
}

bool kn_flat_check_ctor(struct kn_flat *flat, struct kn_flat_ctor *c)
{
    struct kn_ctx *ctx = flat->ctx;
    kn_ref type = c->type;
    uint32_t of = 0, i;
    enum kn_tri tri;

    if (count_arrows(ctx, type) < flat->n_params)
        return kn_flat_fail(flat, c->real_name, "the constructor has too few parameters");
    if (!kn_flat_open_params(flat, c->real_name, &type, false))
        return false;
    c->n_fields = count_arrows(ctx, type);
    c->fields = kn_arena_take(&ctx->stack, (c->n_fields + 1) * sizeof(*c->fields));
    if (!c->fields)
        return kn_out_of_memory(ctx) != KN_NONE;
    memset(c->fields, 0, (c->n_fields + 1) * sizeof(*c->fields));
    for (i = 0; i < c->n_fields; i++) {
        struct kn_flat_field *field = &c->fields[i];

        field->local = kn_flat_local(flat, kn_at(ctx, type)->a);
        if (field->local == KN_NONE || !check_field(flat, c, field))
            return false;
        type = kn_instantiate(ctx, kn_at(ctx, type)->b, &field->local, 1);
        if (type == KN_NONE)
            return false;
    }
    tri = is_valid_occurrence(flat, type, &of, &c->indices);
    if (tri == KN_NO || (tri == KN_YES && of != c->of))
        return kn_flat_fail(flat, c->real_name, "the constructor does not end in its type");
    return tri == KN_YES;
}
