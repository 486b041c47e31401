#include "lwbuild/worker/child_path.h"

#include <stdlib.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

static int take_if_executable(char **out, const char *path, struct lwb_error *err)
{
    if (access(path, F_OK) != 0)
        return lwb_fail_errno(err, LWB_ERR_CHILD_NOT_FOUND, "%s", path);
    if (access(path, X_OK) != 0)
        return lwb_fail_errno(err, LWB_ERR_CHILD_NOT_EXECUTABLE, "%s", path);
    *out = lwb_strdup(path);
    return *out ? LWB_OK : lwb_fail_memory(err);
}

/* The folder of this program, NULL without memory. */
static char *own_folder(void)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    char *room = lwb_buf_reserve(&path, 4096);
    ssize_t len = room ? readlink("/proc/self/exe", room, 4095) : -1;

    if (len <= 0)
        return room ? lwb_strdup(".") : NULL;
    room[len] = '\0';
    return lwb_path_dirname(room);
}

static int find_nearby(char **out, const char *name, struct lwb_error *err)
{
    /* Installed, and in the build tree that made both. */
    static const char *const folders[] = { ".", "../libexec/lwbuild", "../child", "../../child" };
    LWB_AUTO(lwb_buf_release) struct lwb_buf tried = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_free_text) char *own = own_folder();

    for (size_t i = 0; own && i < LWB_COUNT(folders); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf joined = LWB_BUF(LWB_PATH_MAX);
        LWB_AUTO(lwb_free_text) char *path = NULL;

        lwb_buf_format(&joined, "%s/%s/%s", own, folders[i], name);
        path = lwb_path_normalise(lwb_buf_text(&joined));
        if (!path || !lwb_buf_ok(&joined))
            return lwb_fail_memory(err);
        if (take_if_executable(out, path, err) != LWB_ERR_CHILD_NOT_FOUND)
            return err->code == LWB_ERR_CHILD_NOT_EXECUTABLE ? err->code : LWB_OK;
        lwb_buf_format(&tried, "%s%s", i ? ", " : "", path);
    }
    if (!own)
        return lwb_fail_memory(err);
    return lwb_fail(err, LWB_ERR_CHILD_NOT_FOUND,
                    "no child program; set LWBUILD_CHILD to it, or install it as one of %s",
                    lwb_buf_text(&tried));
}

int lwb_child_path_find(char **out, const char *given, const char *name, struct lwb_error *err)
{
    const char *named = given ? given : getenv("LWBUILD_CHILD");

    err->code = LWB_OK;
    if (named && *named)
        return take_if_executable(out, named, err);
    return find_nearby(out, name ? name : "lwbuild-child", err);
}
