#pragma once

#include "child/kernel/environment.h"

/*
 * Definitional equality of two well-typed terms. A yes is remembered for
 * exactly this pair: the relation the algorithm decides is not transitive, so
 * nothing is concluded from a = b and b = c.
 */
enum kn_tri kn_equal(struct kn_ctx *ctx, kn_ref a, kn_ref b);

/*
 * For the rules that kn_equal is made of: enum kn_tri, or KN_OPEN where a rule
 * does not decide. eta.c: both sides are in weak head normal form.
 */
enum { KN_OPEN = 2 };
int kn_equal_by_eta(struct kn_ctx *ctx, kn_ref a, kn_ref b);
