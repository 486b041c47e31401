#pragma once

#include <stdint.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/protocol/message.h"

/*
 * The writing end of a child: frames in the order in which they were made, and
 * rows put together into few of them.
 *
 * A row that comes after a pause is written at once. Rows that come faster
 * share a frame and a write(2); what is pending is written when it is 64 KiB,
 * when its oldest row is LWB_OUTLET_MAX_AGE_NS old, even while the host goes on
 * computing (a thread of the outlet's own sees to it, started with the first
 * row that waits), and in any case before the next frame of another kind.
 *
 * A failure to write is final: the parent is gone. It is remembered, and every
 * later call returns it.
 */
struct lwb_outlet;

enum {
    LWB_OUTLET_BATCH = 64 * 1024,
    LWB_OUTLET_MAX_AGE_NS = 500 * 1000,
};

/* `fd` stays the caller's. The limit is the largest frame; it may be changed by set_limit. */
int lwb_outlet_create(struct lwb_outlet **out, int fd, uint32_t limit, struct lwb_error *err);
void lwb_outlet_destroy(struct lwb_outlet *outlet); /* does not write what is pending */
LWB_DEFINE_AUTO_PTR(struct lwb_outlet, lwb_outlet_destroy);

void lwb_outlet_set_limit(struct lwb_outlet *outlet, uint32_t limit);
uint32_t lwb_outlet_limit(const struct lwb_outlet *outlet);

/* Write a frame (as the encoders make it, with its length) now, behind what is pending. */
int lwb_outlet_send(struct lwb_outlet *outlet, struct lwb_bytes frame, struct lwb_error *err);

/*
 * Row number `sequence` of `stream` (less than 64 bytes), which the caller
 * counts; `head` is of the request it belongs to. LWB_ERR_LIMIT: the row alone does not fit a
 * frame, and was not taken.
 */
int lwb_outlet_row(struct lwb_outlet *outlet, const struct lwb_message_head *head,
                   const char *stream, uint64_t sequence, struct lwb_bytes row,
                   struct lwb_error *err);

/* The parent is gone: a write failed. */
bool lwb_outlet_is_broken(const struct lwb_outlet *outlet);
