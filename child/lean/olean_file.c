#include "child/lean/olean_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Pointers inside the file are absolute addresses, as if it were mapped at its
 * base address; the oldest layout has no base and counts from the end of the
 * header. An object begins with 8 bytes: reference count (4), size (2), number
 * of pointers (1), tag (1).
 */
enum {
    HEADER_A = 16,
    HEADER_B = 24,
    HEADER_C = 56,
    HEADER_D = 88,
    OBJECT_HEADER = 8,
    MAX_CONSTRUCTOR_TAG = 244,
};

struct olean {
    int fd;
    uint64_t size;
    uint64_t header;
    uint64_t base; /* address of the first byte of the file */
};

static bool read_at(const struct olean *file, uint64_t offset, void *out, size_t len)
{
    return pread(file->fd, out, len, (off_t)offset) == (ssize_t)len;
}

static bool read_word(const struct olean *file, uint64_t offset, uint64_t *out)
{
    uint64_t word;

    if (!read_at(file, offset, &word, sizeof(word)))
        return false;
    *out = le64toh(word);
    return true;
}

static bool is_root(const struct olean *file, uint64_t address)
{
    uint64_t offset = address - file->base; /* wraps for addresses below: then too large */
    unsigned char object[OBJECT_HEADER];

    if (address % 8 != 0 || offset < file->header || offset > file->size - OBJECT_HEADER)
        return false;
    if (!read_at(file, offset, object, sizeof(object)) || object[7] > MAX_CONSTRUCTOR_TAG)
        return false;
    return offset + OBJECT_HEADER + 8 * (uint64_t)object[6] <= file->size;
}

/* The word that points to the root stands first; in the oldest layout it stands last. */
static bool has_root(const struct olean *file, bool first)
{
    uint64_t address;

    if (file->size < file->header + 8 + OBJECT_HEADER || file->size % 8 != 0)
        return false;
    return read_word(file, first ? file->header : file->size - 8, &address) &&
           is_root(file, address);
}

/*
 * The marker "oleanfile!!!!!!!" was first followed by the objects and later by
 * a base address: a multiple of 64 KiB below 2^47. An object that begins like
 * that would have neither tag nor pointers.
 */
static bool is_whole_old(struct olean *file)
{
    uint64_t word;

    if (!read_word(file, HEADER_A, &word))
        return false;
    if (word % 65536 == 0 && word >> 48 == 0) {
        file->header = HEADER_B;
        file->base = word;
        return has_root(file, true);
    }
    file->header = HEADER_A;
    file->base = (uint64_t)0 - HEADER_A; /* offset 0 is the byte behind the header */
    return has_root(file, false);
}

static bool is_whole_new(struct olean *file, unsigned version)
{
    file->header = version == 1 ? HEADER_C : HEADER_D;
    return read_word(file, file->header - 8, &file->base) && has_root(file, true);
}

static enum lwb_olean_state inspect(struct olean *file)
{
    unsigned char marker[HEADER_A] = { 0 };

    if (!read_at(file, 0, marker, sizeof(marker)))
        return LWB_OLEAN_CUT;
    if (memcmp(marker, "oleanfile!!!!!!!", sizeof(marker)) == 0)
        return is_whole_old(file) ? LWB_OLEAN_WHOLE : LWB_OLEAN_CUT;
    if (memcmp(marker, "olean", 5) == 0 && marker[5] >= 1 && marker[5] <= 3)
        return is_whole_new(file, marker[5]) ? LWB_OLEAN_WHOLE : LWB_OLEAN_CUT;
    return LWB_OLEAN_UNKNOWN;
}

int lwb_olean_inspect(const char *path, struct lwb_error *err)
{
    struct olean file = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
    struct stat st;
    int state;

    if (file.fd < 0)
        return errno == ENOENT ? LWB_OLEAN_ABSENT : lwb_fail_errno(err, LWB_ERR_SYSTEM, "%s", path);
    if (fstat(file.fd, &st) < 0) {
        (void)lwb_fail_errno(err, LWB_ERR_SYSTEM, "%s", path);
        (void)close(file.fd);
        return LWB_ERR_SYSTEM;
    }
    file.size = (uint64_t)st.st_size;
    state = inspect(&file);
    (void)close(file.fd);
    return state;
}

const char *lwb_olean_describe(enum lwb_olean_state state)
{
    switch (state) {
    case LWB_OLEAN_WHOLE:
        return "is whole";
    case LWB_OLEAN_ABSENT:
        return "was not written";
    case LWB_OLEAN_UNKNOWN:
        return "has no header that is known";
    case LWB_OLEAN_CUT:
        return "is cut";
    }
    return "is cut";
}
