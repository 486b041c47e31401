#pragma once

#include "lwbuild/protocol/message.h"

/*
 * The rows of one request: every stream counts 0, 1, 2, ... without a gap, and
 * the counts in the terminal answer are those that came. Pure.
 */
struct lwb_row_stream;

struct lwb_row_ledger {
    struct lwb_row_stream *streams;
    size_t n_streams;
    size_t cap;
    uint64_t rows; /* over all streams */
};

enum { LWB_ROW_STREAMS_MAX = 256 };

/* Empty again; memory is kept. */
void lwb_row_ledger_clear(struct lwb_row_ledger *ledger);
void lwb_row_ledger_release(struct lwb_row_ledger *ledger);
LWB_DEFINE_AUTO(struct lwb_row_ledger, lwb_row_ledger_release);

/* Before the rows are delivered: LWB_ERR_PROTOCOL names stream and sequence (in facts too). */
int lwb_row_ledger_enter(struct lwb_row_ledger *ledger, const struct lwb_rows *rows,
                         struct lwb_error *err);

/* At the terminal answer. */
int lwb_row_ledger_close(const struct lwb_row_ledger *ledger,
                         const struct lwb_stream_count *streams, size_t n_streams,
                         struct lwb_error *err);
