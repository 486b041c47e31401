#include "lwbuild/plan/toml_internal.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/utf8.h"

/*
 * Tables, arrays and keys. TOML lets a table grow in some ways only, which
 * depend on how it came to be: hence `origin`.
 */
enum origin {
    BY_VALUE,   /* an array, or an inline table: closed once it is read */
    BY_PATH,    /* only named on the way to another: [a] of [a.b]; may still be defined */
    BY_HEADER,  /* [a] */
    BY_DOTS,    /* a of a.b = 1: grows by dotted keys only */
    BY_HEADERS, /* the array of [[a]] */
};

bool lwb_toml_take(struct lwb_toml_reader *reader, const char *word)
{
    size_t len = strlen(word);

    if (reader->len - reader->at < len || memcmp(reader->text + reader->at, word, len) != 0)
        return false;
    reader->at += len;
    return true;
}

/* ---- space ---- */

static void skip_blanks(struct lwb_toml_reader *reader)
{
    while (lwb_toml_peek(reader, 0) == ' ' || lwb_toml_peek(reader, 0) == '\t')
        reader->at++;
}

static bool take_newline(struct lwb_toml_reader *reader)
{
    if (!lwb_toml_take(reader, "\r\n") && !lwb_toml_take(reader, "\n"))
        return false;
    reader->line++;
    return true;
}

static int skip_comment(struct lwb_toml_reader *reader)
{
    if (!lwb_toml_take(reader, "#"))
        return LWB_OK;
    for (; reader->at < reader->len; reader->at++) {
        char c = reader->text[reader->at];

        if (c == '\n' || (c == '\r' && lwb_toml_peek(reader, 1) == '\n'))
            break;
        if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7F)
            return lwb_toml_fail(reader, "control character in a comment");
    }
    return LWB_OK;
}

/* Blanks, comments and newlines. */
static int skip_lines(struct lwb_toml_reader *reader)
{
    int rc;

    do {
        skip_blanks(reader);
        rc = skip_comment(reader);
    } while (rc == LWB_OK && take_newline(reader));
    return rc;
}

static int end_line(struct lwb_toml_reader *reader)
{
    int rc;

    skip_blanks(reader);
    rc = skip_comment(reader);
    if (rc == LWB_OK && reader->at < reader->len && !take_newline(reader))
        return lwb_toml_fail(reader, "something is left over at the end of the line");
    return rc;
}

/* ---- the tree ---- */

static struct lwb_toml *add_child(struct lwb_toml_reader *reader, struct lwb_toml *parent,
                                  const char *key, enum lwb_toml_type type, enum origin origin)
{
    struct lwb_toml *child = lwb_arena_alloc(reader->arena, sizeof(*child));

    if (!child) {
        (void)lwb_fail_memory(reader->err);
        return NULL;
    }
    *child = (struct lwb_toml){ .type = type, .line = reader->line, .key = key };
    child->origin = (unsigned char)origin;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    return child;
}

static struct lwb_toml *find(struct lwb_toml *table, const char *key)
{
    struct lwb_toml *member = table->first;

    while (member && strcmp(member->key, key) != 0)
        member = member->next;
    return member;
}

const struct lwb_toml *lwb_toml_get(const struct lwb_toml *table, const char *key)
{
    const struct lwb_toml *member = table->first;

    while (member && strcmp(member->key, key) != 0)
        member = member->next;
    return member;
}

/* ---- keys ---- */

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static int read_key_part(struct lwb_toml_reader *reader, const char **out)
{
    size_t start = reader->at;

    if (lwb_toml_peek(reader, 0) == '"' || lwb_toml_peek(reader, 0) == '\'')
        return lwb_toml_read_string(reader, false, out);
    while (is_bare(lwb_toml_peek(reader, 0)))
        reader->at++;
    if (reader->at == start)
        return lwb_toml_fail(reader, "expected a key");
    *out = lwb_arena_strndup(reader->arena, reader->text + start, reader->at - start);
    return *out ? LWB_OK : lwb_fail_memory(reader->err);
}

/* One part; *more says whether a dot and another part follow. */
static int next_key_part(struct lwb_toml_reader *reader, const char **out, bool *more)
{
    int rc;

    skip_blanks(reader);
    rc = read_key_part(reader, out);
    skip_blanks(reader);
    *more = rc == LWB_OK && lwb_toml_take(reader, ".");
    return rc;
}

/* The table called `key` that a dotted key leads through. */
static struct lwb_toml *enter_by_dots(struct lwb_toml_reader *reader, struct lwb_toml *table,
                                      const char *key)
{
    struct lwb_toml *member = find(table, key);

    if (!member)
        return add_child(reader, table, key, LWB_TOML_TABLE, BY_DOTS);
    if (member->type == LWB_TOML_TABLE && member->origin == BY_DOTS)
        return member;
    (void)lwb_toml_fail(reader, "%s is already defined in line %u", key, member->line);
    return NULL;
}

/* The table called `key` on the way to the one that a header defines. */
static struct lwb_toml *enter_by_path(struct lwb_toml_reader *reader, struct lwb_toml *table,
                                      const char *key)
{
    struct lwb_toml *member = find(table, key);

    if (!member)
        return add_child(reader, table, key, LWB_TOML_TABLE, BY_PATH);
    if (member->type == LWB_TOML_ARRAY && member->origin == BY_HEADERS)
        return member->last;
    if (member->type == LWB_TOML_TABLE && member->origin != BY_VALUE)
        return member;
    (void)lwb_toml_fail(reader, "%s is already defined in line %u", key, member->line);
    return NULL;
}

/* ---- values ---- */

static int read_value(struct lwb_toml_reader *reader, struct lwb_toml *out);
static int read_pair(struct lwb_toml_reader *reader, struct lwb_toml *table);

static int read_array(struct lwb_toml_reader *reader, struct lwb_toml *out)
{
    int rc = skip_lines(reader);

    out->type = LWB_TOML_ARRAY;
    while (rc == LWB_OK && !lwb_toml_take(reader, "]")) {
        struct lwb_toml *item = add_child(reader, out, NULL, LWB_TOML_STRING, BY_VALUE);

        rc = item ? read_value(reader, item) : (int)reader->err->code;
        if (rc == LWB_OK)
            rc = skip_lines(reader);
        if (rc < 0 || lwb_toml_take(reader, "]"))
            return rc;
        if (!lwb_toml_take(reader, ","))
            return lwb_toml_fail(reader, "expected ',' or ']' in an array");
        rc = skip_lines(reader);
    }
    return rc;
}

/* What inline tables hold is closed, with the tables that dotted keys made in them. */
static void close_table(struct lwb_toml *table)
{
    table->origin = BY_VALUE;
    for (struct lwb_toml *member = table->first; member; member = member->next)
        if (member->type == LWB_TOML_TABLE && member->origin == BY_DOTS)
            member->origin = BY_VALUE;
}

static int read_inline_table(struct lwb_toml_reader *reader, struct lwb_toml *out)
{
    int rc = LWB_OK;

    out->type = LWB_TOML_TABLE;
    skip_blanks(reader);
    if (lwb_toml_take(reader, "}"))
        return LWB_OK;
    for (;;) {
        rc = read_pair(reader, out);
        skip_blanks(reader);
        if (rc != LWB_OK)
            return rc;
        if (lwb_toml_take(reader, "}"))
            break;
        if (!lwb_toml_take(reader, ","))
            return lwb_toml_fail(reader, "expected ',' or '}' in an inline table");
    }
    close_table(out);
    return rc;
}

static int read_value(struct lwb_toml_reader *reader, struct lwb_toml *out)
{
    char c = lwb_toml_peek(reader, 0);
    int rc;

    out->line = reader->line;
    if (c == '"' || c == '\'') {
        out->type = LWB_TOML_STRING;
        return lwb_toml_read_string(reader, true, &out->text);
    }
    if (c != '[' && c != '{')
        return lwb_toml_read_scalar(reader, out);
    if (reader->depth == LWB_TOML_MAX_DEPTH)
        return lwb_toml_fail(reader, "nested deeper than %d", LWB_TOML_MAX_DEPTH);
    reader->at++;
    reader->depth++;
    rc = c == '[' ? read_array(reader, out) : read_inline_table(reader, out);
    reader->depth--;
    return rc;
}

/* key = value */
static int read_pair(struct lwb_toml_reader *reader, struct lwb_toml *table)
{
    const char *key = NULL;
    struct lwb_toml *member;
    bool more;
    int rc = next_key_part(reader, &key, &more);

    while (rc == LWB_OK && more) {
        table = enter_by_dots(reader, table, key);
        if (!table)
            return reader->err->code;
        rc = next_key_part(reader, &key, &more);
    }
    if (rc != LWB_OK)
        return rc;
    member = find(table, key);
    if (member)
        return lwb_toml_fail(reader, "%s is already defined in line %u", key, member->line);
    if (!lwb_toml_take(reader, "="))
        return lwb_toml_fail(reader, "expected '=' behind the key %s", key);
    skip_blanks(reader);
    member = add_child(reader, table, key, LWB_TOML_STRING, BY_VALUE);
    return member ? read_value(reader, member) : (int)reader->err->code;
}

/* ---- headers ---- */

static int define_table(struct lwb_toml_reader *reader, struct lwb_toml *parent, const char *key,
                        struct lwb_toml **out)
{
    struct lwb_toml *member = find(parent, key);

    if (member && (member->type != LWB_TOML_TABLE || member->origin != BY_PATH))
        return lwb_toml_fail(reader, "%s is already defined in line %u", key, member->line);
    if (!member)
        member = add_child(reader, parent, key, LWB_TOML_TABLE, BY_HEADER);
    if (!member)
        return reader->err->code;
    member->origin = BY_HEADER;
    member->line = reader->line;
    *out = member;
    return LWB_OK;
}

static int append_table(struct lwb_toml_reader *reader, struct lwb_toml *parent, const char *key,
                        struct lwb_toml **out)
{
    struct lwb_toml *array = find(parent, key);

    if (array && (array->type != LWB_TOML_ARRAY || array->origin != BY_HEADERS))
        return lwb_toml_fail(reader, "%s is already defined in line %u", key, array->line);
    if (!array)
        array = add_child(reader, parent, key, LWB_TOML_ARRAY, BY_HEADERS);
    *out = array ? add_child(reader, array, NULL, LWB_TOML_TABLE, BY_HEADER) : NULL;
    return *out ? LWB_OK : (int)reader->err->code;
}

/* [a.b] or [[a.b]]; what follows goes into *out. */
static int read_header(struct lwb_toml_reader *reader, struct lwb_toml *root, struct lwb_toml **out)
{
    bool is_array = lwb_toml_take(reader, "[[");
    const char *key = NULL;
    bool more;
    int rc;

    if (!is_array)
        reader->at++;
    rc = next_key_part(reader, &key, &more);
    while (rc == LWB_OK && more) {
        root = enter_by_path(reader, root, key);
        if (!root)
            return reader->err->code;
        rc = next_key_part(reader, &key, &more);
    }
    if (rc == LWB_OK && !lwb_toml_take(reader, is_array ? "]]" : "]"))
        return lwb_toml_fail(reader, "a table header is not closed");
    if (rc != LWB_OK)
        return rc;
    return is_array ? append_table(reader, root, key, out) : define_table(reader, root, key, out);
}

static int read_document(struct lwb_toml_reader *reader, struct lwb_toml *root)
{
    struct lwb_toml *table = root;
    int rc = skip_lines(reader);

    while (rc == LWB_OK && reader->at < reader->len) {
        if (lwb_toml_peek(reader, 0) == '[')
            rc = read_header(reader, root, &table);
        else
            rc = read_pair(reader, table);
        if (rc == LWB_OK)
            rc = end_line(reader);
        if (rc == LWB_OK)
            rc = skip_lines(reader);
    }
    return rc;
}

int lwb_toml_parse(struct lwb_toml_document *out, struct lwb_bytes text, struct lwb_error *err)
{
    LWB_AUTO(lwb_toml_release) struct lwb_toml_document document = { 0 };
    struct lwb_toml_reader reader = {
        .text = text.ptr,
        .len = text.len,
        .line = 1,
        .arena = &document.arena,
        .err = err,
    };
    int rc;

    document.root = lwb_arena_alloc(&document.arena, sizeof(*document.root));
    if (!document.root)
        return lwb_fail_memory(err);
    document.root->type = LWB_TOML_TABLE;
    document.root->origin = BY_HEADER;
    document.root->line = 1;
    if (!lwb_utf8_is_valid(text) || memchr(text.ptr, '\0', text.len))
        return lwb_toml_fail(&reader, "the file is not valid UTF-8, or has a NUL in it");
    if (text.len >= 3 && memcmp(text.ptr, "\xEF\xBB\xBF", 3) == 0)
        reader.at = 3;
    rc = read_document(&reader, document.root);
    if (rc == LWB_OK) {
        *out = LWB_TAKE(document);
    }
    return rc;
}

void lwb_toml_release(struct lwb_toml_document *document)
{
    lwb_arena_release(&document->arena);
    *document = (struct lwb_toml_document){ 0 };
}

const char *lwb_toml_type_name(enum lwb_toml_type type)
{
    static const char *const names[] = {
        [LWB_TOML_STRING] = "a string", [LWB_TOML_INTEGER] = "an integer",
        [LWB_TOML_FLOAT] = "a float",   [LWB_TOML_BOOL] = "a boolean",
        [LWB_TOML_DATE] = "a date",     [LWB_TOML_ARRAY] = "an array",
        [LWB_TOML_TABLE] = "a table",
    };

    return names[type];
}
