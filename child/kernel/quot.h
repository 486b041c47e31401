#pragma once

#include "child/kernel/environment.h"

/*
 * Declarations whose statement is fixed: the four constants of quotients and
 * the three standard axioms. Under these names nothing else is accepted, so
 * that an allow-list of names is enough for a policy on axioms.
 */

/* Admit Quot, Quot.mk, Quot.lift or Quot.ind, whose type is checked already. */
bool kn_admit_quot(struct kn_ctx *ctx, struct kn_decl *decl);

/* An axiom called propext, Classical.choice or Quot.sound says what it should. */
bool kn_check_standard_axiom(struct kn_ctx *ctx, const struct kn_decl *decl);

/* `decl` (of item `item`) is the real Eq: to be asked when an inductive block was admitted. */
bool kn_is_real_eq(struct kn_ctx *ctx);
