#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The clock by which files are dated. Kernels take the time of their last tick,
 * some milliseconds ago, so what is written within one tick has one date, and
 * does not show which came first. Who gives a file a date, and wants all that is
 * edited from now on to be later, lets that date pass:
 *
 *     int64_t date = lwb_tick_now(dir);
 *
 *     lwb_tick_pass(dir, date);
 *     ... look at the inputs ...
 *
 * What is edited before the look is seen by it, what is edited later has a later date.
 * `dir` is a folder of the file system that is asked, by a temporary file there:
 * servers have clocks of their own. NULL, or a folder in which nothing can be
 * written: the clock of this machine, which all its own file systems go by.
 */
int64_t lwb_tick_now(const char *dir);

/*
 * Wait until lwb_tick_now is later than date_ns. Returns false, without a wait
 * that anybody would notice, when that does not come to pass: the date lies in
 * the future, or the clock stands still.
 */
bool lwb_tick_pass(const char *dir, int64_t date_ns);
