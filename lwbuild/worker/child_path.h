#pragma once

#include "lwbuild/base/error.h"

/*
 * Where the child program is: `given` if that is not NULL, else $LWBUILD_CHILD,
 * else `name` (NULL: "lwbuild-child") beside this program, in
 * ../libexec/lwbuild, or where the build of lwbuild puts it. *out is absolute
 * or as given, and the caller's.
 *
 * LWB_ERR_CHILD_NOT_FOUND names every path that was tried;
 * LWB_ERR_CHILD_NOT_EXECUTABLE the one that is there but may not be run.
 */
int lwb_child_path_find(char **out, const char *given, const char *name, struct lwb_error *err);
