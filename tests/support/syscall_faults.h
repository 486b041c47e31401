#pragma once

#include <stdbool.h>

/*
 * A program, and whatever it starts, under ptrace(2): every system call that
 * any of them makes is seen, whoever made it - our code, libuv, the C library,
 * the loader - and the n-th of one kind can be made to fail.
 *
 * What a call does is not done when it fails, but for close(2): a descriptor is
 * gone also when closing it reports an error.
 */
enum traced_role {
    TRACED_PROGRAM,  /* the function that is run, in a process of its own */
    TRACED_LAUNCH,   /* what it starts, until that executes another program */
    TRACED_GUARDIAN, /* from then on, loading included */
    TRACED_WORKER,   /* what the guardian forks */
    TRACED_ROLES,
};

enum { TRACED_CALLS = 512 };

struct syscall_fault {
    enum traced_role role;
    long call; /* its number; -1: nothing fails */
    long n;    /* which one of its kind, from 0 */
};

struct syscall_trace {
    unsigned made[TRACED_ROLES][TRACED_CALLS];
    bool fired;
    bool hung;  /* not over in time; all of it was killed */
    int status; /* of the program, as waitpid has it */
};

/* Whether processes can be traced here: ptrace, on a processor that this is written for. */
bool syscalls_can_be_traced(void);

/*
 * Run `life` and wait until nothing of what it has started is left. Calls are
 * counted, and fail, between syscall_faults_arm(true) and (false), which `life`
 * says. The caller must be a subreaper and have no other children.
 */
void syscall_faults_run(void (*life)(void *ctx), void *ctx, const struct syscall_fault *fault,
                        struct syscall_trace *trace);
void syscall_faults_arm(bool armed);
bool syscall_faults_are_armed(void); /* as the last life left it */

const char *traced_role_name(enum traced_role role);
