#pragma once

#include "child/kernel/node.h"

/*
 * Universe levels. The order is decided completely: a <= b holds iff it does
 * for every assignment of natural numbers to parameters. imax is removed by
 * distributing it and, where it hangs on a parameter p, by the cases p = 0 and
 * p = p + 1; what is left are maxima of p + k and constants, which compare
 * term by term.
 */
kn_ref kn_level_succ(struct kn_ctx *ctx, kn_ref level);
kn_ref kn_level_imax(struct kn_ctx *ctx, kn_ref a, kn_ref b); /* simplified where that is easy */
kn_ref kn_level_max(struct kn_ctx *ctx, kn_ref a, kn_ref b);

enum kn_tri kn_level_le(struct kn_ctx *ctx, kn_ref a, kn_ref b);
enum kn_tri kn_level_equal(struct kn_ctx *ctx, kn_ref a, kn_ref b);

/* 0 under every assignment; never 0. A parameter is neither. */
enum kn_tri kn_level_is_zero(struct kn_ctx *ctx, kn_ref level);
enum kn_tri kn_level_is_never_zero(struct kn_ctx *ctx, kn_ref level);

/* Same length and equal one by one. */
enum kn_tri kn_levels_equal(struct kn_ctx *ctx, kn_ref a, kn_ref b);

uint32_t kn_levels_count(const struct kn_ctx *ctx, kn_ref list);

/* `level` with the parameters `names` replaced by the items of `list`, of the same number. */
kn_ref kn_level_substitute(struct kn_ctx *ctx, kn_ref level, const kn_name *names, uint32_t n,
                           kn_ref list);
kn_ref kn_levels_substitute(struct kn_ctx *ctx, kn_ref levels, const kn_name *names, uint32_t n,
                            kn_ref list);
