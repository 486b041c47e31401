#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * Memory of a process group: what would be free without it. That is private
 * dirty memory and swap from smaps_rollup, over all members; resident size
 * would count mapped files, which cost nothing.
 *
 * Returns 0, or -1 when no member could be read: a missing sample is not a
 * small one.
 */
int lwb_group_memory(pid_t group, uint64_t *bytes);
