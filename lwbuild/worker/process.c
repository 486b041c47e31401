#include "lwbuild/worker/process_internal.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/proc_tree.h"

/*
 * How it ends. Two events say so, in either order: exit (process_exit.c) and end
 * of output. `phase` names what is being waited for, `timer` bounds it:
 *
 *   RUNNING  nothing yet
 *   LINGER   output ended, the child lives: drain_ms, then it is broken
 *   KILLED   SIGKILL sent, no exit yet: reap_timeout_ms, then give up
 *   DRAIN    exited, output still open: drain_ms (something else holds it)
 *   GROUP    exited and drained, but its group is not empty: drain_ms at most
 *   CLOSING  every handle is being closed
 *
 * stderr is never waited for: after the exit it is read empty, then closed.
 */

int lwb_process_create(struct lwb_process **out, uv_loop_t *loop,
                       const struct lwb_worker_config *config,
                       const struct lwb_process_events *events, struct lwb_error *err)
{
    LWB_AUTO(lwb_free) void *chunk = lwb_alloc(STDERR_CHUNK);
    struct lwb_process *process = lwb_alloc(sizeof(*process));

    if (!process || !chunk) {
        lwb_free(process);
        return lwb_fail_memory(err);
    }
    process->loop = loop;
    process->config = config;
    process->events = *events;
    process->pidfd = -1;
    process->errors_chunk = LWB_TAKE(chunk);
    process->sending = LWB_BUF((size_t)LWB_FRAME_MAX_LIMIT + LWB_FRAME_HEADER);
    lwb_frame_reader_init(&process->reader, LWB_FRAME_MIN_LIMIT);
    lwb_stderr_ring_init(&process->ring, config->max_stderr);
    *out = process;
    return LWB_OK;
}

void lwb_process_destroy(struct lwb_process *process)
{
    if (!process)
        return;
    assert(process->open_handles == 0);
    lwb_frame_reader_release(&process->reader);
    lwb_buf_release(&process->sending);
    lwb_stderr_ring_release(&process->ring);
    lwb_free(process->errors_chunk);
    lwb_free(process);
}

pid_t lwb_process_pid(const struct lwb_process *process)
{
    return process->pid;
}

void lwb_process_set_limit(struct lwb_process *process, uint32_t limit)
{
    lwb_frame_reader_set_limit(&process->reader, limit);
}

struct lwb_buf *lwb_process_output(struct lwb_process *process)
{
    assert(!process->writing);
    return &process->sending;
}

const struct lwb_stderr_ring *lwb_process_stderr(const struct lwb_process *process)
{
    return &process->ring;
}

uint64_t lwb_process_waits(const struct lwb_process *process)
{
    return process->waits;
}

/* ---- closing ---------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct lwb_process *process = handle->data;

    handle->data = NULL;
    if (--process->open_handles == 0)
        process->events.gone(process->events.ctx, &process->status, &process->cause);
}

void lwb_process_adopt(struct lwb_process *process, void *handle)
{
    ((uv_handle_t *)handle)->data = process;
    process->open_handles++;
}

void lwb_process_close_handle(void *handle)
{
    uv_handle_t *closing = handle;

    if (closing->data && !uv_is_closing(closing))
        uv_close(closing, on_closed);
}

void lwb_process_close_all(struct lwb_process *process)
{
    process->phase = CLOSING;
    lwb_process_close_handle(&process->timer);
    lwb_process_close_handle(&process->deadline);
    lwb_process_close_handle(&process->tick);
    lwb_process_close_handle(&process->resume);
    lwb_process_close_handle(&process->input);
    lwb_process_close_handle(&process->output);
    lwb_process_close_handle(&process->errors);
    lwb_process_unwatch_exit(process);
}

/* ---- the end ------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

void lwb_process_wait_for(struct lwb_process *process, enum phase phase, uint64_t ms)
{
    process->phase = phase;
    uv_update_time(process->loop); /* a slow sink may have held the loop for longer than `ms` */
    (void)uv_timer_start(&process->timer, on_timer, ms, 0);
}

/* To be called as long as it was not waited for: then the number of the group is its own. */
static void kill_group(struct lwb_process *process)
{
    if (process->pid > 0 && kill(-process->pid, SIGKILL) != 0)
        (void)kill(process->pid, SIGKILL); /* a sandbox may know better; ESRCH does no harm */
}

/* It was killed, so nobody looked after what its child had started. */
static bool left_orphans(const struct lwb_process *process)
{
    return process->exited && (!process->status.known || process->status.signal == SIGKILL);
}

/*
 * Orphans that were handed to us are reaped here; those of the group that were
 * handed to another reaper are only looked at.
 */
static bool group_is_empty(struct lwb_process *process)
{
    bool none_left;
    pid_t pid;

    if (left_orphans(process))
        lwb_descendants_hunt(&process->descendants, process->lineage);
    none_left = lwb_descendants_reap(&process->descendants);
    do {
        pid = waitpid(-process->pid, NULL, WNOHANG);
    } while (pid > 0);
    if (pid == 0) {
        (void)kill(-process->pid, SIGKILL); /* some are ours: they hold the group's number */
        return false;
    }
    if (kill(-process->pid, 0) != 0 && errno == ESRCH)
        return none_left;
    return none_left && !lwb_proc_group_lives(process->pid); /* dead ones may be init's to bury */
}

static void finish(struct lwb_process *process)
{
    lwb_descendants_release(&process->descendants);
    lwb_process_drain_errors(process);
    lwb_process_close_all(process);
}

enum { LOOKS_AT_ONCE = 3 };

/* Exited and drained: only its group may still be there. */
static void sweep_group(struct lwb_process *process)
{
    uint64_t wait_ms = process->group_waited_ms ? process->group_waited_ms : 1;

    if (process->group_looks++ < LOOKS_AT_ONCE)
        wait_ms = 0; /* its pipe is closed already: it is as good as dead */
    if (group_is_empty(process) || process->group_waited_ms >= process->config->drain_ms) {
        finish(process);
        return;
    }
    process->group_waited_ms += wait_ms; /* 0, 0, 0, 1, 1, 2, 4, ... */
    lwb_process_wait_for(process, GROUP, wait_ms);
}

void lwb_process_advance(struct lwb_process *process)
{
    if (process->phase == CLOSING || process->phase == GROUP)
        return;
    if (process->exited && process->output_ended)
        sweep_group(process);
    else if (process->exited)
        lwb_process_wait_for(process, DRAIN, process->config->drain_ms);
    else if (process->output_ended && process->phase == RUNNING)
        lwb_process_wait_for(process, LINGER, process->config->drain_ms);
}

void lwb_process_report_broken(struct lwb_process *process)
{
    if (!process->killed)
        process->events.broken(process->events.ctx, &process->cause);
}

static void note_status(struct lwb_process *process, int status)
{
    process->status.known = true;
    process->status.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    process->status.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    process->status.killed = process->killed;
}

/* The child cannot be killed, or nothing has told us of its exit. */
static void give_up_reaping(struct lwb_process *process)
{
    int status;

    if (waitpid(process->pid, &status, WNOHANG) == process->pid)
        note_status(process, status);
    finish(process);
}

static void on_timer(uv_timer_t *timer)
{
    struct lwb_process *process = timer->data;

    switch (process->phase) {
    case LINGER:
        if (process->cause.code == LWB_OK)
            (void)lwb_fail(&process->cause, LWB_ERR_PROTOCOL,
                           "child closed its output but did not exit");
        lwb_process_report_broken(process);
        break;
    case KILLED:
        give_up_reaping(process);
        break;
    case DRAIN:
        process->output_ended = true;
        sweep_group(process);
        break;
    case GROUP:
        sweep_group(process);
        break;
    default:
        break;
    }
}

void lwb_process_on_exit(struct lwb_process *process, const int *status)
{
    process->exited = true;
    if (status)
        note_status(process, *status);
    lwb_process_end_pause(process);
    if (process->status.signal == SIGKILL && !process->killed)
        process->status.out_of_memory = lwb_oom_kills(LWB_VMSTAT) > process->oom_kills_before;
    if (left_orphans(process))
        lwb_descendants_hunt(&process->descendants, process->lineage);
    process->events.exited(process->events.ctx);
    lwb_process_advance(process);
}

void lwb_process_kill(struct lwb_process *process)
{
    if (process->killed || process->phase == CLOSING)
        return;
    process->killed = true;
    (void)uv_timer_stop(&process->deadline);
    (void)uv_timer_stop(&process->tick);
    lwb_process_end_pause(process);
    if (process->exited)
        return;
    if (process->pid > 0)
        lwb_descendants_kill(&process->descendants,
                             process->pid); /* also those that left the group */
    kill_group(process);
    lwb_process_wait_for(process, KILLED, process->config->reap_timeout_ms);
}

/* ---- time -------------------------------------------------------------------------------- */

static void on_deadline(uv_timer_t *timer)
{
    struct lwb_process *process = timer->data;

    process->events.deadline(process->events.ctx);
}

void lwb_process_set_deadline(struct lwb_process *process, uint64_t ms)
{
    if (ms && process->phase < CLOSING)
        (void)uv_timer_start(&process->deadline, on_deadline, ms, 0);
    else
        (void)uv_timer_stop(&process->deadline);
}

static void on_tick(uv_timer_t *timer)
{
    struct lwb_process *process = timer->data;

    process->events.tick(process->events.ctx);
}

void lwb_process_set_tick(struct lwb_process *process, uint64_t interval_ms)
{
    if (interval_ms && process->phase < CLOSING)
        (void)uv_timer_start(&process->tick, on_tick, interval_ms, interval_ms);
    else
        (void)uv_timer_stop(&process->tick);
}
