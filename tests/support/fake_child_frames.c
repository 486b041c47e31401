#include "tests/support/fake_child_internal.h"

/* Frames that are none, and messages that belong elsewhere. */

bool fake_break_frames(const struct fake_work *work)
{
    static const char *const texts[][2] = {
        { "garbage", "this is no JSON" },
        { "unknown-type", "{\"version\":1,\"generation\":1,\"request\":1,\"type\":\"sing\"}" },
    };

    if (fake_is(work->name, "half-frame") || fake_is(work->name, "half-exit0")) {
        fake_raw("\0\0\1\0{\"half", 10);
        _exit(fake_is(work->name, "half-exit0") ? 0 : 3);
    }
    if (fake_is(work->name, "cut-length")) {
        fake_raw("\0\0", 2);
        _exit(3);
    }
    if (fake_is(work->name, "oversized")) {
        fake_raw("\x7f\xff\xff\xff", 4);
        fake_wait_for_ever();
    }
    if (fake_is(work->name, "empty-frame")) {
        fake_raw("\0\0\0\0", 4);
        fake_wait_for_ever();
    }
    for (size_t i = 0; i < LWB_COUNT(texts); i++) {
        if (!fake_is(work->name, texts[i][0]))
            continue;
        (void)lwb_frame_append(&fake_out, lwb_bytes_text(texts[i][1]), lwb_bytes(NULL, 0),
                               FAKE_LIMIT, &fake_err);
        fake_flush();
        fake_wait_for_ever();
    }
    return false;
}

bool fake_break_ids(const struct fake_work *work)
{
    struct fake_work other = *work;

    if (fake_is(work->name, "stale-generation")) {
        other.head.generation += 7;
        fake_answer(&other);
    } else if (fake_is(work->name, "wrong-id")) {
        other.head.request += 7;
        fake_answer(&other);
    } else if (fake_is(work->name, "stale-row")) {
        other.head.generation--;
        fake_put_rows(&other.head, "rows", 0, 1, 1);
        fake_answer(work);
    } else if (fake_is(work->name, "two-answers")) {
        fake_answer(work);
        fake_answer(work);
    } else if (fake_is(work->name, "request-back")) {
        other.head.type = LWB_MSG_HEALTH;
        (void)lwb_plain_encode(&fake_out, &other.head, FAKE_LIMIT, &fake_err);
        fake_flush();
        fake_wait_for_ever();
    } else if (fake_is(work->name, "no-verdict")) {
        other.head.type = LWB_MSG_RESPONSE;
        (void)lwb_plain_encode(&fake_out, &other.head, FAKE_LIMIT, &fake_err);
        fake_flush();
    } else {
        return false;
    }
    return true;
}
