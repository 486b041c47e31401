#pragma once

#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"

/*
 * Where Lake keeps artifacts when its artifact cache is on (LAKE_ARTIFACT_CACHE,
 * enableArtifactCache; from about 4.22): <cache>/artifacts, and <cache> is
 *
 * 1. LAKE_CACHE_DIR, when that is set and not empty;
 * 2. .lake/cache in the root of the workspace, when it is set and empty (until
 *    about 4.25 this turned the cache off);
 * 3. lake/cache in the folder of elan's toolchain;
 * 4. without elan $XDG_CACHE_HOME/lake, else ~/.cache/lake;
 * 5. without a home .lake/cache in the root of the workspace.
 *
 * After src/lake/Lake/Config/Env.lean and Config/Workspace.lean of 4.22 to 4.33.
 * Whether Lake was started by elan cannot be known afterwards, and a name is a
 * hash of the content: so where LAKE_CACHE_DIR does not decide, 3 to 5 are all
 * looked in, in this order. A relative LAKE_CACHE_DIR counts from the root,
 * where Lake is run.
 */

/*
 * The artifact folders that exist, appended to `out` in the order in which they
 * are to be searched. `toolchain` is a prefix or NULL.
 */
int lwb_lake_cache_folders(struct lwb_strvec *out, const char *const *environment,
                           const char *toolchain, const char *root, struct lwb_error *err);
