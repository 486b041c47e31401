#include "lwbuild/plan/lakefile_lean.h"

#include "lwbuild/base/alloc.h"

/* The values of a lakefile.lean that can be read without running it. */

enum { MAX_DEPTH = 32 };

bool lwb_lake_token_is(const struct lwb_token *token, const char *text)
{
    return (token->kind == LWB_TOKEN_NAME || token->kind == LWB_TOKEN_SYMBOL) &&
           strcmp(token->text, text) == 0;
}

bool lwb_lake_take(struct lwb_lake_reader *reader, const char *text)
{
    if (!lwb_lake_token_is(lwb_lake_token(reader), text))
        return false;
    reader->at++;
    return true;
}

static int fail_value(struct lwb_lake_reader *reader)
{
    const struct lwb_token *token = lwb_lake_token(reader);

    return lwb_lakefile_fail(
        reader->err, token->line,
        "lwbuild cannot tell what '%s' stands for without running the lakefile", token->text);
}

static int make(struct lwb_lake_reader *reader, enum lwb_lake_value_kind kind, const char *text,
                struct lwb_lake_value **out)
{
    struct lwb_lake_value *value = lwb_arena_alloc(&reader->tokens.arena, sizeof(*value));

    if (!value)
        return lwb_fail_memory(reader->err);
    value->kind = kind;
    value->text = text;
    value->line = lwb_lake_token(reader)->line;
    *out = value;
    return LWB_OK;
}

static void append(struct lwb_lake_value *list, struct lwb_lake_value *item)
{
    if (list->last)
        list->last->next = item;
    else
        list->first = item;
    list->last = item;
}

/* One token that is a value by itself. */
static int read_atom(struct lwb_lake_reader *reader, enum lwb_lake_value_kind kind,
                     struct lwb_lake_value **out)
{
    int rc = make(reader, kind, lwb_lake_token(reader)->text, out);

    if (rc == LWB_OK)
        reader->at++;
    return rc;
}

/* `open` has been taken: values up to `close`, separated by commas. */
static int read_items(struct lwb_lake_reader *reader, enum lwb_lake_value_kind kind,
                      const char *close, struct lwb_lake_value **out)
{
    struct lwb_lake_value *list = NULL;
    struct lwb_lake_value *item = NULL;
    int rc = make(reader, kind, "", &list);

    while (rc == LWB_OK && !lwb_lake_take(reader, close)) {
        rc = lwb_lake_read_value(reader, &item);
        if (rc != LWB_OK)
            break;
        append(list, item);
        if (!lwb_lake_take(reader, ",") && !lwb_lake_token_is(lwb_lake_token(reader), close))
            return fail_value(reader);
    }
    if (rc == LWB_OK)
        *out = list;
    return rc;
}

/* { name := `x, value := true } */
static int read_fields(struct lwb_lake_reader *reader, struct lwb_lake_value **out)
{
    struct lwb_lake_value *fields = NULL;
    struct lwb_lake_value *item = NULL;
    int rc = make(reader, LWB_LAKE_FIELDS, "", &fields);

    while (rc == LWB_OK && !lwb_lake_take(reader, "}")) {
        const struct lwb_token *name = lwb_lake_token(reader);

        if (name->kind != LWB_TOKEN_NAME)
            return fail_value(reader);
        reader->at++;
        if (!lwb_lake_take(reader, ":="))
            return fail_value(reader);
        rc = lwb_lake_read_value(reader, &item);
        if (rc != LWB_OK)
            break;
        item->field = name->text;
        append(fields, item);
        (void)lwb_lake_take(reader, ",");
    }
    if (rc == LWB_OK)
        *out = fields;
    return rc;
}

/* Constructors that only wrap or name what follows: .ofBool true, Glob.submodules `A. */
static const char *call_of(const struct lwb_token *token)
{
    static const char *const names[] = { "one",    "submodules", "andSubmodules",
                                         "ofBool", "ofNat",      "ofString" };
    const char *dot = strrchr(token->text, '.');

    for (size_t i = 0; dot && i < LWB_COUNT(names); i++)
        if (strcmp(dot + 1, names[i]) == 0)
            return names[i];
    return NULL;
}

static int read_primary(struct lwb_lake_reader *reader, struct lwb_lake_value **out);

static int read_call(struct lwb_lake_reader *reader, const char *name, struct lwb_lake_value **out)
{
    struct lwb_lake_value *call = NULL;
    struct lwb_lake_value *item = NULL;
    int rc = make(reader, LWB_LAKE_CALL, name, &call);

    if (rc != LWB_OK)
        return rc;
    reader->at++;
    rc = read_primary(reader, &item);
    if (rc != LWB_OK)
        return rc;
    append(call, item);
    *out = call;
    return LWB_OK;
}

/* The value of a definition above, read where it stands. */
static int read_reference(struct lwb_lake_reader *reader, struct lwb_lake_value **out)
{
    const char *name = lwb_lake_token(reader)->text;
    size_t back = reader->at + 1;
    int rc;

    for (size_t i = reader->n_definitions; i > 0; i--) {
        if (strcmp(reader->definitions[i - 1].name, name) != 0)
            continue;
        reader->at = reader->definitions[i - 1].value;
        rc = lwb_lake_read_value(reader, out);
        if (rc == LWB_OK && !lwb_lake_token(reader)->at_margin)
            return fail_value(reader);
        reader->at = back;
        return rc;
    }
    return fail_value(reader);
}

static int read_word(struct lwb_lake_reader *reader, struct lwb_lake_value **out)
{
    const struct lwb_token *token = lwb_lake_token(reader);

    if (strcmp(token->text, "true") == 0 || strcmp(token->text, "false") == 0)
        return read_atom(reader, LWB_LAKE_BOOL, out);
    if (call_of(token))
        return read_call(reader, call_of(token), out);
    if (strcmp(token->text, "__dir__") == 0) {
        reader->at++;
        return make(reader, LWB_LAKE_TEXT, ".", out);
    }
    return read_reference(reader, out);
}

static int read_primary(struct lwb_lake_reader *reader, struct lwb_lake_value **out)
{
    const struct lwb_token *token = lwb_lake_token(reader);

    switch (token->kind) {
    case LWB_TOKEN_STRING:
        return read_atom(reader, LWB_LAKE_TEXT, out);
    case LWB_TOKEN_QUOTED:
        return read_atom(reader, LWB_LAKE_NAME, out);
    case LWB_TOKEN_NUMBER:
        return read_atom(reader, LWB_LAKE_NUMBER, out);
    case LWB_TOKEN_NAME:
        return read_word(reader, out);
    case LWB_TOKEN_SYMBOL:
    case LWB_TOKEN_END:
        break;
    }
    if (lwb_lake_take(reader, "#[") || lwb_lake_take(reader, "["))
        return read_items(reader, LWB_LAKE_LIST, "]", out);
    if (lwb_lake_take(reader, "⟨"))
        return read_items(reader, LWB_LAKE_TUPLE, "⟩", out);
    if (lwb_lake_take(reader, "("))
        return read_items(reader, LWB_LAKE_TUPLE, ")", out);
    if (lwb_lake_take(reader, "{"))
        return read_fields(reader, out);
    return fail_value(reader);
}

/* A path may be written in pieces, a list too. */
static int join(struct lwb_lake_reader *reader, struct lwb_lake_value *left,
                const struct lwb_lake_value *right, bool path)
{
    char *joined;
    size_t len;

    if (!path && left->kind == LWB_LAKE_LIST && right->kind == LWB_LAKE_LIST) {
        if (left->last)
            left->last->next = right->first;
        else
            left->first = right->first;
        left->last = right->last ? right->last : left->last;
        return LWB_OK;
    }
    if (!path || left->kind != LWB_LAKE_TEXT || right->kind != LWB_LAKE_TEXT)
        return fail_value(reader);
    len = strlen(left->text);
    joined = lwb_arena_alloc(&reader->tokens.arena, len + strlen(right->text) + 2);
    if (!joined)
        return lwb_fail_memory(reader->err);
    memcpy(joined, left->text, len);
    joined[len] = '/';
    memcpy(joined + len + 1, right->text, strlen(right->text));
    left->text = joined;
    return LWB_OK;
}

int lwb_lake_read_value(struct lwb_lake_reader *reader, struct lwb_lake_value **out)
{
    struct lwb_lake_value *left = NULL;
    struct lwb_lake_value *right = NULL;
    int rc;

    if (reader->depth == MAX_DEPTH)
        return fail_value(reader);
    reader->depth++;
    rc = read_primary(reader, &left);
    while (rc == LWB_OK) {
        bool path = lwb_lake_token_is(lwb_lake_token(reader), "/");

        if (!path && !lwb_lake_token_is(lwb_lake_token(reader), "++"))
            break;
        reader->at++;
        rc = read_primary(reader, &right);
        if (rc == LWB_OK)
            rc = join(reader, left, right, path);
    }
    reader->depth--;
    if (rc == LWB_OK)
        *out = left;
    return rc;
}
