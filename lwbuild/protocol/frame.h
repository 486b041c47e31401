#pragma once

#include <stdint.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * Frames: how messages lie in a byte stream. A frame is a 4-byte big-endian
 * length and that many bytes: one JSON object (the head) and, where the type
 * of message has one, a newline and an attachment of raw bytes. PROTOCOL.md
 * is the contract.
 *
 * No I/O here: feed what was read, take what is complete.
 */
enum {
    LWB_FRAME_HEADER = 4,
    LWB_FRAME_MIN_LIMIT = 64 * 1024,
    LWB_FRAME_DEFAULT_LIMIT = 16 * 1024 * 1024,
    LWB_FRAME_MAX_LIMIT = 256 * 1024 * 1024,
};

struct lwb_frame_reader {
    struct lwb_buf pending;
    size_t at;      /* start of what has not been taken yet */
    uint32_t limit; /* largest payload accepted */
};

void lwb_frame_reader_init(struct lwb_frame_reader *reader, uint32_t limit);
void lwb_frame_reader_set_limit(struct lwb_frame_reader *reader, uint32_t limit);
void lwb_frame_reader_release(struct lwb_frame_reader *reader);
LWB_DEFINE_AUTO(struct lwb_frame_reader, lwb_frame_reader_release);

/* Room to read into directly, then commit what was read. NULL when memory is out. */
char *lwb_frame_reader_room(struct lwb_frame_reader *reader, size_t *room);
void lwb_frame_reader_commit(struct lwb_frame_reader *reader, size_t len);

/*
 * Returns 1 and the payload of the next complete frame (borrowed until the next
 * room call), 0 when more bytes are needed, LWB_ERR_LIMIT for an oversized one,
 * LWB_ERR_PROTOCOL for an empty one.
 */
int lwb_frame_next(struct lwb_frame_reader *reader, struct lwb_bytes *payload,
                   struct lwb_error *err);

/*
 * At end of file: LWB_OK at a frame boundary, else LWB_ERR_PROTOCOL with a text
 * that says whether the length or the body was cut.
 */
int lwb_frame_reader_end(const struct lwb_frame_reader *reader, struct lwb_error *err);

/* Append header, head and (if attachment.ptr) newline and attachment. LWB_ERR_LIMIT over `limit`.
 */
int lwb_frame_append(struct lwb_buf *out, struct lwb_bytes head, struct lwb_bytes attachment,
                     uint32_t limit, struct lwb_error *err);
