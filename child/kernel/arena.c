#include "child/kernel/arena.h"

#include <string.h>

#include "lwbuild/base/alloc.h"

enum { PIECE_BYTES = 256 * 1024 };

struct kn_piece {
    struct kn_piece *below; /* the piece filled before this one */
    struct kn_piece *above; /* kept for reuse, or NULL */
    size_t used;
    size_t size;
    _Alignas(16) char bytes[];
};

static void note_peak(struct kn_budget *budget, size_t used)
{
    size_t peak = atomic_load_explicit(&budget->peak, memory_order_relaxed);

    while (used > peak && !atomic_compare_exchange_weak(&budget->peak, &peak, used))
        continue;
}

void *kn_take_raw(struct kn_budget *budget, size_t size)
{
    size_t used = atomic_fetch_add(&budget->used, size) + size;
    void *block = NULL;

    if (!budget->max || used <= budget->max)
        block = lwb_realloc(NULL, size);
    if (!block) {
        atomic_fetch_sub(&budget->used, size);
        return NULL;
    }
    note_peak(budget, used);
    return block;
}

void *kn_take(struct kn_budget *budget, size_t size)
{
    void *block = kn_take_raw(budget, size);

    return block ? memset(block, 0, size) : NULL;
}

bool kn_charge(struct kn_budget *budget, size_t size)
{
    size_t used = atomic_fetch_add(&budget->used, size) + size;

    note_peak(budget, used);
    return !budget->max || used <= budget->max;
}

bool kn_grow(struct kn_budget *budget, void *items, size_t *cap, size_t count, size_t size)
{
    const size_t before = *cap;

    if (count < before)
        return true;
    return lwb_grow(items, cap, count, size) == 0 && kn_charge(budget, (*cap - before) * size);
}

void kn_give(struct kn_budget *budget, void *block, size_t size)
{
    if (!block)
        return;
    lwb_free(block);
    atomic_fetch_sub(&budget->used, size);
}

static struct kn_piece *add_piece(struct kn_arena *arena, size_t size)
{
    size_t room = size > PIECE_BYTES ? size : PIECE_BYTES;
    struct kn_piece *piece = kn_take_raw(arena->budget, sizeof(*piece) + room);

    if (!piece)
        return NULL;
    piece->size = room;
    piece->below = arena->piece;
    piece->above = NULL;
    if (arena->piece)
        arena->piece->above = piece;
    return piece;
}

static void drop_above(struct kn_arena *arena, struct kn_piece *piece)
{
    struct kn_piece *above = piece->above;

    piece->above = NULL;
    while (above) {
        struct kn_piece *next = above->above;

        kn_give(arena->budget, above, sizeof(*above) + above->size);
        above = next;
    }
}

void *kn_arena_take(struct kn_arena *arena, size_t size)
{
    struct kn_piece *piece = arena->piece;
    void *out;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + 7) & ~(size_t)7;
    if (!piece || piece->size - piece->used < size) {
        if (piece && piece->above && piece->above->size < size)
            drop_above(arena, piece);
        if (piece && piece->above)
            piece = piece->above;
        else
            piece = add_piece(arena, size);
        if (!piece)
            return NULL;
        piece->used = 0;
        arena->piece = piece;
    }
    out = piece->bytes + piece->used;
    piece->used += size;
    return out;
}

struct kn_mark kn_arena_mark(const struct kn_arena *arena)
{
    return (struct kn_mark){ arena->piece, arena->piece ? arena->piece->used : 0 };
}

void kn_arena_back(struct kn_arena *arena, struct kn_mark mark)
{
    if (mark.piece) {
        mark.piece->used = mark.used;
        arena->piece = mark.piece;
    } else if (arena->piece) {
        while (arena->piece->below)
            arena->piece = arena->piece->below;
        arena->piece->used = 0;
    }
}

void kn_arena_release(struct kn_arena *arena)
{
    struct kn_piece *piece = arena->piece;

    if (!piece)
        return;
    drop_above(arena, piece);
    while (piece) {
        struct kn_piece *below = piece->below;

        kn_give(arena->budget, piece, sizeof(*piece) + piece->size);
        piece = below;
    }
    arena->piece = NULL;
}
