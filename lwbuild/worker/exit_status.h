#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwbuild/base/error.h"

/* How a child ended, in data and in words. Pure but for lwb_oom_kills. */
struct lwb_exit {
    bool known;         /* false: it could not be waited for, or was never started */
    int code;           /* of exit(), 0 with a signal */
    int signal;         /* 0: it exited */
    bool killed;        /* we sent SIGKILL */
    bool out_of_memory; /* SIGKILL, not ours, and the system has killed for memory meanwhile */
};

/* It exited by itself with 0. */
bool lwb_exit_is_clean(const struct lwb_exit *status);

/* "exited with status 3", "killed by SIGSEGV", "killed by SIGKILL, out of memory". */
void lwb_exit_describe(const struct lwb_exit *status, char *text, size_t size);

/* LWB_ERR_CHILD_EXITED, LWB_ERR_CHILD_ABORTED or LWB_ERR_WAIT, with facts. */
int lwb_exit_fail(const struct lwb_exit *status, struct lwb_error *err);

/* How often the system has killed a process for want of memory; 0 when that is not known. */
uint64_t lwb_oom_kills(const char *vmstat_path);
#define LWB_VMSTAT "/proc/vmstat"
