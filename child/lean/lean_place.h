#pragma once

#include <stdbool.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * A private folder in which one `lean` run sees one module: the bytes that
 * were hashed, under the module's own relative name, whatever lies in the
 * project by now.
 */

/* Whether elaboration may read other files (include_str, IO.FS): then they must be in reach. */
bool lwb_lean_place_needs_siblings(struct lwb_bytes source);

/*
 * Makes `folder` with `file` (relative, no "..") in it. With a `source_root`
 * (NULL: without), links to everything that lies beside the file and above it
 * there are made too, so that relative paths lead where they lead in the project.
 */
int lwb_lean_place_make(const char *folder, const char *file, struct lwb_bytes source,
                        const char *source_root, struct lwb_error *err);

/*
 * The same where relative paths may lead out of the project: `folder` stands
 * for the root of the file system. *source_place is the folder in it that
 * stands for the source root; the caller frees it.
 */
int lwb_lean_place_make_deep(char **source_place, const char *folder, const char *file,
                             struct lwb_bytes source, const char *source_root,
                             struct lwb_error *err);
