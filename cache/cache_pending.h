#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/digest.h"

/*
 * What is to be written with the next transaction, in order. Storing goes here
 * first: the lock on the cache is then held for a millisecond per commit and not
 * from the first result to the last. Look-ups ask here before they ask the file.
 */
enum lwb_write_kind {
    LWB_WRITE_ENTRY,      /* key, data: sealed body, number: fresh */
    LWB_WRITE_DROP,       /* key */
    LWB_WRITE_TOUCH,      /* key, number: 1 even if it was used within the hour */
    LWB_WRITE_WANTED,     /* key: of a tombstone */
    LWB_WRITE_OBJECT,     /* key: digest, number: size */
    LWB_WRITE_FACT,       /* key, data: sealed value, number: fact kind */
    LWB_WRITE_FACT_TOUCH, /* key, number: fact kind */
    LWB_WRITE_COMPONENTS, /* key, data: sealed body */
    LWB_WRITE_BATCH,      /* key, data: subject and sealed body, number: least use of its members */
    LWB_WRITE_BATCH_DROP, /* key */
    LWB_WRITE_BATCH_TOUCH, /* key; behind the touches of all members */
};

struct lwb_write {
    enum lwb_write_kind kind;
    struct lwb_digest key;
    int64_t number;
    size_t at; /* of its data */
    size_t len;
};

struct lwb_pending {
    struct lwb_write *writes;
    size_t count;
    size_t cap;
    struct lwb_buf data;
    uint32_t *slots;   /* index + 1 of the newest write per space and key; 0: free */
    size_t n_slots;    /* a power of two */
    uint64_t since_ns; /* when the first was added */
};

enum {
    LWB_PENDING_WRITES_MAX = 1 << 20,
    LWB_PENDING_BYTES_MAX = 64 * 1024 * 1024,
    LWB_PENDING_BYTES_FULL = 4 * 1024 * 1024, /* time to commit */
    LWB_PENDING_WRITES_FULL = 4096,
};

void lwb_pending_init(struct lwb_pending *pending);
void lwb_pending_release(struct lwb_pending *pending);

/*
 * Add a write whose data was appended to pending->data from offset `at` on.
 * On failure (memory, limit) the data is taken off again.
 */
int lwb_pending_add(struct lwb_pending *pending, enum lwb_write_kind kind,
                    const struct lwb_digest *key, int64_t number, size_t at, struct lwb_error *err);

/* The newest write to the same thing (entries and drops, facts of `number`, ...), or NULL. */
const struct lwb_write *lwb_pending_find(const struct lwb_pending *pending,
                                         enum lwb_write_kind kind, const struct lwb_digest *key,
                                         int64_t number);

static inline struct lwb_bytes lwb_pending_data(const struct lwb_pending *pending,
                                                const struct lwb_write *write)
{
    return write->len ? lwb_bytes(pending->data.ptr + write->at, write->len) : lwb_bytes("", 0);
}

static inline bool lwb_pending_is_full(const struct lwb_pending *pending)
{
    return pending->count >= LWB_PENDING_WRITES_FULL || pending->data.len >= LWB_PENDING_BYTES_FULL;
}

void lwb_pending_clear(struct lwb_pending *pending);
