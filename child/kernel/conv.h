#pragma once

#include "child/kernel/environment.h"

/*
 * Definitional equality of two well-typed terms. A yes is remembered for
 * exactly this pair: the relation the algorithm decides is not transitive, so
 * nothing is concluded from a = b and b = c.
 */
enum kn_tri kn_equal(struct kn_ctx *ctx, kn_ref a, kn_ref b);
