#include "lwbuild/driver/snapshot_file.h"

#include <stddef.h>
#include <string.h>

#include "lwbuild/base/checksum.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"

static const char magic[8] = "LWBSNAP4";

struct head {
    char magic[8];
    struct lwb_checksum checksum; /* of all that follows, from `modules` on */
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
    struct lwb_bytes rest = lwb_buf_bytes(&file->content);
    struct lwb_bytes part;
    struct head head;

    if (!take(&rest, sizeof(head), &part))
        return false;
    memcpy(&head, part.ptr, sizeof(head));
    file->modules = head.modules;
    file->saved_ns = head.saved_ns;
    return take(&rest, head.binding_len, &file->binding) &&
           take(&rest, head.witnesses_len, &file->witnesses) &&
           take(&rest, head.table_len, &file->table) && rest.len == 0;
}

/* Files that are not ours to trust: half written by a copy, cut, with pages that never came. */
static struct lwb_checksum checksum_of(struct lwb_bytes file)
{
    static const unsigned char name[LWB_CHECKSUM_NAME] = "snapshot";
    size_t from = offsetof(struct head, modules);

    return lwb_checksum_of(name, file.ptr + from, file.len - from);
}

static bool is_whole(struct lwb_bytes file)
{
    struct lwb_checksum checksum;
    struct head head;

    if (file.len < sizeof(head))
        return false;
    memcpy(&head, file.ptr, sizeof(head));
    checksum = checksum_of(file);
    return memcmp(head.magic, magic, sizeof(magic)) == 0 &&
           memcmp(&head.checksum, &checksum, sizeof(checksum)) == 0;
}

bool lwb_snapshot_file_open(struct lwb_snapshot_file *out, const char *path,
                            struct lwb_bytes binding)
{
    LWB_AUTO(lwb_snapshot_file_close)
    struct lwb_snapshot_file file = { .content = LWB_BUF(LWB_SNAPSHOT_FILE_MAX) };
    struct lwb_error ignored;

    if (lwb_file_read(&file.content, path, NULL, &ignored) < 0 ||
        !is_whole(lwb_buf_bytes(&file.content)) || !read_parts(&file) ||
        !lwb_bytes_equal(file.binding, binding))
        return false;
    *out = LWB_TAKE(file);
    return true;
}

void lwb_snapshot_file_close(struct lwb_snapshot_file *file)
{
    lwb_buf_release(&file->content);
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
    size_t start = out->len;
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
    if (!lwb_buf_ok(out))
        return;
    head.checksum = checksum_of(lwb_bytes(out->ptr + start, out->len - start));
    memcpy(out->ptr + start, &head, sizeof(head));
}

static char *with_suffix(const char *path, const char *suffix)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);

    lwb_buf_format(&name, "%s%s", path, suffix);
    return lwb_buf_take(&name);
}

char *lwb_snapshot_file_beside(const char *stamp)
{
    return with_suffix(stamp, ".snapshot");
}

char *lwb_snapshot_file_keys(const char *path)
{
    return with_suffix(path, ".keys");
}
