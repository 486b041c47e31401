#pragma once

#include "child/kernel/environment.h"

/*
 * Types of terms. kn_check verifies every part of the term; kn_infer takes the
 * term to be well-typed already and only finds its type.
 */
kn_ref kn_check(struct kn_ctx *ctx, kn_ref e);
kn_ref kn_infer(struct kn_ctx *ctx, kn_ref e);

/* The level of the sort that `type` lives in; a fault if it is no type. */
kn_ref kn_sort_of(struct kn_ctx *ctx, kn_ref type, bool check);

/* `type` is a proposition; a fault if it is no type at all. */
enum kn_tri kn_is_prop(struct kn_ctx *ctx, kn_ref type);

/* e is an application of a constant whose type rules out that it is a proof. */
bool kn_is_never_proof(struct kn_ctx *ctx, kn_ref e);
