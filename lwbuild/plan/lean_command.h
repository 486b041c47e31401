#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * Ask a `lean` binary about itself: run `<lean> <argument>` with a constant
 * environment and append what it prints to `out`. Blocks for at most 10 s; then
 * the process is killed and the call fails. An exit code other than 0 fails too.
 */
int lwb_lean_ask(struct lwb_buf *out, const char *lean, const char *argument,
                 struct lwb_error *err);
