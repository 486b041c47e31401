#pragma once

#include "lwbuild/base/error.h"

/*
 * Frames on private descriptors. Whatever runs in a host may print: Lean's
 * IO.println, a debugging printf in a capability library, a program that one
 * of them starts. None of it may land between two frames, and none of it may
 * eat a request.
 */
struct lwb_stdout_guard {
    int in;  /* was 0: requests; close-on-exec */
    int out; /* was 1: answers; close-on-exec */
};

/*
 * Moves stdin and stdout away. Afterwards 0 is /dev/null and 1 is what 2 is
 * (/dev/null when the process has no stderr). Whoever is started from here on
 * inherits these and nothing else.
 */
int lwb_stdout_guard_take(struct lwb_stdout_guard *out, struct lwb_error *err);
