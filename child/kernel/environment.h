#pragma once

#include "child/kernel/expr.h"

/*
 * What the file declares. The reader lays down items in file order, with what
 * the file says; admission (schedule.c) turns them into declarations made of
 * derived facts only. An item may use items before it and nothing else, which
 * is verified for every constant it mentions before anything is computed with
 * it: so unfolding is well-founded and looking up needs no limit.
 */
enum kn_decl_kind {
    KN_AXIOM,
    KN_DEFINITION,
    KN_THEOREM,
    KN_OPAQUE,
    KN_QUOT,
    KN_INDUCTIVE,
    KN_CTOR,
    KN_REC,
};

enum kn_hint { KN_HINT_OPAQUE, KN_HINT_REGULAR, KN_HINT_ABBREV }; /* in the order of unfolding */

/* The operations on Nat that are computed once their definitions are verified (prim.h). */
enum kn_op {
    KN_OP_NONE,
    KN_OP_SUCC,
    KN_OP_PRED,
    KN_OP_ADD,
    KN_OP_SUB,
    KN_OP_MUL,
    KN_OP_POW,
    KN_OP_DIV,
    KN_OP_MOD,
    KN_OP_GCD,
    KN_OP_LOG2,
    KN_OP_BEQ,
    KN_OP_BLE,
    KN_OP_LAND,
    KN_OP_LOR,
    KN_OP_XOR,
    KN_OP_SHL,
    KN_OP_SHR,
    KN_OP_END,
};

enum kn_quot_kind { KN_QUOT_TYPE, KN_QUOT_CTOR, KN_QUOT_LIFT, KN_QUOT_IND };

struct kn_rule {
    kn_name ctor;
    uint32_t n_fields;
    kn_ref rhs; /* closed: params, motives, minors, fields */
};

/* What only types, constructors and recursors have: few declarations of a file. */
struct kn_shape {
    uint32_t n_params, n_indices, n_motives, n_minors; /* of a recursor; the first two: inductive */
    uint32_t n_fields, index;                          /* constructor: which */
    kn_name inductive;                                 /* constructor, recursor: of what */
    uint32_t n_ctors, n_rules;
    const kn_name *ctors;        /* inductive */
    const struct kn_rule *rules; /* recursor */
};

extern const struct kn_shape kn_no_shape;

struct kn_decl {
    kn_name name;
    uint8_t kind;      /* enum kn_decl_kind */
    uint8_t hint;      /* enum kn_hint */
    uint8_t op;        /* enum kn_op, once verified */
    uint8_t quot;      /* enum kn_quot_kind */
    bool admitted;     /* its type may be used */
    bool k;            /* recursor: K */
    bool is_recursive; /* inductive */
    bool never_proof;  /* applied to at most `arity` arguments it is no proof, by its type */
    uint32_t height;   /* of KN_HINT_REGULAR */
    uint32_t item;
    kn_ref type;
    kn_ref value; /* KN_NONE: cannot be unfolded */
    kn_ref body;  /* of definitions, theorems and opaque constants: to be checked */
    const kn_name *levels;
    uint32_t n_levels;
    uint32_t arity;               /* the number of arrows of the type */
    const struct kn_shape *shape; /* derived; all zero until then, and where there is none */
};

/* An inductive block as the file has it: nothing here is used but to be compared. */
struct kn_given_type {
    kn_name name;
    kn_ref type;
    uint64_t n_params, n_indices, n_nested;
    bool is_rec, is_reflexive, is_unsafe;
    const kn_name *levels, *ctors;
    uint32_t n_levels, n_ctors;
};

struct kn_given_ctor {
    kn_name name, inductive;
    kn_ref type;
    uint64_t index, n_params, n_fields;
    bool is_unsafe;
    const kn_name *levels;
    uint32_t n_levels;
};

struct kn_given_rule {
    kn_name ctor;
    uint64_t n_fields;
    kn_ref rhs;
};

struct kn_given_rec {
    kn_name name;
    kn_ref type;
    uint64_t n_params, n_indices, n_motives, n_minors;
    bool k, is_unsafe;
    const kn_name *levels;
    uint32_t n_levels;
    struct kn_given_rule *rules;
    uint32_t n_rules;
};

struct kn_given_block {
    struct kn_given_type *types;
    struct kn_given_ctor *ctors;
    struct kn_given_rec *recs;
    uint32_t n_types, n_ctors, n_recs;
};

enum kn_item_state { KN_PENDING, KN_ACCEPTED, KN_REJECTED, KN_DECLINED, KN_BLOCKED };

/* One declaration of the file: one line. */
struct kn_item {
    uint8_t kind; /* enum kn_decl_kind; KN_INDUCTIVE for a block */
    bool is_unsafe, is_partial;
    bool has_nat, has_text;  /* literals */
    uint8_t cause;           /* enum lwb_kernel_cause, if declined */
    _Atomic uint8_t state;   /* enum kn_item_state */
    atomic_bool looked_over; /* what it uses is known, or its state is final */
    uint32_t line;
    uint32_t first, n_decls; /* in env->decls */
    kn_name clash;           /* declared before, or KN_NO_NAME */
    const struct kn_given_block *block;
    const uint32_t *uses; /* items, each once */
    uint32_t n_uses;
    const uint32_t *axioms; /* items, ascending: all that it rests on */
    uint32_t n_axioms;
    uint32_t blocker; /* the item that KN_BLOCKED is about */
    uint64_t time_ns;
    const char *reason; /* in some context's `keep`; of rejected and declined ones */
};

/* Names with a meaning to the kernel. */
enum kn_known {
    KN_NAME_NAT,
    KN_NAME_NAT_ZERO,
    KN_NAME_NAT_SUCC,
    KN_NAME_BOOL,
    KN_NAME_FALSE,
    KN_NAME_TRUE,
    KN_NAME_STRING,
    KN_NAME_STRING_OF_LIST,
    KN_NAME_STRING_MK,
    KN_NAME_CHAR,
    KN_NAME_CHAR_OF_NAT,
    KN_NAME_LIST_NIL,
    KN_NAME_LIST_CONS,
    KN_NAME_EQ,
    KN_NAME_EQ_REFL,
    KN_NAME_QUOT,
    KN_NAME_QUOT_MK,
    KN_NAME_QUOT_LIFT,
    KN_NAME_QUOT_IND,
    KN_NAME_QUOT_SOUND,
    KN_NAME_PROPEXT,
    KN_NAME_CHOICE,
    KN_NAME_IFF,
    KN_NAME_IFF_INTRO,
    KN_NAME_NONEMPTY,
    KN_NAME_NONEMPTY_INTRO,
    KN_NAME_EAGER_REDUCE,
    KN_NAMES_END,
};

struct kn_env {
    struct kn_budget *budget;
    struct kn_names names;
    struct kn_arena arena;
    kn_name known[KN_NAMES_END];
    struct kn_decl *decls;
    size_t n_decls, cap_decls;
    struct kn_item *items;
    size_t n_items, cap_items;
    uint32_t *decl_of; /* by name; + 1, 0: none */
    size_t n_decl_of;
    uint32_t nat_item; /* KN_NONE until Nat, Bool, ... turned out to be the real ones */
    uint32_t bool_item;
    uint32_t eq_item;
    uint32_t string_item;      /* string literals may be used from this item on */
    uint32_t string_list_item; /* and be written out as lists from this one on */
    kn_name string_maker;      /* String.ofList or String.mk */
    uint32_t sample_text;      /* one character: a literal to try these out with */
};

bool kn_env_init(struct kn_env *env, struct kn_budget *budget);
void kn_env_release(struct kn_env *env);

/* Reading. All return false when memory is out. */
struct kn_item *kn_env_add_item(struct kn_env *env, enum kn_decl_kind kind, uint32_t line);
/* A declaration of the last item; a name that is taken is noted in item->clash. */
struct kn_decl *kn_env_add_decl(struct kn_env *env, enum kn_decl_kind kind, kn_name name);

/* Give the declaration this shape; false without memory. Admission only. */
bool kn_env_set_shape(struct kn_env *env, struct kn_decl *decl, const struct kn_shape *shape);

/* NULL if there is none. */
struct kn_decl *kn_env_find(const struct kn_env *env, kn_name name);

/* As above, with the auxiliary types of a nested block. */
struct kn_decl *kn_find(const struct kn_ctx *ctx, kn_name name);

/* The name for messages, in a fixed buffer of the caller's. */
struct kn_shown {
    char text[200];
};
const char *kn_show(const struct kn_ctx *ctx, kn_name name, struct kn_shown *out);

/* The type or value of a constant at these levels; KN_NONE without a fault if they do not fit. */
kn_ref kn_const_type(struct kn_ctx *ctx, const struct kn_decl *decl, kn_ref e);
kn_ref kn_const_value(struct kn_ctx *ctx, const struct kn_decl *decl, kn_ref e);

/* The parameters of `decl` as a list of levels. */
kn_ref kn_param_levels(struct kn_ctx *ctx, const kn_name *levels, uint32_t n);
