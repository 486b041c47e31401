#pragma once

#include "child/kernel/environment.h"

/*
 * Licences. Literals and computed operations are shortcuts for what the file
 * itself declares, so each is allowed only once the file's declaration was
 * verified to be what the shortcut computes: Nat and Bool by their shape, an
 * operation by its defining equations on open terms, string literals by
 * checking the type of one written out. (Where Char.ofNat is yet to come, as
 * in exports of 2021, a literal is an unknown value of String, which must have
 * one.) An operation that does not pass is not
 * an error: it is unfolded like any definition.
 *
 * Licensed are succ, pred, add, sub, mul, pow, beq, ble, shiftLeft and
 * shiftRight, whose equations hold by computation, and div, mod, gcd, log2,
 * land, lor and xor, defined by well-founded recursion, whose equations are
 * read off case by case (cases.h); div and mod also by recursion over fuel in
 * Nat.div.go and Nat.modCore.go, and log2 by the recursor over itself, as Lean
 * has them since 2025. Definitions over WellFounded.Nat.fix (gcd and
 * what is made of Nat.bitwise, since then) are not recognised: they are unfolded
 * as every definition is, which takes as many steps as the recursion, few for
 * these, with div and mod inside computed at once.
 */

/* After an inductive block was admitted: is it Nat or Bool? */
void kn_license_block(struct kn_ctx *ctx, const struct kn_item *item);

/* After a definition was admitted: is it a known operation? */
void kn_license_operation(struct kn_ctx *ctx, struct kn_decl *decl);

/* String literals may be used in `item`; a fault if not. */
bool kn_license_strings(struct kn_ctx *ctx, uint32_t item);
