#include "tests/integration/kernel/export_lines.h"

#include "lwbuild/base/alloc.h"

void export_parse(struct export_lines *out, struct lwb_bytes file)
{
    const char *at = file.ptr, *end = file.ptr + file.len;

    memset(out, 0, sizeof(*out));
    out->lines = lwb_alloc_array(file.len / 8 + 1, sizeof(cJSON *));
    while (out->lines && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        stop = stop ? stop : end;
        out->lines[out->n] = cJSON_ParseWithLength(at, (size_t)(stop - at));
        if (!out->lines[out->n++])
            abort();
        at = stop + 1;
    }
}

void export_print(const struct export_lines *lines, struct lwb_buf *out)
{
    size_t i;

    for (i = 0; i < lines->n; i++) {
        char *text = lines->lines[i] ? cJSON_PrintUnformatted(lines->lines[i]) : NULL;

        if (!text)
            continue;
        lwb_buf_append_text(out, text);
        lwb_buf_append_char(out, '\n');
        cJSON_free(text);
    }
}

void export_release(struct export_lines *lines)
{
    size_t i;

    for (i = 0; i < lines->n; i++)
        cJSON_Delete(lines->lines[i]);
    lwb_free(lines->lines);
}

enum space space_of(const char *key)
{
    static const struct {
        const char *key;
        enum space space;
    } keys[] = {
        { "in", NAMES },          { "pre", NAMES },    { "name", NAMES },   { "param", NAMES },
        { "typeName", NAMES },    { "induct", NAMES }, { "ctor", NAMES },   { "all", NAMES },
        { "levelParams", NAMES }, { "ctors", NAMES },  { "il", LEVELS },    { "succ", LEVELS },
        { "sort", LEVELS },       { "us", LEVELS },    { "max", LEVELS },   { "imax", LEVELS },
        { "ie", EXPRS },          { "fn", EXPRS },     { "arg", EXPRS },    { "type", EXPRS },
        { "body", EXPRS },        { "value", EXPRS },  { "struct", EXPRS }, { "expr", EXPRS },
        { "rhs", EXPRS },
    };
    size_t i;

    for (i = 0; i < LWB_COUNT(keys); i++) {
        if (strcmp(key, keys[i].key) == 0)
            return keys[i].space;
    }
    return NO_SPACE;
}

static void visit(cJSON *value, const char *key, export_visitor fn, void *data)
{
    cJSON *child, *next;

    if (value->string)
        key = value->string;
    if (cJSON_IsNumber(value) || cJSON_IsBool(value))
        fn(value, key, data);
    for (child = value->child; child; child = next) {
        next = child->next;
        visit(child, key, fn, data);
    }
}

void export_visit(cJSON *line, export_visitor fn, void *data)
{
    visit(line, "", fn, data);
}

bool is_declaration(const cJSON *line)
{
    static const char *const keys[] = { "axiom", "def", "thm", "opaque", "quot", "inductive" };
    size_t i;

    for (i = 0; i < LWB_COUNT(keys); i++) {
        if (cJSON_GetObjectItemCaseSensitive(line, keys[i]))
            return true;
    }
    return false;
}
