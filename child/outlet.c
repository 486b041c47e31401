/*
 * Rows go through two buffers. `packed` holds the rows of one stream that will
 * share a frame; sealing puts the finished frame behind the others in `ready`.
 * Only then is the number of rows known, which the frame's head says. `ready`
 * is what the next write(2) takes.
 *
 * Everything is under one lock, and writes are made with it held: when the
 * pipe is full both the host and the flusher wait, which is the backpressure
 * that the protocol promises. The flusher never does anything that the host
 * would not do a little later, so the order of frames is the order of calls.
 */
#include "child/outlet.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/protocol/frame.h"

enum {
    ROW_HEADER = 4,
    HEAD_ROOM = 1024, /* for the head of a rows frame, however long its numbers get */
};

struct lwb_outlet {
    int fd;
    uint32_t limit;
    struct lwb_buf ready;
    struct lwb_buf packed;

    struct lwb_message_head request; /* of the rows in `packed` */
    char *stream;
    size_t stream_cap;
    uint64_t first;
    uint64_t count;

    uint64_t oldest_ns;      /* of what waits; 0 when nothing does */
    uint64_t written_ns;     /* when something was last written */
    struct lwb_error broken; /* code LWB_OK while all is well */

    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_t flusher;
    bool has_flusher;
    bool flusher_idles;
    bool stop;
};

static int init_locks(struct lwb_outlet *outlet)
{
    pthread_condattr_t attr;
    int rc = pthread_condattr_init(&attr);

    if (rc == 0)
        rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (rc == 0)
        rc = pthread_cond_init(&outlet->work, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (rc == 0)
        rc = pthread_mutex_init(&outlet->lock, NULL);
    return rc;
}

int lwb_outlet_create(struct lwb_outlet **out, int fd, uint32_t limit, struct lwb_error *err)
{
    struct lwb_outlet *outlet = lwb_alloc(sizeof(*outlet));

    if (!outlet)
        return lwb_fail_memory(err);
    if (init_locks(outlet) != 0) {
        lwb_free(outlet);
        return lwb_fail(err, LWB_ERR_SYSTEM, "no lock to be had");
    }
    outlet->fd = fd;
    lwb_outlet_set_limit(outlet, limit);
    *out = outlet;
    return LWB_OK;
}

void lwb_outlet_destroy(struct lwb_outlet *outlet)
{
    if (!outlet)
        return;
    if (outlet->has_flusher) {
        (void)pthread_mutex_lock(&outlet->lock);
        outlet->stop = true;
        (void)pthread_cond_signal(&outlet->work);
        (void)pthread_mutex_unlock(&outlet->lock);
        (void)pthread_join(outlet->flusher, NULL);
    }
    (void)pthread_cond_destroy(&outlet->work);
    (void)pthread_mutex_destroy(&outlet->lock);
    lwb_buf_release(&outlet->ready);
    lwb_buf_release(&outlet->packed);
    lwb_free(outlet->stream);
    lwb_free(outlet);
}

void lwb_outlet_set_limit(struct lwb_outlet *outlet, uint32_t limit)
{
    outlet->limit = limit;
    outlet->packed.max = limit;
    /* A batch that is not written yet and the largest frame behind it. */
    outlet->ready.max = (size_t)2 * LWB_OUTLET_BATCH + LWB_FRAME_HEADER + limit;
}

uint32_t lwb_outlet_limit(const struct lwb_outlet *outlet)
{
    return outlet->limit;
}

bool lwb_outlet_is_broken(const struct lwb_outlet *outlet)
{
    return outlet->broken.code != LWB_OK;
}

/* ---- writing; the lock is held ------------------------------------------------------------- */

static int wait_writable(int fd)
{
    struct pollfd wanted = { .fd = fd, .events = POLLOUT };

    return poll(&wanted, 1, -1) < 0 && errno != EINTR ? -1 : 0;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t put = write(fd, data, len);

        if (put > 0) {
            data += put;
            len -= (size_t)put;
        } else if (put < 0 && errno == EAGAIN) {
            if (wait_writable(fd) < 0)
                return -1;
        } else if (put < 0 && errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

static int write_bytes(struct lwb_outlet *outlet, struct lwb_bytes bytes, struct lwb_error *err)
{
    if (write_all(outlet->fd, bytes.ptr, bytes.len) < 0)
        (void)lwb_fail_errno(&outlet->broken, LWB_ERR_SYSTEM, "cannot write to the parent");
    outlet->written_ns = lwb_clock_ns();
    if (outlet->broken.code != LWB_OK)
        *err = outlet->broken;
    return outlet->broken.code;
}

static int write_ready(struct lwb_outlet *outlet, struct lwb_error *err)
{
    int rc = write_bytes(outlet, lwb_buf_bytes(&outlet->ready), err);

    lwb_buf_clear(&outlet->ready);
    outlet->oldest_ns = 0;
    return rc;
}

/* Put the rows in `packed` behind what is ready. */
static int seal(struct lwb_outlet *outlet, struct lwb_error *err)
{
    struct lwb_rows rows = { .stream = outlet->stream,
                             .first = outlet->first,
                             .count = outlet->count,
                             .packed = lwb_buf_bytes(&outlet->packed) };
    int rc;

    if (!outlet->count)
        return LWB_OK;
    rc = lwb_rows_encode(&outlet->ready, &outlet->request, &rows, outlet->limit, err);
    lwb_buf_clear(&outlet->packed);
    outlet->count = 0;
    if (rc < 0)
        outlet->broken = *err; /* rows are lost: nothing true can follow */
    return rc;
}

static int flush(struct lwb_outlet *outlet, struct lwb_error *err)
{
    int rc = seal(outlet, err);

    return rc < 0 ? rc : write_ready(outlet, err);
}

/* A small frame shares the write with what is pending, a large one is not copied. */
static int send_locked(struct lwb_outlet *outlet, struct lwb_bytes frame, struct lwb_error *err)
{
    int rc = seal(outlet, err);

    if (rc == LWB_OK && frame.len <= LWB_OUTLET_BATCH) {
        lwb_buf_append_bytes(&outlet->ready, frame);
        if (lwb_buf_ok(&outlet->ready))
            return write_ready(outlet, err);
        outlet->ready.failed = false;
    }
    if (rc == LWB_OK)
        rc = write_ready(outlet, err);
    return rc < 0 ? rc : write_bytes(outlet, frame, err);
}

int lwb_outlet_send(struct lwb_outlet *outlet, struct lwb_bytes frame, struct lwb_error *err)
{
    int rc;

    (void)pthread_mutex_lock(&outlet->lock);
    rc = outlet->broken.code;
    if (rc < 0)
        *err = outlet->broken;
    else
        rc = send_locked(outlet, frame, err);
    (void)pthread_mutex_unlock(&outlet->lock);
    return rc;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void wait_until(struct lwb_outlet *outlet, uint64_t deadline_ns)
{
    struct timespec deadline = { .tv_sec = (time_t)(deadline_ns / 1000000000),
                                 .tv_nsec = (long)(deadline_ns % 1000000000) };

    (void)pthread_cond_timedwait(&outlet->work, &outlet->lock, &deadline);
}

/* Writes what the host has left waiting for too long. */
static void *run_flusher(void *arg)
{
    struct lwb_outlet *outlet = arg;
    struct lwb_error ignored; /* kept in `broken`, and found there by the host */

    (void)pthread_mutex_lock(&outlet->lock);
    while (!outlet->stop) {
        uint64_t deadline = outlet->oldest_ns + LWB_OUTLET_MAX_AGE_NS;

        if (!outlet->oldest_ns) {
            outlet->flusher_idles = true;
            (void)pthread_cond_wait(&outlet->work, &outlet->lock);
            outlet->flusher_idles = false;
        } else if (lwb_clock_ns() < deadline) {
            wait_until(outlet, deadline);
        } else {
            (void)flush(outlet, &ignored);
        }
    }
    (void)pthread_mutex_unlock(&outlet->lock);
    return NULL;
}

/* Something waits for the first time since the last write. */
static void start_waiting(struct lwb_outlet *outlet, uint64_t now)
{
    outlet->oldest_ns = now;
    if (!outlet->has_flusher)
        outlet->has_flusher = pthread_create(&outlet->flusher, NULL, run_flusher, outlet) == 0;
    else if (outlet->flusher_idles)
        (void)pthread_cond_signal(&outlet->work);
}

static int name_stream(struct lwb_outlet *outlet, const char *stream, struct lwb_error *err)
{
    size_t size = strlen(stream) + 1;

    if (size > outlet->stream_cap) {
        char *grown = lwb_realloc(outlet->stream, size);

        if (!grown)
            return lwb_fail_memory(err);
        outlet->stream = grown;
        outlet->stream_cap = size;
    }
    memcpy(outlet->stream, stream, size);
    return LWB_OK;
}

/* Rows of one frame follow each other in one stream of one request. */
static bool continues(const struct lwb_outlet *outlet, const struct lwb_message_head *head,
                      const char *stream, uint64_t sequence)
{
    return outlet->count && outlet->request.request == head->request &&
           outlet->first + outlet->count == sequence && strcmp(outlet->stream, stream) == 0;
}

static int begin_frame(struct lwb_outlet *outlet, const struct lwb_message_head *head,
                       const char *stream, uint64_t sequence, struct lwb_error *err)
{
    int rc = seal(outlet, err);

    if (rc == LWB_OK)
        rc = name_stream(outlet, stream, err);
    outlet->request = *head;
    outlet->request.type = LWB_MSG_ROWS;
    outlet->first = sequence;
    return rc;
}

static int add_row(struct lwb_outlet *outlet, struct lwb_bytes row, struct lwb_error *err)
{
    lwb_buf_append_u32be(&outlet->packed, (uint32_t)row.len);
    lwb_buf_append_bytes(&outlet->packed, row);
    if (!lwb_buf_ok(&outlet->packed)) {
        (void)lwb_fail_memory(err);
        outlet->broken = *err; /* half a row may be there */
        return err->code;
    }
    outlet->count++;
    return LWB_OK;
}

/* Now, after a pause or when a batch is full; else later. */
static int write_or_wait(struct lwb_outlet *outlet, struct lwb_error *err)
{
    uint64_t now;

    if (outlet->ready.len + outlet->packed.len >= LWB_OUTLET_BATCH)
        return flush(outlet, err);
    if (outlet->oldest_ns)
        return LWB_OK;
    now = lwb_clock_ns();
    if (now - outlet->written_ns >= LWB_OUTLET_MAX_AGE_NS)
        return flush(outlet, err);
    start_waiting(outlet, now);
    return outlet->has_flusher ? LWB_OK : flush(outlet, err);
}

static int refuse_row(const struct lwb_outlet *outlet, const char *stream, uint64_t sequence,
                      struct lwb_bytes row, struct lwb_error *err)
{
    (void)lwb_fail(err, LWB_ERR_LIMIT, "row %" PRIu64 " of \"%s\" has %zu bytes, a frame %" PRIu32,
                   sequence, stream, row.len, outlet->limit);
    (void)snprintf(err->facts.stream, sizeof(err->facts.stream), "%s", stream);
    err->facts.sequence = sequence;
    err->facts.current = row.len;
    err->facts.limit = outlet->limit;
    return err->code;
}

static int row_locked(struct lwb_outlet *outlet, const struct lwb_message_head *head,
                      const char *stream, uint64_t sequence, struct lwb_bytes row,
                      struct lwb_error *err)
{
    size_t room = outlet->limit - HEAD_ROOM;
    int rc = LWB_OK;

    if (row.len > room - ROW_HEADER)
        return refuse_row(outlet, stream, sequence, row, err);
    if (outlet->packed.len + ROW_HEADER + row.len > room)
        rc = flush(outlet, err);
    if (rc == LWB_OK && !continues(outlet, head, stream, sequence))
        rc = begin_frame(outlet, head, stream, sequence, err);
    if (rc == LWB_OK)
        rc = add_row(outlet, row, err);
    return rc < 0 ? rc : write_or_wait(outlet, err);
}

int lwb_outlet_row(struct lwb_outlet *outlet, const struct lwb_message_head *head,
                   const char *stream, uint64_t sequence, struct lwb_bytes row,
                   struct lwb_error *err)
{
    int rc;

    (void)pthread_mutex_lock(&outlet->lock);
    rc = outlet->broken.code;
    if (rc < 0)
        *err = outlet->broken;
    else
        rc = row_locked(outlet, head, stream, sequence, row, err);
    (void)pthread_mutex_unlock(&outlet->lock);
    return rc;
}
