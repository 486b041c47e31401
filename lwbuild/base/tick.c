#include "lwbuild/base/tick.h"

#include <stddef.h>
#include <time.h>

#include "lwbuild/base/file.h"

int64_t lwb_tick_now(const char *dir)
{
    struct lwb_error ignored;
    struct timespec now;
    int64_t date;

    if (dir && lwb_file_now(&date, dir, &ignored) == LWB_OK)
        return date;
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now); /* cannot fail on Linux */
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

bool lwb_tick_pass(const char *dir, int64_t date_ns)
{
    const struct timespec pause = { .tv_nsec = 500 * 1000 };
    const int64_t future_ns = INT64_C(1000000000); /* no tick is that long */
    const int tries = 100;

    for (int i = 0; i < tries; i++) {
        int64_t now = lwb_tick_now(dir);

        if (now > date_ns)
            return true;
        if (date_ns - now > future_ns)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}
