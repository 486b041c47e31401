#include "lwbuild/base/clock.h"

#include <time.h>

uint64_t lwb_clock_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t lwb_clock_wall_s(void)
{
    return (int64_t)time(NULL);
}
