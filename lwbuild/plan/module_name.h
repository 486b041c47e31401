#pragma once

#include <stdbool.h>

#include "lwbuild/base/buf.h"

/*
 * Module names as text: components joined by '.', a component that is no plain
 * Lean identifier in guillemets ("A.«b c».D"), and only then, so that equal
 * names are equal texts. On disk components are joined by '/', unescaped.
 *
 * A name that would leave its root as a path («..», «a/b») is no module name
 * here, although Lean would look for it.
 */

/* Append the one spelling of `text`, a name as Lean's grammar has it. False when it is none. */
bool lwb_module_name_append(struct lwb_buf *out, struct lwb_bytes text);

/* Append the name of the file at `path` ("a/b" without extension). False when it can have none. */
bool lwb_module_name_from_path(struct lwb_buf *out, struct lwb_bytes path);

/* Append the path of a name made by the functions above, without extension. */
void lwb_module_name_to_path(struct lwb_buf *out, const char *name);

/* Length of the first component, guillemets included. */
size_t lwb_module_name_first(const char *name);

/* `name` is `root` or lies below it ("A.B" below "A"). */
bool lwb_module_name_is_below(const char *root, const char *name);
