#pragma once

#include "tests/integration/kernel/export_builder.h"
#include "tests/integration/kernel/verdict.h"

/*
 * Files that no Lean would write, each after a mistake that some checker made
 * once: a builder writes lines, alone or behind those of an honest fixture.
 */
typedef void (*attack)(struct builder *b);

#define BASIC "accept/basic.ndjson"
#define SMALL "accept/small.ndjson" /* has Nat, but no operations on it */
#define NESTED "accept/nested.ndjson"

/* The verdict with one thread, two, and without caches; `fixture` may be NULL. */
void check_attack(const char *fixture, attack fn, enum lwb_kernel_verdict expected,
                  const char *what);

/* Accepted, with one thread and with two; without caches it would take for ever. */
void check_shared(attack fn, const char *what);

/* One row of a table of attacks. */
struct attack_case {
    const char *fixture;
    attack fn;
    const char *what;
    const char *reason; /* why it is rejected, or a part of that; NULL: it is accepted */
};

void check_attacks(const struct attack_case *cases, size_t n);

/* The level 1; f x y; @Eq.{1} type x y; @Eq.refl.{1} type x */
unsigned b_one(struct builder *b);
unsigned b_app2(struct builder *b, unsigned f, unsigned x, unsigned y);
unsigned b_equation(struct builder *b, const char *type, unsigned x, unsigned y);
unsigned b_refl(struct builder *b, const char *type, unsigned x);
