#include "lwbuild/base/digest_feed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"

/*
 * Each lane has a file and a piece of it in memory. All go on together, by as
 * many blocks as the one with the least has left; then that one gets its next
 * piece, or its end and then the next file. Towards the end of the files some
 * lanes idle: they hash whatever lies in their memory, and nobody asks for it.
 */
enum {
    PIECE = 32 * 1024,
    PADDING = 2 * LWB_DIGEST_BLOCK, /* room for it behind a piece */
    LENGTH = 8,                     /* bytes in which a message ends */
};

struct lane {
    bool busy;
    bool ended; /* the padding is behind what was read */
    int fd;
    size_t file;
    uint64_t len; /* read so far */
    size_t at, filled;
    unsigned char piece[PIECE + PADDING];
};

struct shift {
    const struct lwb_digest_feed *feed;
    struct lwb_digest_lanes lanes;
    struct lane lane[LWB_DIGEST_LANES];
};

static void finish(struct shift *shift, struct lane *lane, const struct lwb_digest *digest)
{
    lane->busy = false;
    shift->feed->done(shift->feed->ctx, lane->file, lane->fd, digest);
}

/* A one, zeros up to the length, and the length in bits, highest byte first. */
static void pad(struct lane *lane)
{
    size_t end = (lane->filled + LENGTH) / LWB_DIGEST_BLOCK * LWB_DIGEST_BLOCK + LWB_DIGEST_BLOCK;

    memset(lane->piece + lane->filled, 0, end - lane->filled);
    lane->piece[lane->filled] = 0x80;
    for (size_t i = 0; i < LENGTH; i++)
        lane->piece[end - 1 - i] = (unsigned char)(lane->len * 8 >> (8 * i));
    lane->filled = end;
    lane->ended = true;
}

/* The next piece; the last one is padded. Returns 0, or -1 when it cannot be read. */
static int refill(struct lane *lane)
{
    lane->at = 0;
    lane->filled = 0;
    while (lane->filled < PIECE) {
        ssize_t got = read(lane->fd, lane->piece + lane->filled, PIECE - lane->filled);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) {
            pad(lane);
            return 0;
        }
        lane->filled += (size_t)got;
        lane->len += (uint64_t)got;
    }
    return 0;
}

/* Returns false when there is no file for this lane. */
static bool take_file(struct shift *shift, size_t index)
{
    struct lane *lane = &shift->lane[index];

    lane->fd = shift->feed->next(shift->feed->ctx, &lane->file);
    if (lane->fd < 0)
        return false;
    lane->busy = true;
    lane->ended = false;
    lane->len = lane->at = lane->filled = 0;
    lwb_digest_lanes_start(&shift->lanes, index);
    return true;
}

/* Gives the lane something to hash, if there is anything left. */
static void supply(struct shift *shift, size_t index)
{
    struct lane *lane = &shift->lane[index];

    while (lane->at == lane->filled) {
        if (lane->busy && lane->ended) {
            struct lwb_digest digest = lwb_digest_lanes_end(&shift->lanes, index);

            finish(shift, lane, &digest);
        }
        if (!lane->busy && !take_file(shift, index))
            return;
        if (refill(lane) < 0) {
            finish(shift, lane, NULL);
            lane->at = lane->filled = 0;
        }
    }
}

/* How many blocks every busy lane has; 0 when none is busy. */
static size_t common_blocks(const struct shift *shift)
{
    size_t least = 0;

    for (size_t i = 0; i < LWB_DIGEST_LANES; i++) {
        const struct lane *lane = &shift->lane[i];
        size_t blocks = (lane->filled - lane->at) / LWB_DIGEST_BLOCK;

        if (lane->busy && (least == 0 || blocks < least))
            least = blocks;
    }
    return least;
}

static void run_lanes(struct shift *shift, enum lwb_digest_lanes_by by)
{
    for (;;) {
        const unsigned char *data[LWB_DIGEST_LANES];
        size_t blocks;

        for (size_t i = 0; i < LWB_DIGEST_LANES; i++)
            supply(shift, i);
        blocks = common_blocks(shift);
        if (blocks == 0)
            return;
        for (size_t i = 0; i < LWB_DIGEST_LANES; i++)
            data[i] = shift->lane[i].piece + (shift->lane[i].busy ? shift->lane[i].at : 0);
        lwb_digest_lanes_update(&shift->lanes, data, blocks, by);
        for (size_t i = 0; i < LWB_DIGEST_LANES; i++)
            if (shift->lane[i].busy)
                shift->lane[i].at += blocks * LWB_DIGEST_BLOCK;
    }
}

static void run_one_by_one(const struct lwb_digest_feed *feed)
{
    struct lwb_digest digest;
    struct lwb_error ignored;
    size_t file;
    int fd;

    while ((fd = feed->next(feed->ctx, &file)) >= 0)
        feed->done(feed->ctx, file, fd,
                   lwb_digest_fd(&digest, fd, &ignored) == LWB_OK ? &digest : NULL);
}

int lwb_digest_feed_run(const struct lwb_digest_feed *feed, enum lwb_digest_lanes_by by,
                        struct lwb_error *err)
{
    struct shift *shift;

    if (by == LWB_DIGEST_BY_NONE) {
        run_one_by_one(feed);
        return LWB_OK;
    }
    shift = lwb_alloc(sizeof(*shift));
    if (!shift)
        return lwb_fail_memory(err);
    shift->feed = feed;
    run_lanes(shift, by);
    lwb_free(shift);
    return LWB_OK;
}
