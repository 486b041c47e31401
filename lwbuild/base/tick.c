#include "lwbuild/base/tick.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lwbuild/base/file.h"

static int64_t nanoseconds(struct timespec time)
{
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now); /* cannot fail on Linux */
    return nanoseconds(now);
}

static bool ask_server(const char *dir, int64_t *date)
{
    struct lwb_error ignored;

    return dir && lwb_file_now(date, dir, &ignored) == LWB_OK;
}

int64_t lwb_tick_now(const char *dir)
{
    int64_t date;

    /* The finest clock: files get the same time or, in the tick that is running, an earlier one. */
    return ask_server(dir, &date) ? date : read_clock(CLOCK_REALTIME);
}

/* Of one whose date was asked for before, so that it is a fine one where there are such. */
static int64_t date_of_a_write(const char *dir, int memory_file)
{
    struct stat st;
    int64_t date;

    if (ask_server(dir, &date))
        return date;
    if (futimens(memory_file, NULL) == 0 && fstat(memory_file, &st) == 0)
        return nanoseconds(st.st_mtim);
    return read_clock(CLOCK_REALTIME_COARSE);
}

enum lwb_tick_says lwb_tick_judge(int64_t written_ns, int64_t date_ns, unsigned tries)
{
    const int64_t future_ns = INT64_C(1000000000);
    const unsigned max_tries = 100;

    if (written_ns > date_ns)
        return LWB_TICK_PASSED;
    return date_ns - written_ns > future_ns || tries >= max_tries ? LWB_TICK_FUTURE : LWB_TICK_WAIT;
}

bool lwb_tick_pass(const char *dir, int64_t date_ns)
{
    const struct timespec pause = { .tv_nsec = 500 * 1000 };
    int memory_file = memfd_create("lwbuild-clock", MFD_CLOEXEC);
    enum lwb_tick_says says;
    struct stat asked;
    unsigned tries = 0;

    (void)fstat(memory_file, &asked);
    while ((says = lwb_tick_judge(date_of_a_write(dir, memory_file), date_ns, tries)) ==
           LWB_TICK_WAIT) {
        (void)nanosleep(&pause, NULL);
        tries++;
    }
    if (memory_file >= 0)
        close(memory_file);
    return says == LWB_TICK_PASSED;
}
