#pragma once

#include <stdbool.h>
#include <uv.h>

#include "lwbuild/base/error.h"

/*
 * A way to end requests from any thread, or from a signal handler. Firing
 * wakes the loop, so that a child that says nothing is cancelled at once. A
 * token stays fired: a request that is given one is refused before anything
 * is sent.
 */
struct lwb_cancel_token;

int lwb_cancel_token_create(struct lwb_cancel_token **out, uv_loop_t *loop, struct lwb_error *err);

/* On the loop's thread, with no request attached; nobody may fire any more. */
void lwb_cancel_token_close(struct lwb_cancel_token *token);

/* Any thread, any number of times. */
void lwb_cancel_token_fire(struct lwb_cancel_token *token);
bool lwb_cancel_token_is_fired(const struct lwb_cancel_token *token);

/* One who wants to hear of it; embedded in its owner, attached on the loop's thread. */
struct lwb_cancel_listener {
    void (*cancelled)(struct lwb_cancel_listener *listener);
    struct lwb_cancel_listener *next;
    struct lwb_cancel_token *token; /* NULL: not attached */
};

/* token may be NULL. */
void lwb_cancel_attach(struct lwb_cancel_listener *listener, struct lwb_cancel_token *token);
void lwb_cancel_detach(struct lwb_cancel_listener *listener);
