#include "cache/cache_pending.h"

#include <string.h>

#include "lwbuild/base/alloc.h"

void lwb_pending_init(struct lwb_pending *pending)
{
    *pending = (struct lwb_pending){ .data = LWB_BUF(LWB_PENDING_BYTES_MAX) };
}

void lwb_pending_release(struct lwb_pending *pending)
{
    lwb_free(pending->writes);
    lwb_free(pending->slots);
    lwb_buf_release(&pending->data);
}

void lwb_pending_clear(struct lwb_pending *pending)
{
    pending->count = 0;
    pending->since_ns = 0;
    lwb_buf_clear(&pending->data);
    if (pending->slots)
        memset(pending->slots, 0, pending->n_slots * sizeof(*pending->slots));
}

/* Writes of one space replace each other: an entry and its drop, facts of one kind. */
static int64_t space_of(enum lwb_write_kind kind, int64_t number)
{
    switch (kind) {
    case LWB_WRITE_DROP:
        return LWB_WRITE_ENTRY;
    case LWB_WRITE_FACT:
    case LWB_WRITE_FACT_TOUCH:
        return 256 * (int64_t)kind + number;
    case LWB_WRITE_BATCH_DROP:
        return LWB_WRITE_BATCH;
    default:
        return (int64_t)kind;
    }
}

/* Where the key stands, or the free slot where it would. Keys are digests: any part is a hash. */
static size_t slot_of(const struct lwb_pending *pending, int64_t space,
                      const struct lwb_digest *key)
{
    uint64_t hash;
    size_t slot;

    memcpy(&hash, key->bytes, sizeof(hash));
    hash += (uint64_t)space;
    for (slot = hash & (pending->n_slots - 1); pending->slots[slot];
         slot = (slot + 1) & (pending->n_slots - 1)) {
        const struct lwb_write *write = &pending->writes[pending->slots[slot] - 1];

        if (space_of(write->kind, write->number) == space &&
            lwb_digest_compare(&write->key, key) == 0)
            break;
    }
    return slot;
}

static void index_write(struct lwb_pending *pending, size_t at)
{
    const struct lwb_write *write = &pending->writes[at];

    pending->slots[slot_of(pending, space_of(write->kind, write->number), &write->key)] =
        (uint32_t)at + 1;
}

/* At most half full. */
static int make_room(struct lwb_pending *pending)
{
    size_t wanted = pending->n_slots ? pending->n_slots : 64;
    uint32_t *slots;

    while (wanted < 2 * (pending->count + 1))
        wanted *= 2;
    if (wanted == pending->n_slots)
        return 0;
    slots = lwb_alloc_array(wanted, sizeof(*slots));
    if (!slots)
        return -1;
    lwb_free(pending->slots);
    pending->slots = slots;
    pending->n_slots = wanted;
    for (size_t i = 0; i < pending->count; i++)
        index_write(pending, i);
    return 0;
}

static void take_back(struct lwb_pending *pending, size_t at)
{
    pending->data.len = at < pending->data.len ? at : pending->data.len;
    pending->data.failed = false;
}

int lwb_pending_add(struct lwb_pending *pending, enum lwb_write_kind kind,
                    const struct lwb_digest *key, int64_t number, size_t at, struct lwb_error *err)
{
    if (pending->count >= LWB_PENDING_WRITES_MAX || !lwb_buf_ok(&pending->data) ||
        lwb_grow(&pending->writes, &pending->cap, pending->count, sizeof(*pending->writes)) < 0 ||
        make_room(pending) < 0) {
        take_back(pending, at);
        return lwb_fail_memory(err);
    }
    pending->writes[pending->count] = (struct lwb_write){
        .kind = kind,
        .key = *key,
        .number = number,
        .at = at,
        .len = pending->data.len - at,
    };
    index_write(pending, pending->count++);
    return LWB_OK;
}

const struct lwb_write *lwb_pending_find(const struct lwb_pending *pending,
                                         enum lwb_write_kind kind, const struct lwb_digest *key,
                                         int64_t number)
{
    size_t slot;

    if (pending->count == 0)
        return NULL;
    slot = slot_of(pending, space_of(kind, number), key);
    return pending->slots[slot] ? &pending->writes[pending->slots[slot] - 1] : NULL;
}
