#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/driver/witness_record.h"

/*
 * A look at many files is a system call for each, and nothing else: processors
 * share it. A list is cut into parts of whole folders, which threads take in order
 * and look at by themselves; what they have found is put together in the same order,
 * up to the first part that does not hold. So the answer is that of one thread. All of
 * them have ended when it is given.
 */
enum {
    MAX_THREADS = 8,
    PART_RECORDS = 500, /* half a millisecond: less is not worth a thread */
    MAX_PARTS = 4096,   /* 2 million files; the last part takes the rest */
};

struct part {
    size_t from, to;
    bool holds;
    struct lwb_witness_changes changes;
};

struct look {
    struct lwb_bytes encoded;
    struct part *parts;
    size_t n_parts;
    atomic_size_t next;
    atomic_bool over; /* a part does not hold: nobody begins another */
};

/* ---- parts --------------------------------------------------------------------------------- */

/* Where the next part begins; damaged records are left to who reads them. */
static size_t end_of_part(struct lwb_bytes encoded, size_t from)
{
    struct lwb_witness_record record;
    size_t at = from;

    for (size_t n = 0; encoded.len - at >= sizeof(record); n++) {
        memcpy(&record, encoded.ptr + at, sizeof(record));
        if (n >= PART_RECORDS && record.kind == LWB_RECORD_FOLDER)
            return at;
        if (encoded.len - at < lwb_witness_record_len(&record))
            break;
        at += lwb_witness_record_len(&record);
    }
    return encoded.len;
}

static int cut(struct look *look, const struct lwb_witness_changes *changes)
{
    size_t cap = 0;
    size_t at = 0;

    while (at < look->encoded.len) {
        struct part part = {
            .from = at,
            .changes = { .max = changes->max, .during_run = changes->during_run },
        };

        at = look->n_parts + 1 < MAX_PARTS ? end_of_part(look->encoded, at) : look->encoded.len;
        part.to = at;
        if (lwb_grow(&look->parts, &cap, look->n_parts, sizeof(*look->parts)))
            return -1;
        look->parts[look->n_parts++] = part;
    }
    return 0;
}

/* ---- threads ------------------------------------------------------------------------------- */

static void *work(void *arg)
{
    struct look *look = arg;
    size_t i;

    while (!atomic_load(&look->over) && (i = atomic_fetch_add(&look->next, 1)) < look->n_parts) {
        struct part *part = &look->parts[i];

        part->holds = lwb_witness_part_holds(look->encoded, part->from, part->to, &part->changes);
        if (!part->holds)
            atomic_store(&look->over, true);
    }
    return NULL;
}

static void work_together(struct look *look)
{
    pthread_t threads[MAX_THREADS];
    long processors = look->n_parts > 1 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
    size_t wanted = processors > 1 ? (size_t)processors - 1 : 0; /* this thread works as well */
    size_t started = 0;

    while (started < wanted && started < MAX_THREADS && started + 1 < look->n_parts &&
           pthread_create(&threads[started], NULL, work, look) == 0)
        started++;
    (void)work(look);
    while (started > 0)
        (void)pthread_join(threads[--started], NULL);
}

/* ---- together ------------------------------------------------------------------------------ */

static bool take_sources(struct lwb_witness_changes *into, const struct lwb_witness_changes *from)
{
    for (size_t i = 0; i < from->count; i++) {
        if (into->count >= into->max ||
            lwb_grow(&into->items, &into->cap, into->count, sizeof(*into->items)))
            return false;
        into->items[into->count++] = from->items[i];
    }
    return true;
}

static bool take_folders(struct lwb_witness_changes *into, struct lwb_witness_changes *from)
{
    for (size_t i = 0; i < from->n_folders; i++) {
        if (lwb_grow(&into->folders, &into->cap_folders, into->n_folders, sizeof(*into->folders)))
            return false;
        into->folders[into->n_folders++] = from->folders[i];
        from->folders[i].path = NULL;
    }
    return true;
}

static bool put_together(struct lwb_witness_changes *changes, struct look *look)
{
    for (size_t i = 0; i < look->n_parts; i++) {
        struct part *part = &look->parts[i];

        if (part->changes.other) {
            lwb_free(changes->other);
            changes->other = LWB_TAKE(part->changes.other);
        }
        changes->new_folders |= part->changes.new_folders;
        if (!part->holds || !take_sources(changes, &part->changes) ||
            !take_folders(changes, &part->changes))
            return false;
    }
    return true;
}

bool lwb_witness_list_holds(struct lwb_bytes encoded, struct lwb_witness_changes *changes)
{
    struct look look = { .encoded = encoded };
    bool holds = false;

    if (cut(&look, changes) == 0) {
        work_together(&look);
        holds = put_together(changes, &look);
    }
    for (size_t i = 0; i < look.n_parts; i++)
        lwb_witness_changes_release(&look.parts[i].changes);
    lwb_free(look.parts);
    return holds;
}
