#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lwbuild/protocol/frame.h"

/*
 * Any bytes, fed in pieces: whatever the pieces are, the same frames come out
 * and the same end. The first byte chooses the pieces.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 4096 };

struct outcome {
    uint64_t frames;
    uint64_t sum;
    int code; /* of what ended it */
};

static void take_frames(struct lwb_frame_reader *reader, struct outcome *outcome)
{
    struct lwb_bytes frame;
    struct lwb_error err;
    int rc;

    while ((rc = lwb_frame_next(reader, &frame, &err)) == 1) {
        outcome->frames++;
        for (size_t i = 0; i < frame.len; i++)
            outcome->sum = outcome->sum * 31 + (unsigned char)frame.ptr[i];
    }
    if (rc < 0)
        outcome->code = rc;
}

static struct outcome feed(const uint8_t *data, size_t size, size_t piece)
{
    LWB_AUTO(lwb_frame_reader_release) struct lwb_frame_reader reader;
    struct outcome outcome = { 0 };
    struct lwb_error err;

    lwb_frame_reader_init(&reader, LIMIT);
    while (size && outcome.code == LWB_OK) {
        size_t room;
        char *to = lwb_frame_reader_room(&reader, &room);
        size_t part = size < piece ? size : piece;

        if (!to || part > room)
            abort();
        memcpy(to, data, part);
        lwb_frame_reader_commit(&reader, part);
        data += part;
        size -= part;
        take_frames(&reader, &outcome);
    }
    if (outcome.code == LWB_OK)
        outcome.code = lwb_frame_reader_end(&reader, &err);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole;
    struct outcome pieces;

    if (size < 1 || size > 32 * 1024)
        return 0;
    whole = feed(data + 1, size - 1, size);
    pieces = feed(data + 1, size - 1, 1 + data[0] % 17);
    if (whole.frames != pieces.frames || whole.sum != pieces.sum || whole.code != pieces.code)
        abort();
    return 0;
}
