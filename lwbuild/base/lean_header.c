#include "lwbuild/base/lean_header.h"

#include "lwbuild/base/alloc.h"

struct scanner {
    const char *text;
    size_t len;
    size_t at;
    const char *problem;
    size_t problem_at;
};

static bool starts_with(const struct scanner *scan, size_t at, const char *word, size_t len)
{
    return scan->len - at >= len && memcmp(scan->text + at, word, len) == 0;
}

static void stop(struct scanner *scan, size_t at, const char *problem)
{
    scan->problem = problem;
    scan->problem_at = at;
}

static void skip_line(struct scanner *scan)
{
    const char *newline = memchr(scan->text + scan->at, '\n', scan->len - scan->at);

    scan->at = newline ? (size_t)(newline - scan->text) + 1 : scan->len;
}

/*
 * Block comments nest. Lean does not look at the character behind the opening
 * delimiter again, so that `/-/` opens one comment and `/-/-` not two.
 */
static void skip_block_comment(struct scanner *scan)
{
    size_t start = scan->at;
    size_t depth = 1;

    scan->at += 3;
    while (scan->at + 1 < scan->len) {
        if (starts_with(scan, scan->at, "-/", 2)) {
            scan->at += 2;
            if (--depth == 0)
                return;
        } else if (starts_with(scan, scan->at, "/-", 2)) {
            scan->at += 2;
            depth++;
        } else {
            scan->at++;
        }
    }
    scan->at = scan->len;
    stop(scan, start, "unterminated comment");
}

/* Doc comments are tokens, not space: they end the header. */
static bool at_block_comment(const struct scanner *scan)
{
    return starts_with(scan, scan->at, "/-", 2) && !starts_with(scan, scan->at, "/--", 3) &&
           !starts_with(scan, scan->at, "/-!", 3);
}

static void skip_space(struct scanner *scan)
{
    while (scan->at < scan->len && !scan->problem) {
        char c = scan->text[scan->at];

        if (c == ' ' || c == '\n' || c == '\r')
            scan->at++;
        else if (c == '\t')
            stop(scan, scan->at, "tabs are not allowed");
        else if (starts_with(scan, scan->at, "--", 2))
            skip_line(scan);
        else if (at_block_comment(scan))
            skip_block_comment(scan);
        else
            return;
    }
}

/* Letter-like characters differ by version; all beyond ASCII is a safe superset for planning. */
static bool is_name_first(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_name_rest(unsigned char c)
{
    return is_name_first(c) || (c >= '0' && c <= '9') || c == '\'' || c == '!' || c == '?';
}

static bool is_guillemet(const char *text, size_t len, char second)
{
    return len >= 2 && text[0] == '\xC2' && text[1] == second;
}

static size_t quoted_len(const char *text, size_t len)
{
    for (size_t at = 2; at + 1 < len; at++) {
        if (text[at] != '\xC2')
            continue;
        if (text[at + 1] == '\xBB')
            return at > 2 ? at + 2 : 0;
        if (text[at + 1] == '\xAB')
            return 0;
    }
    return 0;
}

/* Length of one component: «anything» or letters. */
static size_t component_len(const char *text, size_t len)
{
    size_t at = 0;

    if (is_guillemet(text, len, '\xAB'))
        return quoted_len(text, len);
    if (!len || !is_name_first((unsigned char)text[0]))
        return 0;
    while (at < len && is_name_rest((unsigned char)text[at]) &&
           !is_guillemet(text + at, len - at, '\xAB') && !is_guillemet(text + at, len - at, '\xBB'))
        at++;
    return at;
}

size_t lwb_lean_name_len(struct lwb_bytes text)
{
    size_t at = component_len(text.ptr, text.len);

    while (at && at + 1 < text.len && text.ptr[at] == '.') {
        size_t next = component_len(text.ptr + at + 1, text.len - at - 1);

        if (!next)
            break;
        at += 1 + next;
    }
    return at;
}

/* Keywords are whole tokens: `importFoo` and `import.foo` are names, which end the header. */
static bool at_word(const struct scanner *scan, const char *word)
{
    size_t len = strlen(word);

    return starts_with(scan, scan->at, word, len) &&
           lwb_lean_name_len(lwb_bytes(scan->text + scan->at, scan->len - scan->at)) == len;
}

static bool take_word(struct scanner *scan, struct lwb_lean_header *header, const char *word)
{
    if (scan->problem || !at_word(scan, word))
        return false;
    scan->at += strlen(word);
    header->end = scan->at;
    skip_space(scan);
    return true;
}

/*
 * `all` and `runtime` are modifiers only where a name follows on the same line;
 * else they are module names, as in versions that do not know them.
 */
static bool take_modifier(struct scanner *scan, const char *word)
{
    size_t at = scan->at + strlen(word);

    if (!at_word(scan, word))
        return false;
    while (at < scan->len && scan->text[at] == ' ')
        at++;
    if (!component_len(scan->text + at, scan->len - at))
        return false;
    scan->at = at;
    return true;
}

static int add_import(struct lwb_lean_header *header, struct lwb_bytes name, unsigned flags,
                      struct lwb_error *err)
{
    if (lwb_grow(&header->imports, &header->cap, header->n_imports, sizeof(*header->imports)))
        return lwb_fail_memory(err);
    header->imports[header->n_imports++] = (struct lwb_lean_import){ name, (unsigned char)flags };
    return LWB_OK;
}

/* The name behind `import`. */
static int parse_name(struct scanner *scan, struct lwb_lean_header *header, unsigned flags,
                      struct lwb_error *err)
{
    struct lwb_bytes name;

    if (take_modifier(scan, "all"))
        flags |= LWB_IMPORT_ALL;
    else if (take_modifier(scan, "runtime"))
        flags |= LWB_IMPORT_RUNTIME;
    name = lwb_bytes(scan->text + scan->at, scan->len - scan->at);
    name.len = lwb_lean_name_len(name);
    if (!name.len) {
        stop(scan, scan->at, "expected a module name");
        return LWB_OK;
    }
    scan->at += name.len;
    header->end = scan->at;
    skip_space(scan);
    return add_import(header, name, flags, err);
}

/* One import; *more is false where the header ends. */
static int parse_import(struct scanner *scan, struct lwb_lean_header *header, bool *more,
                        struct lwb_error *err)
{
    unsigned flags = 0;
    size_t start = scan->at;
    size_t end = header->end;

    *more = false;
    if (take_word(scan, header, "public"))
        flags |= LWB_IMPORT_PUBLIC;
    if (take_word(scan, header, "meta"))
        flags |= LWB_IMPORT_META;
    if (!take_word(scan, header, "import")) {
        /* `public def ...`: the modifiers belong to the body. */
        scan->at = start;
        header->end = end;
        return LWB_OK;
    }
    *more = true;
    return scan->problem ? LWB_OK : parse_name(scan, header, flags, err);
}

/*
 * Where the text begins. The command line takes a first line with `#lang` away
 * before it reads a file. A byte order mark is an error to all Leans that were
 * looked at; behind it imports are read all the same, in case one skips it.
 */
static size_t find_start(const struct scanner *scan)
{
    static const char mark[] = "\xEF\xBB\xBF";
    static const char lang[] = "#lang";
    size_t at = starts_with(scan, 0, mark, sizeof(mark) - 1) ? sizeof(mark) - 1 : 0;
    const char *newline;

    if (!starts_with(scan, at, lang, sizeof(lang) - 1))
        return at;
    newline = memchr(scan->text + at, '\n', scan->len - at);
    return newline ? (size_t)(newline - scan->text) : scan->len;
}

int lwb_lean_header_parse(struct lwb_lean_header *header, struct lwb_bytes source,
                          struct lwb_error *err)
{
    struct scanner scan = { .text = source.ptr, .len = source.len };
    bool more = true;
    int rc = LWB_OK;

    *header = (struct lwb_lean_header){ .imports = header->imports, .cap = header->cap };
    scan.at = find_start(&scan);
    skip_space(&scan);
    header->module_system = take_word(&scan, header, "module");
    header->prelude = take_word(&scan, header, "prelude");
    while (rc == LWB_OK && more && !scan.problem)
        rc = parse_import(&scan, header, &more, err);
    header->body = scan.at;
    header->problem = scan.problem;
    header->problem_at = scan.problem_at;
    return rc;
}

void lwb_lean_header_release(struct lwb_lean_header *header)
{
    lwb_free(header->imports);
    *header = (struct lwb_lean_header){ 0 };
}

size_t lwb_lean_line(struct lwb_bytes source, size_t offset)
{
    size_t line = 1;

    for (size_t at = 0; at < offset && at < source.len; at++)
        line += source.ptr[at] == '\n';
    return line;
}

const char *lwb_import_flags_text(unsigned flags)
{
    static const char *const texts[16] = {
        "",
        "public ",
        "meta ",
        "public meta ",
        "all ",
        "public all ",
        "meta all ",
        "public meta all ",
        "runtime ",
        "public runtime ",
        "meta runtime ",
        "public meta runtime ",
        "all runtime ",
        "public all runtime ",
        "meta all runtime ",
        "public meta all runtime ",
    };

    return texts[flags & 15];
}
