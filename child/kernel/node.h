#pragma once

#include <gmp.h>

#include "child/kernel/arena.h"
#include "child/kernel/intern.h"
#include "child/kernel/kernel.h"
#include "child/kernel/name.h"
#include "child/kernel/table.h"
#include "lwbuild/base/attributes.h"

/*
 * Terms. Universe levels, lists of levels and expressions are nodes of one
 * hash-consed graph, named by 32-bit references: equal references are equal
 * terms, and terms that are equal up to the names of bound variables have
 * equal references, because nodes keep no such names.
 *
 * There are two stores. The file's terms are in the lasting one, which is only
 * read once checking has begun; what a check makes goes to the scratch store
 * of its context (bit 31 set) and is forgotten with the declaration.
 *
 * Bound variables are de Bruijn indices. An opened binder becomes a local that
 * carries its type; its number is the smallest that is larger than those of
 * all locals in the terms it has to be fresh for, so it follows from the terms
 * alone. What a term reduces to or has for a type is therefore a function of
 * the reference, whatever the surroundings, and caches may be keyed by it.
 */
typedef uint32_t kn_ref;

#define KN_NONE UINT32_MAX
#define KN_SCRATCH UINT32_C(0x80000000)

enum kn_kind {
    KN_ZERO,  /* levels */
    KN_SUCC,  /* a */
    KN_MAX,   /* a, b */
    KN_IMAX,  /* a, b */
    KN_PARAM, /* name a */
    KN_NIL,   /* lists of levels */
    KN_CONS,  /* head a, tail b */
    KN_BVAR,  /* index a */
    KN_LOCAL, /* number a, type b */
    KN_SORT,  /* level a */
    KN_CONST, /* name a, levels b */
    KN_APP,   /* function a, argument b */
    KN_LAM,   /* type a, body b */
    KN_PI,    /* type a, body b */
    KN_LET,   /* type a, KN_REST b */
    KN_REST,  /* of a let: value a, body b */
    KN_PROJ,  /* value a, KN_FIELD b */
    KN_FIELD, /* of a projection: structure name a, index b */
    KN_NAT,   /* literal: a + 2^32 b */
    KN_BIG,   /* literal beyond 64 bits: index a of the store's big naturals */
    KN_STR,   /* literal: index a of the file's strings */
};

/* Small, because there are as many as the file has lines: what has three parts is two of them. */
enum { KN_RANGE_BITS = 13, KN_RANGE_MAX = (1 << KN_RANGE_BITS) - 1 };

struct kn_node {
    uint32_t a, b;
    uint32_t kind : 5;
    uint32_t has_param : 1;          /* a level parameter occurs */
    uint32_t loose : KN_RANGE_BITS;  /* 1 + the largest loose bound variable, 0: closed */
    uint32_t locals : KN_RANGE_BITS; /* 1 + the largest number of a local, 0: none */
};

enum { KN_CHUNK_BITS = 14, KN_CHUNK = 1 << KN_CHUNK_BITS };

struct kn_big {
    const mp_limb_t *limbs;
    uint32_t n;
};

struct kn_store {
    uint32_t base; /* 0 or KN_SCRATCH */
    uint32_t count;
    uint32_t n_chunks;
    uint32_t room;          /* up to this count, chunks and index need not be looked at */
    struct kn_intern index; /* of references */
    struct kn_big *bigs;
    size_t n_bigs, cap_bigs;
    struct kn_arena arena; /* limbs */
};

/* How far a question got. Giving up is neither yes nor no, and is final for the declaration. */
enum kn_tri { KN_NO = 0, KN_YES = 1, KN_STOP = -1 };

enum kn_fault {
    KN_FINE,
    KN_REJECT,  /* a rule is broken */
    KN_DECLINE, /* out of memory, stack, time, or not understood */
};

/*
 * One thread's view: the lasting store, a scratch store, caches of what is
 * known about terms, and why the present declaration failed. Functions that
 * return a reference return KN_NONE, and tri-state ones KN_STOP, exactly when
 * `fault` is set.
 */
struct kn_ctx {
    struct kn_budget *budget;
    struct kn_env *env;
    struct kn_store *lasting;
    struct kn_store scratch;
    struct kn_node **chunks; /* by reference >> KN_CHUNK_BITS */
    bool building;           /* new nodes go to the lasting store: one thread only */
    bool no_caches;          /* for tests: nothing is remembered between questions */
    uint32_t item;           /* being checked */
    bool eager;              /* inside an argument marked eagerReduce */
    enum kn_fault fault;
    enum lwb_kernel_cause cause; /* of KN_DECLINE */
    char reason[400];
    char *stack_low; /* the lowest stack address that may be used */
    uint32_t ticks;
    uint64_t steps; /* for the present declaration, in whole KN_TICKs */
    uint32_t level_steps;
    struct kn_arena stack; /* argument lists, in last-in first-out order */
    struct kn_arena keep;  /* lasts as long as the context */
    struct kn_map memo;    /* of one traversal */
    struct kn_map memo_replace;
    struct kn_map seen, used; /* while an item is looked over */
    struct kn_map types[2];   /* inferred without and with checking */
    struct kn_map whnf_core, whnf;
    struct kn_map equal; /* pair -> KN_YES or KN_NO */
    struct kn_map failed_args;
    struct kn_map unfolded; /* constant -> its value at these levels */
    struct kn_map const_types;
    struct kn_map levels_le;
    struct kn_map proofs;
    kn_ref zero, nil;    /* the level 0 and the empty list */
    struct kn_decl *aux; /* constants that exist for one nested inductive block only */
    uint32_t n_aux;
};

static inline const struct kn_node *kn_at(const struct kn_ctx *ctx, kn_ref ref)
{
    return &ctx->chunks[ref >> KN_CHUNK_BITS][ref & (KN_CHUNK - 1)];
}

/* The KN_REST of a let, the KN_FIELD of a projection. */
static inline const struct kn_node *kn_rest(const struct kn_ctx *ctx, const struct kn_node *n)
{
    return kn_at(ctx, n->b);
}

/*
 * `lasting` must outlive the context. The first context of a file fills it and
 * starts out `building`; the others share what `first` has built by then.
 */
bool kn_ctx_init(struct kn_ctx *ctx, struct kn_budget *budget, struct kn_store *lasting,
                 const struct kn_ctx *first);
void kn_ctx_release(struct kn_ctx *ctx);

/* See the nodes that `first` has built since. */
void kn_ctx_catch_up(struct kn_ctx *ctx, const struct kn_ctx *first);

/* Forget the scratch store, the caches and the fault: the next declaration. */
void kn_ctx_reset(struct kn_ctx *ctx);
void kn_ctx_forget(struct kn_ctx *ctx); /* the caches only */

/* The same as reset, and give back the memory that was kept for the next. */
void kn_ctx_trim(struct kn_ctx *ctx);

/* Set the fault, unless there is one already; both return KN_NONE for convenience. */
kn_ref kn_reject(struct kn_ctx *ctx, const char *format, ...) LWB_PRINTF(2, 3);
kn_ref kn_decline(struct kn_ctx *ctx, const char *format, ...) LWB_PRINTF(2, 3);
/* The same for a limit. */
kn_ref kn_give_up(struct kn_ctx *ctx, enum lwb_kernel_cause cause);
const char *kn_describe_cause(enum lwb_kernel_cause cause);
kn_ref kn_out_of_memory(struct kn_ctx *ctx);

enum { KN_TICK = 1024 }; /* steps between two looks at the clock */

/* False, with the fault set, when the stack is used up, or now and then when time or steps are. */
bool kn_may_go_on_slow(struct kn_ctx *ctx);
static inline bool kn_may_go_on(struct kn_ctx *ctx)
{
    if ((char *)__builtin_frame_address(0) >= ctx->stack_low && (++ctx->ticks & (KN_TICK - 1)))
        return true;
    return kn_may_go_on_slow(ctx);
}

bool kn_store_init(struct kn_store *store, struct kn_budget *budget, uint32_t base);
void kn_store_release(struct kn_store *store, struct kn_node **chunks, struct kn_budget *budget);
void kn_store_empty(struct kn_ctx *ctx, struct kn_store *store, uint32_t keep_chunks);

/* So many nodes are to come: one table for all of them, if there is memory for it. */
void kn_store_expect(struct kn_ctx *ctx, struct kn_store *store, size_t nodes);

/* The node with these parts; ranges and flags are worked out. */
kn_ref kn_make(struct kn_ctx *ctx, enum kn_kind kind, uint32_t a, uint32_t b);

/* A natural literal of any size; the limbs are copied. */
kn_ref kn_make_nat(struct kn_ctx *ctx, const mp_limb_t *limbs, size_t n);

/* A copy of `ref` in the lasting store; only while `building` is allowed. */
kn_ref kn_make_lasting(struct kn_ctx *ctx, kn_ref ref);
