#pragma once

#include "lwbuild/protocol/message.h"

/*
 * Where the events of one request go. A call-back returns true to go on, false
 * to stop: the request then ends with LWB_ERR_PROGRESS_SINK,
 * LWB_ERR_DIAGNOSTIC_SINK or LWB_ERR_ROW_SINK and the child is replaced. NULL
 * call-backs drop their events. Bytes are borrowed for the call. Rows are
 * tentative until the request has succeeded.
 *
 * A slow sink holds the child up through its pipe; nothing is dropped and
 * nothing piles up here. A sink that cannot take more just now (what it feeds
 * is full) returns true and calls lwb_session_pause; whoever sees that there is
 * room again calls lwb_session_resume. Either way the request's deadline goes on.
 */
struct lwb_sinks {
    bool (*progress)(void *ctx, const struct lwb_progress *progress);
    bool (*diagnostic)(void *ctx, const struct lwb_diagnostic *diagnostic);
    bool (*row)(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row);
    void *ctx;
};
