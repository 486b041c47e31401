#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Memory of the kernel: every block is charged to one budget per file, so that
 * a hostile export runs into a stated limit and not into the machine's.
 */
struct kn_budget {
    atomic_size_t used;
    atomic_size_t peak;
    size_t max;             /* bytes, 0: no limit */
    uint64_t deadline_ns;   /* lwb_clock_ns() time, 0: none */
    uint64_t max_steps;     /* for one declaration, 0: no limit */
    atomic_bool *cancelled; /* set by anybody, NULL: nobody can */
};

/* Zeroed; NULL when the budget or the machine has no more. */
void *kn_take(struct kn_budget *budget, size_t size);
void *kn_take_raw(struct kn_budget *budget, size_t size); /* the same, but not zeroed */
void kn_give(struct kn_budget *budget, void *block, size_t size);

/*
 * Growing arrays are charged too. kn_grow is lwb_grow, and false when the
 * budget does not allow it; kn_charge counts what was allocated elsewhere
 * (which stays charged when it answers false).
 */
bool kn_grow(struct kn_budget *budget, void *items, size_t *cap, size_t count, size_t size);
bool kn_charge(struct kn_budget *budget, size_t size);

/*
 * Bump memory in pieces that never move: pointers stay valid until the arena
 * goes back to a mark set before they were made.
 */
struct kn_piece;

struct kn_arena {
    struct kn_budget *budget;
    struct kn_piece *piece; /* the one being filled */
};

struct kn_mark {
    struct kn_piece *piece;
    size_t used;
};

void *kn_arena_take(struct kn_arena *arena, size_t size); /* 8-byte aligned, not zeroed, or NULL */
struct kn_mark kn_arena_mark(const struct kn_arena *arena);
void kn_arena_back(struct kn_arena *arena, struct kn_mark mark);
void kn_arena_release(struct kn_arena *arena);
