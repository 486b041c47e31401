#include "child/lean/lean_document.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/lean_header.h"
#include "lwbuild/base/utf8.h"

/* The name in "public meta all A.B": behind the modifiers, which are words of these. */
static const char *import_name(const char *import)
{
    static const char *const modifiers[] = { "public ", "meta ", "all ", "runtime " };

    for (size_t i = 0; i < LWB_COUNT(modifiers); i++) {
        size_t len = strlen(modifiers[i]);

        if (strncmp(import, modifiers[i], len) == 0)
            import += len;
    }
    return import;
}

static void append_modifier(struct lwb_buf *out, const char *import, const char *modifier)
{
    const char *found = strstr(import, modifier);

    if (found && found < import_name(import))
        lwb_buf_append_text(out, modifier);
}

static void separate(struct lwb_buf *out, size_t start)
{
    if (out->len > start)
        lwb_buf_append_char(out, ' ');
}

void lwb_lean_document_header(struct lwb_buf *out, const struct lwb_lean_session_header *header)
{
    size_t start = out->len;

    if (header->module_system)
        lwb_buf_append_text(out, "module");
    if (header->prelude) {
        separate(out, start);
        lwb_buf_append_text(out, "prelude");
    }
    for (size_t i = 0; i < header->imports->count; i++) {
        const char *import = header->imports->items[i];

        separate(out, start);
        append_modifier(out, import, "public ");
        append_modifier(out, import, "meta ");
        lwb_buf_append_text(out, "import ");
        append_modifier(out, import, "all ");
        append_modifier(out, import, "runtime ");
        lwb_buf_append_text(out, import_name(import));
    }
}

/* Whether `import` is how a session states what the file says. */
static bool is_same_import(const char *import, const struct lwb_lean_import *found)
{
    const char *flags = lwb_import_flags_text(found->flags);
    size_t len = strlen(flags);

    return strncmp(import, flags, len) == 0 && lwb_bytes_is(found->name, import + len);
}

static bool is_same_header(const struct lwb_lean_session_header *expected,
                           const struct lwb_lean_header *found)
{
    if (found->problem || found->module_system != expected->module_system ||
        found->prelude != expected->prelude || found->n_imports != expected->imports->count)
        return false;
    for (size_t i = 0; i < found->n_imports; i++)
        if (!is_same_import(expected->imports->items[i], &found->imports[i]))
            return false;
    return true;
}

int lwb_lean_document_split(struct lwb_lean_split *split,
                            const struct lwb_lean_session_header *header, struct lwb_bytes source,
                            struct lwb_error *err)
{
    LWB_AUTO(lwb_lean_header_release) struct lwb_lean_header found = { 0 };
    int rc = lwb_lean_header_parse(&found, source, err);

    if (rc < 0)
        return rc;
    if (!is_same_header(header, &found))
        return 0;
    *split = (struct lwb_lean_split){ .end = found.end, .body = found.body };
    return 1;
}

/* Lines (from 0) and code points since the last newline before `end`. */
static void locate(struct lwb_bytes text, size_t end, size_t *line, size_t *column)
{
    *line = 0;
    *column = 0;
    for (size_t i = 0; i < end; i++) {
        if (text.ptr[i] == '\n') {
            ++*line;
            *column = 0;
        } else if (((unsigned char)text.ptr[i] & 0xc0) != 0x80) {
            ++*column;
        }
    }
}

bool lwb_lean_document_can_travel(struct lwb_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c < ' ' && c != '\n' && c != '\r' && c != '\t')
            return false;
    }
    return lwb_utf8_is_valid(text);
}

/*
 * One that ends no line is an error to newer Leans; in a header that is replaced
 * they would not see it.
 */
static bool has_lone_return(struct lwb_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\r' && (i + 1 == text.len || text.ptr[i + 1] != '\n'))
            return true;
    return false;
}

/* A first line that only the command line understands, or a byte order mark: part of no header. */
static bool has_prologue(struct lwb_bytes source)
{
    return lwb_bytes_start_with(source, "#lang") || lwb_bytes_start_with(source, "\xEF\xBB\xBF");
}

int lwb_lean_document_append(struct lwb_buf *out, struct lwb_bytes canonical,
                             struct lwb_bytes source, const struct lwb_lean_split *split)
{
    struct lwb_bytes rest = lwb_bytes(source.ptr + split->end, source.len - split->end);
    size_t line, column;

    if (!lwb_lean_document_can_travel(source))
        return 0;
    if (has_prologue(source))
        return 0;
    /* Nothing to replace: no header at all, or the canonical one letter by letter. */
    if (lwb_bytes_equal(canonical, lwb_bytes(source.ptr, split->end))) {
        lwb_buf_append_bytes(out, source);
        return 1;
    }
    if (has_lone_return(lwb_bytes(source.ptr, split->end)))
        return 0;
    locate(source, split->end, &line, &column);
    /* On line 1 another spelling moves what stands behind it; only blanks and comments may. */
    if (line == 0 && split->body < source.len && !memchr(rest.ptr, '\n', split->body - split->end))
        return 0;
    lwb_buf_append_bytes(out, canonical);
    for (size_t i = 0; i < line; i++)
        lwb_buf_append_char(out, '\n');
    for (size_t i = 0; line > 0 && i < column; i++)
        lwb_buf_append_char(out, ' ');
    lwb_buf_append_bytes(out, rest);
    return 1;
}

bool lwb_lean_document_asks_its_name(struct lwb_bytes source)
{
    static const char *const words[] = { "mainModule", "MainModule", "getFileName", ".fileName" };

    for (size_t i = 0; i < LWB_COUNT(words); i++)
        if (lwb_bytes_contain(source, words[i]))
            return true;
    return false;
}

static int add_line(struct lwb_lean_lines *lines, size_t start)
{
    if (lwb_grow(&lines->starts, &lines->cap, lines->count, sizeof(*lines->starts)) < 0)
        return -1;
    lines->starts[lines->count++] = start;
    return 0;
}

int lwb_lean_lines_init(struct lwb_lean_lines *lines, struct lwb_bytes text)
{
    const char *at = text.ptr;
    const char *end = text.ptr + text.len;

    *lines = (struct lwb_lean_lines){ .text = text };
    if (add_line(lines, 0) < 0)
        return -1;
    while (at && at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (add_line(lines, (size_t)(at - text.ptr)) < 0) {
            lwb_lean_lines_release(lines);
            return -1;
        }
    }
    return 0;
}

void lwb_lean_lines_release(struct lwb_lean_lines *lines)
{
    lwb_free(lines->starts);
    *lines = (struct lwb_lean_lines){ 0 };
}

int64_t lwb_lean_lines_column(const struct lwb_lean_lines *lines, int64_t line, int64_t column)
{
    int64_t points = 0;
    int64_t units = 0;

    if (line < 0 || (uint64_t)line >= lines->count)
        return column;
    for (size_t i = lines->starts[line]; i < lines->text.len && units < column; i++) {
        unsigned char c = (unsigned char)lines->text.ptr[i];

        if (c == '\n')
            break;
        if ((c & 0xc0) == 0x80)
            continue;
        points++;
        units += c >= 0xf0 ? 2 : 1; /* outside the basic plane: a surrogate pair */
    }
    return points;
}
