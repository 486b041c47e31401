#pragma once

#include "child/kernel/environment.h"

/*
 * Inductive types. The block that the file gives is checked by the rules for
 * families without nesting, after nested occurrences have been replaced by
 * auxiliary families (nested.c); then recursors and their rules are derived
 * (recursor.c), checked once more in the final environment, and compared with
 * what the file says about them. Only derived facts go into the environment.
 */
struct kn_flat_type {
    kn_name name; /* a scratch name for auxiliary ones */
    kn_ref type;
    uint32_t n_indices;
    kn_ref *indices;         /* locals, after the parameters */
    kn_ref self;             /* the type applied to the parameters */
    uint32_t first, n_ctors; /* in flat->ctors */
    kn_name rec;             /* the recursor's name */
    kn_ref nested; /* auxiliary: what it stands for, C Ds over the parameters; else KN_NONE */
    kn_ref motive; /* a local */
};

/* A field of a constructor: an opened binder, and what makes it recursive. */
struct kn_flat_field {
    kn_ref local;
    uint32_t of;     /* recursive: the type it ends in; else KN_NONE */
    uint32_t n_xs;   /* recursive under this many binders */
    kn_ref end;      /* what is behind them, reduced */
    kn_ref *xs;      /* locals */
    kn_ref *indices; /* of the recursive occurrence */
};

struct kn_flat_ctor {
    kn_name name;      /* a scratch name for those of auxiliary types */
    kn_name real_name; /* as rules name it */
    kn_ref type;       /* closed, nested occurrences replaced */
    kn_ref self;       /* applied to the parameters */
    kn_ref real_self;  /* what `self` stands for */
    uint32_t of;       /* type */
    uint32_t n_fields;
    struct kn_flat_field *fields;
    kn_ref *indices; /* of the result */
    kn_ref minor;    /* a local */
};

struct kn_flat {
    struct kn_ctx *ctx;
    struct kn_item *item;
    const struct kn_given_block *given;
    const kn_name *levels;
    uint32_t n_levels;
    kn_ref level_list;
    uint32_t n_params;
    kn_ref *params; /* locals */
    uint32_t next;  /* number of the next local */
    struct kn_flat_type *types;
    size_t n_types, cap_types, n_declared;
    struct kn_flat_ctor *ctors;
    size_t n_ctors, cap_ctors;
    kn_ref sort; /* the level of all types of the block */
    bool is_prop, is_recursive, is_reflexive;
    bool large;  /* may be eliminated into every sort */
    kn_ref elim; /* level of the motives */
    kn_name elim_name;
};

/* Admit the block of `item`; false with the context's fault set. */
bool kn_admit_inductive(struct kn_ctx *ctx, struct kn_item *item);

/* A type of the block, or an auxiliary one, occurs in e. KN_STOP on a fault. */
enum kn_tri kn_flat_occurs(struct kn_flat *flat, kn_ref e);

/* Reject, in the name of a constant of the block; returns false. */
bool kn_flat_fail(struct kn_flat *flat, kn_name name, const char *what);

/* Strip the block's parameters off *type, or make them of it (`first`). */
bool kn_flat_open_params(struct kn_flat *flat, kn_name name, kn_ref *type, bool first);

/* positivity.c: the rules of one constructor; its fields and indices are filled in. */
bool kn_flat_check_ctor(struct kn_flat *flat, struct kn_flat_ctor *c);

/* A fresh local, numbered above all others of the block. */
kn_ref kn_flat_local(struct kn_flat *flat, kn_ref type);

/* nested.c: fill in auxiliary types and replace the nested occurrences in all constructors. */
bool kn_flat_unnest(struct kn_flat *flat);

/* Put back what the auxiliary constants stand for. */
kn_ref kn_flat_restore(struct kn_flat *flat, kn_ref e);

/* recursor.c: derive, check, compare and admit the recursors. */
bool kn_flat_admit_recursors(struct kn_flat *flat);
