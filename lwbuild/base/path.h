#pragma once

#include <stdbool.h>

#include "lwbuild/base/buf.h"

/*
 * Paths as text; nothing here touches the disk. Functions that return char *
 * return memory of the caller's, NULL when there is none left.
 */
enum { LWB_PATH_MAX = 64 * 1024 }; /* limit of buffers that build paths */

/* `name` if it is absolute, else dir/name. */
char *lwb_path_join(const char *dir, const char *name);

/* Without ".", "..", doubled and trailing slashes; ".." above the root is dropped. */
char *lwb_path_normalise(const char *path);

/* Absolute and normalised, relative paths taken from `base` (absolute). */
char *lwb_path_absolute(const char *base, const char *path);

/* How `path` is called seen from `base` (both absolute and normalised), with ".." where needed. */
char *lwb_path_relative(const char *base, const char *path);

/* `path` is `dir` itself or lies below it (both normalised). */
bool lwb_path_is_below(const char *dir, const char *path);

char *lwb_path_dirname(const char *path);
const char *lwb_path_basename(const char *path); /* borrowed from path */
bool lwb_path_has_suffix(const char *path, const char *suffix);
