#include "child/kernel/node.h"

#include <stdarg.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"

/*
 * Interning. A node whose parts are all lasting is looked for in the lasting
 * table first, so that a term of the file has one reference only. Hashes come
 * from the references of the parts and only steer the search: equality is
 * always decided by comparing parts.
 */
enum { FIRST_SLOTS = 1 << 10, KEEP_SLOTS = 1 << 16, KEEP_CHUNKS = 8 };
enum { CHUNK_TABLE = 1 << (32 - KN_CHUNK_BITS) };
#define MAX_NODES (KN_SCRATCH - 2 * KN_CHUNK)

static kn_ref set_fault(struct kn_ctx *ctx, enum kn_fault fault, const char *format, va_list args)
    LWB_PRINTF(3, 0);

static kn_ref set_fault(struct kn_ctx *ctx, enum kn_fault fault, const char *format, va_list args)
{
    if (ctx->fault != KN_FINE)
        return KN_NONE;
    ctx->fault = fault;
    (void)vsnprintf(ctx->reason, sizeof(ctx->reason), format, args);
    return KN_NONE;
}

kn_ref kn_reject(struct kn_ctx *ctx, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)set_fault(ctx, KN_REJECT, format, args);
    va_end(args);
    return KN_NONE;
}

kn_ref kn_decline(struct kn_ctx *ctx, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)set_fault(ctx, KN_DECLINE, format, args);
    va_end(args);
    return KN_NONE;
}

bool kn_may_go_on_slow(struct kn_ctx *ctx)
{
    if (ctx->fault != KN_FINE)
        return false;
    if ((char *)__builtin_frame_address(0) < ctx->stack_low)
        (void)kn_decline(ctx, "the stack limit was reached");
    else if ((ctx->steps += KN_TICK) > ctx->budget->max_steps && ctx->budget->max_steps)
        (void)kn_decline(ctx, "the limit of steps was reached");
    else if (ctx->budget->cancelled && atomic_load(ctx->budget->cancelled))
        (void)kn_decline(ctx, "cancelled");
    else if (ctx->budget->deadline_ns && lwb_clock_ns() > ctx->budget->deadline_ns)
        (void)kn_decline(ctx, "the time limit was reached");
    return ctx->fault == KN_FINE;
}

static kn_ref out_of_memory(struct kn_ctx *ctx)
{
    return kn_decline(ctx, "the memory limit was reached");
}

static bool store_init(struct kn_store *store, struct kn_budget *budget, uint32_t base)
{
    if (store->slots)
        return true;
    store->base = base;
    store->arena.budget = budget;
    store->slots = kn_take(budget, FIRST_SLOTS * sizeof(*store->slots));
    store->mask = FIRST_SLOTS - 1;
    return store->slots != NULL;
}

static void init_maps(struct kn_ctx *ctx)
{
    struct kn_map *maps[] = { &ctx->memo,        &ctx->memo_replace, &ctx->seen,
                              &ctx->used,        &ctx->types[0],     &ctx->types[1],
                              &ctx->whnf_core,   &ctx->whnf,         &ctx->equal,
                              &ctx->failed_args, &ctx->unfolded,     &ctx->const_types,
                              &ctx->levels_le,   &ctx->proofs };
    size_t i;

    for (i = 0; i < LWB_COUNT(maps); i++)
        maps[i]->budget = ctx->budget;
}

bool kn_ctx_init(struct kn_ctx *ctx, struct kn_budget *budget, struct kn_store *lasting,
                 const struct kn_ctx *first)
{
    memset(ctx, 0, sizeof(*ctx));
    ctx->budget = budget;
    ctx->lasting = lasting;
    ctx->stack.budget = ctx->keep.budget = budget;
    init_maps(ctx);
    /* Not charged: address space that is touched only where there are nodes. */
    ctx->chunks = lwb_alloc_array(CHUNK_TABLE, sizeof(*ctx->chunks));
    if (!ctx->chunks || !store_init(lasting, budget, 0) ||
        !store_init(&ctx->scratch, budget, KN_SCRATCH))
        return false;
    if (first) {
        kn_ctx_catch_up(ctx, first);
        ctx->env = first->env;
        ctx->no_caches = first->no_caches;
        ctx->zero = first->zero;
        ctx->nil = first->nil;
        return true;
    }
    ctx->building = true;
    ctx->zero = kn_make(ctx, KN_ZERO, 0, 0, 0);
    ctx->nil = kn_make(ctx, KN_NIL, 0, 0, 0);
    return ctx->fault == KN_FINE;
}

void kn_ctx_catch_up(struct kn_ctx *ctx, const struct kn_ctx *first)
{
    memcpy(ctx->chunks, first->chunks, ctx->lasting->n_chunks * sizeof(*ctx->chunks));
}

void kn_store_release(struct kn_store *store, struct kn_node **chunks, struct kn_budget *budget)
{
    uint32_t first = store->base >> KN_CHUNK_BITS;
    uint32_t i;

    for (i = 0; i < store->n_chunks; i++)
        kn_give(budget, chunks[first + i], KN_CHUNK * sizeof(**chunks));
    if (store->slots)
        kn_give(budget, store->slots, ((size_t)store->mask + 1) * sizeof(*store->slots));
    lwb_free(store->bigs);
    kn_arena_release(&store->arena);
    memset(store, 0, sizeof(*store));
}

static void release_maps(struct kn_ctx *ctx)
{
    kn_map_release(&ctx->memo);
    kn_map_release(&ctx->memo_replace);
    kn_map_release(&ctx->seen);
    kn_map_release(&ctx->used);
    kn_map_release(&ctx->types[0]);
    kn_map_release(&ctx->types[1]);
    kn_map_release(&ctx->whnf_core);
    kn_map_release(&ctx->whnf);
    kn_map_release(&ctx->equal);
    kn_map_release(&ctx->failed_args);
    kn_map_release(&ctx->unfolded);
    kn_map_release(&ctx->const_types);
    kn_map_release(&ctx->levels_le);
    kn_map_release(&ctx->proofs);
}

void kn_ctx_release(struct kn_ctx *ctx)
{
    if (!ctx->budget)
        return;
    if (ctx->chunks)
        kn_store_release(&ctx->scratch, ctx->chunks, ctx->budget);
    release_maps(ctx);
    kn_arena_release(&ctx->stack);
    kn_arena_release(&ctx->keep);
    lwb_free(ctx->chunks);
    ctx->chunks = NULL;
}

void kn_ctx_forget(struct kn_ctx *ctx)
{
    kn_map_clear(&ctx->types[0]);
    kn_map_clear(&ctx->types[1]);
    kn_map_clear(&ctx->whnf_core);
    kn_map_clear(&ctx->whnf);
    kn_map_clear(&ctx->equal);
    kn_map_clear(&ctx->failed_args);
    kn_map_clear(&ctx->unfolded);
    kn_map_clear(&ctx->const_types);
    kn_map_clear(&ctx->levels_le);
    kn_map_clear(&ctx->proofs);
}

/* Free every slot by walking the nodes, or, when there were many, by starting anew. */
static void empty_slots(struct kn_ctx *ctx, struct kn_store *store)
{
    uint32_t i, j;

    if (store->mask >= KEEP_SLOTS) {
        struct kn_intern_slot *slots = kn_take(ctx->budget, FIRST_SLOTS * sizeof(*slots));

        if (slots) {
            kn_give(ctx->budget, store->slots, ((size_t)store->mask + 1) * sizeof(*slots));
            store->slots = slots;
            store->mask = FIRST_SLOTS - 1;
            return;
        }
    }
    for (i = 0; i < store->count; i++) {
        /* An entry lies in the unbroken run that starts where its hash says. */
        for (j = kn_at(ctx, store->base + i)->hash & store->mask; store->slots[j].ref1;
             j = (j + 1) & store->mask)
            store->slots[j].ref1 = 0;
    }
}

void kn_ctx_reset(struct kn_ctx *ctx)
{
    struct kn_store *store = &ctx->scratch;
    const uint32_t first = KN_SCRATCH >> KN_CHUNK_BITS;

    empty_slots(ctx, store);
    while (store->n_chunks > KEEP_CHUNKS)
        kn_give(ctx->budget, ctx->chunks[first + --store->n_chunks],
                KN_CHUNK * sizeof(**ctx->chunks));
    store->count = 0;
    store->n_bigs = 0;
    kn_arena_back(&store->arena, (struct kn_mark){ NULL, 0 });
    kn_arena_back(&ctx->stack, (struct kn_mark){ NULL, 0 });
    kn_ctx_forget(ctx);
    ctx->fault = KN_FINE;
    ctx->eager = false;
    ctx->steps = 0;
    ctx->ticks = 0;
}

static bool grow_slots(struct kn_ctx *ctx, struct kn_store *store, size_t n)
{
    struct kn_intern_slot *slots = kn_take(ctx->budget, n * sizeof(*slots));
    uint32_t mask = (uint32_t)(n - 1);
    uint32_t i;

    if (!slots)
        return false;
    for (i = 0; i <= store->mask; i++) {
        uint32_t j = store->slots[i].hash & mask;

        if (!store->slots[i].ref1)
            continue;
        while (slots[j].ref1)
            j = (j + 1) & mask;
        slots[j] = store->slots[i];
    }
    kn_give(ctx->budget, store->slots, ((size_t)store->mask + 1) * sizeof(*slots));
    store->slots = slots;
    store->mask = mask;
    return true;
}

static bool add_chunk(struct kn_ctx *ctx, struct kn_store *store)
{
    struct kn_node *chunk;

    if (store->count >= MAX_NODES)
        return false;
    chunk = kn_take(ctx->budget, KN_CHUNK * sizeof(*chunk));
    if (!chunk)
        return false;
    ctx->chunks[(store->base >> KN_CHUNK_BITS) + store->n_chunks++] = chunk;
    return true;
}

static bool same_parts(const struct kn_node *x, const struct kn_node *y)
{
    return x->a == y->a && x->b == y->b && x->c == y->c && x->kind == y->kind;
}

static kn_ref find(const struct kn_ctx *ctx, const struct kn_store *store,
                   const struct kn_node *node)
{
    uint32_t i;

    for (i = node->hash & store->mask; store->slots[i].ref1; i = (i + 1) & store->mask) {
        if (store->slots[i].hash == node->hash &&
            same_parts(kn_at(ctx, store->slots[i].ref1 - 1), node))
            return store->slots[i].ref1 - 1;
    }
    return KN_NONE;
}

static kn_ref insert(struct kn_ctx *ctx, struct kn_store *store, const struct kn_node *node)
{
    kn_ref ref = store->base + store->count;
    uint32_t i;

    if (store->count >= store->mask - store->mask / 4 &&
        !grow_slots(ctx, store, 2 * ((size_t)store->mask + 1)))
        return out_of_memory(ctx);
    if (store->count >> KN_CHUNK_BITS >= store->n_chunks && !add_chunk(ctx, store))
        return out_of_memory(ctx);
    for (i = node->hash & store->mask; store->slots[i].ref1; i = (i + 1) & store->mask)
        continue;
    store->slots[i] = (struct kn_intern_slot){ ref + 1, node->hash };
    ctx->chunks[ref >> KN_CHUNK_BITS][ref & (KN_CHUNK - 1)] = *node;
    store->count++;
    return ref;
}

static uint32_t hash_parts(const struct kn_node *node)
{
    uint64_t h = ((uint64_t)node->a << 32 | node->b) * UINT64_C(0x9e3779b97f4a7c15);

    h ^= h >> 32;
    h += ((uint64_t)node->c << 8 | node->kind) * UINT64_C(0xd6e8feb86659fd93);
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(h >> 32);
}

/* Which of the parts a, b, c of each kind are references. */
static const uint8_t part_is_ref[] = {
    [KN_SUCC] = 1, [KN_MAX] = 3,   [KN_IMAX] = 3, [KN_CONS] = 3, [KN_LOCAL] = 2,
    [KN_SORT] = 1, [KN_CONST] = 2, [KN_APP] = 3,  [KN_LAM] = 3,  [KN_PI] = 3,
    [KN_LET] = 7,  [KN_PROJ] = 4,  [KN_STR] = 0,
};

static void take_ranges(const struct kn_ctx *ctx, struct kn_node *node, kn_ref part, int under)
{
    const struct kn_node *p = kn_at(ctx, part);
    uint16_t loose = p->loose > under ? (uint16_t)(p->loose - under) : 0;

    if (loose > node->loose)
        node->loose = loose;
    if (p->locals > node->locals)
        node->locals = p->locals;
    node->has_param |= p->has_param;
}

static void work_out_ranges(const struct kn_ctx *ctx, struct kn_node *node)
{
    const uint8_t refs = part_is_ref[node->kind];
    const bool binds = node->kind == KN_LAM || node->kind == KN_PI;

    if (refs & 1)
        take_ranges(ctx, node, node->a, 0);
    if (refs & 2)
        take_ranges(ctx, node, node->b, binds);
    if (refs & 4)
        take_ranges(ctx, node, node->c, node->kind == KN_LET);
    if (node->kind == KN_PARAM)
        node->has_param = true;
    if (node->kind == KN_BVAR)
        node->loose = (uint16_t)(node->a + 1);
    if (node->kind == KN_LOCAL && node->a + 1 > node->locals)
        node->locals = (uint16_t)(node->a + 1);
}

static bool parts_are_lasting(const struct kn_node *node)
{
    const uint8_t refs = part_is_ref[node->kind];
    uint32_t all = (refs & 1 ? node->a : 0) | (refs & 2 ? node->b : 0) | (refs & 4 ? node->c : 0);

    /* Constants and projections of auxiliary types are named by scratch names. */
    if (node->kind == KN_CONST || node->kind == KN_BIG)
        all |= node->a;
    return !(all & KN_SCRATCH);
}

kn_ref kn_make(struct kn_ctx *ctx, enum kn_kind kind, uint32_t a, uint32_t b, uint32_t c)
{
    struct kn_node node = { .a = a, .b = b, .c = c, .kind = (uint8_t)kind };
    kn_ref ref;

    node.hash = hash_parts(&node);
    if (kind != KN_LOCAL && parts_are_lasting(&node)) {
        ref = find(ctx, ctx->lasting, &node);
        if (ref != KN_NONE)
            return ref;
    }
    if (!ctx->building) {
        ref = find(ctx, &ctx->scratch, &node);
        if (ref != KN_NONE)
            return ref;
    }
    if ((kind == KN_BVAR || kind == KN_LOCAL) && a >= KN_RANGE_MAX)
        return kn_decline(ctx, "more than %d nested binders", (int)KN_RANGE_MAX);
    work_out_ranges(ctx, &node);
    return insert(ctx, ctx->building ? ctx->lasting : &ctx->scratch, &node);
}

static const struct kn_big *big_at(const struct kn_ctx *ctx, uint32_t index)
{
    const struct kn_store *store = index & KN_SCRATCH ? &ctx->scratch : ctx->lasting;

    return &store->bigs[index & ~KN_SCRATCH];
}

/* Like find, but by the limbs. */
static kn_ref find_big(const struct kn_ctx *ctx, const struct kn_store *store, uint32_t hash,
                       const mp_limb_t *limbs, size_t n)
{
    uint32_t i;

    for (i = hash & store->mask; store->slots[i].ref1; i = (i + 1) & store->mask) {
        const struct kn_node *node = kn_at(ctx, store->slots[i].ref1 - 1);
        const struct kn_big *big;

        if (store->slots[i].hash != hash || node->kind != KN_BIG)
            continue;
        big = big_at(ctx, node->a);
        if (big->n == n && mpn_cmp(big->limbs, limbs, (mp_size_t)n) == 0)
            return store->slots[i].ref1 - 1;
    }
    return KN_NONE;
}

static kn_ref add_big(struct kn_ctx *ctx, struct kn_store *store, uint32_t hash,
                      const mp_limb_t *limbs, size_t n)
{
    struct kn_node node = { .hash = hash, .kind = KN_BIG };
    mp_limb_t *copy = kn_arena_take(&store->arena, n * sizeof(*copy));

    if (!copy || lwb_grow(&store->bigs, &store->cap_bigs, store->n_bigs, sizeof(*store->bigs)) < 0)
        return out_of_memory(ctx);
    memcpy(copy, limbs, n * sizeof(*copy));
    node.a = store->base | (uint32_t)store->n_bigs;
    store->bigs[store->n_bigs++] = (struct kn_big){ copy, (uint32_t)n };
    return insert(ctx, store, &node);
}

kn_ref kn_make_nat(struct kn_ctx *ctx, const mp_limb_t *limbs, size_t n)
{
    uint64_t h;
    size_t i;
    kn_ref ref;

    while (n > 0 && limbs[n - 1] == 0)
        n--;
    h = n;
    if (n <= 1) {
        uint64_t value = n ? limbs[0] : 0;

        return kn_make(ctx, KN_NAT, (uint32_t)value, (uint32_t)(value >> 32), 0);
    }
    for (i = 0; i < n; i++)
        h = (h ^ limbs[i]) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
    ref = find_big(ctx, ctx->lasting, (uint32_t)(h >> 32), limbs, n);
    if (ref == KN_NONE && !ctx->building)
        ref = find_big(ctx, &ctx->scratch, (uint32_t)(h >> 32), limbs, n);
    if (ref != KN_NONE)
        return ref;
    return add_big(ctx, ctx->building ? ctx->lasting : &ctx->scratch, (uint32_t)(h >> 32), limbs,
                   n);
}

static kn_ref copy(struct kn_ctx *ctx, kn_ref ref)
{
    struct kn_node node = *kn_at(ctx, ref);
    const uint8_t refs = part_is_ref[node.kind];
    kn_ref known;

    if (!(ref & KN_SCRATCH))
        return ref;
    if (!kn_may_go_on(ctx))
        return KN_NONE;
    known = kn_map_get(&ctx->memo, ref);
    if (known != KN_UNKNOWN)
        return known;
    if (node.kind == KN_BIG) {
        const struct kn_big *big = big_at(ctx, node.a);

        return kn_make_nat(ctx, big->limbs, big->n);
    }
    if (((refs & 1) && (node.a = copy(ctx, node.a)) == KN_NONE) ||
        ((refs & 2) && (node.b = copy(ctx, node.b)) == KN_NONE) ||
        ((refs & 4) && (node.c = copy(ctx, node.c)) == KN_NONE))
        return KN_NONE;
    known = kn_make(ctx, node.kind, node.a, node.b, node.c);
    if (known != KN_NONE)
        (void)kn_map_put(&ctx->memo, ref, known);
    return known;
}

kn_ref kn_make_lasting(struct kn_ctx *ctx, kn_ref ref)
{
    kn_ref out;

    kn_map_clear(&ctx->memo);
    ctx->building = true;
    out = copy(ctx, ref);
    ctx->building = false;
    return out;
}
