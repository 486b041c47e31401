#include "lwbuild/plan/olean.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/utf8.h"
#include "lwbuild/plan/module_name.h"

/*
 * Behind the header lies a heap image: objects with an 8-byte head (number of
 * object fields in byte 6, tag in byte 7), whose pointers are addresses for the
 * case that the file is mapped at its base address. The word behind the header
 * points to the ModuleData (layout A: the last word of the file, relative to
 * the image). Its first field is the array of imports; an Import's first field
 * is a Name; a Name is a list of strings, last component first.
 *
 * Files are read in pages, since what is needed is a few words here and there.
 * Not mapped: somebody may truncate the file meanwhile.
 */
enum {
    PAGE = 4096,
    N_PAGES = 8,
    HEAD = 8,
    WORD = 8,
    MAX_IMPORTS = 100000,
    MAX_COMPONENTS = 64,
    MAX_COMPONENT = 1024,
    TAG_ARRAY = 246,
    TAG_STRING = 249,
    TAG_NAME_STR = 1,
};

struct page {
    uint64_t at; /* page number + 1; 0: free */
    uint64_t used;
    size_t len;
    unsigned char bytes[PAGE];
};

struct image {
    int fd;
    uint64_t size;    /* of the file */
    uint64_t payload; /* offset of the image */
    uint64_t base;    /* address of offset 0 */
    uint64_t clock;
    struct page pages[N_PAGES];
};

/* ---- bytes of the file ---- */

/* 1 when the page was read; 0 when the file does not have it (any more). */
static int load_page(struct image *image, struct page *page, uint64_t number)
{
    ssize_t got;

    do
        got = pread(image->fd, page->bytes, PAGE, (off_t)(number * PAGE));
    while (got < 0 && errno == EINTR);
    page->at = got > 0 ? number + 1 : 0;
    page->len = got > 0 ? (size_t)got : 0;
    return got > 0;
}

static struct page *get_page(struct image *image, uint64_t number)
{
    struct page *oldest = &image->pages[0];

    for (size_t i = 0; i < N_PAGES; i++) {
        struct page *page = &image->pages[i];

        if (page->at == number + 1) {
            page->used = ++image->clock;
            return page;
        }
        if (page->used < oldest->used)
            oldest = page;
    }
    oldest->used = ++image->clock;
    return load_page(image, oldest, number) ? oldest : NULL;
}

/* Copy bytes of the file; false when they are not all inside. */
static bool copy(struct image *image, uint64_t offset, void *to, size_t len)
{
    char *out = to;

    if (offset > image->size || len > image->size - offset)
        return false;
    while (len) {
        const struct page *page = get_page(image, offset / PAGE);
        size_t start = (size_t)(offset % PAGE);
        size_t n = page && page->len > start ? page->len - start : 0;

        if (!n)
            return false;
        if (n > len)
            n = len;
        memcpy(out, page->bytes + start, n);
        out += n;
        offset += n;
        len -= n;
    }
    return true;
}

static bool read_word(struct image *image, uint64_t offset, uint64_t *out)
{
    unsigned char bytes[WORD];

    if (!copy(image, offset, bytes, sizeof(bytes)))
        return false;
    *out = 0;
    for (int i = WORD; i-- > 0;)
        *out = *out << 8 | bytes[i];
    return true;
}

/* ---- objects ---- */

struct object {
    uint64_t offset;
    unsigned char n_fields;
    unsigned char tag;
};

static bool is_scalar(uint64_t pointer)
{
    return pointer & 1;
}

static bool read_object(struct image *image, uint64_t pointer, struct object *out)
{
    unsigned char head[HEAD];
    uint64_t offset = pointer - image->base;

    if (pointer % WORD || offset < image->payload || !copy(image, offset, head, sizeof(head)))
        return false;
    *out = (struct object){ .offset = offset, .n_fields = head[6], .tag = head[7] };
    return image->size - offset >= HEAD + (uint64_t)head[6] * WORD;
}

static bool read_field(struct image *image, const struct object *object, unsigned index,
                       uint64_t *out)
{
    return index < object->n_fields &&
           read_word(image, object->offset + HEAD + (uint64_t)index * WORD, out);
}

/* A string's text without the NUL at its end; false when it is long or no text. */
static bool read_string(struct image *image, uint64_t pointer, char text[MAX_COMPONENT],
                        size_t *len)
{
    struct object string;
    uint64_t size;

    if (is_scalar(pointer) || !read_object(image, pointer, &string) || string.tag != TAG_STRING ||
        !read_word(image, string.offset + HEAD, &size) || size < 2 || size > MAX_COMPONENT ||
        !copy(image, string.offset + HEAD + 3 * WORD, text, (size_t)size))
        return false;
    *len = (size_t)size - 1;
    return text[*len] == '\0' && !memchr(text, '\0', *len) &&
           lwb_utf8_is_valid(lwb_bytes(text, *len));
}

/* A module's name as a path, which is then spelled as a name. */
static bool append_name(struct image *image, uint64_t pointer, struct lwb_buf *out)
{
    uint64_t parts[MAX_COMPONENTS];
    size_t n_parts = 0;
    char text[MAX_COMPONENT];
    size_t len;
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(MAX_COMPONENTS * MAX_COMPONENT);

    while (!is_scalar(pointer)) {
        struct object name;

        if (n_parts == MAX_COMPONENTS || !read_object(image, pointer, &name) ||
            name.tag != TAG_NAME_STR || !read_field(image, &name, 1, &parts[n_parts++]) ||
            !read_field(image, &name, 0, &pointer))
            return false;
    }
    if (!n_parts)
        return false;
    while (n_parts-- > 0) {
        if (!read_string(image, parts[n_parts], text, &len) || memchr(text, '/', len))
            return false;
        lwb_buf_append(&path, text, len);
        if (n_parts)
            lwb_buf_append_char(&path, '/');
    }
    return lwb_buf_ok(&path) && lwb_module_name_from_path(out, lwb_buf_bytes(&path));
}

/* An Import, or just a Name as long ago. */
static bool append_import(struct image *image, uint64_t pointer, struct lwb_buf *out)
{
    struct object import;

    if (is_scalar(pointer) || !read_object(image, pointer, &import))
        return false;
    if (import.tag == 0 && (import.n_fields != 1 || !read_field(image, &import, 0, &pointer)))
        return false;
    if (!append_name(image, pointer, out))
        return false;
    lwb_buf_append_char(out, '\0');
    return true;
}

static bool read_imports(struct image *image, uint64_t root, struct lwb_olean *olean)
{
    struct object data;
    struct object array;
    uint64_t pointer;
    uint64_t count;

    if (is_scalar(root) || !read_object(image, root, &data) || data.tag != 0 || data.n_fields < 3 ||
        data.n_fields > 8 || !read_field(image, &data, 0, &pointer) || is_scalar(pointer) ||
        !read_object(image, pointer, &array) || array.tag != TAG_ARRAY ||
        !read_word(image, array.offset + HEAD, &count) || count > MAX_IMPORTS)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!read_word(image, array.offset + HEAD + (2 + i) * WORD, &pointer) ||
            !append_import(image, pointer, &olean->imports))
            return false;
    olean->n_imports = (size_t)count;
    return true;
}

/* ---- the file ---- */

static bool read_header(struct image *image, struct lwb_olean_header *header)
{
    char start[LWB_OLEAN_HEADER_MAX];
    size_t len = image->size < sizeof(start) ? (size_t)image->size : sizeof(start);

    if (!copy(image, 0, start, len) || lwb_olean_header_parse(header, lwb_bytes(start, len)) <= 0)
        return false;
    image->payload = header->size;
    image->base = header->base;
    return header->layout == LWB_OLEAN_A || header->base % WORD == 0;
}

static void read_image(struct image *image, struct lwb_olean *olean)
{
    uint64_t root;

    if (!read_header(image, &olean->header))
        return;
    olean->understood =
        read_word(image, olean->header.layout == LWB_OLEAN_A ? image->size - WORD : image->payload,
                  &root) &&
        read_imports(image, root, olean) && lwb_buf_ok(&olean->imports);
}

int lwb_olean_read(struct lwb_olean *olean, const char *path, struct lwb_error *err)
{
    struct image image = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
    struct stat st;
    int rc = 1;

    lwb_buf_clear(&olean->imports);
    *olean = (struct lwb_olean){ .imports = olean->imports };
    if (image.fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot open %s", path);
    if (fstat(image.fd, &st) != 0)
        rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot stat %s", path);
    else if (S_ISREG(st.st_mode)) {
        image.size = (uint64_t)st.st_size;
        read_image(&image, olean);
    }
    close(image.fd);
    return rc;
}
