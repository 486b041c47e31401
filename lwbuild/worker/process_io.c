#include "lwbuild/worker/process_internal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"

/* The three pipes of a process. */

/* ---- output -------------------------------------------------------------------------- */

static void set_cause(struct lwb_process *process, const struct lwb_error *err)
{
    if (process->cause.code == LWB_OK)
        process->cause = *err;
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct lwb_process *process = handle->data;
    size_t room = 0;
    char *ptr = lwb_frame_reader_room(&process->reader, &room);

    (void)suggested;
    *buf = uv_buf_init(ptr, ptr ? (unsigned)room : 0);
}

static void deliver_frames(struct lwb_process *process)
{
    struct lwb_bytes payload;
    struct lwb_error err;
    int rc = 0;

    while (!process->killed && !process->paused &&
           (rc = lwb_frame_next(&process->reader, &payload, &err)) == 1)
        process->events.frame(process->events.ctx, payload);
    if (rc >= 0 || process->killed)
        return;
    err.code = LWB_ERR_PROTOCOL;
    set_cause(process, &err);
    lwb_process_report_broken(process);
}

static void end_output(struct lwb_process *process, ssize_t status)
{
    struct lwb_error err;

    (void)uv_read_stop((uv_stream_t *)&process->output);
    process->output_ended = true;
    if (!process->killed && !process->discarding &&
        lwb_frame_reader_end(&process->reader, &err) < 0)
        set_cause(process, &err);
    if (status == UV_ENOBUFS) {
        (void)lwb_fail_memory(&err);
        set_cause(process, &err);
        lwb_process_report_broken(process);
    }
    lwb_process_advance(process);
}

/* Before `taken` bytes were read, could the pipe not take another write: did the child wait? */
static bool is_full(const struct lwb_process *process, size_t taken)
{
    uv_os_fd_t fd;
    int left = 0;

    if (uv_fileno((const uv_handle_t *)&process->output, &fd) < 0 || ioctl(fd, FIONREAD, &left) < 0)
        return false;
    return taken + (size_t)left + ONE_WRITE >= process->pipe_size;
}

static void on_output(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct lwb_process *process = stream->data;

    if (len < 0) {
        end_output(process, len);
        return;
    }
    if (process->killed || process->discarding)
        return;
    if ((size_t)len == buf->len && is_full(process, (size_t)len))
        process->waits++;
    lwb_frame_reader_commit(&process->reader, (size_t)len);
    deliver_frames(process);
}

/* ---- pause ----------------------------------------------------------------------------- */

bool lwb_process_is_paused(const struct lwb_process *process)
{
    return process->paused;
}

void lwb_process_pause(struct lwb_process *process)
{
    if (process->killed || process->exited || process->output_ended)
        return;
    process->paused = true;
    (void)uv_timer_stop(&process->resume);
    (void)uv_read_stop((uv_stream_t *)&process->output);
}

static void read_output(struct lwb_process *process)
{
    if (!process->output_ended)
        (void)uv_read_start((uv_stream_t *)&process->output, give_room, on_output);
}

static void on_resume(uv_timer_t *timer)
{
    struct lwb_process *process = timer->data;

    process->paused = false;
    process->events.resumed(process->events.ctx);
    deliver_frames(process);
    if (!process->paused)
        read_output(process);
}

void lwb_process_resume(struct lwb_process *process)
{
    if (process->paused)
        (void)uv_timer_start(&process->resume, on_resume, 0, 0); /* never from inside a call */
}

void lwb_process_end_pause(struct lwb_process *process)
{
    (void)uv_timer_stop(&process->resume);
    if (!process->paused)
        return;
    process->paused = false;
    process->discarding = true;
    read_output(process);
}

/* ---- errors ------------------------------------------------------------------------------ */

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct lwb_process *process = handle->data;

    (void)suggested;
    *buf = uv_buf_init(process->errors_chunk, STDERR_CHUNK);
}

static void on_errors(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct lwb_process *process = stream->data;

    if (len > 0)
        lwb_stderr_ring_put(&process->ring, lwb_bytes(buf->base, (size_t)len));
    else if (len < 0)
        (void)uv_read_stop(stream);
}

/* ---- input --------------------------------------------------------------------------- */

static void sending_done(struct lwb_process *process)
{
    if (process->sending.cap > OUTPUT_KEPT)
        lwb_buf_release(&process->sending);
    lwb_buf_clear(&process->sending);
}

static void break_input(struct lwb_process *process, int status)
{
    struct lwb_error err;

    /* A dying child closes its input first: how it died says more, if it did. */
    (void)lwb_fail(&err, LWB_ERR_PROTOCOL, "child does not take its input: %s",
                   uv_strerror(status));
    set_cause(process, &err);
    if (!process->killed && process->phase == RUNNING)
        lwb_process_wait_for(process, LINGER, process->config->drain_ms);
}

static void on_written(uv_write_t *write, int status)
{
    struct lwb_process *process = write->data;

    process->writing = false;
    sending_done(process);
    if (status < 0 && status != UV_ECANCELED)
        break_input(process, status);
}

void lwb_process_flush(struct lwb_process *process)
{
    uv_stream_t *input = (uv_stream_t *)&process->input;
    uv_buf_t rest = uv_buf_init(process->sending.ptr, (unsigned)process->sending.len);
    int rc = uv_try_write(input, &rest, 1);

    if (rc == (int)rest.len) {
        sending_done(process);
        return;
    }
    if (rc > 0) {
        rest.base += rc;
        rest.len -= (size_t)rc;
    }
    if (rc >= 0 || rc == UV_EAGAIN) {
        process->write.data = process;
        process->writing = true;
        rc = uv_write(&process->write, input, &rest, 1, on_written);
        if (rc == 0)
            return;
        process->writing = false;
    }
    sending_done(process);
    break_input(process, rc);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct lwb_process *process = request->data;

    (void)status;
    lwb_free(request);
    lwb_process_close_handle(&process->input);
}

void lwb_process_close_input(struct lwb_process *process)
{
    uv_shutdown_t *request;

    if (process->input_closing)
        return;
    process->input_closing = true;
    request = process->writing ? lwb_alloc(sizeof(*request)) : NULL;
    if (request) {
        request->data = process;
        if (uv_shutdown(request, (uv_stream_t *)&process->input, on_shutdown) == 0)
            return;
        lwb_free(request);
    }
    lwb_process_close_handle(&process->input);
}

/* ---- start and end ----------------------------------------------------------------------- */

/*
 * A core pipe would hold the dying child's descriptors for a minute; 1 is the
 * kernel's word for "no helper either". The hard limit stays: a child whose
 * runtime sets its own limits at start (sanitizers do) reads it, writes it back
 * and gives up when it was lowered between the two.
 */
static void forbid_core_dumps(pid_t pid)
{
    struct rlimit limit;

    if (prlimit(pid, RLIMIT_CORE, NULL, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max ? 1 : 0;
    (void)prlimit(pid, RLIMIT_CORE, &limit, NULL);
}

void lwb_process_start_reading(struct lwb_process *process)
{
    uv_os_fd_t fd;
    int size = -1;

    forbid_core_dumps(process->pid);
    if (uv_fileno((uv_handle_t *)&process->output, &fd) == 0) {
        (void)fcntl(fd, F_SETPIPE_SZ, STDOUT_PIPE); /* refused: the usual size will do */
        size = fcntl(fd, F_GETPIPE_SZ);
    }
    process->pipe_size = size > 0 ? (size_t)size : 64 * 1024;
    read_output(process);
    (void)uv_read_start((uv_stream_t *)&process->errors, give_chunk, on_errors);
}

void lwb_process_drain_errors(struct lwb_process *process)
{
    uv_os_fd_t fd;
    ssize_t len;
    unsigned rounds = 0;

    if (uv_is_closing((uv_handle_t *)&process->errors) ||
        uv_fileno((uv_handle_t *)&process->errors, &fd) < 0)
        return;
    do {
        len = read(fd, process->errors_chunk, STDERR_CHUNK);
        if (len > 0)
            lwb_stderr_ring_put(&process->ring, lwb_bytes(process->errors_chunk, (size_t)len));
    } while (len > 0 && ++rounds < 128); /* a pipe holds a MiB at most, others may still write */
}
