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
 */
void lwb_depfile_print(struct lwb_buf *out, const char *target, const struct lwb_strvec *paths,
                       size_t *left_out);
