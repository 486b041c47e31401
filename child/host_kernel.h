#pragma once

#include "child/host.h"

/*
 * The host over the embedded type checker (child/kernel): modules are export
 * files, each a closed world, and nothing of one survives into the next. So
 * every answer is as good as one from a process of its own, and is said to be
 * (fresh), whatever isolation was asked for.
 *
 * A check reports facts and applies no policy. Stream "declarations" has one
 * row per declaration of the file, in its order:
 *
 *     {"name":"two_eq","kind":"theorem","axioms":["propext"],"line":812,"ns":5100}
 *
 * with the kinds of lwb_kernel_kind_name, every axiom the declaration rests
 * on however indirectly, and "state" ("rejected", "declined", "blocked") where
 * it was not accepted. An error names each rejected declaration with its line
 * in the file; a file that is no export is rejected with an error where it
 * goes wrong. What the kernel does not decide is no verdict: its reason is
 * "memory", "time" or "cancelled" where that ended it, "limit" for its stack and
 * its count of steps, else "declined": something in the file that it does not know.
 *
 * A kernel check does the same with an export as the source of the request.
 */
extern const struct lwb_host lwb_host_kernel;
