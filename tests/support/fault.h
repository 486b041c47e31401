#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory that runs out once, at a chosen moment. All of lwbuild and cJSON
 * allocate through base/alloc.h, so a sweep over n makes every single
 * allocation of a piece of code fail in turn:
 *
 *     fault_begin();
 *     do {
 *         fault_arm(n++);
 *         ... the code, which must fail cleanly or get by ...
 *     } while (fault_disarm());
 *     assert_true(n > 5);                       a sweep that injects nothing must not pass
 *     assert_int_equal(fault_live_blocks(), 0);
 *     fault_end();
 *
 * Safe with threads.
 */
void fault_begin(void);
void fault_end(void);

/* The n-th allocation from here on fails, counted from 0; those behind it work again. */
void fault_arm(long n);

/* Whether it has failed. From here on nothing fails. */
bool fault_disarm(void);

/* Blocks that were allocated since fault_begin and not freed. */
long fault_live_blocks(void);
