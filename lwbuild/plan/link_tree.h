#pragma once

#include "lwbuild/base/digest.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"

/*
 * A folder of symbolic links that is named after what it holds, made beside its
 * place and renamed, and never written to again: any number of processes share
 * it, and nobody sees half of one.
 *
 *     <dir>/<digest of folders, names and targets>/lib    the links
 *     <dir>/<the same>/used    its time is that of the last use, to within ten minutes
 *     <dir>/tmp.XXXXXX         one that is being made
 */
struct lwb_link_tree {
    struct lwb_strvec folders; /* relative, each behind its parent */
    struct lwb_strvec names;   /* of links: "A/B.olean" */
    struct lwb_strvec targets; /* beside each: absolute */
};

void lwb_link_tree_release(struct lwb_link_tree *tree);
LWB_DEFINE_AUTO(struct lwb_link_tree, lwb_link_tree_release);

/* Takes both texts, which may be NULL for want of memory. */
int lwb_link_tree_add(struct lwb_link_tree *tree, char *name, char *target, struct lwb_error *err);

int lwb_link_tree_name(struct lwb_digest *out, const struct lwb_link_tree *tree,
                       struct lwb_error *err);

/* The links of the tree of that name in `dir`: 1 and *out, the caller's. Counts as a use. */
int lwb_link_tree_find(char **out, const char *dir, const struct lwb_digest *name,
                       struct lwb_error *err);

/* Put the tree where it is found by its name; `dir` is made. Somebody else may have done so. */
int lwb_link_tree_make(const char *dir, const struct lwb_digest *name,
                       const struct lwb_link_tree *tree, struct lwb_error *err);
