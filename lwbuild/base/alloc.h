#pragma once

#include <stddef.h>

#include "lwbuild/base/attributes.h"

/*
 * The one door to the heap. Memory comes zeroed, so "not there yet" is NULL or
 * 0 everywhere; running out of it is a NULL that callers hand on as
 * LWB_ERR_MEMORY. Tests replace the allocator to make every single call fail.
 */
void *lwb_alloc(size_t size);

/* Room for `count` items; NULL also when count * size overflows. */
void *lwb_alloc_array(size_t count, size_t size);

/* Like realloc: new memory is NOT zeroed; on failure `old` stays valid. */
void *lwb_realloc(void *old, size_t size);

/* NULL is fine. */
void lwb_free(void *memory);
LWB_DEFINE_AUTO_PTR(void, lwb_free);

char *lwb_strdup(const char *text);
char *lwb_strndup(const char *text, size_t len);

/* For `LWB_AUTO(lwb_free_text) char *text`. */
static inline void lwb_free_text(char *text)
{
    lwb_free(text);
}
LWB_DEFINE_AUTO_PTR(char, lwb_free_text);

/*
 * Make room for one item more in a growing array: *items (of `size` bytes each,
 * *cap of them allocated) holds `count`. Returns 0, or -1 without touching
 * anything when memory is out. The only place where arrays grow.
 */
int lwb_grow(void *items, size_t *cap, size_t count, size_t size);

/* Replaced only by tests, before anything is allocated or around one call. */
struct lwb_allocator {
    void *(*resize)(void *old, size_t size); /* realloc */
    void (*release)(void *memory);           /* free */
};
void lwb_alloc_use(const struct lwb_allocator *allocator); /* NULL: the C library's */
