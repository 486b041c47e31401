#pragma once

#include "child/kernel/environment.h"

/*
 * What an open term of type Nat is, case by case. Reduction of an open term
 * gets stuck where a decision needs to be known, or where recursion is over a
 * proof (that a number is accessible). Here it goes on:
 *
 *   - a decision `d : Decidable p` is either isTrue h or isFalse h; both are
 *     followed, with h a new local, and p is noted as true or false;
 *   - a proof `a : Acc r x` is Acc.intro x q for some q, since that is the only
 *     constructor, and all proofs are equal; q becomes a new local. That is done
 *     once on each path, for the recursion of the term itself.
 *
 * Both hold in every model, given that the file's Decidable and Acc are the
 * real ones, which is verified; they are no rules of conversion, and nothing
 * of this is used but to license an operation (prim.h).
 */
struct kn_fact {
    kn_ref prop;
    bool holds;
};

enum { KN_FACTS = 8 }; /* the most decisions on one path */

struct kn_case {
    struct kn_fact facts[KN_FACTS];
    uint32_t n;
    kn_ref value; /* with the decisions taken; in weak head normal form */
};

/* True if `fits` is true of every case. False also when a fault is set. */
bool kn_all_cases(struct kn_ctx *ctx, kn_ref term,
                  bool (*fits)(struct kn_ctx *ctx, const struct kn_case *c, void *data),
                  void *data);
