#pragma once

#include "lwbuild/protocol/frame.h"
#include "lwbuild/worker/descendants.h"
#include "lwbuild/worker/process.h"

/*
 * What the parts of a process share: process.c its life, process_start.c,
 * process_io.c its pipes.
 */
enum phase { NEW, RUNNING, LINGER, KILLED, DRAIN, GROUP, CLOSING };

enum {
    STDERR_CHUNK = 16 * 1024,
    ONE_WRITE = 64 * 1024,    /* what a child coalesces rows to */
    OUTPUT_KEPT = 256 * 1024, /* a larger output buffer is freed after use */
    STDOUT_PIPE = 256 * 1024, /* fewer switches per row than the usual 64 KiB */
};

struct lwb_process {
    uv_loop_t *loop;
    const struct lwb_worker_config *config;
    struct lwb_process_events events;

    enum phase phase;
    uv_poll_t exit_poll;     /* of the pidfd */
    uv_signal_t exit_signal; /* SIGCHLD, without one */
    uv_pipe_t input;
    uv_pipe_t output;
    uv_pipe_t errors;
    uv_timer_t timer;
    uv_timer_t deadline;
    uv_timer_t tick;
    uv_timer_t resume;
    unsigned open_handles;

    pid_t pid; /* and group; 0 if the spawn failed */
    int pidfd; /* -1: none */
    char lineage[LWB_LINEAGE_SIZE];
    struct lwb_descendants descendants;
    bool exited;
    bool output_ended;
    bool input_closing;
    bool killed;
    bool paused;     /* nothing is read and no frame is delivered */
    bool discarding; /* it ended while paused: what is left is dropped */
    uint64_t group_waited_ms;
    unsigned group_looks;
    uint64_t oom_kills_before;
    struct lwb_exit status;
    struct lwb_error cause;

    struct lwb_frame_reader reader;
    size_t pipe_size;
    uint64_t waits;
    struct lwb_buf sending;
    uv_write_t write;
    bool writing;
    struct lwb_stderr_ring ring;
    char *errors_chunk;
};

/* An event has come: what is the next thing to wait for? */
void lwb_process_advance(struct lwb_process *process);
void lwb_process_wait_for(struct lwb_process *process, enum phase phase, uint64_t ms);
void lwb_process_report_broken(struct lwb_process *process);
void lwb_process_close_handle(void *handle);
void lwb_process_close_all(struct lwb_process *process);

/* From here on the handle must be closed. */
void lwb_process_adopt(struct lwb_process *process, void *handle);

/* From the loop, once it has exited. `status` is waitpid's; NULL: it could not be waited for. */
void lwb_process_on_exit(struct lwb_process *process, const int *status);
int lwb_process_watch_exit(struct lwb_process *process);
void lwb_process_unwatch_exit(struct lwb_process *process);

void lwb_process_start_reading(struct lwb_process *process);

/* The child is over: read on to the end of its output, delivering nothing, if it was paused. */
void lwb_process_end_pause(struct lwb_process *process);

/* What is still in the pipe belongs to the story of how it died. */
void lwb_process_drain_errors(struct lwb_process *process);
