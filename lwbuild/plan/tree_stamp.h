#pragma once

#include "lwbuild/plan/digest_source.h"
#include "lwbuild/plan/witness.h"

/*
 * A folder of .olean files, all of it: how it looks (by stat, quickly) and what
 * is in it (by content). Both visit files in the same order and note them as
 * witnesses.
 */
struct lwb_tree_stamp {
    struct lwb_digest stats; /* paths, inodes, sizes and times */
    int64_t newest_ns;       /* the latest time of any file or folder */
};

/*
 * A folder that is not there is empty. `sources` (or NULL) is where people edit
 * what the files were made of: beside A/B.olean, how <sources>/A/B.lean looks
 * counts as well, and is noted. `is_finished`: nobody writes to the folders any
 * more (link_tree.h), so that they may be as new as they like.
 */
int lwb_tree_stamp(struct lwb_tree_stamp *out, const char *dir, const char *sources,
                   bool is_finished, struct lwb_witnesses *witnesses, struct lwb_error *err);

/* Names relative to `dir` and contents. */
int lwb_tree_digest(struct lwb_digest *out, const char *dir,
                    const struct lwb_digest_source *digests, struct lwb_witnesses *witnesses,
                    struct lwb_error *err);

/*
 * Whether something that was remembered for this stamp can be trusted: nothing
 * in the tree was touched so recently that another change could look the same.
 */
bool lwb_tree_stamp_is_settled(const struct lwb_tree_stamp *stamp, int64_t now_s);
