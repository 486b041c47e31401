#pragma once

#include "child/kernel/environment.h"

/*
 * Admission: the part of checking that goes through the file in order, on one
 * thread. Every item is looked over first: what it mentions must be declared
 * before it, with as many universe levels as it takes, and no variable or
 * parameter may be loose. Then inductive blocks, quotients and axioms are
 * checked and what follows from them is derived; definitions and theorems are
 * admitted with the type they state, and are checked later (kn_check_value),
 * in any order. If one of them turns out wrong, so is the file.
 */

/* Sets the item's state if it is final: anything but KN_PENDING. */
void kn_admit(struct kn_ctx *ctx, struct kn_item *item);

/* A definition, theorem or opaque constant: sets the item's state. */
void kn_check_value(struct kn_ctx *ctx, struct kn_item *item);

/* Turn the context's fault into the state of the item. Takes no lock. */
void kn_conclude(struct kn_ctx *ctx, struct kn_item *item);
