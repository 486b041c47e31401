#pragma once

#include "lwbuild/plan/digest_source.h"
#include "lwbuild/plan/witness.h"

/*
 * A package some of whose .olean files lie in Lake's artifact cache only: in its
 * build folder there is no more of such a module than a trace, which names the
 * artifacts (lake_outputs.h). Lean looks for A/B.olean on its search path, so the
 * package's place there is taken by a tree of symbolic links (link_tree.h):
 * A/B.olean and what comes with it lead to the files of the build folder or, where
 * that has none, or such as an earlier build has left there, to the artifacts. An
 * artifact that has gone leaves a link that leads nowhere.
 */
struct lwb_lake_trees {
    const char *dir;                         /* where trees are; made when the first is */
    const struct lwb_strvec *artifacts;      /* Lake's folders of them, in order; at least one */
    const struct lwb_digest_source *digests; /* remembers which tree belongs to which traces */
    struct lwb_witnesses *witnesses;         /* traces and folders that a tree was made from */
};

/*
 * The tree that takes the place of the build folder `lib`: 1 and *out, the
 * caller's. 0 when that has all its files itself, of the build that its traces
 * speak of, or is not there.
 */
int lwb_lake_tree_get(char **out, const struct lwb_lake_trees *trees, const char *lib,
                      struct lwb_error *err);
