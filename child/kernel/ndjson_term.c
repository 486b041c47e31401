#include "child/kernel/ndjson.h"

/* Names, levels and expressions: one function per record, which is given its value. */
enum {
    MOST_DIGITS = 20 * 1000 * 1000, /* of a literal: as large as those that are computed with */
};

/* Names and levels ---------------------------------------------------------------------------- */

static bool read_name(struct kn_reader *r, bool number, uint32_t *out)
{
    static const char *const text_keys[] = { "pre", "str" }, *const number_keys[] = { "i", "pre" };
    struct kn_names *names = &r->env->names;
    struct lwb_bytes key, text;
    uint32_t seen = 0, text_index = 0;
    uint64_t value = 0;
    kn_name parent = 0;
    bool first = true;
    int more;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = kn_which_key(r, key, number ? number_keys : text_keys, 2, &seen);

        if (which < 0)
            return false;
        if (which == number ? !kn_read_name(r, &parent)
                            : (number ? !kn_read_u64(r, &value) : !kn_read_string(r, &text)))
            return false;
        if (which == 1 && !number)
            text_index = kn_text(names, text);
    }
    if (more < 0 || !kn_require(r, seen, 3, "a name"))
        return false;
    *out = number ? kn_name_number(names, parent, value) : kn_name_text(names, parent, text_index);
    return *out != KN_NO_NAME ? true : kn_read_no_memory(r);
}

static bool read_text_name(struct kn_reader *r, uint32_t *out)
{
    return read_name(r, false, out);
}

static bool read_number_name(struct kn_reader *r, uint32_t *out)
{
    return read_name(r, true, out);
}

static bool made(struct kn_reader *r, kn_ref ref, uint32_t *out)
{
    *out = ref;
    return ref != KN_NONE ? true : kn_read_fault(r);
}

static bool read_succ(struct kn_reader *r, uint32_t *out)
{
    kn_ref level;

    return kn_read_level(r, &level) && made(r, kn_make(r->ctx, KN_SUCC, level, 0), out);
}

static bool read_param(struct kn_reader *r, uint32_t *out)
{
    kn_name name;

    return kn_read_name(r, &name) && made(r, kn_make(r->ctx, KN_PARAM, name, 0), out);
}

static bool read_two_levels(struct kn_reader *r, enum kn_kind kind, uint32_t *out)
{
    if (!kn_read_list(r, &r->levels, "level"))
        return false;
    if (r->n_list != 2)
        return kn_malformed(r, "a maximum of other than two levels");
    return made(r, kn_make(r->ctx, kind, r->list[0], r->list[1]), out);
}

static bool read_max(struct kn_reader *r, uint32_t *out)
{
    return read_two_levels(r, KN_MAX, out);
}

static bool read_imax(struct kn_reader *r, uint32_t *out)
{
    return read_two_levels(r, KN_IMAX, out);
}

/* Expressions --------------------------------------------------------------------------------- */

static bool read_bvar(struct kn_reader *r, uint32_t *out)
{
    uint64_t i;

    if (!kn_read_u64(r, &i))
        return false;
    return made(r, kn_make(r->ctx, KN_BVAR, i < KN_RANGE_MAX ? (uint32_t)i : KN_RANGE_MAX, 0), out);
}

static bool read_sort(struct kn_reader *r, uint32_t *out)
{
    kn_ref level;

    return kn_read_level(r, &level) && made(r, kn_make(r->ctx, KN_SORT, level, 0), out);
}

static bool read_const(struct kn_reader *r, uint32_t *out)
{
    static const char *const keys[] = { "name", "us" };
    struct kn_ctx *ctx = r->ctx;
    struct lwb_bytes key;
    uint32_t seen = 0;
    kn_name name = 0;
    kn_ref levels = ctx->nil;
    bool first = true;
    int more;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = kn_which_key(r, key, keys, 2, &seen);

        if (which < 0 ||
            (which == 0 ? !kn_read_name(r, &name) : !kn_read_list(r, &r->levels, "level")))
            return false;
        for (; which == 1 && r->n_list > 0 && levels != KN_NONE; r->n_list--)
            levels = kn_make(ctx, KN_CONS, r->list[r->n_list - 1], levels);
    }
    if (more < 0 || !kn_require(r, seen, 3, "a constant"))
        return false;
    return made(r, kn_const(ctx, name, levels), out);
}

static bool read_app(struct kn_reader *r, uint32_t *out)
{
    static const char *const keys[] = { "arg", "fn" };
    struct lwb_bytes key;
    kn_ref parts[2] = { 0, 0 };
    uint32_t seen = 0;
    bool first = true;
    int more;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = kn_which_key(r, key, keys, 2, &seen);

        if (which < 0 || !kn_read_expr(r, &parts[which]))
            return false;
    }
    if (more < 0 || !kn_require(r, seen, 3, "an application"))
        return false;
    return made(r, kn_make(r->ctx, KN_APP, parts[1], parts[0]), out);
}

static bool read_binder_info(struct kn_reader *r)
{
    static const char *const infos[] = { "default", "implicit", "strictImplicit", "instImplicit" };
    struct lwb_bytes text;
    size_t i;

    if (!kn_read_string(r, &text))
        return false;
    for (i = 0; i < LWB_COUNT(infos); i++) {
        if (lwb_bytes_is(text, infos[i]))
            return true;
    }
    return kn_unknown(r, "an unknown kind of binder");
}

static bool read_binder(struct kn_reader *r, enum kn_kind kind, uint32_t *out)
{
    static const char *const keys[] = { "binderInfo", "body", "name", "type" };
    struct lwb_bytes key;
    kn_ref type = 0, body = 0;
    uint32_t seen = 0;
    kn_name name;
    bool first = true;
    int more;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = kn_which_key(r, key, keys, 4, &seen);

        if (which < 0 || (which == 0   ? !read_binder_info(r)
                          : which == 2 ? !kn_read_name(r, &name)
                                       : !kn_read_expr(r, which == 1 ? &body : &type)))
            return false;
    }
    if (more < 0 || !kn_require(r, seen, 15, "a binder"))
        return false;
    return made(r, kn_make(r->ctx, kind, type, body), out);
}

static bool read_lam(struct kn_reader *r, uint32_t *out)
{
    return read_binder(r, KN_LAM, out);
}

static bool read_pi(struct kn_reader *r, uint32_t *out)
{
    return read_binder(r, KN_PI, out);
}

static bool read_let(struct kn_reader *r, uint32_t *out)
{
    static const char *const keys[] = { "body", "name", "nondep", "type", "value" };
    struct lwb_bytes key;
    kn_ref parts[5] = { 0 };
    uint32_t seen = 0;
    kn_name name;
    bool first = true, flag;
    int more;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = kn_which_key(r, key, keys, 5, &seen);

        if (which < 0 ||
            (which == 1 ? !kn_read_name(r, &name)
                        : (which == 2 ? !kn_read_bool(r, &flag) : !kn_read_expr(r, &parts[which]))))
            return false;
    }
    if (more < 0 || !kn_require(r, seen, 31 & ~4, "a let"))
        return false;
    return made(r, kn_let(r->ctx, parts[3], parts[4], parts[0]), out);
}

static bool read_proj(struct kn_reader *r, uint32_t *out)
{
    static const char *const keys[] = { "idx", "struct", "typeName" };
    struct lwb_bytes key;
    uint32_t seen = 0;
    uint64_t i = 0;
    kn_name name = 0;
    kn_ref value = 0;
    bool first = true;
    int more;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = kn_which_key(r, key, keys, 3, &seen);

        if (which < 0 ||
            (which == 0 ? !kn_read_u64(r, &i)
                        : (which == 1 ? !kn_read_expr(r, &value) : !kn_read_name(r, &name))))
            return false;
    }
    if (more < 0 || !kn_require(r, seen, 7, "a projection"))
        return false;
    /* No structure has as many fields: an index beyond 32 bits stays out of range. */
    return made(r, kn_proj(r->ctx, name, i < KN_NONE ? (uint32_t)i : KN_NONE - 1, value), out);
}

static bool read_nat(struct kn_reader *r, uint32_t *out)
{
    struct lwb_bytes text;
    uint64_t value = 0;
    size_t i;
    kn_ref ref;
    mpz_t z;

    if (!kn_read_string(r, &text))
        return false;
    if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0'))
        return kn_malformed(r, "a literal that is no natural number");
    if (text.len > MOST_DIGITS)
        return kn_unknown(r, "a literal of more than %d digits", (int)MOST_DIGITS);
    for (i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return kn_malformed(r, "a literal that is no natural number");
        if (text.len < 20)
            value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    if (text.len < 20)
        return made(r, kn_make(r->ctx, KN_NAT, (uint32_t)value, (uint32_t)(value >> 32)), out);
    if (text.ptr != r->scratch.ptr) { /* GMP wants a NUL behind it */
        lwb_buf_clear(&r->scratch);
        lwb_buf_append_bytes(&r->scratch, text);
        if (!lwb_buf_ok(&r->scratch))
            return kn_read_no_memory(r);
    }
    mpz_init(z);
    (void)mpz_set_str(z, r->scratch.ptr, 10);
    ref = kn_make_nat(r->ctx, mpz_limbs_read(z), mpz_size(z));
    mpz_clear(z);
    return made(r, ref, out);
}

static bool read_str(struct kn_reader *r, uint32_t *out)
{
    struct lwb_bytes text;
    uint32_t index;

    if (!kn_read_string(r, &text))
        return false;
    index = kn_text(&r->env->names, text);
    if (index == KN_NO_NAME)
        return kn_read_no_memory(r);
    return made(r, kn_make(r->ctx, KN_STR, index, 0), out);
}

/* Notes on an expression mean nothing to a kernel: the number stands for what is inside. */
static bool read_mdata(struct kn_reader *r, uint32_t *out)
{
    static const char *const keys[] = { "data", "expr" };
    struct lwb_bytes key;
    uint32_t seen = 0;
    bool first = true;
    int more;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = kn_which_key(r, key, keys, 2, &seen);

        if (which < 0 || (which == 1 ? !kn_read_expr(r, out) : !kn_skip_value(r)))
            return false;
    }
    return more == 0 && kn_require(r, seen, 2, "mdata");
}

static const struct kn_term_kind kinds[] = {
    { "app", KN_SPACE_EXPR, read_app },         { "lam", KN_SPACE_EXPR, read_lam },
    { "forallE", KN_SPACE_EXPR, read_pi },      { "const", KN_SPACE_EXPR, read_const },
    { "bvar", KN_SPACE_EXPR, read_bvar },       { "sort", KN_SPACE_EXPR, read_sort },
    { "letE", KN_SPACE_EXPR, read_let },        { "proj", KN_SPACE_EXPR, read_proj },
    { "natVal", KN_SPACE_EXPR, read_nat },      { "strVal", KN_SPACE_EXPR, read_str },
    { "mdata", KN_SPACE_EXPR, read_mdata },     { "str", KN_SPACE_NAME, read_text_name },
    { "num", KN_SPACE_NAME, read_number_name }, { "succ", KN_SPACE_LEVEL, read_succ },
    { "max", KN_SPACE_LEVEL, read_max },        { "imax", KN_SPACE_LEVEL, read_imax },
    { "param", KN_SPACE_LEVEL, read_param },
};

const struct kn_term_kind *kn_term_kind(struct lwb_bytes key)
{
    size_t i;

    for (i = 0; i < LWB_COUNT(kinds) && key.len; i++) {
        if (key.ptr[0] == kinds[i].key[0] && lwb_bytes_is(key, kinds[i].key))
            return &kinds[i];
    }
    return NULL;
}
