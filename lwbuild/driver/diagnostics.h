#pragma once

#include <stdbool.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/protocol/diagnostic.h"

/* Messages for people and programs. Pure: appends to a buffer. */

/*
 * What `lean FILE` prints: "file:line:col: error: text". Lean gives information
 * messages neither file nor position (Message.toString, every version from
 * 2021 to 4.34). Ends with a newline.
 */
void lwb_diagnostic_print(struct lwb_buf *out, const char *file,
                          const struct lwb_diagnostic *diagnostic, bool color);

/* The members of one message, without braces: "severity":...,"message":... */
void lwb_diagnostic_json(struct lwb_buf *out, bool *first, const struct lwb_diagnostic *diagnostic);
