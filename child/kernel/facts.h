#pragma once

#include "child/kernel/environment.h"

/*
 * The propositions that definitions decide by, as the file declares them: each
 * only if the file's inductive type is the one that its name stands for, else
 * KN_NONE.
 */
kn_ref kn_fact_order(struct kn_ctx *ctx, kn_ref a, kn_ref b); /* a <= b */
kn_ref kn_fact_equation(struct kn_ctx *ctx, kn_ref type, kn_ref a, kn_ref b);
kn_ref kn_fact_and(struct kn_ctx *ctx, kn_ref a, kn_ref b);
bool kn_has_order(struct kn_ctx *ctx);

/* The operation that a letter stands for in forms.h, if it is licensed; else NULL. */
const struct kn_decl *kn_helper(struct kn_ctx *ctx, char letter);
