#include "cache/cache_dir.h"

#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

/* The value of a variable that is set and not empty, or NULL. */
static const char *find(const char *const *environment, const char *name)
{
    size_t len = strlen(name);

    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return (*environment)[len + 1] ? *environment + len + 1 : NULL;
    return NULL;
}

char *lwb_cache_default_dir(const char *const *environment, const char *beside, bool *fell_back)
{
    const char *given = find(environment, "LWBUILD_CACHE_DIR");
    const char *xdg = find(environment, "XDG_CACHE_HOME");
    const char *home = find(environment, "HOME");

    *fell_back = false;
    if (given)
        return lwb_strdup(given);
    if (xdg && xdg[0] == '/')
        return lwb_path_join(xdg, "lwbuild");
    if (home)
        return lwb_path_join(home, ".cache/lwbuild");
    *fell_back = true;
    return lwb_path_join(beside, ".lwbuild-cache");
}
