#pragma once

#include "lwbuild/session/session.h"

/*
 * Typed commands: an export by name, with call-backs between the caller's
 * structs and JSON. A descriptor is constant and can be shared.
 *
 * What fails on our side of the call is told apart from what the child says:
 * LWB_ERR_ENCODE_REQUEST at once and nothing is sent; LWB_ERR_DECODE_RESPONSE
 * and LWB_ERR_DECODE_SUMMARY leave the session usable; LWB_ERR_DECODE_ROW
 * (facts.stream, facts.sequence) ends the request and the child with it.
 */
struct lwb_json_command {
    const char *name;
    int (*encode)(struct lwb_buf *json, const void *request, struct lwb_error *err);
    int (*decode)(void *response, struct lwb_bytes json, struct lwb_error *err);
};

struct lwb_streaming_command {
    const char *name;
    int (*encode)(struct lwb_buf *json, const void *request, struct lwb_error *err);
    size_t row_size; /* of what decode_row fills */
    int (*decode_row)(void *row, struct lwb_bytes json, struct lwb_error *err);
    void (*release_row)(void *row); /* NULL: nothing to release */
    int (*decode_summary)(void *summary, const struct lwb_stream_summary *from,
                          struct lwb_error *err); /* NULL: the summary is not wanted */
};

/* Where decoded rows go: borrowed for the call; false stops the request. */
struct lwb_typed_rows {
    bool (*row)(void *ctx, const char *stream, uint64_t sequence, const void *row);
    void *ctx;
};

struct lwb_typed_call {
    const struct lwb_sinks *sinks; /* progress and diagnostics; its `row` is not used */
    struct lwb_typed_rows rows;
    uint64_t timeout_ms;
    struct lwb_cancel_token *cancel;
    void (*done)(void *ctx, const struct lwb_error *err); /* NULL: response or summary is filled */
    void *ctx;
};

/* `response` and `summary` must live until `done`. */
int lwb_json_command_run(struct lwb_session *session, const struct lwb_json_command *command,
                         const void *request, void *response, const struct lwb_typed_call *call,
                         struct lwb_error *err);
int lwb_streaming_command_run(struct lwb_session *session,
                              const struct lwb_streaming_command *command, const void *request,
                              void *summary, const struct lwb_typed_call *call,
                              struct lwb_error *err);
