#pragma once

#include "child/host.h"
#include "child/host_capability.h"

/*
 * The child process as one call, for programs that bring hosts of their own:
 *
 *     int main(int argc, char **argv)
 *     {
 *         static const struct lwb_host *const hosts[] = {
 *             &my_host, &lwb_host_capability, NULL,
 *         };
 *
 *         return lwb_child_run(hosts, argc, argv);
 *     }
 *
 * lwb_host_capability is lwbuild's own host over capability libraries; a
 * program that names it serves them beside hosts of its own.
 *
 * It speaks the protocol (lwbuild/protocol/PROTOCOL.md) on what were stdin and
 * stdout when it was called; afterwards descriptor 0 is /dev/null and 1 is
 * stderr, so a stray print cannot get between frames. Descriptors from 3 on
 * are closed: nothing that the parent left open by mistake leaks into hosts.
 *
 * The process that calls it becomes a guardian and the work is done in a process
 * that it forks: what a host leaves behind, daemons included, is killed before
 * the child is seen to end. It returns in the working process only.
 *
 * Arguments: --parent-pid N (the child dies with that process, whatever it is
 * doing; without it only the end of input ends it), --version, --help.
 *
 * Call it first thing in main, with no threads running. `hosts` ends with NULL;
 * the first one is what a session gets that names no host.
 */
int lwb_child_run(const struct lwb_host *const *hosts, int argc, char **argv);

/* What lwb_child_run returns: the exit codes of every child program. */
enum lwb_child_exit {
    LWB_CHILD_EXIT_OK = 0,       /* end of input, or told to terminate */
    LWB_CHILD_EXIT_USAGE = 2,    /* wrong arguments, or not started by a parent */
    LWB_CHILD_EXIT_PROTOCOL = 3, /* the parent sent what must not come: stderr says what */
    LWB_CHILD_EXIT_SYSTEM = 4,   /* descriptors or memory could not be had */
    LWB_CHILD_EXIT_PARENT = 5,   /* the parent was gone before the child had started */
};
