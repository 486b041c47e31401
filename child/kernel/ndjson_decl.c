#include "child/kernel/ndjson.h"

/*
 * Declarations. What the file says is laid down as it is; admit.c and what it
 * calls decide what to make of it.
 */
bool kn_read_decl_name(struct kn_reader *r, kn_name *out)
{
    if (!kn_read_name(r, out))
        return false;
    return *out != KN_ANONYMOUS ? true : kn_malformed(r, "a declaration without a name");
}

static bool add(struct kn_reader *r, enum kn_decl_kind kind, kn_name name, struct kn_decl **out)
{
    if (!kn_env_add_item(r->env, kind, r->line))
        return kn_read_no_memory(r);
    *out = kn_env_add_decl(r->env, kind, name);
    return *out ? true : kn_read_no_memory(r);
}

static bool read_quot_kind(struct kn_reader *r, uint8_t *out)
{
    static const char *const kinds[] = { "type", "ctor", "lift", "ind" };
    struct lwb_bytes text;

    if (!kn_read_string(r, &text))
        return false;
    for (*out = 0; *out < LWB_COUNT(kinds); ++*out) {
        if (lwb_bytes_is(text, kinds[*out]))
            return true;
    }
    return kn_unknown(r, "an unknown kind of quotient constant");
}

/* "opaque", "abbrev" or {"regular":n}: steers the order of unfolding, never a verdict. */
static bool read_hints(struct kn_reader *r, struct kn_decl *out)
{
    static const char *const keys[] = { "regular" };
    struct lwb_bytes text;
    uint32_t seen = 0;
    uint64_t height = 0;
    bool first = true;
    int more;

    if (kn_peek(r, '"')) {
        if (!kn_read_string(r, &text))
            return false;
        if (!lwb_bytes_is(text, "opaque") && !lwb_bytes_is(text, "abbrev"))
            return kn_unknown(r, "an unknown hint");
        out->hint = lwb_bytes_is(text, "abbrev") ? KN_HINT_ABBREV : KN_HINT_OPAQUE;
        return true;
    }
    while ((more = kn_next_key(r, &first, &text)) == 1) {
        if (kn_which_key(r, text, keys, 1, &seen) < 0 || !kn_read_u64(r, &height))
            return false;
    }
    out->hint = KN_HINT_REGULAR;
    out->height = height < UINT32_MAX ? (uint32_t)height : UINT32_MAX;
    return more == 0 && kn_require(r, seen, 1, "a hint");
}

static bool read_safety(struct kn_reader *r, struct kn_item *item)
{
    struct lwb_bytes text;

    if (!kn_read_string(r, &text))
        return false;
    item->is_unsafe = lwb_bytes_is(text, "unsafe");
    item->is_partial = lwb_bytes_is(text, "partial");
    if (!item->is_unsafe && !item->is_partial && !lwb_bytes_is(text, "safe"))
        return kn_unknown(r, "an unknown safety");
    return true;
}

enum member {
    M_ALL,
    M_HINTS,
    M_UNSAFE,
    M_KIND,
    M_LEVELS,
    M_NAME,
    M_SAFETY,
    M_TYPE,
    M_VALUE,
    M_END,
};

static const char *const member_keys[M_END] = {
    "all", "hints", "isUnsafe", "kind", "levelParams", "name", "safety", "type", "value",
};

#define BIT(member) (UINT32_C(1) << (member))

/* What each kind of record must have, and what it may have beside that. */
static const struct {
    const char *what;
    enum kn_decl_kind kind;
    uint32_t needed, allowed;
} shapes[] = {
    [KN_RECORD_AXIOM] = { "an axiom", KN_AXIOM, BIT(M_NAME) | BIT(M_LEVELS) | BIT(M_TYPE),
                          BIT(M_UNSAFE) },
    [KN_RECORD_DEF] = { "a definition", KN_DEFINITION,
                        BIT(M_NAME) | BIT(M_LEVELS) | BIT(M_TYPE) | BIT(M_VALUE) | BIT(M_HINTS) |
                            BIT(M_SAFETY),
                        BIT(M_ALL) },
    [KN_RECORD_THM] = { "a theorem", KN_THEOREM,
                        BIT(M_NAME) | BIT(M_LEVELS) | BIT(M_TYPE) | BIT(M_VALUE), BIT(M_ALL) },
    [KN_RECORD_OPAQUE] = { "an opaque constant", KN_OPAQUE,
                           BIT(M_NAME) | BIT(M_LEVELS) | BIT(M_TYPE) | BIT(M_VALUE),
                           BIT(M_ALL) | BIT(M_UNSAFE) },
    [KN_RECORD_QUOT] = { "a quotient constant", KN_QUOT,
                         BIT(M_NAME) | BIT(M_LEVELS) | BIT(M_TYPE) | BIT(M_KIND), 0 },
};

static bool read_member(struct kn_reader *r, int which, struct kn_decl *decl, struct kn_item *item)
{
    const kn_name *all;
    uint32_t n;

    switch (which) {
    case M_NAME:
        return kn_read_decl_name(r, &decl->name);
    case M_LEVELS:
        return kn_read_names(r, &decl->levels, &decl->n_levels);
    case M_TYPE:
        return kn_read_expr(r, &decl->type);
    case M_UNSAFE:
        return kn_read_bool(r, &item->is_unsafe);
    case M_VALUE:
        return kn_read_expr(r, &decl->body);
    case M_ALL:
        return kn_read_names(r, &all, &n);
    case M_HINTS:
        return read_hints(r, decl);
    case M_SAFETY:
        return read_safety(r, item);
    default:
        return read_quot_kind(r, &decl->quot);
    }
}

static bool read_simple(struct kn_reader *r, enum kn_record record)
{
    struct kn_decl given = { .hint = KN_HINT_OPAQUE, .type = KN_NONE, .body = KN_NONE };
    struct kn_item flags = { .line = 0 };
    struct kn_decl *decl = NULL;
    struct lwb_bytes key;
    uint32_t seen = 0;
    bool first = true;
    int more;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = kn_which_key(r, key, member_keys, M_END, &seen);

        if (which < 0)
            return false;
        if (!((shapes[record].needed | shapes[record].allowed) & BIT(which)))
            return kn_unknown(r, "%s with a member \"%s\"", shapes[record].what,
                              member_keys[which]);
        if (!read_member(r, which, &given, &flags))
            return false;
    }
    if (more < 0 || !kn_require(r, seen, shapes[record].needed, shapes[record].what) ||
        !add(r, shapes[record].kind, given.name, &decl) || !decl)
        return false;
    decl->levels = given.levels;
    decl->n_levels = given.n_levels;
    decl->type = given.type;
    decl->body = given.body;
    decl->value = record == KN_RECORD_DEF || record == KN_RECORD_THM ? given.body : KN_NONE;
    decl->hint = given.hint;
    decl->height = given.height;
    decl->quot = given.quot;
    r->env->items[r->env->n_items - 1].is_unsafe = flags.is_unsafe;
    r->env->items[r->env->n_items - 1].is_partial = flags.is_partial;
    return true;
}

bool kn_read_decl(struct kn_reader *r, enum kn_record record)
{
    return record == KN_RECORD_INDUCTIVE ? kn_read_block(r) : read_simple(r, record);
}
