#include "tests/support/fake_child_internal.h"

#include <inttypes.h>
#include <stdio.h>

/* Rows, progress and diagnostics: good ones, and those that break the rules for them. */

void fake_put_rows(const struct lwb_message_head *head, const char *stream, uint64_t first,
                   uint64_t count, uint64_t announced)
{
    static struct lwb_buf packed = { .max = FAKE_LIMIT };
    struct lwb_message_head rows_head = fake_reply_to(head, LWB_MSG_ROWS);
    struct lwb_rows rows = { stream, first, announced, { NULL, 0 } };

    lwb_buf_clear(&packed);
    for (uint64_t i = 0; i < count; i++) {
        char text[160];
        int len =
            snprintf(text, sizeof(text),
                     "{\"index\":%08" PRIu64 ",\"name\":\"Mathlib.Algebra.Group.Basic.mul_comm\","
                     "\"kind\":\"theorem\",\"status\":\"checked\"}",
                     first + i);

        lwb_buf_append_u32be(&packed, (uint32_t)len);
        lwb_buf_append(&packed, text, (size_t)len);
    }
    rows.packed = lwb_buf_bytes(&packed);
    (void)lwb_rows_encode(&fake_out, &rows_head, &rows, FAKE_LIMIT, &fake_err);
    fake_flush();
}

/* As a good child does: coalesced to what a frame of 64 KiB holds. */
static void put_many_rows(const struct lwb_message_head *head, uint64_t count)
{
    enum { AT_ONCE = 512 };

    for (uint64_t at = 0; at < count; at += AT_ONCE) {
        uint64_t part = count - at < AT_ONCE ? count - at : AT_ONCE;

        fake_put_rows(head, "rows", at, part, part);
    }
}

void fake_put_progress(const struct lwb_message_head *head, uint64_t current)
{
    struct lwb_message_head event = fake_reply_to(head, LWB_MSG_PROGRESS);
    struct lwb_progress progress = { "working", current, true, 10, 1000 };

    (void)lwb_progress_encode(&fake_out, &event, &progress, FAKE_LIMIT, &fake_err);
    fake_flush();
}

static void put_diagnostic(const struct lwb_message_head *head)
{
    struct lwb_message_head event = fake_reply_to(head, LWB_MSG_DIAGNOSTIC);
    struct lwb_diagnostic diagnostic = {
        LWB_SEVERITY_WARNING, 1, 2, -1, -1, { "fake", 4 }, { "look out", 8 },
    };

    (void)lwb_diagnostic_encode(&fake_out, &event, &diagnostic, FAKE_LIMIT, &fake_err);
    fake_flush();
}

static void answer_rows(const struct fake_work *work, const char *stream, uint64_t rows)
{
    const struct lwb_stream_count count = { stream, rows };

    fake_put_answer(work, fake_reply_to(&work->head, LWB_MSG_RESPONSE), &count, 1);
}

static void interleave_streams(const struct fake_work *work)
{
    const struct lwb_stream_count counts[] = { { "a", 2 }, { "b", 1 }, { "c", 1 } };

    fake_put_rows(&work->head, "a", 0, 1, 1);
    fake_put_rows(&work->head, "b", 0, 1, 1);
    fake_put_rows(&work->head, "a", 1, 1, 1);
    fake_put_rows(&work->head, "c", 0, 1, 1);
    fake_put_answer(work, fake_reply_to(&work->head, LWB_MSG_RESPONSE), counts, 3);
}

static void cut_row(const struct fake_work *work)
{
    static const char packed[] = "\0\0\0\1x\0\0\0\7cut";
    struct lwb_message_head head = fake_reply_to(&work->head, LWB_MSG_ROWS);
    struct lwb_rows rows = { "rows", 0, 2, { packed, sizeof(packed) - 1 } };

    (void)lwb_rows_encode(&fake_out, &head, &rows, FAKE_LIMIT, &fake_err);
    fake_flush();
    fake_wait_for_ever();
}

bool fake_do_rows(const struct fake_work *work)
{
    const struct lwb_message_head *head = &work->head;

    if (fake_is(work->name, "rows")) {
        put_many_rows(head, work->n);
        answer_rows(work, "rows", work->n);
    } else if (fake_is(work->name, "rows-then-segv")) {
        put_many_rows(head, 3);
        fake_end_as("segv");
    } else if (fake_is(work->name, "rows-then-silent")) {
        put_many_rows(head, 3);
        fake_wait_for_ever();
    } else if (fake_is(work->name, "rows-order") || fake_is(work->name, "rows-again")) {
        fake_put_rows(head, "rows", 0, 1, 1);
        fake_put_rows(head, "rows", fake_is(work->name, "rows-order") ? 2 : 0, 1, 1);
        answer_rows(work, "rows", 2);
    } else if (fake_is(work->name, "rows-count") || fake_is(work->name, "rows-lost")) {
        fake_put_rows(head, "rows", 0, 2, 2);
        answer_rows(work, fake_is(work->name, "rows-count") ? "rows" : "others",
                    fake_is(work->name, "rows-count") ? 3 : 0);
    } else if (fake_is(work->name, "rows-cut")) {
        cut_row(work);
    } else if (fake_is(work->name, "rows-streams")) {
        interleave_streams(work);
    } else {
        return false;
    }
    return true;
}

bool fake_do_events(const struct fake_work *work)
{
    if (fake_is(work->name, "events")) {
        fake_put_progress(&work->head, 1);
        put_diagnostic(&work->head);
        fake_put_rows(&work->head, "rows", 0, 1, 1);
        answer_rows(work, "rows", 1);
        return true;
    }
    for (uint64_t i = 0; i < work->n && fake_is(work->name, "progress"); i++)
        fake_put_progress(&work->head, i);
    for (uint64_t i = 0; i < work->n && fake_is(work->name, "diagnostic"); i++)
        put_diagnostic(&work->head);
    return false;
}
