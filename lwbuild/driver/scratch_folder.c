#include "lwbuild/driver/scratch_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

/* Anybody may have made a folder of that name in /tmp before us. */
static bool is_ours_alone(const char *folder)
{
    struct stat st;

    return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

static int make_in(char **out, const char *parent, const char *name, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(parent, name);

    if (!path)
        return lwb_fail_memory(err);
    if (!mkdtemp(path))
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot make a scratch folder %s/%s", parent,
                              name);
    *out = LWB_TAKE(path);
    return LWB_OK;
}

static int make_in_temporary(char **out, struct lwb_error *err)
{
    const char *given = getenv("TMPDIR");
    const char *temporary = given && *given ? given : "/tmp";
    LWB_AUTO(lwb_buf_release) struct lwb_buf folder = LWB_BUF(LWB_PATH_MAX);
    struct lwb_error ignored;

    lwb_buf_format(&folder, "%s/lwbuild-%lu", temporary, (unsigned long)geteuid());
    if (!lwb_buf_ok(&folder))
        return lwb_fail(err, LWB_ERR_LIMIT, "TMPDIR is too long a path");
    if ((mkdir(lwb_buf_text(&folder), S_IRWXU) == 0 || errno == EEXIST) &&
        is_ours_alone(lwb_buf_text(&folder)) &&
        make_in(out, lwb_buf_text(&folder), "XXXXXX", &ignored) == LWB_OK)
        return LWB_OK;
    return make_in(out, temporary, "lwbuild-XXXXXX", err);
}

int lwb_scratch_folder_make(char **out, struct lwb_cache *cache, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    struct lwb_error ignored;

    if (!cache || lwb_cache_scratch(cache, &path, &ignored) < 0)
        return make_in_temporary(out, err);
    *out = lwb_buf_take(&path);
    return *out ? LWB_OK : lwb_fail_memory(err);
}
