#include "child/kernel/node.h"

#include "lwbuild/base/alloc.h"

/*
 * Interning. A node whose parts are all lasting is looked for in the lasting
 * store first, so that a term of the file has one reference only. Hashes come
 * from the references of the parts and only steer the search: equality is
 * always decided by comparing parts.
 */
enum { FIRST_SLOTS = 1 << 10, KEEP_SLOTS = 1 << 16, KEEP_CHUNKS = 8 };
#define MAX_NODES (KN_SCRATCH - 2 * KN_CHUNK)

bool kn_store_init(struct kn_store *store, struct kn_budget *budget, uint32_t base)
{
    if (store->index.tags)
        return true;
    store->base = base;
    store->arena.budget = budget;
    return kn_intern_init(&store->index, budget, FIRST_SLOTS);
}

void kn_store_release(struct kn_store *store, struct kn_node **chunks, struct kn_budget *budget)
{
    uint32_t first = store->base >> KN_CHUNK_BITS;
    uint32_t i;

    for (i = 0; i < store->n_chunks; i++)
        kn_give(budget, chunks[first + i], KN_CHUNK * sizeof(**chunks));
    kn_intern_release(&store->index, budget);
    kn_give(budget, store->bigs, store->cap_bigs * sizeof(*store->bigs));
    kn_arena_release(&store->arena);
    memset(store, 0, sizeof(*store));
}

/* One by one while there are few, or, when there were many, by starting anew. */
static void empty_index(struct kn_ctx *ctx, struct kn_store *store)
{
    struct kn_intern fresh = { NULL, NULL, 0 };
    uint32_t i;

    if (kn_intern_slots(&store->index) > KEEP_SLOTS &&
        kn_intern_init(&fresh, ctx->budget, FIRST_SLOTS)) {
        kn_intern_release(&store->index, ctx->budget);
        store->index = fresh;
        return;
    }
    for (i = 0; i < store->count; i++)
        kn_intern_forget(&store->index, kn_at(ctx, store->base + i)->hash);
}

void kn_store_empty(struct kn_ctx *ctx, struct kn_store *store)
{
    const uint32_t first = store->base >> KN_CHUNK_BITS;

    empty_index(ctx, store);
    while (store->n_chunks > KEEP_CHUNKS)
        kn_give(ctx->budget, ctx->chunks[first + --store->n_chunks],
                KN_CHUNK * sizeof(**ctx->chunks));
    store->count = 0;
    store->n_bigs = 0;
    kn_arena_back(&store->arena, (struct kn_mark){ NULL, 0 });
}

static bool resize_index(struct kn_ctx *ctx, struct kn_store *store, size_t slots)
{
    struct kn_intern index = { NULL, NULL, 0 };
    uint32_t i;

    if (!kn_intern_init(&index, ctx->budget, slots))
        return false;
    for (i = 0; i < store->count; i++)
        kn_intern_add(&index, kn_at(ctx, store->base + i)->hash, store->base + i);
    kn_intern_release(&store->index, ctx->budget);
    store->index = index;
    return true;
}

void kn_store_expect(struct kn_ctx *ctx, struct kn_store *store, size_t nodes)
{
    if (!kn_intern_has_room(&store->index, nodes))
        (void)resize_index(ctx, store, nodes + nodes / 7 + 1);
}

static bool add_chunk(struct kn_ctx *ctx, struct kn_store *store)
{
    struct kn_node *chunk;

    if (store->count >= MAX_NODES)
        return false;
    chunk = kn_take_raw(ctx->budget, KN_CHUNK * sizeof(*chunk));
    if (!chunk)
        return false;
    ctx->chunks[(store->base >> KN_CHUNK_BITS) + store->n_chunks++] = chunk;
    return true;
}

static bool same_parts(const struct kn_node *x, const struct kn_node *y)
{
    return x->a == y->a && x->b == y->b && x->c == y->c && x->kind == y->kind;
}

static inline kn_ref find(const struct kn_ctx *ctx, const struct kn_store *store,
                          const struct kn_node *node)
{
    struct kn_search search = kn_search(&store->index, node->hash);
    kn_ref ref;

    while (kn_search_next(&search, &ref)) {
        if (same_parts(kn_at(ctx, ref), node))
            return ref;
    }
    return KN_NONE;
}

static bool make_room(struct kn_ctx *ctx, struct kn_store *store)
{
    if (!kn_intern_has_room(&store->index, store->count) &&
        !resize_index(ctx, store, 2 * kn_intern_slots(&store->index)))
        return false;
    return store->count >> KN_CHUNK_BITS < store->n_chunks || add_chunk(ctx, store);
}

static kn_ref put(struct kn_ctx *ctx, struct kn_store *store, const struct kn_search *place,
                  const struct kn_node *node)
{
    const kn_ref ref = store->base + store->count++;

    kn_search_add(place, node->hash, ref);
    ctx->chunks[ref >> KN_CHUNK_BITS][ref & (KN_CHUNK - 1)] = *node;
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

/* Without branches: which part has the larger range cannot be foreseen. */
static inline void take_ranges(const struct kn_ctx *ctx, struct kn_node *node, kn_ref part,
                               uint16_t under)
{
    const struct kn_node *p = kn_at(ctx, part);
    const uint16_t loose = (uint16_t)(p->loose - (p->loose < under ? p->loose : under));

    node->loose = loose > node->loose ? loose : node->loose;
    node->locals = p->locals > node->locals ? p->locals : node->locals;
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
    if (refs != 3 && node->kind == KN_PARAM)
        node->has_param = true;
    if (refs != 3 && node->kind == KN_BVAR)
        node->loose = (uint16_t)(node->a + 1);
    if (node->kind == KN_LOCAL && node->a + 1 > node->locals)
        node->locals = (uint16_t)(node->a + 1);
}

static bool parts_are_lasting(const struct kn_node *node)
{
    const uint8_t refs = part_is_ref[node->kind];
    uint32_t all = (refs & 1 ? node->a : 0) | (refs & 2 ? node->b : 0) | (refs & 4 ? node->c : 0);

    /* Constants and projections of auxiliary types are named by scratch names. */
    if (node->kind == KN_CONST || node->kind == KN_PROJ || node->kind == KN_BIG)
        all |= node->a;
    return !(all & KN_SCRATCH);
}

/* The node in this store, made if it is not there yet. */
static inline kn_ref find_or_put(struct kn_ctx *ctx, struct kn_store *store, struct kn_node *node)
{
    struct kn_search search;
    kn_ref ref;

    if (!make_room(ctx, store))
        return kn_out_of_memory(ctx);
    search = kn_search(&store->index, node->hash);
    while (kn_search_next(&search, &ref)) {
        if (same_parts(kn_at(ctx, ref), node))
            return ref;
    }
    if ((node->kind == KN_BVAR || node->kind == KN_LOCAL) && node->a >= KN_RANGE_MAX)
        return kn_decline(ctx, "more than %d nested binders", (int)KN_RANGE_MAX);
    work_out_ranges(ctx, node);
    return put(ctx, store, &search, node);
}

kn_ref kn_make(struct kn_ctx *ctx, enum kn_kind kind, uint32_t a, uint32_t b, uint32_t c)
{
    struct kn_node node = { .a = a, .b = b, .c = c, .kind = (uint8_t)kind };
    kn_ref ref;

    node.hash = hash_parts(&node);
    if (ctx->building)
        return find_or_put(ctx, ctx->lasting, &node);
    if (kind != KN_LOCAL && parts_are_lasting(&node)) {
        ref = find(ctx, ctx->lasting, &node);
        if (ref != KN_NONE)
            return ref;
    }
    return find_or_put(ctx, &ctx->scratch, &node);
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
    struct kn_search search = kn_search(&store->index, hash);
    kn_ref ref;

    while (kn_search_next(&search, &ref)) {
        const struct kn_node *node = kn_at(ctx, ref);
        const struct kn_big *big = node->kind == KN_BIG ? big_at(ctx, node->a) : NULL;

        if (big && big->n == n && mpn_cmp(big->limbs, limbs, (mp_size_t)n) == 0)
            return ref;
    }
    return KN_NONE;
}

static kn_ref add_big(struct kn_ctx *ctx, struct kn_store *store, uint32_t hash,
                      const mp_limb_t *limbs, size_t n)
{
    struct kn_node node = { .hash = hash, .kind = KN_BIG };
    mp_limb_t *copy = kn_arena_take(&store->arena, n * sizeof(*copy));
    struct kn_search search;
    kn_ref other;

    if (!copy || !make_room(ctx, store) ||
        !kn_grow(ctx->budget, &store->bigs, &store->cap_bigs, store->n_bigs, sizeof(*store->bigs)))
        return kn_out_of_memory(ctx);
    memcpy(copy, limbs, n * sizeof(*copy));
    node.a = store->base | (uint32_t)store->n_bigs;
    store->bigs[store->n_bigs++] = (struct kn_big){ copy, (uint32_t)n };
    for (search = kn_search(&store->index, hash); kn_search_next(&search, &other);)
        continue;
    return put(ctx, store, &search, &node);
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
    /* What is kept must not name what exists for one block only: that would be a mistake of ours. */
    if ((node.kind == KN_CONST || node.kind == KN_PROJ) && (node.a & KN_SCRATCH))
        return kn_decline(ctx, "an auxiliary type is left over in a derived term");
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
