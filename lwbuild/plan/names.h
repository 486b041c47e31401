#pragma once

#include <stdint.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/plan/arena.h"

/*
 * Interned strings: each distinct text is kept once and has a small number,
 * counted from 0 in the order of arrival, so that facts about it live in plain
 * arrays. Texts and their addresses stay until release.
 */
struct lwb_names {
    struct lwb_arena arena;
    const char **texts;
    size_t count;
    size_t cap;
    struct lwb_name_slot *slots; /* open addressing */
    size_t n_slots;              /* a power of two */
};

struct lwb_name_slot {
    uint32_t number; /* + 1; 0: free */
    uint32_t hash;
};

#define LWB_NAME_NONE UINT32_MAX

void lwb_names_release(struct lwb_names *names);
LWB_DEFINE_AUTO(struct lwb_names, lwb_names_release);

/* The number of `text`, which holds no NUL; LWB_NAME_NONE when memory is out. */
uint32_t lwb_names_intern(struct lwb_names *names, struct lwb_bytes text);

/* The number of `text`, LWB_NAME_NONE when it was never interned. */
uint32_t lwb_names_find(const struct lwb_names *names, struct lwb_bytes text);

static inline const char *lwb_names_text(const struct lwb_names *names, uint32_t number)
{
    return names->texts[number];
}
