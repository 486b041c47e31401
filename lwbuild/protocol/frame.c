#include "lwbuild/protocol/frame.h"

/*
 * The reader keeps one buffer. Bytes that were taken stay in front until room
 * is asked for again, so that payloads can be borrowed; then the rest moves to
 * the front, which is less than one frame and so costs little.
 */
enum {
    MIN_ROOM = 64 * 1024 - 1,  /* with the NUL, what an idle reader holds */
    KEPT_ROOM = 4 * 64 * 1024, /* after a larger frame the memory is given back */
};

void lwb_frame_reader_init(struct lwb_frame_reader *reader, uint32_t limit)
{
    *reader = (struct lwb_frame_reader){ 0 };
    lwb_frame_reader_set_limit(reader, limit);
}

void lwb_frame_reader_set_limit(struct lwb_frame_reader *reader, uint32_t limit)
{
    reader->pending.max = (size_t)LWB_FRAME_HEADER + limit + MIN_ROOM;
    reader->limit = limit;
}

void lwb_frame_reader_release(struct lwb_frame_reader *reader)
{
    lwb_buf_release(&reader->pending);
    reader->at = 0;
}

static uint32_t u32be(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* What is still missing of the first frame, at least MIN_ROOM: a large frame is read in one piece.
 */
static size_t wanted_room(const struct lwb_frame_reader *reader)
{
    const struct lwb_buf *pending = &reader->pending;
    size_t frame;

    if (pending->len < LWB_FRAME_HEADER)
        return MIN_ROOM;
    frame = (size_t)LWB_FRAME_HEADER + u32be(pending->ptr);
    if (frame > (size_t)LWB_FRAME_HEADER + reader->limit || frame < pending->len + MIN_ROOM)
        return MIN_ROOM;
    return frame - pending->len;
}

char *lwb_frame_reader_room(struct lwb_frame_reader *reader, size_t *room)
{
    char *ptr;

    lwb_buf_consume(&reader->pending, reader->at);
    reader->at = 0;
    if (reader->pending.len == 0 && reader->pending.cap > KEPT_ROOM)
        lwb_buf_release(&reader->pending);
    *room = wanted_room(reader);
    ptr = lwb_buf_reserve(&reader->pending, *room);
    reader->pending.failed = false; /* may be asked again, when memory is back */
    return ptr;
}

void lwb_frame_reader_commit(struct lwb_frame_reader *reader, size_t len)
{
    reader->pending.len += len;
    reader->pending.ptr[reader->pending.len] = '\0';
}

int lwb_frame_next(struct lwb_frame_reader *reader, struct lwb_bytes *payload,
                   struct lwb_error *err)
{
    size_t have = reader->pending.len - reader->at;
    const char *start;
    uint32_t len;

    if (have < LWB_FRAME_HEADER)
        return 0;
    start = reader->pending.ptr + reader->at;
    len = u32be(start);
    if (len == 0)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "empty frame");
    if (len > reader->limit) {
        (void)lwb_fail(err, LWB_ERR_LIMIT, "frame of %u bytes, at most %u allowed", len,
                       reader->limit);
        err->facts.current = len;
        err->facts.limit = reader->limit;
        return err->code;
    }
    if (have - LWB_FRAME_HEADER < len)
        return 0;
    *payload = lwb_bytes(start + LWB_FRAME_HEADER, len);
    reader->at += (size_t)LWB_FRAME_HEADER + len;
    return 1;
}

int lwb_frame_reader_end(const struct lwb_frame_reader *reader, struct lwb_error *err)
{
    size_t have = reader->pending.len - reader->at;

    if (have == 0)
        return LWB_OK;
    if (have < LWB_FRAME_HEADER)
        return lwb_fail(err, LWB_ERR_PROTOCOL,
                        "output ended inside the length of a frame (%zu of 4)", have);
    return lwb_fail(err, LWB_ERR_PROTOCOL, "output ended inside a frame (%zu of %u bytes)",
                    have - LWB_FRAME_HEADER, u32be(reader->pending.ptr + reader->at));
}

int lwb_frame_append(struct lwb_buf *out, struct lwb_bytes head, struct lwb_bytes attachment,
                     uint32_t limit, struct lwb_error *err)
{
    size_t len = head.len + (attachment.ptr ? attachment.len + 1 : 0);
    size_t before = out->len;

    if (len > limit) {
        (void)lwb_fail(err, LWB_ERR_LIMIT, "frame of %zu bytes, at most %u allowed", len, limit);
        err->facts.current = len;
        err->facts.limit = limit;
        return err->code;
    }
    lwb_buf_append_u32be(out, (uint32_t)len);
    lwb_buf_append_bytes(out, head);
    if (attachment.ptr) {
        lwb_buf_append_char(out, '\n');
        lwb_buf_append_bytes(out, attachment);
    }
    if (lwb_buf_ok(out))
        return LWB_OK;
    out->len = before;
    out->failed = false;
    if (out->ptr)
        out->ptr[out->len] = '\0';
    return lwb_fail_memory(err);
}
