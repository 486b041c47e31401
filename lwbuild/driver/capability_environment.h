#pragma once

#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"

/*
 * What the child of a capability gets beside lwb_worker_environment: it dies of a panic, so that no
 * default value is taken for an answer, and finds modules where the caller's Lean would.
 */
int lwb_capability_environment(struct lwb_strvec *out, struct lwb_error *err);
