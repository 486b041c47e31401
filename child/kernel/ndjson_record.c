#include "child/kernel/ndjson.h"

/*
 * One line: a declaration, or a term under its number. A record is read as soon
 * as its key is; since the exporter sorts keys, the number may stand before it
 * or behind it, so that what was read is kept until the object ends.
 */
static const char *const index_keys[] = {
    [KN_SPACE_NAME] = "in",
    [KN_SPACE_LEVEL] = "il",
    [KN_SPACE_EXPR] = "ie",
};

struct line {
    int space; /* of the number; -1: there is none yet */
    uint64_t index;
    const struct kn_term_kind *term;
    uint32_t ref; /* what the term was read to */
    bool declares;
};

static int space_of(struct lwb_bytes key)
{
    int i;

    for (i = 0; i < (int)LWB_COUNT(index_keys); i++) {
        if (lwb_bytes_is(key, index_keys[i]))
            return i;
    }
    return -1;
}

/* Which declaration this is the key of, in format 3.1 or 3.0; -1: none. */
static int declaration_of(struct lwb_bytes key)
{
    static const struct {
        const char *key;
        enum kn_record record;
    } records[] = {
        { "def", KN_RECORD_DEF },
        { "thm", KN_RECORD_THM },
        { "inductive", KN_RECORD_INDUCTIVE },
        { "opaque", KN_RECORD_OPAQUE },
        { "axiom", KN_RECORD_AXIOM },
        { "axiomInfo", KN_RECORD_AXIOM },
        { "quot", KN_RECORD_QUOT },
        { "quotInfo", KN_RECORD_QUOT },
    };
    size_t i;

    for (i = 0; i < LWB_COUNT(records); i++) {
        if (lwb_bytes_is(key, records[i].key))
            return (int)records[i].record;
    }
    return -1;
}

/* One, or in format 3.0 a list. */
static bool read_declarations(struct kn_reader *r, enum kn_record record)
{
    bool first = true;
    int more;

    if (!kn_peek(r, '['))
        return kn_read_decl(r, record);
    while ((more = kn_next_item(r, &first)) == 1) {
        if (!kn_read_decl(r, record))
            return false;
    }
    return more == 0;
}

static bool read_index(struct kn_reader *r, struct line *line, int space)
{
    if (line->space >= 0)
        return kn_malformed(r, "a line with two indices");
    line->space = space;
    return kn_read_u64(r, &line->index);
}

static bool read_value(struct kn_reader *r, struct line *line, struct lwb_bytes key)
{
    const struct kn_term_kind *term = kn_term_kind(key);
    const int record = term ? -1 : declaration_of(key);
    const bool is_meta = lwb_bytes_is(key, "meta");

    if (!term && record < 0 && !is_meta)
        return kn_unknown(r, "an unknown record \"%.*s\"", (int)(key.len < 40 ? key.len : 40),
                          key.ptr);
    if (line->term || line->declares)
        return kn_malformed(r, "a line with two records");
    if (is_meta)
        return kn_malformed(r, "a meta record that is not on the first line");
    line->term = term;
    line->declares = !term;
    return term ? term->read(r, &line->ref) : read_declarations(r, (enum kn_record)record);
}

/* The end of the line: the term under its number. */
static bool finish(struct kn_reader *r, const struct line *line)
{
    if (!line->term && !line->declares)
        return kn_malformed(r, "a line without a record");
    if (line->declares)
        return line->space < 0 ? true : kn_malformed(r, "a declaration with an index");
    if (line->space != (int)line->term->space)
        return kn_malformed(r, "a record without its index");
    switch (line->term->space) {
    case KN_SPACE_NAME:
        return kn_index_set(r, &r->names, line->index, line->ref, "name");
    case KN_SPACE_LEVEL:
        return kn_index_set(r, &r->levels, line->index, line->ref, "level");
    default:
        return kn_index_set(r, &r->exprs, line->index, line->ref, "expression");
    }
}

bool kn_read_record(struct kn_reader *r)
{
    struct line line = { .space = -1 };
    struct lwb_bytes key;
    bool first = true;
    int more;

    while ((more = kn_next_key(r, &first, &key)) == 1) {
        const int space = space_of(key);

        if (!(space >= 0 ? read_index(r, &line, space) : read_value(r, &line, key)))
            return false;
    }
    return more == 0 && finish(r, &line);
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

bool kn_read_meta(struct kn_reader *r)
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
