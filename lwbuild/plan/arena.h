#pragma once

#include <stddef.h>

#include "lwbuild/base/attributes.h"

/* Memory that is given back all at once: many small strings and tables with one life. */
struct lwb_arena_block;

struct lwb_arena {
    struct lwb_arena_block *blocks; /* newest first */
    size_t used;                    /* of the newest */
};

void lwb_arena_release(struct lwb_arena *arena);
LWB_DEFINE_AUTO(struct lwb_arena, lwb_arena_release);

/* Zeroed and aligned for pointers; NULL when memory is out. */
void *lwb_arena_alloc(struct lwb_arena *arena, size_t size);

/* Not aligned. */
char *lwb_arena_strndup(struct lwb_arena *arena, const char *text, size_t len);
