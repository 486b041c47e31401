#pragma once

#include "child/kernel/node.h"

/* Building, taking apart and substituting in expressions. A KN_NONE part gives KN_NONE. */
kn_ref kn_app(struct kn_ctx *ctx, kn_ref f, kn_ref arg);
kn_ref kn_apps(struct kn_ctx *ctx, kn_ref f, const kn_ref *args, uint32_t n);
kn_ref kn_const(struct kn_ctx *ctx, kn_name name, kn_ref levels);
kn_ref kn_sort(struct kn_ctx *ctx, kn_ref level);
kn_ref kn_pi(struct kn_ctx *ctx, kn_ref type, kn_ref body);
kn_ref kn_lam(struct kn_ctx *ctx, kn_ref type, kn_ref body);
kn_ref kn_let(struct kn_ctx *ctx, kn_ref type, kn_ref value, kn_ref body);
kn_ref kn_proj(struct kn_ctx *ctx, kn_name structure, uint32_t field, kn_ref value);
kn_ref kn_nat(struct kn_ctx *ctx, uint64_t value);

static inline bool kn_is(const struct kn_ctx *ctx, kn_ref e, enum kn_kind kind)
{
    return kn_at(ctx, e)->kind == kind;
}

/*
 * f a1 ... an: the head and the arguments in order, in memory of ctx->stack.
 * Take a mark before and go back to it after use. `args` is NULL and n 0 when
 * memory is out (the fault is set) and when there are no arguments.
 */
struct kn_spine {
    kn_ref head;
    uint32_t n;
    kn_ref *args;
};

struct kn_spine kn_spine(struct kn_ctx *ctx, kn_ref e);
kn_ref kn_head(const struct kn_ctx *ctx, kn_ref e);
uint32_t kn_n_args(const struct kn_ctx *ctx, kn_ref e);
kn_ref *kn_stack_take(struct kn_ctx *ctx, size_t n); /* n references, or NULL with the fault set */

/* Replace loose variable i by values[n - 1 - i]; the values are closed. */
kn_ref kn_instantiate(struct kn_ctx *ctx, kn_ref e, const kn_ref *values, uint32_t n);

/* (fun x1 ... => body) a1 ... an with as many steps at once as fit. */
kn_ref kn_beta(struct kn_ctx *ctx, kn_ref f, const kn_ref *args, uint32_t n);

/* The inverse of kn_instantiate for locals: locals[n - 1 - i] becomes variable i. e is closed. */
kn_ref kn_abstract(struct kn_ctx *ctx, kn_ref e, const kn_ref *locals, uint32_t n);

/* (x1 : T1) ... -> e, or fun (x1 : T1) ... => e, over the locals. */
kn_ref kn_close_pi(struct kn_ctx *ctx, kn_ref e, const kn_ref *locals, uint32_t n);
kn_ref kn_close_lam(struct kn_ctx *ctx, kn_ref e, const kn_ref *locals, uint32_t n);

/* A local of this type that is fresh for all terms with ranges up to `number`. */
kn_ref kn_local(struct kn_ctx *ctx, uint32_t number, kn_ref type);

kn_ref kn_substitute_levels(struct kn_ctx *ctx, kn_ref e, const kn_name *names, uint32_t n,
                            kn_ref list);

/*
 * Apply `fn` to subterms from the top, and to the types of locals if
 * `into_locals`; where it returns other than KN_NONE, that replaces them.
 */
typedef kn_ref (*kn_replacer)(struct kn_ctx *ctx, kn_ref e, void *data);
kn_ref kn_replace(struct kn_ctx *ctx, kn_ref e, kn_replacer fn, void *data, bool into_locals);
