#include "lwbuild/plan/lake_cache.h"

#include <string.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/elan.h"

struct lookup {
    struct lwb_strvec *out;
    const char *root;
    struct lwb_error *err;
};

/* <base>/<name>/artifacts, if it is there. */
static int look_in(const struct lookup *lookup, const char *base, const char *name)
{
    LWB_AUTO(lwb_free_text) char *cache = lwb_path_join(base, name);
    LWB_AUTO(lwb_free_text) char *joined = cache ? lwb_path_join(cache, "artifacts") : NULL;
    LWB_AUTO(lwb_free_text)
    char *path = joined ? lwb_path_absolute(lookup->root, joined) : NULL;

    if (!path)
        return lwb_fail_memory(lookup->err);
    if (access(path, F_OK) != 0)
        return LWB_OK;
    return lwb_strvec_append(lookup->out, path) ? lwb_fail_memory(lookup->err) : LWB_OK;
}

/* Unlike other variables this one says something when it is empty. */
static bool is_set(const char *const *environment, const char *name)
{
    size_t len = strlen(name);

    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return true;
    return false;
}

static int look_in_home(const struct lookup *lookup, const char *const *environment)
{
    const char *caches = lwb_env_get(environment, "XDG_CACHE_HOME");
    const char *home = lwb_env_get(environment, "HOME");

    if (caches)
        return look_in(lookup, caches, "lake");
    return home ? look_in(lookup, home, ".cache/lake") : LWB_OK;
}

int lwb_lake_cache_folders(struct lwb_strvec *out, const char *const *environment,
                           const char *toolchain, const char *root, struct lwb_error *err)
{
    const struct lookup lookup = { out, root, err };
    const char *given = lwb_env_get(environment, "LAKE_CACHE_DIR");
    int rc = LWB_OK;

    if (given)
        return look_in(&lookup, given, "");
    if (!is_set(environment, "LAKE_CACHE_DIR")) {
        if (toolchain)
            rc = look_in(&lookup, toolchain, "lake/cache");
        if (rc == LWB_OK)
            rc = look_in_home(&lookup, environment);
    }
    return rc < 0 ? rc : look_in(&lookup, root, ".lake/cache");
}
