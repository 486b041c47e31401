#include "cache/cache_keys.h"

#include <string.h>

#include "lwbuild/base/file.h"

enum { KEYS_MAX = 512 * 1024 * 1024 };

void lwb_cache_visit_keys(const char *path, void (*visit)(void *ctx, const struct lwb_digest *key),
                          void *ctx)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf keys = LWB_BUF(KEYS_MAX);
    struct lwb_error ignored;
    struct lwb_digest key;

    if (lwb_file_read(&keys, path, NULL, &ignored) < 0)
        return;
    for (size_t at = 0; at + sizeof(key.bytes) <= keys.len; at += sizeof(key.bytes)) {
        memcpy(key.bytes, keys.ptr + at, sizeof(key.bytes));
        visit(ctx, &key);
    }
}
