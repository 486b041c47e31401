#include "lwbuild/base/olean_header.h"

#include <endian.h>
#include <string.h>

static const char old_mark[16] = { 'o', 'l', 'e', 'a', 'n', 'f', 'i', 'l',
                                   'e', '!', '!', '!', '!', '!', '!', '!' };

enum {
    SIZE_A = sizeof(old_mark),
    SIZE_B = 24,
    SIZE_C = 56,
    SIZE_D = LWB_OLEAN_HEADER_MAX,
};

static uint64_t word_at(struct lwb_bytes start, size_t offset)
{
    uint64_t word;

    memcpy(&word, start.ptr + offset, sizeof(word));
    return le64toh(word);
}

/* Text that ends at a NUL or with the field. */
static void take_text(char *out, struct lwb_bytes start, size_t offset, size_t len)
{
    memcpy(out, start.ptr + offset, len);
    out[len] = '\0';
}

static int finish(struct lwb_olean_header *header, enum lwb_olean_layout layout, uint64_t size,
                  struct lwb_bytes start)
{
    header->layout = layout;
    header->size = size;
    header->base = word_at(start, (size_t)size - 8);
    return 1;
}

/*
 * The same mark was first followed by objects and later by a base address, a
 * multiple of 64 KiB below 2^47. An object that begins like that would have
 * neither tag nor pointers.
 */
static int parse_old(struct lwb_olean_header *header, struct lwb_bytes start)
{
    uint64_t word;

    if (start.len < SIZE_B)
        return -1;
    word = word_at(start, SIZE_A);
    if (word % 65536 == 0 && word >> 47 == 0)
        return finish(header, LWB_OLEAN_B, SIZE_B, start);
    header->layout = LWB_OLEAN_A;
    header->size = SIZE_A;
    header->base = (uint64_t)0 - SIZE_A;
    return 1;
}

static int parse_c(struct lwb_olean_header *header, struct lwb_bytes start)
{
    if (start.len < SIZE_C)
        return -1;
    take_text(header->githash, start, 6, 42);
    return finish(header, LWB_OLEAN_C, SIZE_C, start);
}

static int parse_d(struct lwb_olean_header *header, struct lwb_bytes start)
{
    if (start.len < SIZE_D)
        return -1;
    take_text(header->version, start, 7, 33);
    take_text(header->githash, start, 40, 40);
    return finish(header, LWB_OLEAN_D, SIZE_D, start);
}

int lwb_olean_header_parse(struct lwb_olean_header *out, struct lwb_bytes start)
{
    struct lwb_olean_header header = { 0 };
    int rc = 0;

    if (start.len < sizeof(old_mark))
        return -1;
    if (memcmp(start.ptr, old_mark, sizeof(old_mark)) == 0)
        rc = parse_old(&header, start);
    else if (memcmp(start.ptr, "olean\1", 6) == 0)
        rc = parse_c(&header, start);
    else if (memcmp(start.ptr, "olean\2", 6) == 0 || memcmp(start.ptr, "olean\3", 6) == 0)
        rc = parse_d(&header, start);
    if (rc > 0)
        *out = header;
    return rc;
}
