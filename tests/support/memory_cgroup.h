#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * A memory control group, for a real kill by the kernel: version 2 or 1,
 * wherever the system lets us make one.
 */
struct memory_cgroup {
    char dir[128];
};

/* Returns 0, or -1 where that may not be done. */
int memory_cgroup_make(struct memory_cgroup *cgroup, uint64_t bytes);

/* Returns 0, or -1. */
int memory_cgroup_add(const struct memory_cgroup *cgroup, pid_t pid);

/* When nobody is in it any more. */
void memory_cgroup_remove(const struct memory_cgroup *cgroup);
