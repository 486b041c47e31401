#include "child/kernel/node.h"

#include "lwbuild/base/alloc.h"

/*
 * Interning. A node whose parts are all lasting is looked for in the lasting
 * store first, so that a term of the file has one reference only. Hashes come
 * from the references of the parts and only steer the search: equality is
 * always decided by comparing parts. They are worked out again where they are
 * needed again, which is cheaper than to have them in every node.
 */
enum { FIRST_SLOTS = 1 << 10, KEEP_SLOTS = 1 << 16 };
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

static uint32_t hash_parts(uint32_t kind, uint32_t a, uint32_t b)
{
    uint64_t h = (((uint64_t)a << 32 | b) ^ (uint64_t)kind << 58) * UINT64_C(0x9e3779b97f4a7c15);

    h = (h ^ h >> 32) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(h >> 32);
}

static uint32_t hash_limbs(const mp_limb_t *limbs, size_t n)
{
    uint64_t h = n;
    size_t i;

    for (i = 0; i < n; i++)
        h = (h ^ limbs[i]) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
    return (uint32_t)(h >> 32);
}

static const struct kn_big *big_at(const struct kn_ctx *ctx, uint32_t index)
{
    const struct kn_store *store = index & KN_SCRATCH ? &ctx->scratch : ctx->lasting;

    return &store->bigs[index & ~KN_SCRATCH];
}

static uint32_t hash_of(const struct kn_ctx *ctx, kn_ref ref)
{
    const struct kn_node *node = kn_at(ctx, ref);

    if (node->kind == KN_BIG)
        return hash_limbs(big_at(ctx, node->a)->limbs, big_at(ctx, node->a)->n);
    return hash_parts(node->kind, node->a, node->b);
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
        kn_intern_forget(&store->index, hash_of(ctx, store->base + i));
}

void kn_store_empty(struct kn_ctx *ctx, struct kn_store *store, uint32_t keep_chunks)
{
    const uint32_t first = store->base >> KN_CHUNK_BITS;

    empty_index(ctx, store);
    while (store->n_chunks > keep_chunks)
        kn_give(ctx->budget, ctx->chunks[first + --store->n_chunks],
                KN_CHUNK * sizeof(**ctx->chunks));
    store->count = 0;
    store->room = 0;
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
        kn_intern_add(&index, hash_of(ctx, store->base + i), store->base + i);
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

/* A node is still to be made: its parts. */
struct parts {
    uint32_t kind, a, b, hash;
};

static inline bool next_same(const struct kn_ctx *ctx, struct kn_search *search,
                             const struct parts *parts, kn_ref *ref)
{
    while (kn_search_next(search, ref)) {
        const struct kn_node *node = kn_at(ctx, *ref);

        if (node->a == parts->a && node->b == parts->b && node->kind == parts->kind)
            return true;
    }
    return false;
}

static bool make_room(struct kn_ctx *ctx, struct kn_store *store)
{
    size_t room;

    if (!kn_intern_has_room(&store->index, store->count) &&
        !resize_index(ctx, store, 2 * kn_intern_slots(&store->index)))
        return false;
    if (store->count >> KN_CHUNK_BITS >= store->n_chunks && !add_chunk(ctx, store))
        return false;
    room = kn_intern_room(&store->index);
    if (room > (size_t)store->n_chunks << KN_CHUNK_BITS)
        room = (size_t)store->n_chunks << KN_CHUNK_BITS;
    store->room = (uint32_t)room;
    return true;
}

static inline kn_ref put(struct kn_ctx *ctx, struct kn_store *store, const struct kn_search *place,
                         uint32_t hash, const struct kn_node *node)
{
    const kn_ref ref = store->base + store->count++;

    kn_search_add(place, hash, ref);
    ctx->chunks[ref >> KN_CHUNK_BITS][ref & (KN_CHUNK - 1)] = *node;
    return ref;
}

/* Which of the parts of each kind are references. */
enum { A = 1, B = 2 };

static const uint8_t part_is_ref[] = {
    [KN_SUCC] = A,    [KN_MAX] = A | B,  [KN_IMAX] = A | B, [KN_CONS] = A | B, [KN_LOCAL] = B,
    [KN_SORT] = A,    [KN_CONST] = B,    [KN_APP] = A | B,  [KN_LAM] = A | B,  [KN_PI] = A | B,
    [KN_LET] = A | B, [KN_REST] = A | B, [KN_PROJ] = A | B, [KN_STR] = 0,
};

/* b is below a binder. */
static bool binds(uint32_t kind)
{
    return kind == KN_LAM || kind == KN_PI || kind == KN_REST;
}

static inline uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Of two references, as nearly all: compiled without branches, since nothing foretells them. */
static struct kn_node node_of_two(const struct kn_ctx *ctx, const struct parts *parts)
{
    const struct kn_node *a = kn_at(ctx, parts->a), *b = kn_at(ctx, parts->b);
    const uint32_t loose = b->loose - (b->loose && binds(parts->kind));

    return (struct kn_node){
        .a = parts->a,
        .b = parts->b,
        .kind = parts->kind & 31,
        .has_param = a->has_param | b->has_param,
        .loose = larger(a->loose, loose) & KN_RANGE_MAX,
        .locals = larger(a->locals, b->locals) & KN_RANGE_MAX,
    };
}

static struct kn_node node_of(const struct kn_ctx *ctx, const struct parts *parts)
{
    const uint8_t refs = part_is_ref[parts->kind];
    struct kn_node node = { .a = parts->a, .b = parts->b, .kind = parts->kind & 31 };

    if (refs == (A | B))
        return node_of_two(ctx, parts);
    if (refs) {
        const struct kn_node *part = kn_at(ctx, refs == A ? parts->a : parts->b);

        node.has_param = part->has_param;
        node.loose = part->loose;
        node.locals = part->locals;
    }
    if (parts->kind == KN_PARAM)
        node.has_param = 1;
    if (parts->kind == KN_BVAR)
        node.loose = (parts->a + 1) & KN_RANGE_MAX;
    if (parts->kind == KN_LOCAL)
        node.locals = larger(node.locals, parts->a + 1) & KN_RANGE_MAX;
    return node;
}

static bool parts_are_lasting(const struct parts *parts)
{
    const uint8_t refs = part_is_ref[parts->kind];
    uint32_t all = (refs & A ? parts->a : 0) | (refs & B ? parts->b : 0);

    /* Constants and projections of auxiliary types are named by scratch names. */
    if (parts->kind == KN_CONST || parts->kind == KN_FIELD)
        all |= parts->a;
    return !(all & KN_SCRATCH);
}

/* The node in this store, made if it is not there yet. */
static inline kn_ref find_or_put(struct kn_ctx *ctx, struct kn_store *store,
                                 const struct parts *parts)
{
    struct kn_search search;
    struct kn_node node;
    kn_ref ref;

    if (store->count >= store->room && !make_room(ctx, store))
        return kn_out_of_memory(ctx);
    search = kn_search(&store->index, parts->hash);
    if (next_same(ctx, &search, parts, &ref))
        return ref;
    if ((parts->kind == KN_BVAR || parts->kind == KN_LOCAL) && parts->a >= KN_RANGE_MAX)
        return kn_decline(ctx, "more than %d nested binders", (int)KN_RANGE_MAX);
    node = node_of(ctx, parts);
    return put(ctx, store, &search, parts->hash, &node);
}

kn_ref kn_make(struct kn_ctx *ctx, enum kn_kind kind, uint32_t a, uint32_t b)
{
    const struct parts parts = { kind, a, b, hash_parts(kind, a, b) };
    kn_ref ref;

    if (!ctx->building && kind != KN_LOCAL && parts_are_lasting(&parts)) {
        struct kn_search search = kn_search(&ctx->lasting->index, parts.hash);

        if (next_same(ctx, &search, &parts, &ref))
            return ref;
    }
    return find_or_put(ctx, ctx->building ? ctx->lasting : &ctx->scratch, &parts);
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
    struct kn_node node = { .kind = KN_BIG };
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
    return put(ctx, store, &search, hash, &node);
}

kn_ref kn_make_nat(struct kn_ctx *ctx, const mp_limb_t *limbs, size_t n)
{
    uint32_t hash;
    kn_ref ref;

    while (n > 0 && limbs[n - 1] == 0)
        n--;
    if (n <= 1) {
        uint64_t value = n ? limbs[0] : 0;

        return kn_make(ctx, KN_NAT, (uint32_t)value, (uint32_t)(value >> 32));
    }
    hash = hash_limbs(limbs, n);
    ref = find_big(ctx, ctx->lasting, hash, limbs, n);
    if (ref == KN_NONE && !ctx->building)
        ref = find_big(ctx, &ctx->scratch, hash, limbs, n);
    if (ref != KN_NONE)
        return ref;
    return add_big(ctx, ctx->building ? ctx->lasting : &ctx->scratch, hash, limbs, n);
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
    /*
     * What is kept must not name what exists for one block only: that would be a
     * mistake of ours.
     */
    if ((node.kind == KN_CONST || node.kind == KN_FIELD) && (node.a & KN_SCRATCH))
        return kn_decline(ctx, "an auxiliary type is left over in a derived term");
    known = kn_map_get(&ctx->memo, ref);
    if (known != KN_UNKNOWN)
        return known;
    if (node.kind == KN_BIG) {
        const struct kn_big *big = big_at(ctx, node.a);

        return kn_make_nat(ctx, big->limbs, big->n);
    }
    if (((refs & A) && (node.a = copy(ctx, node.a)) == KN_NONE) ||
        ((refs & B) && (node.b = copy(ctx, node.b)) == KN_NONE))
        return KN_NONE;
    known = kn_make(ctx, node.kind, node.a, node.b);
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
