#include "lwbuild/base/path.h"

#include "lwbuild/base/alloc.h"

char *lwb_path_join(const char *dir, const char *name)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf joined = LWB_BUF(LWB_PATH_MAX);
    size_t len = strlen(dir);

    if (name[0] != '/' && len) {
        lwb_buf_append(&joined, dir, len);
        if (dir[len - 1] != '/')
            lwb_buf_append_char(&joined, '/');
    }
    lwb_buf_append_text(&joined, name);
    return lwb_buf_take(&joined);
}

/* Drop the last component of what has been built so far, unless it is ".." itself. */
static bool drop_last(struct lwb_buf *out, bool absolute)
{
    size_t start = out->len;

    while (start > 0 && out->ptr[start - 1] != '/')
        start--;
    if (start == out->len)
        return absolute;
    if (out->len - start == 2 && memcmp(out->ptr + start, "..", 2) == 0)
        return false;
    if (start > 1 || (start == 1 && !absolute))
        start--;
    out->len = start;
    out->ptr[start] = '\0';
    return true;
}

static void append_component(struct lwb_buf *out, const char *name, size_t len, bool absolute)
{
    if (len == 0 || (len == 1 && name[0] == '.'))
        return;
    if (len == 2 && memcmp(name, "..", 2) == 0 && drop_last(out, absolute))
        return;
    if (out->len && out->ptr[out->len - 1] != '/')
        lwb_buf_append_char(out, '/');
    lwb_buf_append(out, name, len);
}

char *lwb_path_normalise(const char *path)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(LWB_PATH_MAX);
    bool absolute = path[0] == '/';

    if (absolute)
        lwb_buf_append_char(&out, '/');
    while (*path) {
        size_t len = strcspn(path, "/");

        append_component(&out, path, len, absolute);
        path += len;
        path += strspn(path, "/");
    }
    if (out.len == 0)
        lwb_buf_append_char(&out, '.');
    return lwb_buf_take(&out);
}

char *lwb_path_absolute(const char *base, const char *path)
{
    LWB_AUTO(lwb_free_text) char *joined = lwb_path_join(base, path);

    return joined ? lwb_path_normalise(joined) : NULL;
}

bool lwb_path_is_below(const char *dir, const char *path)
{
    size_t len = strlen(dir);

    if (strcmp(dir, "/") == 0)
        return path[0] == '/';
    return strncmp(dir, path, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Length of the longest common prefix that ends at a component boundary of both. */
static size_t common_components(const char *a, const char *b)
{
    size_t common = 0;
    size_t i;

    for (i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == '/')
            common = i;
    if ((a[i] == '\0' || a[i] == '/') && (b[i] == '\0' || b[i] == '/'))
        common = i;
    return common;
}

char *lwb_path_relative(const char *base, const char *path)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(LWB_PATH_MAX);
    size_t common;

    if (strcmp(base, "/") == 0)
        base = "";
    if (strcmp(path, "/") == 0)
        path = "";
    common = common_components(base, path);
    base += common;
    path += common;
    for (; *base; base++)
        if (*base == '/' && base[1])
            lwb_buf_append_text(&out, "../");
    path += strspn(path, "/");
    lwb_buf_append_text(&out, path);
    if (out.len && out.ptr[out.len - 1] == '/')
        out.ptr[--out.len] = '\0';
    if (out.len == 0)
        lwb_buf_append_char(&out, '.');
    return lwb_buf_take(&out);
}

char *lwb_path_dirname(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return lwb_strdup(".");
    return slash == path ? lwb_strdup("/") : lwb_strndup(path, (size_t)(slash - path));
}

const char *lwb_path_basename(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool lwb_path_has_suffix(const char *path, const char *suffix)
{
    size_t len = strlen(path);
    size_t suffix_len = strlen(suffix);

    return len >= suffix_len && strcmp(path + len - suffix_len, suffix) == 0;
}
