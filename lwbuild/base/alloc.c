#include "lwbuild/base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct lwb_allocator libc_allocator = { realloc, free };
static const struct lwb_allocator *current = &libc_allocator;

void lwb_alloc_use(const struct lwb_allocator *allocator)
{
    current = allocator ? allocator : &libc_allocator;
}

void *lwb_alloc(size_t size)
{
    void *memory = current->resize(NULL, size ? size : 1);

    if (memory)
        memset(memory, 0, size);
    return memory;
}

void *lwb_alloc_array(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    return lwb_alloc(count * size);
}

void *lwb_realloc(void *old, size_t size)
{
    return current->resize(old, size ? size : 1);
}

void lwb_free(void *memory)
{
    if (memory)
        current->release(memory);
}

char *lwb_strndup(const char *text, size_t len)
{
    char *copy = lwb_realloc(NULL, len + 1);

    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

char *lwb_strdup(const char *text)
{
    return lwb_strndup(text, strlen(text));
}

int lwb_grow(void *items, size_t *cap, size_t count, size_t size)
{
    void **array = items;
    size_t wanted = *cap ? *cap : 8;
    void *grown;

    if (count < *cap)
        return 0;
    while (wanted <= count)
        wanted *= 2;
    if (wanted > SIZE_MAX / size)
        return -1;
    grown = lwb_realloc(*array, wanted * size);
    if (!grown)
        return -1;
    *array = grown;
    *cap = wanted;
    return 0;
}
