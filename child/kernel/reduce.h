#pragma once

#include "child/kernel/environment.h"

/*
 * Reduction. Terms are closed up to locals. "Step" functions return KN_NONE
 * without a fault when there is nothing for them to do.
 */

/* Beta, let, projections, recursors, quotients; nothing is unfolded at the head. */
kn_ref kn_whnf_core(struct kn_ctx *ctx, kn_ref e);

/* As above, but the value of a projection is not unfolded either: for comparing. */
kn_ref kn_whnf_core_cheap(struct kn_ctx *ctx, kn_ref e);

/* Weak head normal form. */
kn_ref kn_whnf(struct kn_ctx *ctx, kn_ref e);

/* The declaration whose value the head of e can be replaced by, or NULL. */
const struct kn_decl *kn_unfoldable(const struct kn_ctx *ctx, kn_ref e);
kn_ref kn_unfold(struct kn_ctx *ctx, kn_ref e);

/* A verified operation on literals, done at once; e has no locals unless `open`. */
kn_ref kn_reduce_nat(struct kn_ctx *ctx, kn_ref e, bool open);

/*
 * A literal as a constructor application: Nat.succ n or Nat.zero; String.ofList
 * [...]. A step: a string stays as it is where the file has no Char.ofNat yet.
 */
kn_ref kn_nat_as_ctor(struct kn_ctx *ctx, kn_ref e);
kn_ref kn_string_as_list(struct kn_ctx *ctx, kn_ref e);

/* The constructor that e is an application of, or NULL. */
const struct kn_decl *kn_ctor_of(const struct kn_ctx *ctx, kn_ref e);

/* One constructor, no indices, not recursive: eta holds for it, unless it is a proposition. */
bool kn_is_structure(const struct kn_decl *decl);
