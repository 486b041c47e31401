#pragma once

/*
 * What a build tool is told. The first three end a run; among the others the
 * gravest counts: rejected, then stale, then no verdict.
 */
enum lwb_exit_code {
    LWB_EXIT_ACCEPTED = 0,    /* every module is accepted, by the policy too */
    LWB_EXIT_REJECTED = 1,    /* by Lean, by the kernel or by the policy */
    LWB_EXIT_USAGE = 2,       /* the command line makes no sense */
    LWB_EXIT_ENVIRONMENT = 3, /* no toolchain, no project, bad lakefile, missing import */
    LWB_EXIT_NO_VERDICT = 4,  /* time, memory, crash, declined */
    LWB_EXIT_STALE = 5,       /* an import is not what its source says */
    LWB_EXIT_CANCELLED = 130, /* SIGINT or SIGTERM */
};
