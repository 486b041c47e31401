#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The clock by which files are dated. It may show the time of the kernel's last
 * tick, some milliseconds ago, so what is written within one tick has one date, and
 * does not show which came first. Who gives a file a date, and wants all that is
 * edited from now on to be later, lets the clock get past that date:
 *
 *     int64_t date = lwb_tick_now(dir);   nothing that was written is later
 *
 *     lwb_tick_pass(dir, date);           all that will be written is later
 *     ... look at the inputs ...
 *
 * What is edited before the look is seen by it, what is edited later has a later date.
 *
 * Linux since 6.13 dates a file finely when somebody has asked for the date that it had
 * ("multigrain timestamps"), and no file anywhere earlier than that from then on. So
 * who writes a file, asks for its date and writes it again, has moved the clock. That takes
 * microseconds, and is what lwb_tick_pass does. Before that one had to wait for the
 * next tick, 4 ms at most with 250 ticks a second, 10 ms with 100.
 *
 * `dir` is a folder of the file system that is asked, by temporary files there:
 * servers have clocks of their own. NULL, or a folder in which nothing can be
 * written: the clock of this machine, which all its own file systems go by.
 *
 * Two things are beyond this, as they are for build tools. Clocks of two machines have to
 * agree when a date of one is compared with that of the other. And where less is kept of
 * a date than the clock shows (FAT: 2 s, ext4 with small inodes: 1 s), dates do not show
 * for so long what came first, and nobody waits for so long.
 */
int64_t lwb_tick_now(const char *dir);

/*
 * Return when what is written from now on is dated later than date_ns. Returns false,
 * without a wait that anybody would notice, when that does not come to pass: the
 * date lies in the future, or the clock stands still.
 */
bool lwb_tick_pass(const char *dir, int64_t date_ns);

/* What lwb_tick_pass goes by: the date of what is written now, after `tries` waits. */
enum lwb_tick_says {
    LWB_TICK_PASSED,
    LWB_TICK_WAIT,
    LWB_TICK_FUTURE, /* no tick is that long, or lasts for so many tries */
};
enum lwb_tick_says lwb_tick_judge(int64_t written_ns, int64_t date_ns, unsigned tries);
