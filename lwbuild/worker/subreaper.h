#pragma once

#include "lwbuild/base/error.h"

/*
 * Make this process the one that orphans below it are handed to, so that
 * nothing a child started can outlive us unseen. For programs, not libraries:
 * it is a property of the whole process. Workers kill and
 * reap what is left of their children's groups, and what has left those.
 */
int lwb_subreaper_enable(struct lwb_error *err);
