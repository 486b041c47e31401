#pragma once

#include <uv.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/worker/exit_status.h"
#include "lwbuild/worker/stderr_ring.h"
#include "lwbuild/worker/worker_config.h"

/*
 * One child process that speaks frames over stdin and stdout, from spawn to
 * gone. It leads a session and process group of its own and is killed as a
 * group. Mechanism only: what is sent, expected and allowed is the worker's
 * business.
 *
 * Create, start, then live by call-backs. Whatever happens after start - the
 * program does not exist, it crashes, it closes its output and stays - the
 * story ends with exactly one `gone`, after every handle is closed.
 */
struct lwb_process;

/* Called from the loop, never from inside a lwb_process_*() call. */
struct lwb_process_events {
    /* Borrowed for the call. None comes after lwb_process_kill. */
    void (*frame)(void *ctx, struct lwb_bytes payload);
    /* It cannot go on: bad frame, output or input closed by a living child. Kill it. */
    void (*broken)(void *ctx, const struct lwb_error *err);
    void (*resumed)(void *ctx);  /* after lwb_process_resume, before further frames */
    void (*exited)(void *ctx);   /* before `gone`: only draining and reaping are left */
    void (*deadline)(void *ctx); /* the time of lwb_process_set_deadline has come */
    void (*tick)(void *ctx);     /* every interval of lwb_process_set_tick */
    /*
     * The end: how it exited, and why it failed to start or was broken (code 0
     * if neither). The process may be destroyed from here on, and only then.
     */
    void (*gone)(void *ctx, const struct lwb_exit *status, const struct lwb_error *cause);
    void *ctx;
};

int lwb_process_create(struct lwb_process **out, uv_loop_t *loop,
                       const struct lwb_worker_config *config,
                       const struct lwb_process_events *events, struct lwb_error *err);

/* Only before start or after gone. */
void lwb_process_destroy(struct lwb_process *process);

/* Cannot fail at once: a program that cannot be run is reported by `gone`. */
void lwb_process_start(struct lwb_process *process);

/* 0 if it was not started. */
pid_t lwb_process_pid(const struct lwb_process *process);

/* Largest frame accepted from now on. */
void lwb_process_set_limit(struct lwb_process *process, uint32_t limit);

/*
 * To send: encode frames into the output buffer, then flush. What the pipe does
 * not take at once is written when it can; one flush at a time.
 */
struct lwb_buf *lwb_process_output(struct lwb_process *process);
void lwb_process_flush(struct lwb_process *process);

/*
 * Take no more frames, also none of those that were read already, until resumed.
 * The pipe fills then, and holds the child up. A kill or the child's exit end a
 * pause; what was not taken by then is dropped.
 */
void lwb_process_pause(struct lwb_process *process);
void lwb_process_resume(struct lwb_process *process);
bool lwb_process_is_paused(const struct lwb_process *process);

/* End of input, for a polite stop; after what is being written. */
void lwb_process_close_input(struct lwb_process *process);

/*
 * SIGKILL to the whole group, and to descendants that have left it. No frames,
 * `broken` or deadline come any more.
 */
void lwb_process_kill(struct lwb_process *process);

/* 0: none. */
void lwb_process_set_deadline(struct lwb_process *process, uint64_t ms);
void lwb_process_set_tick(struct lwb_process *process, uint64_t interval_ms);

const struct lwb_stderr_ring *lwb_process_stderr(const struct lwb_process *process);

/* How often its output pipe was found full. */
uint64_t lwb_process_waits(const struct lwb_process *process);
