#include "child/lean/lean_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"

/*
 * A process may end while something that it started still holds its pipes, so
 * the end of output is not the end: the process descriptor says when it has
 * ended, and then output is read for as long as there is some, but not waited
 * for any longer.
 */

enum {
    DRAIN_MS = 50, /* for output of a process that has ended */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void reap(pid_t pid, int *status)
{
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        continue;
}

/* ---- the end ------------------------------------------------------------------------------- */

static void note_status(struct lwb_lean_process *process, int status)
{
    process->exited = true;
    process->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    process->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Sets exited if the process has ended; never waits. */
static bool has_ended(struct lwb_lean_process *process)
{
    int status;

    if (!process->exited && waitpid(process->pid, &status, WNOHANG) == process->pid)
        note_status(process, status);
    return process->exited;
}

void lwb_lean_process_stop(struct lwb_lean_process *process)
{
    if (!process->pid)
        return;
    if (!process->exited) {
        int status = 0;

        (void)kill(process->pid, SIGKILL); /* our child, not reaped: the pid is still its */
        reap(process->pid, &status);
        note_status(process, status);
    }
    close_fd(&process->in);
    close_fd(&process->out);
    close_fd(&process->err);
    close_fd(&process->pid_fd);
    lwb_buf_release(&process->complaint);
    lwb_buf_release(&process->line);
    process->pid = 0;
}

/* ---- stderr ---------------------------------------------------------------------------------- */

/* The worker puts "[uri] " in front of what it writes itself. */
static bool is_panic_line(const struct lwb_buf *line)
{
    const char *text = lwb_buf_text(line);

    if (text[0] == '[' && strstr(text, "] "))
        text = strstr(text, "] ") + 2;
    return strncmp(text, "PANIC", 5) == 0 || strncmp(text, "INTERNAL PANIC", 14) == 0;
}

static void look_for_panic(struct lwb_lean_process *process, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != '\n') {
            if (process->line.len < LWB_LEAN_LINE_KEPT)
                lwb_buf_append_char(&process->line, data[i]);
            continue;
        }
        process->panicked = process->panicked || is_panic_line(&process->line);
        lwb_buf_clear(&process->line);
    }
    process->panicked = process->panicked || is_panic_line(&process->line);
}

/* The last 16 KiB are enough to say what went wrong. */
static void keep_complaint(struct lwb_lean_process *process, const char *data, size_t len)
{
    size_t skip = len > LWB_LEAN_STDERR_KEPT ? len - LWB_LEAN_STDERR_KEPT : 0;

    if (process->complaint.len + len - skip > 2 * LWB_LEAN_STDERR_KEPT)
        lwb_buf_consume(&process->complaint, process->complaint.len - LWB_LEAN_STDERR_KEPT / 2);
    if (process->complaint.len + len - skip > 2 * LWB_LEAN_STDERR_KEPT)
        lwb_buf_clear(&process->complaint);
    lwb_buf_append(&process->complaint, data + skip, len - skip);
}

/* Returns false at the end of stderr. */
static bool read_stderr(struct lwb_lean_process *process)
{
    char data[8192];
    ssize_t n = read(process->err, data, sizeof(data));

    if (n > 0) {
        look_for_panic(process, data, (size_t)n);
        keep_complaint(process, data, (size_t)n);
        return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    close_fd(&process->err);
    return false;
}

void lwb_lean_process_drain_stderr(struct lwb_lean_process *process)
{
    while (process->err >= 0 && read_stderr(process))
        continue;
}

/* ---- waiting --------------------------------------------------------------------------------- */

static int timeout_ms(uint64_t deadline)
{
    uint64_t now;

    if (!deadline)
        return -1;
    now = lwb_clock_ns();
    if (now >= deadline)
        return 0;
    deadline = (deadline - now) / 1000000 + 1;
    return deadline > 1000000 ? 1000000 : (int)deadline;
}

static void write_some(struct lwb_lean_process *process, struct lwb_bytes *send)
{
    ssize_t n = write(process->in, send->ptr, send->len);

    if (n >= 0)
        *send = lwb_bytes(send->ptr + n, send->len - (size_t)n);
    else if (errno != EAGAIN && errno != EINTR)
        close_fd(&process->in); /* it does not read any more; its end will tell why */
}

/* Returns the bytes read, 0 if there are none now or ever. */
static size_t read_some(struct lwb_lean_process *process, char *room, size_t size)
{
    ssize_t n = read(process->out, room, size);

    if (n > 0)
        return (size_t)n;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    close_fd(&process->out);
    return 0;
}

/* Ended: one last look at what it left behind. Others may hold its pipes open for ever. */
static int finish(struct lwb_lean_process *process, char *room, size_t size, size_t *got)
{
    struct pollfd left = { .fd = process->out, .events = POLLIN };

    lwb_lean_process_drain_stderr(process);
    if (process->out < 0 || poll(&left, 1, DRAIN_MS) <= 0)
        return LWB_LEAN_WAIT_END;
    *got = read_some(process, room, size);
    return *got ? LWB_LEAN_WAIT_DATA : LWB_LEAN_WAIT_END;
}

enum { STDIN, STDOUT, STDERR, ENDED, N_WAITS };

int lwb_lean_process_wait(struct lwb_lean_process *process, struct lwb_bytes *send, char *room,
                          size_t size, size_t *got, uint64_t deadline, struct lwb_error *err)
{
    struct pollfd waits[N_WAITS] = {
        [STDIN] = { .fd = send && send->len > 0 ? process->in : -1, .events = POLLOUT },
        [STDOUT] = { .fd = process->out, .events = POLLIN },
        [STDERR] = { .fd = process->err, .events = POLLIN },
        [ENDED] = { .fd = process->pid_fd, .events = POLLIN },
    };
    int n;

    if (process->exited || (process->out < 0 && process->pid_fd < 0 && has_ended(process)))
        return finish(process, room, size, got);
    n = poll(waits, N_WAITS, timeout_ms(deadline));
    if (n < 0 && errno != EINTR)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "poll");
    if (n == 0)
        return LWB_LEAN_WAIT_TIME;
    if (n < 0)
        return LWB_LEAN_WAIT_IDLE;
    if (send && waits[STDIN].revents)
        write_some(process, send);
    if (waits[STDERR].revents)
        (void)read_stderr(process);
    if (waits[STDOUT].revents) {
        *got = read_some(process, room, size);
        if (*got)
            return LWB_LEAN_WAIT_DATA;
    }
    if (waits[ENDED].revents && has_ended(process))
        return finish(process, room, size, got);
    return LWB_LEAN_WAIT_IDLE;
}

uint64_t lwb_lean_process_memory(const struct lwb_lean_process *process)
{
    char path[64], text[128] = "";
    unsigned long long resident, shared;
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)process->pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (n <= 0 || sscanf(text, "%*u %llu %llu", &resident, &shared) != 2 || shared > resident)
        return 0;
    return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- a run from start to end ----------------------------------------------------------------- */

void lwb_lean_run_release(struct lwb_lean_run *run)
{
    lwb_buf_release(&run->complaint);
}

/* Takes what the process has to tell and leaves it to be stopped. */
static void conclude(struct lwb_lean_run *run, struct lwb_lean_process *process)
{
    lwb_lean_process_drain_stderr(process);
    run->exit_code = process->exit_code;
    run->signal = process->signal;
    run->panicked = process->panicked;
    run->complaint = process->complaint;
    process->complaint = LWB_BUF(0);
}

int lwb_lean_process_run(struct lwb_lean_run *run, const struct lwb_lean_command *command,
                         struct lwb_buf *output, uint64_t deadline, struct lwb_error *err)
{
    LWB_AUTO(lwb_lean_process_stop) struct lwb_lean_process process = { 0 };
    char room[32 * 1024];
    size_t got = 0;
    int rc = lwb_lean_process_start(&process, command, err);

    if (rc < 0)
        return rc;
    close_fd(&process.in);
    *run = (struct lwb_lean_run){ 0 };
    while (!run->timed_out && !run->overflow) {
        rc = lwb_lean_process_wait(&process, NULL, room, sizeof(room), &got, deadline, err);
        if (rc < 0)
            return rc;
        if (rc == LWB_LEAN_WAIT_END)
            break;
        if (rc == LWB_LEAN_WAIT_TIME)
            run->timed_out = true;
        if (rc == LWB_LEAN_WAIT_DATA)
            lwb_buf_append(output, room, got);
        run->overflow = !lwb_buf_ok(output);
    }
    conclude(run, &process);
    return LWB_OK;
}
