#include "child/kernel/ndjson.h"

#include "lwbuild/base/alloc.h"

/*
 * One pass over the bytes without an intermediate form. A record is dispatched
 * by its key as soon as that is read; since the exporter sorts keys, the index
 * may come before or after it, so the record's reference is kept until the
 * object ends.
 */
enum {
    USUAL_LINE = 64,                /* bytes; a guess at how many nodes are to come */
    MOST_EXPECTED = 64 << 20,       /* bytes: beyond that, tables grow with what is read */
    LOW_WATER = 4096,               /* bytes of the window */
    FIRST_WINDOW = 128 * 1024,      /* bytes */
    MOST_DIGITS = 20 * 1000 * 1000, /* of a literal: as large as those that are computed with */
};

/* Indices ------------------------------------------------------------------------------------- */

static uint32_t index_get(const struct kn_index *index, uint64_t i)
{
    if (i < index->dense.n && index->dense.values1[i])
        return index->dense.values1[i] - 1;
    return index->sparse.count ? kn_map_get(&index->sparse, i) : KN_UNKNOWN;
}

static bool grow_dense(struct kn_index *index, uint64_t i)
{
    const size_t before = index->dense.n;
    size_t n = before ? before : 1024;
    uint32_t *more;

    while (n <= i)
        n *= 2;
    more = lwb_realloc(index->dense.values1, n * sizeof(*more));
    if (!more)
        return false;
    memset(more + before, 0, (n - before) * sizeof(*more));
    index->dense = (struct kn_dense){ more, n };
    return kn_charge(index->sparse.budget, (n - before) * sizeof(*more));
}

/* Numbers close to those seen so far go into an array, outliers into a map. */
static bool index_set(struct kn_reader *r, struct kn_index *index, uint64_t i, uint32_t value,
                      const char *what)
{
    if (index_get(index, i) != KN_UNKNOWN)
        return kn_malformed(r, "%s %llu is defined twice", what, (unsigned long long)i);
    if (i >= index->dense.n && i < 4 * (uint64_t)index->dense.n + 4096 && !grow_dense(index, i))
        return kn_read_no_memory(r);
    if (i < index->dense.n)
        index->dense.values1[i] = value + 1;
    else if (!kn_map_put(&index->sparse, i, value))
        return kn_read_no_memory(r);
    return true;
}

static bool read_ref(struct kn_reader *r, const struct kn_index *index, uint32_t *out,
                     const char *what)
{
    uint64_t i;

    if (!kn_read_u64(r, &i))
        return false;
    *out = index_get(index, i);
    if (*out == KN_UNKNOWN)
        return kn_malformed(r, "%s %llu is not defined", what, (unsigned long long)i);
    return true;
}

bool kn_read_name(struct kn_reader *r, kn_name *out)
{
    return read_ref(r, &r->names, out, "name");
}

bool kn_read_expr(struct kn_reader *r, kn_ref *out)
{
    return read_ref(r, &r->exprs, out, "expression");
}

static bool read_level(struct kn_reader *r, kn_ref *out)
{
    return read_ref(r, &r->levels, out, "level");
}

static bool read_list(struct kn_reader *r, const struct kn_index *index, const char *what)
{
    bool first = true;
    int more;

    r->n_list = 0;
    while ((more = kn_next_item(r, &first)) == 1) {
        if (lwb_grow(&r->list, &r->cap_list, r->n_list, sizeof(*r->list)) < 0)
            return kn_read_no_memory(r);
        if (!read_ref(r, index, &r->list[r->n_list], what))
            return false;
        r->n_list++;
    }
    return more == 0;
}

bool kn_read_names(struct kn_reader *r, const kn_name **out, uint32_t *n)
{
    kn_name *names;

    if (!read_list(r, &r->names, "name"))
        return false;
    names = kn_arena_take(&r->env->arena, (r->n_list + 1) * sizeof(*names));
    if (!names)
        return kn_read_no_memory(r);
    if (r->n_list)
        memcpy(names, r->list, r->n_list * sizeof(*names));
    *out = names;
    *n = (uint32_t)r->n_list;
    return true;
}

/* Names and levels ---------------------------------------------------------------------------- */

static bool read_name_record(struct kn_reader *r, bool number, uint32_t *out)
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

static bool made(struct kn_reader *r, kn_ref ref, uint32_t *out)
{
    *out = ref;
    return ref != KN_NONE ? true : kn_read_fault(r);
}

static bool read_succ(struct kn_reader *r, uint32_t *out)
{
    kn_ref level;

    return read_level(r, &level) && made(r, kn_make(r->ctx, KN_SUCC, level, 0), out);
}

static bool read_param(struct kn_reader *r, uint32_t *out)
{
    kn_name name;

    return kn_read_name(r, &name) && made(r, kn_make(r->ctx, KN_PARAM, name, 0), out);
}

static bool read_max(struct kn_reader *r, enum kn_kind kind, uint32_t *out)
{
    if (!read_list(r, &r->levels, "level"))
        return false;
    if (r->n_list != 2)
        return kn_malformed(r, "a maximum of other than two levels");
    return made(r, kn_make(r->ctx, kind, r->list[0], r->list[1]), out);
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

    return read_level(r, &level) && made(r, kn_make(r->ctx, KN_SORT, level, 0), out);
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
            (which == 0 ? !kn_read_name(r, &name) : !read_list(r, &r->levels, "level")))
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

/* Records ------------------------------------------------------------------------------------- */

enum key {
    K_IN,
    K_IL,
    K_IE,
    K_STR,
    K_NUM,
    K_SUCC,
    K_MAX,
    K_IMAX,
    K_PARAM,
    K_BVAR,
    K_SORT,
    K_CONST,
    K_APP,
    K_LAM,
    K_PI,
    K_LET,
    K_PROJ,
    K_NAT,
    K_STRVAL,
    K_MDATA,
    K_AXIOM,
    K_AXIOM_INFO,
    K_DEF,
    K_THM,
    K_OPAQUE,
    K_QUOT,
    K_QUOT_INFO,
    K_INDUCTIVE,
    K_META,
    K_END,
};

static const char *const record_keys[K_END] = {
    [K_IN] = "in",
    [K_IL] = "il",
    [K_IE] = "ie",
    [K_STR] = "str",
    [K_NUM] = "num",
    [K_SUCC] = "succ",
    [K_MAX] = "max",
    [K_IMAX] = "imax",
    [K_PARAM] = "param",
    [K_BVAR] = "bvar",
    [K_SORT] = "sort",
    [K_CONST] = "const",
    [K_APP] = "app",
    [K_LAM] = "lam",
    [K_PI] = "forallE",
    [K_LET] = "letE",
    [K_PROJ] = "proj",
    [K_NAT] = "natVal",
    [K_STRVAL] = "strVal",
    [K_MDATA] = "mdata",
    [K_AXIOM] = "axiom",
    [K_AXIOM_INFO] = "axiomInfo",
    [K_DEF] = "def",
    [K_THM] = "thm",
    [K_OPAQUE] = "opaque",
    [K_QUOT] = "quot",
    [K_QUOT_INFO] = "quotInfo",
    [K_INDUCTIVE] = "inductive",
    [K_META] = "meta",
};

/* The names among the keys that most lines have, found without a search. */
static int quick_key(struct lwb_bytes key)
{
    if (key.len == 2 && key.ptr[0] == 'i') {
        switch (key.ptr[1]) {
        case 'e':
            return K_IE;
        case 'n':
            return K_IN;
        case 'l':
            return K_IL;
        default:
            return K_END;
        }
    }
    if (key.len == 3 && memcmp(key.ptr, "app", 3) == 0)
        return K_APP;
    return K_END;
}

static int record_key(struct kn_reader *r, struct lwb_bytes key)
{
    int i = quick_key(key);

    for (i = i == K_END ? K_STR : i; i < K_END && key.len; i++) {
        if (key.ptr[0] == record_keys[i][0] && lwb_bytes_is(key, record_keys[i]))
            return i;
    }
    (void)kn_unknown(r, "an unknown record \"%.*s\"", (int)(key.len < 40 ? key.len : 40), key.ptr);
    return -1;
}

static bool read_name_or_level(struct kn_reader *r, int key, uint32_t *out)
{
    switch (key) {
    case K_STR:
    case K_NUM:
        return read_name_record(r, key == K_NUM, out);
    case K_SUCC:
        return read_succ(r, out);
    case K_PARAM:
        return read_param(r, out);
    default:
        return read_max(r, key == K_MAX ? KN_MAX : KN_IMAX, out);
    }
}

static bool read_expression(struct kn_reader *r, int key, uint32_t *out)
{
    switch (key) {
    case K_BVAR:
        return read_bvar(r, out);
    case K_SORT:
        return read_sort(r, out);
    case K_CONST:
        return read_const(r, out);
    case K_APP:
        return read_app(r, out);
    case K_LAM:
    case K_PI:
        return read_binder(r, key == K_LAM ? KN_LAM : KN_PI, out);
    case K_LET:
        return read_let(r, out);
    case K_PROJ:
        return read_proj(r, out);
    case K_NAT:
        return read_nat(r, out);
    case K_STRVAL:
        return read_str(r, out);
    default:
        return read_mdata(r, out);
    }
}

static bool read_declaration(struct kn_reader *r, int key)
{
    static const enum kn_record records[] = {
        [K_AXIOM - K_AXIOM] = KN_RECORD_AXIOM,    [K_AXIOM_INFO - K_AXIOM] = KN_RECORD_AXIOM,
        [K_DEF - K_AXIOM] = KN_RECORD_DEF,        [K_THM - K_AXIOM] = KN_RECORD_THM,
        [K_OPAQUE - K_AXIOM] = KN_RECORD_OPAQUE,  [K_QUOT - K_AXIOM] = KN_RECORD_QUOT,
        [K_QUOT_INFO - K_AXIOM] = KN_RECORD_QUOT, [K_INDUCTIVE - K_AXIOM] = KN_RECORD_INDUCTIVE,
    };
    bool first = true;
    int more;

    if (!kn_peek(r, '['))
        return kn_read_decl(r, records[key - K_AXIOM]);
    while ((more = kn_next_item(r, &first)) == 1) {
        if (!kn_read_decl(r, records[key - K_AXIOM]))
            return false;
    }
    return more == 0;
}

/* The end of the line: the record under its index. */
static bool finish_record(struct kn_reader *r, int record, int index_key, uint64_t index,
                          uint32_t ref)
{
    if (record < 0)
        return kn_malformed(r, "a line without a record");
    if (record >= K_AXIOM)
        return index_key < 0 ? true : kn_malformed(r, "a declaration with an index");
    if (index_key != (record >= K_BVAR ? K_IE : (record >= K_SUCC ? K_IL : K_IN)))
        return kn_malformed(r, "a record without its index");
    if (index_key == K_IE)
        return index_set(r, &r->exprs, index, ref, "expression");
    return index_key == K_IL ? index_set(r, &r->levels, index, ref, "level")
                             : index_set(r, &r->names, index, ref, "name");
}

/* {"<record>":...} or {"<index>":i,"<record>":...} in either order. */
static bool read_record(struct kn_reader *r)
{
    struct lwb_bytes key;
    uint64_t index = 0;
    int index_key = -1, record = -1, more;
    uint32_t ref = 0;
    bool first = true;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        int which = record_key(r, key);

        if (which < 0)
            return false;
        if ((which <= K_IE ? index_key : record) >= 0)
            return kn_malformed(r, "a line with two %s", which <= K_IE ? "indices" : "records");
        if (which <= K_IE) {
            index_key = which;
            if (!kn_read_u64(r, &index))
                return false;
            continue;
        }
        record = which;
        if (which == K_META)
            return kn_malformed(r, "a meta record that is not on the first line");
        if (which >= K_AXIOM ? !read_declaration(r, which)
                             : (which >= K_BVAR ? !read_expression(r, which, &ref)
                                                : !read_name_or_level(r, which, &ref)))
            return false;
    }
    if (more < 0)
        return false;
    return finish_record(r, record, index_key, index, ref);
}

/* {"meta":{...,"format":{"version":"3.x.y"}}} */
static bool read_format(struct kn_reader *r, bool *found)
{
    struct lwb_bytes key, text;
    bool first = true;
    int more;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        if (!lwb_bytes_is(key, "version")) {
            if (!kn_skip_value(r))
                return false;
            continue;
        }
        if (*found)
            return kn_malformed(r, "the key \"version\" stands there twice");
        if (!kn_read_string(r, &text))
            return false;
        if (text.len < 2 || text.ptr[0] != '3' || text.ptr[1] != '.')
            return kn_unknown(r, "format version %.*s: only version 3 is known",
                              (int)(text.len < 20 ? text.len : 20), text.ptr);
        *found = true;
    }
    return more == 0;
}

static bool read_meta(struct kn_reader *r)
{
    struct lwb_bytes key;
    bool outer = true, inner = true, found = false;
    int more;

    if (!kn_peek(r, '{'))
        return kn_malformed(r, "not an export file: the first line is not a meta record");
    more = kn_next_key(r, &outer, &key);
    if (more != 1 || !lwb_bytes_is(key, "meta"))
        return kn_malformed(r, "not an export file: the first line is not a meta record");
    while ((more = kn_next_key(r, &inner, &key)) == 1) {
        if (lwb_bytes_is(key, "format") ? !read_format(r, &found) : !kn_skip_value(r))
            return false;
    }
    if (more < 0 || !kn_expect(r, '}'))
        return false;
    return found ? true : kn_malformed(r, "the meta record names no format version");
}

/*
 * More of the file behind what is left of it, which moves to the front of the
 * window; a line that fills the window makes it larger. At the end of the file
 * r->more becomes NULL.
 */
static bool read_more(struct kn_reader *r)
{
    const size_t left = (size_t)(r->end - r->at);
    ptrdiff_t n;

    if (left > r->window_bytes / 2 || !r->window) {
        const size_t size = r->window ? 2 * r->window_bytes : FIRST_WINDOW;
        char *larger = kn_take_raw(r->ctx->budget, size);

        if (!larger)
            return kn_read_no_memory(r);
        if (left)
            memcpy(larger, r->at, left);
        kn_give(r->ctx->budget, r->window, r->window_bytes);
        r->window = larger;
        r->window_bytes = size;
    } else if (left) {
        memmove(r->window, r->at, left);
    }
    n = r->more->read(r->more->ctx, r->window + left, r->window_bytes - left);
    if (n < 0)
        return kn_unknown(r, "the file cannot be read");
    if (n == 0)
        r->more = NULL;
    r->at = r->window;
    r->end = r->window + left + n;
    return true;
}

/* To the newline, or the end of the file. */
static bool find_line_end(struct kn_reader *r)
{
    size_t looked_at = 0;

    for (;;) {
        r->line_end = memchr(r->at + looked_at, '\n', (size_t)(r->end - r->at) - looked_at);
        if (r->line_end)
            return true;
        looked_at = (size_t)(r->end - r->at);
        if (!r->more) {
            r->line_end = r->end;
            return true;
        }
        if (!read_more(r))
            return false;
    }
}

static bool read_line(struct kn_reader *r)
{
    if (!find_line_end(r))
        return false;
    if (r->line == 1 && lwb_bytes_is(lwb_bytes(r->at, (size_t)(r->line_end - r->at)), "2.0.0"))
        return kn_unknown(r, "the text format 2.0.0 is not read; export as NDJSON 3.1");
    if (r->line == 1 || !kn_peek(r, '\n')) { /* else blank */
        if (!(r->line == 1 ? read_meta(r) : read_record(r)))
            return false;
        if (!kn_peek(r, '\n'))
            return kn_malformed(r, "text behind the record");
    }
    r->at = r->line_end < r->end ? r->line_end + 1 : r->end;
    return true;
}

static bool init(struct kn_reader *r, struct kn_ctx *ctx, const struct kn_input *input)
{
    memset(r, 0, sizeof(*r));
    r->ctx = ctx;
    r->env = ctx->env;
    r->more = input->more;
    r->at = input->text.ptr;
    r->end = input->text.ptr + input->text.len;
    r->scratch = LWB_BUF(SIZE_MAX / 4);
    r->names.sparse.budget = r->levels.sparse.budget = r->exprs.sparse.budget = ctx->budget;
    kn_store_expect(ctx, ctx->lasting,
                    (size_t)(input->bytes < MOST_EXPECTED ? input->bytes : MOST_EXPECTED) /
                        USUAL_LINE);
    return index_set(r, &r->names, 0, KN_ANONYMOUS, "name") &&
           index_set(r, &r->levels, 0, ctx->zero, "level");
}

bool kn_read_export(struct kn_reader *r, struct kn_ctx *ctx, const struct kn_input *input)
{
    if (!init(r, ctx, input))
        return false;
    while (r->at < r->end || r->more) {
        /* The fast reader wants to see some way ahead. */
        if (r->more && r->end - r->at < LOW_WATER && !read_more(r))
            return false;
        if (r->at == r->end)
            continue;
        if (r->line == UINT32_MAX - 1)
            return kn_unknown(r, "more than 4 billion lines");
        r->line++;
        if (!kn_read_fast(r) && !read_line(r))
            return false;
        if ((r->line & 0xfff) == 0 && !kn_may_go_on_slow(ctx))
            return kn_read_fault(r);
    }
    if (r->line == 0)
        return kn_malformed(r, "the file is empty");
    if (r->env->n_items == 0)
        return kn_malformed(r, "the file declares nothing");
    return true;
}

static void release_index(struct kn_index *index)
{
    kn_give(index->sparse.budget, index->dense.values1, index->dense.n * sizeof(uint32_t));
    kn_map_release(&index->sparse);
}

void kn_reader_release(struct kn_reader *r)
{
    release_index(&r->names);
    release_index(&r->levels);
    release_index(&r->exprs);
    kn_give(r->ctx->budget, r->window, r->window_bytes);
    lwb_buf_release(&r->scratch);
    lwb_free(r->list);
    memset(r, 0, sizeof(*r));
}
