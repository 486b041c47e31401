#include "child/kernel/ndjson.h"

/*
 * The exporter's own spelling: no blanks, keys sorted (or the index first).
 * Nine lines in ten of a real export are an application, a binder, a constant
 * or a variable in that form, and are read here by comparing with it. Whatever
 * differs in any byte is left to the general reader, which starts the line
 * anew: nothing is changed before a line was understood as a whole.
 */
struct cursor {
    const char *at, *end;
};

static inline bool take(struct cursor *c, const char *text, size_t n)
{
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, text, n) != 0)
        return false;
    c->at += n;
    return true;
}

#define TAKE(c, text) take((c), (text), sizeof(text) - 1)

/* Up to 9 digits, which is more than any real index has; no leading zero. */
static inline bool take_number(struct cursor *c, uint32_t *out)
{
    const char *start = c->at;
    uint32_t value = 0;

    while (c->at < c->end && (unsigned char)(*c->at - '0') < 10)
        value = value * 10 + (uint32_t)(*c->at++ - '0');
    *out = value;
    return c->at > start && c->at - start < 10 && (*start != '0' || c->at - start == 1);
}

/* A reference to what is defined under the number. */
static inline bool take_ref(struct cursor *c, const struct kn_index *index, uint32_t *out)
{
    uint32_t i;

    if (!take_number(c, &i) || i >= index->n_dense || !index->dense[i])
        return false;
    *out = index->dense[i] - 1;
    return true;
}

static bool take_app(struct kn_reader *r, struct cursor *c, struct kn_node *out)
{
    out->kind = KN_APP;
    return TAKE(c, "app\":{\"arg\":") && take_ref(c, &r->exprs, &out->b) && TAKE(c, ",\"fn\":") &&
           take_ref(c, &r->exprs, &out->a) && TAKE(c, "}");
}

static bool take_binder(struct kn_reader *r, struct cursor *c, struct kn_node *out)
{
    uint32_t name;

    if (!TAKE(c, "default\"") && !TAKE(c, "implicit\"") && !TAKE(c, "instImplicit\"") &&
        !TAKE(c, "strictImplicit\""))
        return false;
    return TAKE(c, ",\"body\":") && take_ref(c, &r->exprs, &out->b) && TAKE(c, ",\"name\":") &&
           take_ref(c, &r->names, &name) && TAKE(c, ",\"type\":") &&
           take_ref(c, &r->exprs, &out->a) && TAKE(c, "}");
}

static bool take_lam(struct kn_reader *r, struct cursor *c, struct kn_node *out)
{
    out->kind = KN_LAM;
    return TAKE(c, "lam\":{\"binderInfo\":\"") && take_binder(r, c, out);
}

static bool take_pi(struct kn_reader *r, struct cursor *c, struct kn_node *out)
{
    out->kind = KN_PI;
    return TAKE(c, "forallE\":{\"binderInfo\":\"") && take_binder(r, c, out);
}

static bool take_bvar(struct cursor *c, struct kn_node *out)
{
    out->kind = KN_BVAR;
    return TAKE(c, "bvar\":") && take_number(c, &out->a) && out->a < KN_RANGE_MAX;
}

static bool take_const(struct kn_reader *r, struct cursor *c, struct kn_node *out)
{
    enum { MOST = 16 };
    uint32_t levels[MOST];
    int n = 0;

    out->kind = KN_CONST;
    if (!TAKE(c, "const\":{\"name\":") || !take_ref(c, &r->names, &out->a) || !TAKE(c, ",\"us\":["))
        return false;
    while (!TAKE(c, "]")) {
        if (n == MOST || (n > 0 && !TAKE(c, ",")) || !take_ref(c, &r->levels, &levels[n++]))
            return false;
    }
    for (out->b = r->ctx->nil; n > 0 && out->b != KN_NONE; n--)
        out->b = kn_make(r->ctx, KN_CONS, levels[n - 1], out->b, 0);
    return out->b != KN_NONE && TAKE(c, "}");
}

bool kn_read_fast(struct kn_reader *r)
{
    struct cursor c = { r->at, r->line_end };
    struct kn_node node = { .a = 0 };
    uint32_t index;
    bool first, ok;
    kn_ref ref;

    if (!TAKE(&c, "{\""))
        return false;
    first = TAKE(&c, "ie\":");
    if (first && (!take_number(&c, &index) || !TAKE(&c, ",\"")))
        return false;
    switch (c.at < c.end ? *c.at : '\n') {
    case 'a':
        ok = take_app(r, &c, &node);
        break;
    case 'b':
        ok = take_bvar(&c, &node);
        break;
    case 'c':
        ok = take_const(r, &c, &node);
        break;
    case 'f':
        ok = take_pi(r, &c, &node);
        break;
    case 'l':
        ok = take_lam(r, &c, &node);
        break;
    default:
        return false;
    }
    if (!ok || (!first && (!TAKE(&c, ",\"ie\":") || !take_number(&c, &index))) || !TAKE(&c, "}") ||
        c.at != c.end)
        return false;
    /* A number that is taken, or far from the others, is for the general reader too. */
    if (index >= r->exprs.n_dense || r->exprs.dense[index] || r->exprs.sparse.count)
        return false;
    ref = kn_make(r->ctx, node.kind, node.a, node.b, 0);
    if (ref == KN_NONE)
        return false;
    r->exprs.dense[index] = ref + 1;
    r->at = c.at;
    return true;
}
