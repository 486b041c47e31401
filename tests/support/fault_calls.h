#pragma once

#include <stdbool.h>

/*
 * Calls of the C library that fail once, at a chosen moment: the n-th call of
 * one kind, counted from 0, made by this program or by the libraries it uses.
 * Linked into a test, these functions stand in front of the C library's.
 *
 * They work in every build and sandbox, and name what was called. What they do
 * not reach - calls that the C library makes itself, other processes - is
 * reached by syscall_faults.h. read and write fail only on the pipes of a child.
 */
enum fault_call {
    FAULT_PIPE,
    FAULT_SPAWN,
    FAULT_READ,
    FAULT_WRITE,
    FAULT_FCNTL,
    FAULT_IOCTL,
    FAULT_WAITPID,
    FAULT_KILL,
    FAULT_OPEN,
    FAULT_OPENDIR,
    FAULT_PRLIMIT,
    FAULT_PIDFD,
    FAULT_CALLS,
};

const char *fault_call_name(enum fault_call call);

/* Before the pipes are made that read and write shall fail on. */
void fault_call_arm(enum fault_call call, long n);

/* Whether it has failed. From here on nothing fails. */
bool fault_call_disarm(void);
