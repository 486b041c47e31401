#include "child/kernel/conv.h"
#include "child/kernel/induct.h"
#include "child/kernel/infer.h"
#include "child/kernel/level.h"

/*
 * For the types T_1 .. T_n of a flat block with constructors c_1 .. c_m:
 *
 *     T_i.rec : params (motive_1) .. (motive_n) (minor_1) .. (minor_m)
 *               indices (t : T_i params indices) -> motive_i indices t
 *     motive_i : indices (t : T_i params indices) -> Sort elim
 *     minor_c  : fields (ih for each recursive field) -> motive_i indices (c params fields)
 *     T_i.rec params motives minors indices (c params fields)
 *         = minor_c fields (fun xs => T_j.rec params motives minors indices' (field xs)) ..
 *
 * The motives of auxiliary types follow those of the declared ones; their
 * recursors are called T_1.rec_1, T_1.rec_2, and so on.
 */
static bool fail(struct kn_flat *flat, kn_name name, const char *what)
{
    struct kn_shown shown;

    (void)kn_reject(flat->ctx, "%s: %s", kn_show(flat->ctx, name, &shown), what);
    return false;
}

/* A list of locals being put together; the room is there from the start. */
struct list {
    kn_ref *refs;
    uint32_t n;
};

static void append(struct list *list, const kn_ref *refs, uint32_t n)
{
    if (n)
        memcpy(list->refs + list->n, refs, n * sizeof(*refs));
    list->n += n;
}

static kn_ref restored_pi(struct kn_flat *flat, kn_ref body, struct list *locals)
{
    uint32_t i;

    body = body == KN_NONE ? body : kn_flat_restore(flat, body);
    for (i = 0; i < locals->n && body != KN_NONE; i++) {
        locals->refs[i] = kn_flat_restore(flat, locals->refs[i]);
        if (locals->refs[i] == KN_NONE)
            return KN_NONE;
    }
    return body;
}

static bool make_motives(struct kn_flat *flat)
{
    struct kn_ctx *ctx = flat->ctx;
    size_t i;

    for (i = 0; i < flat->n_types; i++) {
        struct kn_flat_type *t = &flat->types[i];
        kn_ref major = kn_flat_local(flat, kn_apps(ctx, t->self, t->indices, t->n_indices));
        kn_ref type;

        if (major == KN_NONE)
            return false;
        type = kn_close_pi(ctx, kn_sort(ctx, flat->elim), &major, 1);
        type = kn_close_pi(ctx, type, t->indices, t->n_indices);
        t->motive = kn_flat_local(flat, type);
        if (t->motive == KN_NONE)
            return false;
    }
    return true;
}

/* fun xs => value over the binders of a recursive field; as a type, with arrows. */
static kn_ref over_xs(struct kn_flat *flat, const struct kn_flat_field *field, kn_ref value,
                      bool as_type)
{
    return as_type ? kn_close_pi(flat->ctx, value, field->xs, field->n_xs)
                   : kn_close_lam(flat->ctx, value, field->xs, field->n_xs);
}

static kn_ref hypothesis_type(struct kn_flat *flat, const struct kn_flat_field *field)
{
    struct kn_ctx *ctx = flat->ctx;
    const struct kn_flat_type *t = &flat->types[field->of];
    kn_ref value = kn_apps(ctx, field->local, field->xs, field->n_xs);
    kn_ref type = kn_apps(ctx, t->motive, field->indices, t->n_indices);

    return over_xs(flat, field, kn_app(ctx, type, value), true);
}

static kn_ref *field_locals(struct kn_flat *flat, const struct kn_flat_ctor *c)
{
    kn_ref *locals = kn_stack_take(flat->ctx, c->n_fields);
    uint32_t i;

    for (i = 0; locals && i < c->n_fields; i++)
        locals[i] = c->fields[i].local;
    return locals;
}

static bool make_minor(struct kn_flat *flat, struct kn_flat_ctor *c)
{
    struct kn_ctx *ctx = flat->ctx;
    const struct kn_flat_type *t = &flat->types[c->of];
    kn_ref *fields = field_locals(flat, c);
    kn_ref *hypotheses = kn_stack_take(ctx, c->n_fields);
    uint32_t n = 0, i;
    kn_ref type;

    if (!fields || !hypotheses)
        return false;
    for (i = 0; i < c->n_fields; i++) {
        if (c->fields[i].of == KN_NONE)
            continue;
        hypotheses[n] = kn_flat_local(flat, hypothesis_type(flat, &c->fields[i]));
        if (hypotheses[n++] == KN_NONE)
            return false;
    }
    type = kn_apps(ctx, t->motive, c->indices, t->n_indices);
    type = kn_app(ctx, type, kn_apps(ctx, c->self, fields, c->n_fields));
    type = kn_close_pi(ctx, type, hypotheses, n);
    type = kn_close_pi(ctx, type, fields, c->n_fields);
    c->minor = kn_flat_local(flat, type);
    return c->minor != KN_NONE;
}

/* params, motives and minors in order. */
static bool first_locals(struct kn_flat *flat, struct list *list, size_t extra)
{
    size_t i;

    list->n = 0;
    list->refs = kn_stack_take(flat->ctx, flat->n_params + flat->n_types + flat->n_ctors + extra);
    if (!list->refs)
        return false;
    append(list, flat->params, flat->n_params);
    for (i = 0; i < flat->n_types; i++)
        append(list, &flat->types[i].motive, 1);
    for (i = 0; i < flat->n_ctors; i++)
        append(list, &flat->ctors[i].minor, 1);
    return true;
}

static kn_ref rec_type(struct kn_flat *flat, const struct kn_flat_type *t)
{
    struct kn_ctx *ctx = flat->ctx;
    kn_ref major = kn_flat_local(flat, kn_apps(ctx, t->self, t->indices, t->n_indices));
    struct list all;
    kn_ref type;

    if (major == KN_NONE || !first_locals(flat, &all, t->n_indices + 1))
        return KN_NONE;
    append(&all, t->indices, t->n_indices);
    append(&all, &major, 1);
    type = kn_app(ctx, kn_apps(ctx, t->motive, t->indices, t->n_indices), major);
    type = restored_pi(flat, type, &all);
    return kn_close_pi(ctx, type, all.refs, all.n);
}

static kn_ref rec_levels(struct kn_flat *flat)
{
    if (!flat->large)
        return flat->level_list;
    return kn_make(flat->ctx, KN_CONS, flat->elim, flat->level_list);
}

static kn_ref hypothesis_value(struct kn_flat *flat, const struct kn_flat_field *field,
                               const struct list *first)
{
    struct kn_ctx *ctx = flat->ctx;
    const struct kn_flat_type *t = &flat->types[field->of];
    kn_ref rec = kn_const(ctx, t->rec, rec_levels(flat));

    rec = kn_apps(ctx, rec, first->refs, first->n);
    rec = kn_apps(ctx, rec, field->indices, t->n_indices);
    rec = kn_app(ctx, rec, kn_apps(ctx, field->local, field->xs, field->n_xs));
    return over_xs(flat, field, rec, false);
}

/* The right side of a rule, and the type it must have: that of the left side. */
struct rule_terms {
    kn_ref rhs, type;
};

static bool make_rule(struct kn_flat *flat, const struct kn_flat_ctor *c, struct rule_terms *out)
{
    struct kn_ctx *ctx = flat->ctx;
    const struct kn_flat_type *t = &flat->types[c->of];
    kn_ref *fields = field_locals(flat, c);
    struct list all;
    kn_ref rhs, type;
    uint32_t i;

    if (!fields || !first_locals(flat, &all, c->n_fields))
        return false;
    rhs = kn_apps(ctx, c->minor, fields, c->n_fields);
    for (i = 0; i < c->n_fields; i++) {
        if (c->fields[i].of != KN_NONE)
            rhs = kn_app(ctx, rhs, hypothesis_value(flat, &c->fields[i], &all));
    }
    type = kn_apps(ctx, t->motive, c->indices, t->n_indices);
    type = kn_app(ctx, type, kn_apps(ctx, c->self, fields, c->n_fields));
    append(&all, fields, c->n_fields);
    type = type == KN_NONE ? type : kn_flat_restore(flat, type);
    rhs = restored_pi(flat, rhs, &all);
    out->rhs = kn_close_lam(ctx, rhs, all.refs, all.n);
    out->type = kn_close_pi(ctx, type, all.refs, all.n);
    return out->rhs != KN_NONE && out->type != KN_NONE;
}

/* Comparing with the file --------------------------------------------------------------------- */

static bool is_same(struct kn_flat *flat, kn_name name, kn_ref derived, kn_ref given,
                    const char *what)
{
    enum kn_tri same = derived == given ? KN_YES : KN_NO;

    if (same == KN_NO) {
        /* Convertible will do: nothing of the file's version is used. */
        if (kn_check(flat->ctx, given) == KN_NONE)
            return false;
        same = kn_equal(flat->ctx, derived, given);
    }
    if (same == KN_NO)
        return fail(flat, name, what);
    return same == KN_YES;
}

static const struct kn_given_rec *given_rec(const struct kn_flat *flat, kn_name name)
{
    uint32_t i;

    for (i = 0; i < flat->given->n_recs; i++) {
        if (flat->given->recs[i].name == name)
            return &flat->given->recs[i];
    }
    return NULL;
}

static bool is_k(const struct kn_flat *flat)
{
    return flat->is_prop && flat->n_types == 1 && flat->n_ctors == 1 &&
           flat->ctors[0].n_fields == 0;
}

static bool numbers_agree(struct kn_flat *flat, const struct kn_flat_type *t,
                          const struct kn_given_rec *given)
{
    uint32_t n_levels = flat->n_levels + flat->large;

    if (given->n_params != flat->n_params || given->n_indices != t->n_indices ||
        given->n_motives != flat->n_types || given->n_minors != flat->n_ctors)
        return fail(flat, given->name, "the file states other counts than the recursor has");
    if (given->k != is_k(flat))
        return fail(flat, given->name, "the file states wrongly whether K holds");
    if (given->n_rules != t->n_ctors)
        return fail(flat, given->name, "the file states another number of rules");
    if (given->n_levels != n_levels || (flat->large && given->levels[0] != flat->elim_name) ||
        (flat->n_levels && memcmp(given->levels + flat->large, flat->levels,
                                  flat->n_levels * sizeof(*flat->levels)) != 0))
        return fail(flat, given->name,
                    "the file states other universe parameters: may the "
                    "type be eliminated into every sort?");
    return true;
}

/* The name of the motives' level is the file's choice, as long as it is new. */
static bool choose_elim(struct kn_flat *flat)
{
    struct kn_ctx *ctx = flat->ctx;
    const struct kn_given_rec *given = given_rec(flat, flat->types[0].rec);
    uint32_t i;

    flat->elim = ctx->zero;
    flat->elim_name = KN_NO_NAME;
    if (!flat->large)
        return true;
    if (!given || given->n_levels == 0)
        return fail(flat, flat->types[0].name, "the recursor is missing or lacks a universe");
    flat->elim_name = given->levels[0];
    for (i = 0; i < flat->n_levels; i++) {
        if (flat->levels[i] == flat->elim_name)
            return fail(flat, given->name, "a universe parameter is declared twice");
    }
    flat->elim = kn_make(ctx, KN_PARAM, flat->elim_name, 0);
    return flat->elim != KN_NONE;
}

static bool admit_rules(struct kn_flat *flat, const struct kn_flat_type *t,
                        const struct kn_given_rec *given)
{
    struct kn_ctx *ctx = flat->ctx;
    struct kn_decl *decl = kn_env_find(ctx->env, t->rec);
    struct kn_rule *rules = kn_arena_take(&ctx->env->arena, (t->n_ctors + 1) * sizeof(*rules));
    struct kn_shape shape = *decl->shape;
    uint32_t i;

    if (!rules)
        return kn_out_of_memory(ctx) != KN_NONE;
    for (i = 0; i < t->n_ctors; i++) {
        const struct kn_flat_ctor *c = &flat->ctors[t->first + i];
        const struct kn_given_rule *stated = &given->rules[i];
        struct rule_terms terms;
        kn_ref type;

        if (stated->ctor != c->real_name || stated->n_fields != c->n_fields)
            return fail(flat, t->rec, "a rule is for another constructor or number of fields");
        if (!make_rule(flat, c, &terms))
            return false;
        /* A rule that does not keep the type would be a mistake of ours, not of the file. */
        type = kn_check(ctx, terms.rhs);
        if (type == KN_NONE || kn_equal(ctx, type, terms.type) != KN_YES) {
            ctx->fault = KN_FINE;
            return kn_decline(ctx, "a derived rule does not keep the type") != KN_NONE;
        }
        if (!is_same(flat, t->rec, terms.rhs, stated->rhs, "a rule differs from the derived one"))
            return false;
        rules[i] = (struct kn_rule){ c->real_name, c->n_fields, kn_make_lasting(ctx, terms.rhs) };
        if (rules[i].rhs == KN_NONE)
            return false;
    }
    shape.rules = rules;
    shape.n_rules = t->n_ctors;
    return kn_env_set_shape(ctx->env, decl, &shape) || kn_out_of_memory(ctx) != KN_NONE;
}

/* The type first, for all recursors: the rules of one mention the others. */
static bool admit_rec_type(struct kn_flat *flat, const struct kn_flat_type *t)
{
    struct kn_ctx *ctx = flat->ctx;
    const struct kn_given_rec *given = given_rec(flat, t->rec);
    struct kn_decl *decl = kn_env_find(ctx->env, t->rec);
    struct kn_shape shape = { .n_params = 0 };
    kn_ref type;

    if (!given || !decl || decl->kind != KN_REC)
        return fail(flat, flat->types[0].name, "a recursor is missing");
    if (!numbers_agree(flat, t, given))
        return false;
    type = rec_type(flat, t);
    if (type == KN_NONE || kn_sort_of(ctx, type, true) == KN_NONE)
        return false;
    if (!is_same(flat, t->rec, type, given->type, "its type differs from the derived one"))
        return false;
    decl->type = kn_make_lasting(ctx, type);
    decl->k = is_k(flat);
    shape.n_params = flat->n_params;
    shape.n_motives = (uint32_t)flat->n_types;
    shape.n_minors = (uint32_t)flat->n_ctors;
    shape.n_indices = t->n_indices;
    /* What the major premise is of: for an auxiliary type, the container. */
    shape.inductive = kn_at(ctx, kn_head(ctx, t->nested == KN_NONE ? t->self : t->nested))->a;
    if (!kn_env_set_shape(ctx->env, decl, &shape))
        (void)kn_out_of_memory(ctx);
    return decl->type != KN_NONE && ctx->fault == KN_FINE;
}

bool kn_flat_admit_recursors(struct kn_flat *flat)
{
    struct kn_ctx *ctx = flat->ctx;
    size_t i;

    if (flat->given->n_recs != flat->n_types)
        return fail(flat, flat->types[0].name, "the block has another number of recursors");
    if (!choose_elim(flat) || !make_motives(flat))
        return false;
    for (i = 0; i < flat->n_ctors; i++) {
        if (!make_minor(flat, &flat->ctors[i]))
            return false;
    }
    for (i = 0; i < flat->n_types; i++) {
        if (!admit_rec_type(flat, &flat->types[i]))
            return false;
    }
    for (i = 0; i < flat->n_types; i++)
        kn_env_find(ctx->env, flat->types[i].rec)->admitted = true;
    for (i = 0; i < flat->n_types; i++) {
        if (!admit_rules(flat, &flat->types[i], given_rec(flat, flat->types[i].rec)))
            return false;
    }
    return true;
}
