#pragma once

#include "child/host.h"
#include "lwbuild/child.h"

/*
 * The conversation with the parent: read a frame, do it, answer. Blocking and
 * on one thread; the parent watches the clock.
 *
 * A request that cannot be done is refused and the child goes on. What breaks
 * the protocol itself (not a frame, another version or generation, a request
 * before hello) ends the child: nothing that follows could be trusted.
 */
enum lwb_child_exit lwb_serve(const struct lwb_host *const *hosts, int in, int out,
                              struct lwb_error *err);
