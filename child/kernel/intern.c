#include "child/kernel/intern.h"

#define MAX_SLOTS ((size_t)1 << 32)

static size_t block_bytes(size_t slots)
{
    return slots * (sizeof(uint32_t) + 1);
}

bool kn_intern_init(struct kn_intern *index, struct kn_budget *budget, size_t slots)
{
    const size_t n = (slots + KN_GROUP - 1) & ~(size_t)(KN_GROUP - 1);

    if (n > MAX_SLOTS)
        return false;
    index->numbers = kn_take_raw(budget, block_bytes(n));
    if (!index->numbers)
        return false;
    index->tags = memset(index->numbers + n, 0, n);
    index->n_groups = (uint32_t)(n / KN_GROUP);
    return true;
}

void kn_intern_release(struct kn_intern *index, struct kn_budget *budget)
{
    kn_give(budget, index->numbers, block_bytes(kn_intern_slots(index)));
    memset(index, 0, sizeof(*index));
}

/*
 * An entry lies in its own group or behind a run of full ones, so whole groups
 * are emptied for as long as they are full: what one entry's run leaves over is
 * emptied by those that filled it.
 */
void kn_intern_forget(struct kn_intern *index, uint32_t hash)
{
    struct kn_search s = kn_search(index, hash);

    while (s.tags) {
        memset(index->tags + (size_t)s.group * KN_GROUP, 0, KN_GROUP);
        if (~s.tags & KN_TAG_HIGH)
            return;
        kn_search_step(&s);
    }
}

void kn_intern_add(struct kn_intern *index, uint32_t hash, uint32_t number)
{
    struct kn_search s = kn_search(index, hash);

    s.matches = 0;
    while (!(~s.tags & KN_TAG_HIGH)) {
        kn_search_step(&s);
    }
    kn_search_add(&s, hash, number);
}
