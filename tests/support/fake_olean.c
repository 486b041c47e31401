#include "tests/support/test.h"

#include "tests/support/fake_olean.h"

#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"

#define BASE UINT64_C(0x7d53af310000)

static void append_word(struct lwb_buf *out, uint64_t word)
{
    for (int i = 0; i < 8; i++)
        lwb_buf_append_char(out, (char)(word >> (8 * i)));
}

static void pad(struct lwb_buf *out)
{
    while (out->len % 8)
        lwb_buf_append_char(out, '\0');
}

/* Head of an object; returns its address. */
static uint64_t begin(struct lwb_buf *out, uint64_t base, unsigned fields, unsigned tag)
{
    uint64_t address;

    pad(out);
    address = base + out->len;
    append_word(out, (uint64_t)tag << 56 | (uint64_t)fields << 48 | UINT64_C(0x100000000));
    return address;
}

static uint64_t append_string(struct lwb_buf *out, uint64_t base, const char *text, size_t len)
{
    uint64_t address = begin(out, base, 0, 249);

    append_word(out, len + 1);
    append_word(out, len + 1);
    append_word(out, len);
    lwb_buf_append(out, text, len);
    lwb_buf_append_char(out, '\0');
    return address;
}

static uint64_t append_name(struct lwb_buf *out, uint64_t base, const char *name, size_t len)
{
    uint64_t prefix = 1; /* the anonymous name, boxed */

    while (len) {
        const char *dot = memchr(name, '.', len);
        size_t part = dot ? (size_t)(dot - name) : len;
        uint64_t string = append_string(out, base, name, part);
        uint64_t address = begin(out, base, 2, 1);

        append_word(out, prefix);
        append_word(out, string);
        append_word(out, UINT64_C(0x1234567890)); /* hash */
        prefix = address;
        part += dot != NULL;
        name += part;
        len -= part;
    }
    return prefix;
}

static uint64_t append_array(struct lwb_buf *out, uint64_t base, const uint64_t *items,
                             size_t count)
{
    uint64_t address = begin(out, base, 0, 246);

    append_word(out, count);
    append_word(out, count);
    for (size_t i = 0; i < count; i++)
        append_word(out, items[i]);
    return address;
}

static uint64_t append_imports(struct lwb_buf *out, uint64_t base, const char *names)
{
    uint64_t items[1000];
    size_t count = 0;

    while (*names) {
        size_t len = strcspn(names, " ");
        uint64_t name = append_name(out, base, names, len);

        assert_true(count < LWB_COUNT(items));
        items[count++] = begin(out, base, 1, 0);
        append_word(out, name);
        append_word(out, 0); /* runtimeOnly, or importAll, isExported, isMeta */
        names += len + strspn(names + len, " ");
    }
    return append_array(out, base, items, count);
}

/* ModuleData with five fields; returns its address. */
static uint64_t append_module(struct lwb_buf *out, uint64_t base, const struct fake_olean *olean)
{
    uint64_t imports = append_imports(out, base, olean->imports);
    const char *extra = olean->extra ? olean->extra : "";
    uint64_t rest = append_string(out, base, extra, strlen(extra));
    uint64_t empty = append_array(out, base, &rest, 1);
    uint64_t root = begin(out, base, 5, 0);

    append_word(out, imports);
    for (int i = 0; i < 4; i++)
        append_word(out, empty);
    return root;
}

static void append_text(struct lwb_buf *out, const char *text, size_t size)
{
    size_t len = strlen(text);

    assert_true(len <= size);
    lwb_buf_append(out, text, len);
    for (; len < size; len++)
        lwb_buf_append_char(out, '\0');
}

static void append_header(struct lwb_buf *out, const struct fake_olean *olean)
{
    const char *githash =
        olean->githash ? olean->githash : "0000000000000000000000000000000000000000";

    switch (olean->layout) {
    case LWB_OLEAN_UNKNOWN:
        append_text(out, "olean\x09", 88);
        return;
    case LWB_OLEAN_A:
        append_text(out, "oleanfile!!!!!!!", 16);
        return;
    case LWB_OLEAN_B:
        append_text(out, "oleanfile!!!!!!!", 16);
        break;
    case LWB_OLEAN_C:
        append_text(out, "olean\1", 6);
        append_text(out, githash, 42);
        break;
    case LWB_OLEAN_D:
        append_text(out, "olean\2\1", 7);
        append_text(out, olean->version ? olean->version : "4.20.0", 33);
        append_text(out, githash, 40);
        break;
    }
    append_word(out, BASE);
}

void fake_olean_append(struct lwb_buf *out, const struct fake_olean *olean)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(16 * 1024 * 1024);
    size_t header;
    uint64_t root;

    append_header(&file, olean);
    header = file.len;
    if (olean->layout == LWB_OLEAN_A) {
        /* Addresses count from the image, and the root comes last. */
        root = append_module(&file, (uint64_t)0 - header, olean);
        append_word(&file, root);
    } else {
        append_word(&file, 0);
        root = append_module(&file, BASE, olean);
        for (int i = 0; i < 8; i++)
            file.ptr[header + (size_t)i] = (char)(root >> (8 * i));
    }
    assert_true(lwb_buf_ok(&file));
    lwb_buf_append_bytes(out, lwb_buf_bytes(&file));
}

void fake_olean_write(const char *path, const struct fake_olean *olean)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf bytes = LWB_BUF(16 * 1024 * 1024);
    LWB_AUTO(lwb_free_text) char *dir = lwb_path_dirname(path);
    struct lwb_error err;

    fake_olean_append(&bytes, olean);
    assert_int_equal(lwb_file_make_dirs(dir, 0777, &err), LWB_OK);
    assert_int_equal(lwb_file_write(path, lwb_buf_bytes(&bytes), 0666, &err), LWB_OK);
}
