#include "child/kernel/ndjson.h"

/*
 * Inductive blocks: types, constructors and recursors in three lists, each
 * entry with members of its own. All of it is what the file says and no more.
 */
#define BIT(member) (UINT32_C(1) << (member))

enum block_member {
    B_ALL,
    B_CIDX,
    B_CTORS,
    B_INDUCT,
    B_IS_REC,
    B_REFLEXIVE,
    B_UNSAFE,
    B_K,
    B_LEVELS,
    B_NAME,
    B_FIELDS,
    B_INDICES,
    B_MINORS,
    B_MOTIVES,
    B_NESTED,
    B_PARAMS,
    B_RULES,
    B_TYPE,
    B_END,
};

static const char *const block_keys[B_END] = {
    "all",       "cidx",       "ctors",       "induct",    "isRec",     "isReflexive",
    "isUnsafe",  "k",          "levelParams", "name",      "numFields", "numIndices",
    "numMinors", "numMotives", "numNested",   "numParams", "rules",     "type",
};

#define TYPE_NEEDS                                                                                 \
    (BIT(B_NAME) | BIT(B_LEVELS) | BIT(B_TYPE) | BIT(B_CTORS) | BIT(B_PARAMS) | BIT(B_INDICES) |   \
     BIT(B_NESTED) | BIT(B_IS_REC) | BIT(B_REFLEXIVE))
#define CTOR_NEEDS                                                                                 \
    (BIT(B_NAME) | BIT(B_LEVELS) | BIT(B_TYPE) | BIT(B_PARAMS) | BIT(B_CIDX) | BIT(B_INDUCT) |     \
     BIT(B_FIELDS))
#define REC_NEEDS                                                                                  \
    (BIT(B_NAME) | BIT(B_LEVELS) | BIT(B_TYPE) | BIT(B_PARAMS) | BIT(B_INDICES) | BIT(B_MOTIVES) | \
     BIT(B_MINORS) | BIT(B_K) | BIT(B_RULES))

/* A member of any of the three, read to where it belongs. */
struct block_entry {
    kn_name name, induct;
    const kn_name *levels, *ctors;
    uint32_t n_levels, n_ctors;
    kn_ref type;
    uint64_t params, indices, nested, cidx, fields, motives, minors;
    bool is_rec, is_unsafe, is_reflexive, k;
    struct kn_given_rule *rules;
    uint32_t n_rules;
};

static bool read_rule(struct kn_reader *r, struct kn_given_rule *rule)
{
    static const char *const keys[] = { "ctor", "nfields", "rhs" };
    struct lwb_bytes key;
    uint32_t seen = 0;
    bool first = true;
    int more;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = kn_which_key(r, key, keys, 3, &seen);

        if (which < 0 || (which == 0 ? !kn_read_name(r, &rule->ctor)
                                     : (which == 1 ? !kn_read_u64(r, &rule->n_fields)
                                                   : !kn_read_expr(r, &rule->rhs))))
            return false;
    }
    return more == 0 && kn_require(r, seen, 7, "a rule");
}

/* Room for one more of `n` items in env->arena, doubled as they grow. */
static bool grow_list(struct kn_reader *r, void *items, uint32_t n, size_t size)
{
    void **list = items;
    void *more;

    if (n & (n - 1)) /* full only at 0, 1, 2, 4, ... */
        return true;
    more = kn_arena_take(&r->env->arena, (n ? 2 * (size_t)n : 1) * size);
    if (!more)
        return kn_read_no_memory(r);
    if (n)
        memcpy(more, *list, n * size);
    *list = more;
    return true;
}

static bool read_rules(struct kn_reader *r, struct block_entry *e)
{
    bool first = true;
    int more;

    while ((more = kn_next_item(r, &first)) == 1) {
        if (!grow_list(r, &e->rules, e->n_rules, sizeof(*e->rules)) ||
            !read_rule(r, &e->rules[e->n_rules++]))
            return false;
    }
    return more == 0;
}

static bool read_block_member(struct kn_reader *r, int which, struct block_entry *e)
{
    uint64_t *const counts[B_END] = {
        [B_PARAMS] = &e->params, [B_INDICES] = &e->indices, [B_NESTED] = &e->nested,
        [B_CIDX] = &e->cidx,     [B_FIELDS] = &e->fields,   [B_MOTIVES] = &e->motives,
        [B_MINORS] = &e->minors,
    };
    bool *const flags[B_END] = {
        [B_IS_REC] = &e->is_rec,
        [B_UNSAFE] = &e->is_unsafe,
        [B_REFLEXIVE] = &e->is_reflexive,
        [B_K] = &e->k,
    };
    const kn_name *all;
    uint32_t n;

    if (counts[which])
        return kn_read_u64(r, counts[which]);
    if (flags[which])
        return kn_read_bool(r, flags[which]);
    switch (which) {
    case B_NAME:
        return kn_read_decl_name(r, &e->name);
    case B_INDUCT:
        return kn_read_name(r, &e->induct);
    case B_LEVELS:
        return kn_read_names(r, &e->levels, &e->n_levels);
    case B_CTORS:
        return kn_read_names(r, &e->ctors, &e->n_ctors);
    case B_ALL:
        return kn_read_names(r, &all, &n);
    case B_TYPE:
        return kn_read_expr(r, &e->type);
    default:
        return read_rules(r, e);
    }
}

static bool read_entry(struct kn_reader *r, uint32_t needed, const char *what,
                       struct block_entry *e)
{
    struct lwb_bytes key;
    uint32_t seen = 0;
    bool first = true;
    int more;

    memset(e, 0, sizeof(*e));
    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = kn_which_key(r, key, block_keys, B_END, &seen);

        if (which < 0)
            return false;
        if (!((needed | BIT(B_ALL) | BIT(B_UNSAFE)) & BIT(which)))
            return kn_unknown(r, "%s with a member \"%s\"", what, block_keys[which]);
        if (!read_block_member(r, which, e))
            return false;
    }
    return more == 0 && kn_require(r, seen, needed, what);
}

static bool read_types(struct kn_reader *r, struct kn_given_block *b)
{
    struct block_entry e;
    bool first = true;
    int more;

    while ((more = kn_next_item(r, &first)) == 1) {
        if (!grow_list(r, &b->types, b->n_types, sizeof(*b->types)) ||
            !read_entry(r, TYPE_NEEDS, "an inductive type", &e))
            return false;
        b->types[b->n_types++] = (struct kn_given_type){
            .name = e.name,
            .type = e.type,
            .n_params = e.params,
            .n_indices = e.indices,
            .n_nested = e.nested,
            .is_rec = e.is_rec,
            .is_reflexive = e.is_reflexive,
            .is_unsafe = e.is_unsafe,
            .levels = e.levels,
            .n_levels = e.n_levels,
            .ctors = e.ctors,
            .n_ctors = e.n_ctors,
        };
    }
    return more == 0;
}

static bool read_ctors(struct kn_reader *r, struct kn_given_block *b)
{
    struct block_entry e;
    bool first = true;
    int more;

    while ((more = kn_next_item(r, &first)) == 1) {
        if (!grow_list(r, &b->ctors, b->n_ctors, sizeof(*b->ctors)) ||
            !read_entry(r, CTOR_NEEDS, "a constructor", &e))
            return false;
        b->ctors[b->n_ctors++] = (struct kn_given_ctor){
            .name = e.name,
            .inductive = e.induct,
            .type = e.type,
            .index = e.cidx,
            .n_params = e.params,
            .n_fields = e.fields,
            .is_unsafe = e.is_unsafe,
            .levels = e.levels,
            .n_levels = e.n_levels,
        };
    }
    return more == 0;
}

static bool read_recs(struct kn_reader *r, struct kn_given_block *b)
{
    struct block_entry e;
    bool first = true;
    int more;

    while ((more = kn_next_item(r, &first)) == 1) {
        if (!grow_list(r, &b->recs, b->n_recs, sizeof(*b->recs)) ||
            !read_entry(r, REC_NEEDS, "a recursor", &e))
            return false;
        b->recs[b->n_recs++] = (struct kn_given_rec){
            .name = e.name,
            .type = e.type,
            .n_params = e.params,
            .n_indices = e.indices,
            .n_motives = e.motives,
            .n_minors = e.minors,
            .k = e.k,
            .is_unsafe = e.is_unsafe,
            .levels = e.levels,
            .n_levels = e.n_levels,
            .rules = e.rules,
            .n_rules = e.n_rules,
        };
    }
    return more == 0;
}

static bool declare_one(struct kn_env *env, enum kn_decl_kind kind, kn_name name,
                        const kn_name *levels, uint32_t n_levels)
{
    struct kn_decl *decl = kn_env_add_decl(env, kind, name);

    if (!decl)
        return false;
    decl->levels = levels;
    decl->n_levels = n_levels;
    return true;
}

static bool declare_block(struct kn_reader *r, const struct kn_given_block *b)
{
    struct kn_env *env = r->env;
    struct kn_item *item = kn_env_add_item(env, KN_INDUCTIVE, r->line);
    bool ok = item != NULL;
    uint32_t i;

    if (!ok)
        return kn_read_no_memory(r);
    item->block = b;
    for (i = 0; i < b->n_types && ok; i++) {
        item->is_unsafe |= b->types[i].is_unsafe;
        ok = declare_one(env, KN_INDUCTIVE, b->types[i].name, b->types[i].levels,
                         b->types[i].n_levels);
    }
    for (i = 0; i < b->n_ctors && ok; i++) {
        item->is_unsafe |= b->ctors[i].is_unsafe;
        ok = declare_one(env, KN_CTOR, b->ctors[i].name, b->ctors[i].levels, b->ctors[i].n_levels);
    }
    for (i = 0; i < b->n_recs && ok; i++) {
        item->is_unsafe |= b->recs[i].is_unsafe;
        ok = declare_one(env, KN_REC, b->recs[i].name, b->recs[i].levels, b->recs[i].n_levels);
    }
    return ok ? true : kn_read_no_memory(r);
}

bool kn_read_block(struct kn_reader *r)
{
    static const char *const keys[] = { "types",         "ctors",           "recs",
                                        "inductiveVals", "constructorVals", "recursorVals" };
    struct kn_given_block *b = kn_arena_take(&r->env->arena, sizeof(*b));
    struct lwb_bytes key;
    uint32_t seen = 0;
    bool first = true, ok;
    int more;

    if (!b)
        return kn_read_no_memory(r);
    memset(b, 0, sizeof(*b));
    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = kn_which_key(r, key, keys, 6, &seen);

        if (which < 0)
            return false;
        if (which >= 3 && (seen & BIT(which - 3)))
            return kn_malformed(r, "the key \"%s\" stands there twice", keys[which - 3]);
        seen |= BIT(which % 3);
        ok = which % 3 == 0 ? read_types(r, b)
                            : (which % 3 == 1 ? read_ctors(r, b) : read_recs(r, b));
        if (!ok)
            return false;
    }
    if (more < 0 || !kn_require(r, seen, 7, "an inductive block"))
        return false;
    if (b->n_types == 0)
        return kn_malformed(r, "an inductive block without types");
    return declare_block(r, b);
}
