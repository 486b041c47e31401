#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lwbuild/base/buf.h"

/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, at most U+10FFFF. */

/* The number of bytes from the start that are valid; len when all are. */
size_t lwb_utf8_valid_prefix(struct lwb_bytes text);

static inline bool lwb_utf8_is_valid(struct lwb_bytes text)
{
    return lwb_utf8_valid_prefix(text) == text.len;
}

/* Append `text` with every invalid byte replaced by U+FFFD. */
void lwb_utf8_append_repaired(struct lwb_buf *buf, struct lwb_bytes text);

/* The largest length <= max that does not cut a character of `text`. */
size_t lwb_utf8_cut(struct lwb_bytes text, size_t max);
