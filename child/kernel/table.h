#pragma once

#include "child/kernel/arena.h"

/*
 * A map from 64-bit keys to 32-bit values that is emptied in constant time: an
 * entry counts only if it carries the map's present generation. Used for
 * caches and for the memos of one traversal. A map that cannot grow for want
 * of memory forgets instead: callers treat what it does not know as unknown,
 * so no verdict depends on it. kn_map_put says whether it remembered, for the
 * few callers that must know.
 */
struct kn_slot {
    uint64_t key;
    uint32_t value;
    uint32_t generation;
};

struct kn_map {
    struct kn_budget *budget;
    struct kn_slot *slots;
    uint32_t mask;
    uint32_t count;
    uint32_t generation;
};

#define KN_UNKNOWN UINT32_MAX

static inline uint64_t kn_pair(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

static inline uint32_t kn_mix(uint64_t key)
{
    key *= UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(key >> 32 ^ key >> 17);
}

static inline uint32_t kn_map_get(const struct kn_map *map, uint64_t key)
{
    uint32_t i;

    if (!map->slots)
        return KN_UNKNOWN;
    for (i = kn_mix(key) & map->mask;; i = (i + 1) & map->mask) {
        const struct kn_slot *slot = &map->slots[i];

        if (slot->generation != map->generation)
            return KN_UNKNOWN;
        if (slot->key == key)
            return slot->value;
    }
}

bool kn_map_put(struct kn_map *map, uint64_t key, uint32_t value);

/* Forget everything; give back memory far beyond what small uses need. */
void kn_map_clear(struct kn_map *map);
void kn_map_release(struct kn_map *map);
