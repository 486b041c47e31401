#pragma once

#include <stddef.h>

#include "lwbuild/base/attributes.h"

/* An array of owned strings, always ended by NULL: fit for argv and envp. */
struct lwb_strvec {
    char **items; /* NULL while empty */
    size_t count;
    size_t cap;
};

void lwb_strvec_release(struct lwb_strvec *vec);
LWB_DEFINE_AUTO(struct lwb_strvec, lwb_strvec_release);

/* Copies. Returns 0, or -1 when memory is out (the vector stays as it was). */
int lwb_strvec_append(struct lwb_strvec *vec, const char *text);
int lwb_strvec_append_len(struct lwb_strvec *vec, const char *text, size_t len);

/* Takes `text`, also on failure. */
int lwb_strvec_append_take(struct lwb_strvec *vec, char *text);

int lwb_strvec_copy(struct lwb_strvec *to, const struct lwb_strvec *from);
