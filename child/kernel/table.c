#include "child/kernel/table.h"

enum { FIRST_SLOTS = 256, KEEP_SLOTS = 1 << 12 };

static struct kn_slot *find(const struct kn_map *map, uint64_t key)
{
    uint32_t i;

    for (i = kn_mix(key) & map->mask;; i = (i + 1) & map->mask) {
        struct kn_slot *slot = &map->slots[i];

        if (slot->generation != map->generation || slot->key == key)
            return slot;
    }
}

static bool grow(struct kn_map *map)
{
    struct kn_map old = *map;
    size_t n = old.slots ? 2 * ((size_t)old.mask + 1) : FIRST_SLOTS;
    size_t i;

    if (n > (size_t)1 << 31)
        return false;
    map->slots = kn_take(map->budget, n * sizeof(*map->slots));
    if (!map->slots) {
        map->slots = old.slots;
        return false;
    }
    map->mask = (uint32_t)(n - 1);
    map->generation = 1;
    for (i = 0; old.slots && i <= old.mask; i++) {
        struct kn_slot *slot;

        if (old.slots[i].generation != old.generation)
            continue;
        slot = find(map, old.slots[i].key);
        *slot = old.slots[i];
        slot->generation = 1;
    }
    if (old.slots)
        kn_give(map->budget, old.slots, ((size_t)old.mask + 1) * sizeof(*old.slots));
    return true;
}

bool kn_map_put(struct kn_map *map, uint64_t key, uint32_t value)
{
    struct kn_slot *slot;

    if ((!map->slots || map->count > map->mask - map->mask / 4) && !grow(map))
        return false;
    slot = find(map, key);
    if (slot->generation != map->generation)
        map->count++;
    *slot = (struct kn_slot){ key, value, map->generation };
    return true;
}

void kn_map_clear(struct kn_map *map)
{
    map->count = 0;
    if (!map->slots)
        return;
    if (map->mask >= KEEP_SLOTS || map->generation == UINT32_MAX)
        kn_map_release(map);
    else
        map->generation++;
}

void kn_map_release(struct kn_map *map)
{
    if (map->slots)
        kn_give(map->budget, map->slots, ((size_t)map->mask + 1) * sizeof(*map->slots));
    map->slots = NULL;
    map->mask = 0;
    map->count = 0;
    map->generation = 0;
}
