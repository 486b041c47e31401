#include "child/export_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int lwb_export_file_open(struct lwb_export_file *file, const char *path, struct lwb_error *err)
{
    *file = (struct lwb_export_file){ .fd = -1, .hasher = lwb_hasher_create() };
    if (!file->hasher)
        return lwb_fail_memory(err);
    file->fd = open(path, O_RDONLY | O_CLOEXEC);
    return file->fd < 0 ? lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot open %s", path) : LWB_OK;
}

void lwb_export_file_close(struct lwb_export_file *file)
{
    lwb_hasher_destroy(file->hasher);
    if (file->fd >= 0)
        (void)close(file->fd);
    *file = (struct lwb_export_file){ .fd = -1 };
}

static ptrdiff_t read_piece(void *ctx, char *out, size_t size)
{
    struct lwb_export_file *file = ctx;
    ssize_t n;

    do
        n = read(file->fd, out, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        file->failed = errno;
    else
        lwb_hasher_update(file->hasher, out, (size_t)n);
    return n;
}

struct lwb_kernel_source lwb_export_file_source(struct lwb_export_file *file)
{
    struct lwb_kernel_source source = { .read = read_piece, .ctx = file };
    struct stat st;

    if (fstat(file->fd, &st) == 0 && st.st_size > 0)
        source.bytes = (uint64_t)st.st_size;
    return source;
}

bool lwb_export_file_is(struct lwb_export_file *file, const struct lwb_digest *expected)
{
    struct lwb_digest found;
    char rest[8192];

    while (!file->failed && read_piece(file, rest, sizeof(rest)) > 0)
        continue;
    found = lwb_hasher_end(file->hasher);
    return !file->failed && lwb_digest_compare(expected, &found) == 0;
}
