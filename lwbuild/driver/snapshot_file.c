#include "lwbuild/driver/snapshot_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/path.h"

static const char magic[8] = "LWBSNAP2";

struct head {
    char magic[8];
    uint64_t modules;
    uint64_t saved_ns;
    uint64_t binding_len;
    uint64_t witnesses_len;
    uint64_t table_len;
};

static size_t padded(size_t len)
{
    return (len + 7) / 8 * 8;
}

/* The next part of the file, `len` bytes and its padding. */
static bool take(struct lwb_bytes *rest, uint64_t len, struct lwb_bytes *part)
{
    if (len > rest->len || padded((size_t)len) > rest->len)
        return false;
    *part = lwb_bytes(rest->ptr, (size_t)len);
    *rest = lwb_bytes(rest->ptr + padded((size_t)len), rest->len - padded((size_t)len));
    return true;
}

static bool read_parts(struct lwb_snapshot_file *file)
{
    struct lwb_bytes rest = lwb_bytes(file->map, file->len);
    struct lwb_bytes part;
    struct head head;

    if (!take(&rest, sizeof(head), &part))
        return false;
    memcpy(&head, part.ptr, sizeof(head));
    file->modules = head.modules;
    file->saved_ns = head.saved_ns;
    return memcmp(head.magic, magic, sizeof(magic)) == 0 &&
           take(&rest, head.binding_len, &file->binding) &&
           take(&rest, head.witnesses_len, &file->witnesses) &&
           take(&rest, head.table_len, &file->table) && rest.len == 0;
}

static bool map_file(struct lwb_snapshot_file *file, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *map = MAP_FAILED;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && st.st_size > 0)
        map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return false;
    file->map = map;
    file->len = (size_t)st.st_size;
    return true;
}

bool lwb_snapshot_file_open(struct lwb_snapshot_file *out, const char *path,
                            struct lwb_bytes binding)
{
    LWB_AUTO(lwb_snapshot_file_close) struct lwb_snapshot_file file = { 0 };

    if (!map_file(&file, path) || !read_parts(&file) || !lwb_bytes_equal(file.binding, binding))
        return false;
    *out = file;
    file = (struct lwb_snapshot_file){ 0 };
    return true;
}

void lwb_snapshot_file_close(struct lwb_snapshot_file *file)
{
    if (file->map)
        (void)munmap(file->map, file->len);
    *file = (struct lwb_snapshot_file){ 0 };
}

static void append_part(struct lwb_buf *out, struct lwb_bytes part)
{
    static const char padding[8];

    lwb_buf_append_bytes(out, part);
    lwb_buf_append(out, padding, padded(part.len) - part.len);
}

void lwb_snapshot_file_print(struct lwb_buf *out, const struct lwb_snapshot_file *file)
{
    struct head head = {
        .modules = file->modules,
        .saved_ns = file->saved_ns,
        .binding_len = file->binding.len,
        .witnesses_len = file->witnesses.len,
        .table_len = file->table.len,
    };

    memcpy(head.magic, magic, sizeof(magic));
    lwb_buf_append(out, &head, sizeof(head));
    append_part(out, file->binding);
    append_part(out, file->witnesses);
    append_part(out, file->table);
}

char *lwb_snapshot_file_keys(const char *path)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);

    lwb_buf_format(&name, "%s.keys", path);
    return lwb_buf_take(&name);
}
