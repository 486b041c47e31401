#include "child/lean/olean_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * An object begins with 8 bytes: reference count (4), size (2), number of
 * pointers (1), tag (1).
 */
enum {
    ADDRESS = 8,
    OBJECT_HEADER = 8,
    MAX_CONSTRUCTOR_TAG = 244,
};

struct olean {
    int fd;
    uint64_t size;
    enum lwb_olean_place place;
    struct lwb_olean_header header;
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
    uint64_t offset = address - file->header.base; /* wraps for addresses below: then too large */
    unsigned char object[OBJECT_HEADER];

    if (address % 8 != 0 || offset < file->header.size || offset > file->size - OBJECT_HEADER)
        return false;
    if (!read_at(file, offset, object, sizeof(object)) || object[7] > MAX_CONSTRUCTOR_TAG)
        return false;
    return offset + OBJECT_HEADER + 8 * (uint64_t)object[6] <= file->size;
}

/* Nothing but an address, and that of what was written before. */
static bool leans_on_another(const struct olean *file, uint64_t address)
{
    return file->place == LWB_OLEAN_LATER && file->size == file->header.size + ADDRESS &&
           address % 8 == 0 && address != 0 && address < file->header.base;
}

static bool has_root(const struct olean *file)
{
    bool last = file->header.layout == LWB_OLEAN_A;
    uint64_t address;

    if (file->size < file->header.size + ADDRESS || file->size % 8 != 0)
        return false;
    return read_word(file, last ? file->size - ADDRESS : file->header.size, &address) &&
           (is_root(file, address) || leans_on_another(file, address));
}

static enum lwb_olean_state inspect(struct olean *file)
{
    char start[LWB_OLEAN_HEADER_MAX];
    size_t len = file->size < sizeof(start) ? (size_t)file->size : sizeof(start);
    int rc;

    if (!read_at(file, 0, start, len))
        return LWB_OLEAN_CUT;
    rc = lwb_olean_header_parse(&file->header, lwb_bytes(start, len));
    if (rc == 0)
        return LWB_OLEAN_FOREIGN;
    return rc > 0 && has_root(file) ? LWB_OLEAN_WHOLE : LWB_OLEAN_CUT;
}

int lwb_olean_inspect(const char *path, enum lwb_olean_place place, struct lwb_error *err)
{
    struct olean file = { .fd = open(path, O_RDONLY | O_CLOEXEC), .place = place };
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
    case LWB_OLEAN_FOREIGN:
        return "has no header that is known";
    case LWB_OLEAN_CUT:
        return "is cut";
    }
    return "is cut";
}
