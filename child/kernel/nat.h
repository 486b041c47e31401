#pragma once

#include "child/kernel/environment.h"

/*
 * Arithmetic on natural literals: 64 bits by hand, anything larger by GMP.
 * Results have a largest size; what would exceed it is not computed
 * (KN_NONE without a fault), and the term is left to its definition.
 */
bool kn_is_nat_literal(const struct kn_ctx *ctx, kn_ref e);
bool kn_nat_is_zero(const struct kn_ctx *ctx, kn_ref e);

/* A literal's successor and predecessor (of one that is not 0). */
kn_ref kn_nat_succ(struct kn_ctx *ctx, kn_ref e);
kn_ref kn_nat_pred(struct kn_ctx *ctx, kn_ref e);

/* `op` of two literals (the second ignored by unary ones): a literal, Bool.true or Bool.false. */
kn_ref kn_nat_compute(struct kn_ctx *ctx, enum kn_op op, kn_ref a, kn_ref b);
