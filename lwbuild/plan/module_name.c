#include "lwbuild/plan/module_name.h"

#include "lwbuild/base/lean_header.h"

#define OPEN "\xC2\xAB"
#define CLOSE "\xC2\xBB"
enum { QUOTE = 2 }; /* bytes of a guillemet */

static bool is_quoted(struct lwb_bytes component)
{
    return component.len > 2 * QUOTE && memcmp(component.ptr, OPEN, QUOTE) == 0;
}

static struct lwb_bytes unquoted(struct lwb_bytes component)
{
    if (!is_quoted(component))
        return component;
    return lwb_bytes(component.ptr + QUOTE, component.len - 2 * QUOTE);
}

/* As a file name: not empty, not a way out of the folder. */
static bool is_file_name(struct lwb_bytes text)
{
    return text.len && !lwb_bytes_is(text, ".") && !lwb_bytes_is(text, "..") &&
           !memchr(text.ptr, '/', text.len) && !memchr(text.ptr, '\0', text.len) &&
           !memmem(text.ptr, text.len, OPEN, QUOTE) && !memmem(text.ptr, text.len, CLOSE, QUOTE);
}

static bool is_plain(struct lwb_bytes text)
{
    return !memchr(text.ptr, '.', text.len) && lwb_lean_name_len(text) == text.len;
}

/* `text` is the component without guillemets. */
static bool append_component(struct lwb_buf *out, struct lwb_bytes text, bool first)
{
    bool plain = is_plain(text);

    if (!is_file_name(text))
        return false;
    if (!first)
        lwb_buf_append_char(out, '.');
    if (!plain)
        lwb_buf_append_text(out, OPEN);
    lwb_buf_append_bytes(out, text);
    if (!plain)
        lwb_buf_append_text(out, CLOSE);
    return true;
}

/* Length of the component at the start of a well-formed name. */
static size_t component_len(struct lwb_bytes name)
{
    const char *end;

    if (name.len >= QUOTE && memcmp(name.ptr, OPEN, QUOTE) == 0) {
        end = memmem(name.ptr, name.len, CLOSE, QUOTE);
        return end ? (size_t)(end - name.ptr) + QUOTE : name.len;
    }
    end = memchr(name.ptr, '.', name.len);
    return end ? (size_t)(end - name.ptr) : name.len;
}

/* Take the first component off; false at the end. */
static bool next_component(struct lwb_bytes *name, struct lwb_bytes *component)
{
    size_t len;

    if (!name->len)
        return false;
    len = component_len(*name);
    *component = lwb_bytes(name->ptr, len);
    if (len < name->len)
        len++; /* the dot */
    *name = lwb_bytes(name->ptr + len, name->len - len);
    return true;
}

bool lwb_module_name_append(struct lwb_buf *out, struct lwb_bytes text)
{
    struct lwb_bytes component;
    bool first = true;

    if (!text.len || lwb_lean_name_len(text) != text.len)
        return false;
    while (next_component(&text, &component)) {
        if (!append_component(out, unquoted(component), first))
            return false;
        first = false;
    }
    return true;
}

bool lwb_module_name_from_path(struct lwb_buf *out, struct lwb_bytes path)
{
    bool first = true;

    while (path.len || first) {
        const char *slash = path.len ? memchr(path.ptr, '/', path.len) : NULL;
        size_t len = slash ? (size_t)(slash - path.ptr) : path.len;

        if (!append_component(out, lwb_bytes(path.ptr, len), first))
            return false;
        first = false;
        if (slash)
            len++;
        path = lwb_bytes(path.ptr + len, path.len - len);
    }
    return true;
}

void lwb_module_name_to_path(struct lwb_buf *out, const char *name)
{
    struct lwb_bytes rest = lwb_bytes_text(name);
    struct lwb_bytes component;
    bool first = true;

    while (next_component(&rest, &component)) {
        if (!first)
            lwb_buf_append_char(out, '/');
        lwb_buf_append_bytes(out, unquoted(component));
        first = false;
    }
}

size_t lwb_module_name_first(const char *name)
{
    return component_len(lwb_bytes_text(name));
}

bool lwb_module_name_is_below(const char *root, const char *name)
{
    size_t len = strlen(root);

    return strncmp(root, name, len) == 0 && (name[len] == '\0' || name[len] == '.');
}
