#pragma once

#include "child/kernel/environment.h"

/*
 * Checking a file in three phases. First every item is looked over, in any
 * order and before it is admitted (look_over.c): what it mentions must be
 * declared before it, with as many universe levels as it takes, and no variable
 * or parameter may be loose. Then items are admitted in file order, on one
 * thread: inductive blocks, quotients and axioms are checked and what follows
 * from them is derived; definitions and theorems are admitted with the type
 * they state. Last their values are checked, in any order again. If one of them
 * turns out wrong, so is the file.
 */

/* Notes what the item uses, in ctx->keep; false with the context's fault set. */
bool kn_look_over(struct kn_ctx *ctx, struct kn_item *item);

/* Sets the item's state if it is final: anything but KN_PENDING. */
void kn_admit(struct kn_ctx *ctx, struct kn_item *item);

/* A definition, theorem or opaque constant: sets the item's state. */
void kn_check_value(struct kn_ctx *ctx, struct kn_item *item);

/* Turn the context's fault into the state of the item; the reason is in ctx->keep. */
void kn_conclude(struct kn_ctx *ctx, struct kn_item *item);
