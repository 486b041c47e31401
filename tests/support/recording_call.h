#pragma once

#include "child/host.h"

/*
 * Where the events of a request go when a host is called without a child
 * around it: they are kept.
 */
struct lwb_call {
    struct lwb_diagnostic *diagnostics; /* code and message are copies, NUL-terminated */
    size_t n_diagnostics;
    size_t cap;
    char progress[80]; /* the last event: "lines 3 of 7" */
    size_t n_progress;
    size_t fail_after; /* this many diagnostics go well, then the parent is gone; 0: never */
};

/* Forgets what was recorded. */
void recording_call_clear(struct lwb_call *call);

/* As `lean FILE` prints: positions for errors and warnings, none for information. Borrowed. */
const char *recording_call_text(const struct lwb_call *call, const char *file, struct lwb_buf *out);
