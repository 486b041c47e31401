#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/strvec.h"

/*
 * A depfile that Ninja (1.10 and newer) and GNU make both read: the target, one
 * prerequisite per line, escaped. Both know the target by the name that their
 * rule gives it, so it is printed as it was given. Pure.
 *
 * Paths with a byte that one of them cannot read back (Ninja 1.11: ' & " ;
 * * < > ^ | and backslash; a newline in either) cannot be named. They are
 * counted, and "<target>.always" stands for them, a file that nobody makes: the
 * build tool then asks each time, which is slow but never wrong.
 *
 * The root folder is left out without a word. It counts where a project was looked
 * for all the way up, and Ninja up to 1.11 takes its name for an empty one, of
 * which there is no file: all such checks would run for ever. A lakefile that
 * appears there is noticed by lwbuild when it runs.
 */
void lwb_depfile_print(struct lwb_buf *out, const char *target, const struct lwb_strvec *paths,
                       size_t *left_out);
