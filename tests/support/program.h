#pragma once

#include <sys/types.h>

#include "lwbuild/base/buf.h"

/*
 * Run a real program and look at what it did. Its stdin is /dev/null, stdout
 * and stderr go to files, so that no pipe can fill. Every variable of the test
 * is inherited; `environment` (NAME=VALUE..., NULL at the end, or NULL) is
 * added to them.
 */
struct program_run {
    int exit_code; /* -1 when it died of a signal */
    int signal;
    long max_rss_kib; /* resident at most, of it and of those it has waited for */
    struct lwb_buf out;
    struct lwb_buf err;
};

struct program {
    const char *const *argv; /* argv[0] is a path */
    const char *const *environment;
    const char *cwd; /* NULL: the test's own */
};

/* Start and wait. Fails the test when it cannot be started. */
void program_run(struct program_run *run, const struct program *program);

/* Start only; then wait for it. */
struct program_handle {
    pid_t pid;
    int out_fd, err_fd;
};
void program_start(struct program_handle *handle, const struct program *program);
void program_wait(struct program_run *run, struct program_handle *handle);

/* Does a process run that was told `--parent-pid <pid>`: a child of a driver that may be gone? */
bool program_has_child_of(pid_t pid);

void program_run_release(struct program_run *run);
LWB_DEFINE_AUTO(struct program_run, program_run_release);
