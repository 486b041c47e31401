#pragma once

#include "child/kernel/environment.h"

/*
 * The three phases of admit.h. Admission is one thread's work, since it adds to
 * the lasting terms; while it goes through the file, the other threads look over
 * what is ahead of it. Then all of them check values, taking items in file
 * order. `done` is called from the
 * calling thread for each item in file order, once its state and those of all
 * items before it are final.
 */
struct kn_schedule {
    struct kn_ctx *ctx; /* of the reader; used for admission */
    unsigned threads;
    size_t stack_bytes;
    int (*done)(void *data, const struct kn_item *item); /* non-zero: stop */
    void *data;
};

/* False when a thread could not be had; then nothing was checked. */
bool kn_schedule_run(struct kn_schedule *schedule);

/* Run fn(data) on a thread with a stack of this size, whose lower end fn is told. */
bool kn_with_stack(size_t stack_bytes, void (*fn)(void *data, char *stack_low), void *data);
