#pragma once

#include "child/kernel/environment.h"

/*
 * What an equation is written in, in Polish notation: x, y and n are any
 * naturals, 0, 1, 2 literals, T and F the truth values, S successor, f the
 * operation itself, and a, m, s, p, d, r the licensed add, mul, sub, pred,
 * div and mod. In conditions L is the order and E equality.
 *
 * The equations of an operation determine it: each either has no f on its
 * right side or one whose arguments are smaller, in a way that the table makes
 * plain. Where two conditions A and B decide, right[A + 2 B] belongs to their
 * truth values, and the left side is taken apart by cases (cases.h).
 *
 * Some definitions recurse over a number of steps that is large enough, their
 * fuel: g is that recursion, of the fuel and the number, and f starts it. Every
 * step takes one off the fuel and at least one off a number that is not above
 * it, so the fuel never ends before the number does. g is a constant of its
 * own, `go`, which has y and proofs for arguments beside these two: the proofs
 * are any, as they are in every use. Or it is the recursor itself, if the
 * definition is one on the number with the number as its fuel.
 */
enum { KN_MOST_EQUATIONS = 5, KN_MOST_CONDITIONS = 2, KN_MOST_CASES = 4 };

struct kn_equation {
    const char *left;
    const char *right[KN_MOST_CASES]; /* only the first: it is the same in all cases */
    const char *when[KN_MOST_CONDITIONS];
};

struct kn_form {
    const char *name;
    enum kn_op op;
    const char *needs; /* letters of operations that must be licensed */
    bool unary, truth, by_cases;
    bool by_recursor; /* g is the recursor */
    const char *go;   /* g is this constant */
    struct kn_equation equations[KN_MOST_EQUATIONS];
};

/* One row per form; several may be of one operation. */
extern const struct kn_form kn_forms[];
extern const size_t kn_n_forms;
