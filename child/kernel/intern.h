#pragma once

#include <string.h>

#include "child/kernel/arena.h"

/*
 * The index of a store in which equal things are kept once: from hashes to
 * numbers. It knows nothing of the things; the store compares them, and says
 * what their hashes were when the index has to grow.
 *
 * Slots stand in groups of eight. Each has a tag of one byte, some bits of its
 * hash, and the tags stand together, apart from the numbers: most questions
 * are about something new, and those read one word of tags and nothing else.
 *
 *     for (s = kn_search(&index, hash); kn_search_next(&s, &number);)
 *         if (things[number] is it)
 *             return number;
 *     kn_search_add(&s, hash, new_number);      after kn_intern_has_room
 */
struct kn_intern {
    uint8_t *tags;     /* 0: free */
    uint32_t *numbers; /* in the same block of memory */
    uint32_t n_groups;
};

enum { KN_GROUP = 8 };

#define KN_TAG_EACH UINT64_C(0x0101010101010101)
#define KN_TAG_HIGH UINT64_C(0x8080808080808080) /* set in the tag of every slot in use */

/* Of this many slots, rounded up to whole groups; false without memory. */
bool kn_intern_init(struct kn_intern *index, struct kn_budget *budget, size_t slots);
void kn_intern_release(struct kn_intern *index, struct kn_budget *budget);

static inline size_t kn_intern_slots(const struct kn_intern *index)
{
    return (size_t)index->n_groups * KN_GROUP;
}

/* How many it may hold before it has to grow. */
static inline size_t kn_intern_room(const struct kn_intern *index)
{
    const size_t slots = kn_intern_slots(index);

    return slots - slots / 8;
}

static inline bool kn_intern_has_room(const struct kn_intern *index, size_t count)
{
    return count < kn_intern_room(index);
}

/* Forget one entry of this hash. Only for forgetting all: until then, searches may go wrong. */
void kn_intern_forget(struct kn_intern *index, uint32_t hash);

struct kn_search {
    const struct kn_intern *index;
    uint64_t wanted;  /* the tag, eight times */
    uint64_t tags;    /* of the present group */
    uint64_t matches; /* a high bit for each slot that is yet to be looked at */
    uint32_t group;
};

/* The high bits choose the group, the low ones are the tag. */
static inline uint8_t kn_tag(uint32_t hash)
{
    return (uint8_t)(hash | 0x80);
}

/* May report a slot behind a real match in error; the store compares anyway. */
static inline void kn_search_load(struct kn_search *s)
{
    uint64_t other;

    memcpy(&s->tags, s->index->tags + (size_t)s->group * KN_GROUP, sizeof(s->tags));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    s->tags = __builtin_bswap64(s->tags);
#endif
    other = s->tags ^ s->wanted;
    s->matches = (other - KN_TAG_EACH) & ~other & KN_TAG_HIGH;
}

static inline struct kn_search kn_search(const struct kn_intern *index, uint32_t hash)
{
    struct kn_search s = {
        .index = index,
        .wanted = KN_TAG_EACH * kn_tag(hash),
        .group = (uint32_t)((uint64_t)hash * index->n_groups >> 32),
    };

    kn_search_load(&s);
    return s;
}

static inline void kn_search_step(struct kn_search *s)
{
    s->group = s->group + 1 < s->index->n_groups ? s->group + 1 : 0;
    kn_search_load(s);
}

/*
 * The next number that may be it; false: it is not there, and the search stands
 * where it belongs.
 */
static inline bool kn_search_next(struct kn_search *s, uint32_t *number)
{
    while (!s->matches) {
        if (~s->tags & KN_TAG_HIGH)
            return false;
        kn_search_step(s);
    }
    *number =
        s->index->numbers[(size_t)s->group * KN_GROUP + (size_t)__builtin_ctzll(s->matches) / 8];
    s->matches &= s->matches - 1;
    return true;
}

/* After a search that found nothing in an index with room. */
static inline void kn_search_add(const struct kn_search *s, uint32_t hash, uint32_t number)
{
    const size_t slot =
        (size_t)s->group * KN_GROUP + (size_t)__builtin_ctzll(~s->tags & KN_TAG_HIGH) / 8;

    s->index->tags[slot] = kn_tag(hash);
    s->index->numbers[slot] = number;
}

/* Add what is known not to be there. */
void kn_intern_add(struct kn_intern *index, uint32_t hash, uint32_t number);
