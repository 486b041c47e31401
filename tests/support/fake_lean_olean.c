#include "tests/support/fake_lean_internal.h"

#include <endian.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"

/*
 * Header of the era, then (word with the address of the root, or behind it) the
 * payload "fake\nimport A\nprovide x\n" padded with zeros, and last the root: an
 * object with one pointer.
 */
enum { CONTENT_MAX = 1024 * 1024, BASE = 0x10000, NEXT_BASE = 0x200000, ADDRESS = 8 };

static void append_u64(struct lwb_buf *out, uint64_t value)
{
    value = htole64(value);
    lwb_buf_append(out, &value, sizeof(value));
}

static void append_zeros(struct lwb_buf *out, size_t count)
{
    while (count-- > 0)
        lwb_buf_append_char(out, '\0');
}

static void append_header(struct lwb_buf *out, enum fake_era era, uint64_t base)
{
    switch (era) {
    case FAKE_2021_07:
        lwb_buf_append_text(out, "oleanfile!!!!!!!");
        break;
    case FAKE_2021_11:
    case FAKE_2022_12:
        lwb_buf_append_text(out, "oleanfile!!!!!!!");
        append_u64(out, base);
        break;
    case FAKE_4_8:
    case FAKE_4_12:
        lwb_buf_append(out, "olean\1", 6);
        append_zeros(out, 42);
        append_u64(out, base);
        break;
    case FAKE_4_22:
    case FAKE_4_34:
        lwb_buf_append(out, "olean\2\1", 7);
        append_zeros(out, 33 + 40);
        append_u64(out, base);
        break;
    }
}

/* Lines, and zeros up to where an object may begin. */
static void append_words(struct lwb_buf *out, const char *verb, const struct lwb_strvec *words)
{
    for (size_t i = 0; i < words->count; i++)
        lwb_buf_format(out, "%s %s\n", verb, words->items[i]);
    lwb_buf_append_char(out, '\0');
    append_zeros(out, (8 - out->len % 8) % 8);
}

static void append_payload(struct lwb_buf *out, const struct fake_lean *fake,
                           const struct lwb_lean_header *header)
{
    lwb_buf_append_text(out, "fake\n"); /* no object begins with zeros */
    if (header->module_system && fake->era >= FAKE_4_22)
        lwb_buf_append_text(out, "module\n");
    for (size_t i = 0; i < header->n_imports; i++)
        lwb_buf_format(out, "import %.*s\n", (int)header->imports[i].name.len,
                       header->imports[i].name.ptr);
    append_words(out, "provide", &fake->provides);
}

static void append_root(struct lwb_buf *out)
{
    static const unsigned char object[8] = { 0, 0, 0, 0, 16, 0, 1, 0 };

    lwb_buf_append(out, object, sizeof(object));
    append_u64(out, 1); /* its one field: a small number */
}

static void append_file(struct lwb_buf *out, const struct fake_lean *fake,
                        const struct lwb_lean_header *header)
{
    size_t place;
    uint64_t root;

    append_header(out, fake->era, BASE);
    place = out->len;
    if (fake->era == FAKE_2021_07) {
        append_payload(out, fake, header);
        root = out->len - place;
        append_root(out);
        append_u64(out, root);
        return;
    }
    append_u64(out, 0);
    append_payload(out, fake, header);
    root = htole64(BASE + out->len);
    append_root(out);
    if (lwb_buf_ok(out))
        memcpy(out->ptr + place, &root, sizeof(root));
}

static int write_part(const struct fake_lean *fake, const char *path, const char *suffix,
                      struct lwb_bytes content)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(4096);
    struct lwb_error err;

    if (strncmp(suffix, ".ir", 3) == 0)
        lwb_buf_append(&name, path, strlen(path) - strlen(".olean"));
    else
        lwb_buf_append_text(&name, path);
    lwb_buf_append_text(&name, suffix);
    if (fake->cut)
        content.len -= 16;
    if (lwb_file_write(lwb_buf_text(&name), content, 0600, &err) == LWB_OK)
        return 0;
    (void)fprintf(stderr, "%s\n", err.text);
    return 1;
}

/*
 * A part that is written behind others: what it has in common with them is not
 * written again, which is everything when a module has nothing of its own.
 */
static void append_later(struct lwb_buf *out, const struct fake_lean *fake, unsigned number,
                         const struct lwb_strvec *own)
{
    uint64_t base = NEXT_BASE * number;
    size_t place;
    uint64_t root;

    append_header(out, fake->era, base);
    place = out->len;
    append_u64(out, BASE + out->len + ADDRESS);
    if (own->count == 0)
        return;
    append_words(out, "keep", own);
    root = htole64(base + out->len);
    append_root(out);
    if (lwb_buf_ok(out))
        memcpy(out->ptr + place, &root, sizeof(root));
}

int fake_olean_write(const struct fake_lean *fake, const char *path,
                     const struct lwb_lean_header *header)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(CONTENT_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf server = LWB_BUF(CONTENT_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf private = LWB_BUF(CONTENT_MAX);
    int failed;

    append_file(&content, fake, header);
    failed = write_part(fake, path, "", lwb_buf_bytes(&content));
    if (fake->era < FAKE_4_22 || !header->module_system || failed)
        return failed;
    append_later(&server, fake, 1, &fake->provides);
    append_later(&private, fake, 2, &fake->keeps);
    failed = write_part(fake, path, ".server", lwb_buf_bytes(&server)) |
             write_part(fake, path, ".ir", lwb_buf_bytes(&content));
    if (!failed && !fake->partial)
        failed = write_part(fake, path, ".private", lwb_buf_bytes(&private));
    if (!failed && fake->era >= FAKE_4_34)
        failed = write_part(fake, path, ".ir.sig", lwb_buf_bytes(&content));
    return failed;
}

/* ---- reading --------------------------------------------------------------------------------- */

static char *join_module(struct lwb_bytes folder, struct lwb_bytes module)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);

    lwb_buf_append_bytes(&path, folder);
    lwb_buf_append_char(&path, '/');
    for (size_t i = 0; i < module.len; i++)
        lwb_buf_append_char(&path, module.ptr[i] == '.' ? '/' : module.ptr[i]);
    lwb_buf_append_text(&path, ".olean");
    return lwb_buf_take(&path);
}

/* Whether all modules with the first component of this one are to be looked for here. */
static bool is_place_of(struct lwb_bytes folder, struct lwb_bytes module)
{
    const char *dot = memchr(module.ptr, '.', module.len);
    struct lwb_bytes root = lwb_bytes(module.ptr, dot ? (size_t)(dot - module.ptr) : module.len);
    LWB_AUTO(lwb_free_text) char *path = join_module(folder, root);
    bool found = path && access(path, F_OK) == 0;

    if (path && !found) {
        path[strlen(path) - strlen(".olean")] = '\0';
        found = access(path, F_OK) == 0;
    }
    return found;
}

/*
 * The first of LEAN_PATH, then of the toolchain's own folder, that holds the
 * folder A or the file A.olean is where A.B must be; "" when there is none.
 */
static char *find_module(const struct fake_lean *fake, struct lwb_bytes module)
{
    LWB_AUTO(lwb_free_text) char *own = lwb_path_join(fake->prefix, "lib/lean");
    const char *list = getenv("LEAN_PATH");

    while (list && *list) {
        size_t len = strcspn(list, ":");

        if (is_place_of(lwb_bytes(list, len), module))
            return join_module(lwb_bytes(list, len), module);
        list += len + (list[len] == ':' ? 1 : 0);
    }
    return is_place_of(lwb_bytes_text(own), module) ? join_module(lwb_bytes_text(own), module)
                                                    : lwb_strdup("");
}

static bool read_payload(const char *path, struct lwb_buf *content, const char **payload)
{
    struct lwb_error err;

    if (lwb_file_read(content, path, NULL, &err) < 0 || content->len < 24 ||
        memcmp(content->ptr, "olean", 5) != 0)
        return false;
    *payload = memmem(content->ptr, content->len, "import ", 7);
    if (!*payload)
        *payload = memmem(content->ptr, content->len, "provide ", 8);
    if (!*payload)
        *payload = "";
    return true;
}

/* NULL, or what Lean says when a file of a module that has several is not beside the others. */
static char *find_missing_part(const char *path, struct lwb_bytes module,
                               const struct lwb_buf *content)
{
    static const char *const parts[] = { ".olean.server", ".olean.private", ".ir" };
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(4096);

    for (size_t i = 0; i < LWB_COUNT(parts); i++) {
        char name[4096];

        (void)snprintf(name, sizeof(name), "%.*s%s", (int)(strlen(path) - strlen(".olean")), path,
                       parts[i]);
        if (!lwb_bytes_contain(lwb_buf_bytes(content), "fake\nmodule\n") || access(name, F_OK) == 0)
            continue;
        lwb_buf_format(&text, "object file '%s' of module %.*s does not exist", name,
                       (int)module.len, module.ptr);
        return lwb_buf_take(&text);
    }
    return NULL;
}

char *fake_olean_complaint(const struct fake_lean *fake, struct lwb_bytes module)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(4096);
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(CONTENT_MAX);
    LWB_AUTO(lwb_free_text) char *path = find_module(fake, module);
    const char *payload;
    size_t root = 0;

    if (!*path) {
        while (root < module.len && module.ptr[root] != '.')
            root++;
        lwb_buf_format(
            &text, fake->era < FAKE_4_8 ? "unknown package '%.*s'" : "unknown module prefix '%.*s'",
            (int)root, module.ptr);
        return lwb_buf_take(&text);
    }
    if (read_payload(path, &content, &payload))
        return find_missing_part(path, module, &content);
    if (access(path, F_OK) != 0)
        lwb_buf_format(&text, "object file '%s' of module %.*s does not exist", path,
                       (int)module.len, module.ptr);
    else
        lwb_buf_format(&text, "failed to read file '%s', invalid header", path);
    return lwb_buf_take(&text);
}

bool fake_olean_provides(const struct fake_lean *fake, struct lwb_bytes module, const char *name)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(CONTENT_MAX);
    LWB_AUTO(lwb_free_text) char *path = find_module(fake, module);
    const char *line;

    if (!read_payload(path, &content, &line))
        return false;
    while (*line) {
        size_t len = strcspn(line, "\n");

        if (strncmp(line, "provide ", 8) == 0 && lwb_bytes_is(lwb_bytes(line + 8, len - 8), name))
            return true;
        if (strncmp(line, "import ", 7) == 0 &&
            fake_olean_provides(fake, lwb_bytes(line + 7, len - 7), name))
            return true;
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    return false;
}
