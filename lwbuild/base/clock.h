#pragma once

#include <stdint.h>

/* Monotonic time. Decisions take times as arguments; only mechanism asks the clock. */
uint64_t lwb_clock_ns(void);

static inline uint64_t lwb_clock_ms(void)
{
    return lwb_clock_ns() / 1000000;
}

/* Seconds since 1970, for what is shown to people and for least-recently-used order. */
int64_t lwb_clock_wall_s(void);
