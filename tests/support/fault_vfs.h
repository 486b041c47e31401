#pragma once

#include <stdbool.h>

/*
 * A file system under SQLite whose n-th operation goes wrong. It is made the
 * default, so code under test opens its databases through it without knowing.
 * Operations are opening, removing, reading, writing, cutting, syncing, asking
 * for the size, and locking, of the database, its log and its shared memory.
 */
enum fault_kind {
    FAULT_ONCE,      /* one I/O error, all is well again afterwards */
    FAULT_FOR_GOOD,  /* from there on nothing works */
    FAULT_DISK_FULL, /* from there on nothing can be written or grown */
    FAULT_KILL,      /* the process dies instead of doing it */
    FAULT_KILL_TORN, /* the process dies after half of a write */
};

/* Once per process, before the first database is opened. */
void fault_vfs_install(void);

/* The n-th operation from here on goes wrong, counted from 0. */
void fault_vfs_arm(enum fault_kind kind, long n);

/* Whether it came to that. From here on nothing goes wrong. */
bool fault_vfs_disarm(void);

/* Files opened from now on have no shared memory, as on a network file system: no log then. */
void fault_vfs_without_shared_memory(bool without);
