#pragma once

#include <stddef.h>

/*
 * A Lake package of many modules as `lake build` leaves it, without sources: a
 * lakefile.toml and .olean files below .lake/build/lib. Modules lie in folders
 * of a hundred and import a few of those before them; <name> imports them all.
 */
struct package_tree {
    const char *dir; /* of the package */
    const char *name;
    unsigned n_modules;
    size_t module_bytes; /* at least, each */
};

/* Returns the bytes of all .olean files together. */
size_t package_tree_make(const struct package_tree *tree);

/* The .olean of module `i` (0 to n_modules - 1); valid until the next call. */
const char *package_tree_module(const struct package_tree *tree, unsigned i);

/* Write that file again with another content (`version` says which) and the same imports. */
void package_tree_change(const struct package_tree *tree, unsigned i, unsigned version);

/*
 * A project in `dir` whose module Main imports <name>, and which requires the
 * package, and `other` (NULL: none), by path. The folder is made.
 */
void package_tree_user(const char *dir, const struct package_tree *tree,
                       const struct package_tree *other);
