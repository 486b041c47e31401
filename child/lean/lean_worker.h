#pragma once

#include "child/lean/lean_judge.h"
#include "child/lean/lean_setup.h"
#include "child/lean/lsp.h"

/*
 * A warm `lean --worker`: it has imported one header and answers one document
 * after the other under it. Started with the first document, ended when it can
 * no longer be relied on, and then started anew by the next one.
 */
struct lwb_lean_worker {
    struct lwb_lean_process process;
    struct lwb_lsp_reader reader;
    char *uri;             /* of the document; the same for all versions */
    uint64_t version;      /* of the last document sent */
    uint64_t request;      /* id of the last barrier */
    uint64_t first_memory; /* private bytes after the first answer */
};

/* Ends the worker if it runs. NULL-safe on a zeroed struct. */
void lwb_lean_worker_stop(struct lwb_lean_worker *worker);

bool lwb_lean_worker_is_running(const struct lwb_lean_worker *worker);

struct lwb_lean_answer {
    struct lwb_lean_messages messages;
    struct lwb_lean_ending ending;
    bool header_failed; /* the imports could not be loaded */
    char detail[600];   /* why there is no answer */
};

void lwb_lean_answer_release(struct lwb_lean_answer *answer);
LWB_DEFINE_AUTO(struct lwb_lean_answer, lwb_lean_answer_release);

struct lwb_lean_question {
    const char *file;          /* absolute; the worker calls all its documents like the first one */
    struct lwb_bytes document; /* begins with the header of all documents of this worker */
    uint64_t deadline;         /* lwb_clock_ns; 0: none */
    /* How many of its lines are done: now and then, so not at all for what is quick. Optional. */
    void (*progress)(void *ctx, uint64_t done, uint64_t lines);
    void *ctx;
};

/*
 * What the worker says about a document.
 *
 * Returns 1 with the complete messages; 0 when this worker cannot tell: it
 * died, panicked, could not load the imports, or wrote what cannot be read.
 * It is stopped then, and answer says what happened; a fresh process decides.
 * 0 as well when the deadline has passed: ending.timed_out.
 */
int lwb_lean_worker_ask(struct lwb_lean_worker *worker, const struct lwb_lean_setup *setup,
                        const struct lwb_lean_question *question, struct lwb_lean_answer *answer,
                        struct lwb_error *err);

/* Ends a worker that has grown or served enough, between two documents. */
void lwb_lean_worker_retire_if_due(struct lwb_lean_worker *worker, uint64_t max_memory);
