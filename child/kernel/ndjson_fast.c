#include "child/kernel/ndjson.h"

/*
 * The exporter's own spelling: no blanks, keys sorted (or the index first).
 * Nearly all lines of a real export are an application, a binder, a constant, a
 * variable or a name in that form, and are read here by comparing with it,
 * eight bytes at a time. Whatever differs in any byte is left to the general
 * reader, which starts the line anew: nothing but the list of a constant's
 * levels is made before a line was understood as a whole.
 *
 * There is no looking for the end of the line first: no byte of the form is a
 * newline, so that comparing stops at one by itself. For the same reason
 * nothing here looks for the end of the file: a line is only begun where FAR
 * bytes follow, which is more than any line of the form has but for texts, and
 * those look where they are.
 */
enum { FAR = 1024, MOST_LEVELS = 16 };

static inline bool take(const char **at, const char *text, size_t n)
{
    if (memcmp(*at, text, n) != 0)
        return false;
    *at += n;
    return true;
}

#define TAKE(at, text) take((at), (text), sizeof(text) - 1)

/* The value of eight digits, the first in the lowest byte. */
static inline uint32_t eight_digits(uint64_t word)
{
    word -= KN_EACH * '0';
    word = word * 10 + (word >> 8);
    word = ((word & UINT64_C(0x000000ff000000ff)) * (100 + (UINT64_C(1000000) << 32)) +
            (word >> 16 & UINT64_C(0x000000ff000000ff)) * (1 + (UINT64_C(10000) << 32))) >>
           32;
    return (uint32_t)word;
}

/* Eight digits are there already: nine are more than any real index has. */
static bool take_long_number(const char **at, uint32_t *out)
{
    const char *p = *at + KN_WORD;
    uint32_t value = eight_digits(kn_load(*at));

    if (*p >= '0' && *p <= '9')
        value = value * 10 + (uint32_t)(*p++ - '0');
    if (**at == '0' || (*p >= '0' && *p <= '9'))
        return false;
    *out = value;
    *at = p;
    return true;
}

/* A number without a leading zero. */
static inline bool take_number(const char **at, uint32_t *out)
{
    const uint64_t word = kn_load(*at);
    const uint64_t digits = word ^ KN_EACH * '0'; /* each at most 9 */
    const uint64_t others = (digits | ((digits & ~KN_HIGH) + KN_EACH * 0x76)) & KN_HIGH;
    unsigned bits; /* of the digits */

    if (!others)
        return take_long_number(at, out);
    bits = (unsigned)__builtin_ctzll(others) - 7;
    if (bits == 0 || ((word & 0xff) == '0' && bits > 8))
        return false;
    *out = eight_digits(word << (64 - bits) | (KN_EACH * '0' & ~UINT64_C(0) >> bits));
    *at += bits / 8;
    return true;
}

/* A reference to what is defined under the number. */
static inline bool take_ref(const char **at, struct kn_dense defined, uint32_t *out)
{
    uint32_t i;

    if (!take_number(at, &i) || i >= defined.n || !defined.values1[i])
        return false;
    *out = defined.values1[i] - 1;
    return true;
}

/* A number that is taken, or far from the others, is for the general reader. */
static inline bool is_free(const struct kn_index *index, uint32_t i)
{
    return i < index->dense.n && !index->dense.values1[i] && index->sparse.count == 0;
}

/* The value of a record with two expressions in it. */
struct pair {
    kn_ref a, b;
};

static inline bool take_app(struct kn_dense exprs, const char **at, struct pair *out)
{
    return TAKE(at, "app\":{\"arg\":") && take_ref(at, exprs, &out->b) && TAKE(at, ",\"fn\":") &&
           take_ref(at, exprs, &out->a) && TAKE(at, "}");
}

static inline bool take_binder(const struct kn_reader *r, const char **at, struct pair *out)
{
    uint32_t name;

    if (!TAKE(at, "{\"binderInfo\":\"") ||
        (!TAKE(at, "default\"") && !TAKE(at, "implicit\"") && !TAKE(at, "instImplicit\"") &&
         !TAKE(at, "strictImplicit\"")))
        return false;
    return TAKE(at, ",\"body\":") && take_ref(at, r->exprs.dense, &out->b) &&
           TAKE(at, ",\"name\":") && take_ref(at, r->names.dense, &name) &&
           TAKE(at, ",\"type\":") && take_ref(at, r->exprs.dense, &out->a) && TAKE(at, "}");
}

static inline bool take_bvar(const char **at, struct pair *out)
{
    out->b = 0;
    return TAKE(at, "bvar\":") && take_number(at, &out->a) && out->a < KN_RANGE_MAX;
}

static bool take_const(struct kn_reader *r, const char **at, struct pair *out)
{
    uint32_t levels[MOST_LEVELS];
    int n = 0;

    if (!TAKE(at, "const\":{\"name\":") || !take_ref(at, r->names.dense, &out->a) ||
        !TAKE(at, ",\"us\":["))
        return false;
    while (!TAKE(at, "]")) {
        if (n == MOST_LEVELS || (n > 0 && !TAKE(at, ",")) ||
            !take_ref(at, r->levels.dense, &levels[n++]))
            return false;
    }
    for (out->b = r->ctx->nil; n > 0 && out->b != KN_NONE; n--)
        out->b = kn_make(r->ctx, KN_CONS, levels[n - 1], out->b);
    return out->b != KN_NONE && TAKE(at, "}");
}

/* Which record this is by its first letter, and its parts; KN_NIL: none of these. */
static inline enum kn_kind take_record(struct kn_reader *r, const char **at, struct pair *out)
{
    switch (**at) {
    case 'a':
        return take_app(r->exprs.dense, at, out) ? KN_APP : KN_NIL;
    case 'l':
        return TAKE(at, "lam\":") && take_binder(r, at, out) ? KN_LAM : KN_NIL;
    case 'f':
        return TAKE(at, "forallE\":") && take_binder(r, at, out) ? KN_PI : KN_NIL;
    case 'c':
        return take_const(r, at, out) ? KN_CONST : KN_NIL;
    case 'b':
        return take_bvar(at, out) ? KN_BVAR : KN_NIL;
    default:
        return KN_NIL;
    }
}

/* {"app":...,"ie":i} or {"ie":i,"app":...} and so on; `at` is behind the first quote. */
static bool read_expr(struct kn_reader *r, const char *at)
{
    struct pair parts;
    enum kn_kind kind;
    uint32_t index;
    bool first = TAKE(&at, "ie\":");
    kn_ref ref;

    if (first && (!take_number(&at, &index) || !TAKE(&at, ",\"")))
        return false;
    kind = take_record(r, &at, &parts);
    if (kind == KN_NIL || (!first && (!TAKE(&at, ",\"ie\":") || !take_number(&at, &index))) ||
        !TAKE(&at, "}\n") || !is_free(&r->exprs, index))
        return false;
    ref = kn_make(r->ctx, kind, parts.a, parts.b);
    if (ref == KN_NONE)
        return false;
    r->exprs.dense.values1[index] = ref + 1;
    r->at = at;
    return true;
}

/* Printable ASCII without a backslash, up to a quote and that with it. */
static bool take_text(const struct kn_reader *r, const char **at, struct lwb_bytes *out)
{
    const char *start = *at, *p = start;

    for (; r->end - p >= FAR; p += KN_WORD) {
        const uint64_t stop = kn_text_stops(kn_load(p));

        if (!stop)
            continue;
        p += __builtin_ctzll(stop) / 8;
        if (*p != '"')
            return false;
        *out = lwb_bytes(start, (size_t)(p - start));
        *at = p + 1;
        return true;
    }
    return false;
}

/* {"in":i,"str":{"pre":j,"str":"text"}} and {"in":i,"num":{"i":k,"pre":j}}. */
static bool read_name(struct kn_reader *r, const char *at)
{
    struct kn_names *names = &r->env->names;
    struct lwb_bytes text = { NULL, 0 };
    uint32_t index, parent = 0, number = 0;
    kn_name name;
    bool ok;

    if (!take_number(&at, &index))
        return false;
    if (TAKE(&at, ",\"str\":{\"pre\":"))
        ok = take_ref(&at, r->names.dense, &parent) && TAKE(&at, ",\"str\":\"") &&
             take_text(r, &at, &text);
    else
        ok = TAKE(&at, ",\"num\":{\"i\":") && take_number(&at, &number) && TAKE(&at, ",\"pre\":") &&
             take_ref(&at, r->names.dense, &parent);
    if (!ok || !TAKE(&at, "}}\n") || !is_free(&r->names, index))
        return false;
    name = text.ptr ? kn_name_text(names, parent, kn_text(names, text))
                    : kn_name_number(names, parent, number);
    if (name == KN_NO_NAME)
        return false;
    r->names.dense.values1[index] = name + 1;
    r->at = at;
    return true;
}

bool kn_read_fast(struct kn_reader *r)
{
    const char *at = r->at;

    if (r->end - at < FAR || !TAKE(&at, "{\""))
        return false;
    return TAKE(&at, "in\":") ? read_name(r, at) : read_expr(r, at);
}
