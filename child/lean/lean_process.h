#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"

/*
 * One `lean` process and its three pipes. It stays in our process group, so
 * that whoever ends us ends it, and gets a parent-death signal of its own for
 * the case that we are killed alone. Its environment is what is given here and
 * nothing else.
 *
 * I/O is blocking for the caller, but never for the process: every wait writes
 * what is to be written and drains stdout and stderr at the same time, however
 * much there is of either.
 */
struct lwb_lean_command {
    const char *program;           /* absolute path; also argv[0] */
    struct lwb_strvec arguments;   /* without argv[0] */
    struct lwb_strvec environment; /* "NAME=value" */
    const char *folder;            /* working directory */
};

void lwb_lean_command_release(struct lwb_lean_command *command);
LWB_DEFINE_AUTO(struct lwb_lean_command, lwb_lean_command_release);

enum { LWB_LEAN_STDERR_KEPT = 16 * 1024, LWB_LEAN_LINE_KEPT = 4096 };

struct lwb_lean_process {
    pid_t pid;  /* 0: not running */
    int pid_fd; /* readable when it has ended; -1 where the kernel has none */
    int in, out, err;
    bool exited; /* waited for: exit_code or signal says how */
    int exit_code;
    int signal;
    bool panicked;            /* a line of stderr began with "PANIC" since it was last asked */
    struct lwb_buf complaint; /* the end of stderr */
    struct lwb_buf line;      /* the line of stderr that is not complete yet */
};

/* LWB_ERR_SPAWN when it cannot be started; then nothing is left behind. */
int lwb_lean_process_start(struct lwb_lean_process *process, const struct lwb_lean_command *command,
                           struct lwb_error *err);

/* Ends it if it runs, reaps it, closes what is open. NULL-safe on a zeroed struct. */
void lwb_lean_process_stop(struct lwb_lean_process *process);
LWB_DEFINE_AUTO(struct lwb_lean_process, lwb_lean_process_stop);

enum lwb_lean_wait {
    LWB_LEAN_WAIT_DATA, /* *got bytes were read from stdout */
    LWB_LEAN_WAIT_IDLE, /* something else happened: ask again */
    LWB_LEAN_WAIT_END,  /* it has ended and its output is read; exited is set */
    LWB_LEAN_WAIT_TIME, /* the deadline (lwb_clock_ns; 0: none) has passed */
};

/*
 * Waits once: writes the front of *send (which is advanced), reads stdout into
 * room, keeps stderr. Returns one of the above or a negative code.
 */
int lwb_lean_process_wait(struct lwb_lean_process *process, struct lwb_bytes *send, char *room,
                          size_t size, size_t *got, uint64_t deadline, struct lwb_error *err);

/* Reads what stderr holds right now, without waiting. */
void lwb_lean_process_drain_stderr(struct lwb_lean_process *process);

/* Private memory in bytes (resident without what is shared with files), 0 if not known. */
uint64_t lwb_lean_process_memory(const struct lwb_lean_process *process);

/* A run from start to end. stdout is appended to `output`, whose max makes *overflow. */
struct lwb_lean_run {
    int exit_code;
    int signal;
    bool panicked;
    bool timed_out;
    bool overflow;
    struct lwb_buf complaint; /* the end of stderr */
};
void lwb_lean_run_release(struct lwb_lean_run *run);
LWB_DEFINE_AUTO(struct lwb_lean_run, lwb_lean_run_release);

int lwb_lean_process_run(struct lwb_lean_run *run, const struct lwb_lean_command *command,
                         struct lwb_buf *output, uint64_t deadline, struct lwb_error *err);
