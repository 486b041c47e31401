#include "lwbuild/plan/arena.h"

#include <stdalign.h>
#include <string.h>

#include "lwbuild/base/alloc.h"

/* Large enough that malloc maps a block, and gives it back to the system when it is freed. */
enum { FIRST_SIZE = 4 * 1024, BLOCK_SIZE = 256 * 1024 - 64 };

struct lwb_arena_block {
    struct lwb_arena_block *next;
    size_t size;
    max_align_t data[];
};

void lwb_arena_release(struct lwb_arena *arena)
{
    while (arena->blocks) {
        struct lwb_arena_block *block = arena->blocks;

        arena->blocks = block->next;
        lwb_free(block);
    }
    arena->used = 0;
}

/* Something large gets a block of its own, behind the newest, whose rest stays in use. */
static void *alloc_large(struct lwb_arena *arena, size_t size)
{
    struct lwb_arena_block *block = lwb_alloc(sizeof(*block) + size);

    if (!block)
        return NULL;
    block->size = size;
    if (arena->blocks) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        arena->blocks = block;
        arena->used = size;
    }
    return block->data;
}

static void *alloc_aligned(struct lwb_arena *arena, size_t size, size_t align)
{
    size_t start = (arena->used + align - 1) & ~(align - 1);

    if (size > FIRST_SIZE / 4)
        return alloc_large(arena, size);
    if (!arena->blocks || start + size > arena->blocks->size) {
        size_t block_size = arena->blocks ? BLOCK_SIZE : FIRST_SIZE;
        struct lwb_arena_block *block = lwb_realloc(NULL, sizeof(*block) + block_size);

        if (!block)
            return NULL;
        block->size = block_size;
        block->next = arena->blocks;
        arena->blocks = block;
        start = 0;
    }
    arena->used = start + size;
    return (char *)arena->blocks->data + start;
}

void *lwb_arena_alloc(struct lwb_arena *arena, size_t size)
{
    void *memory = alloc_aligned(arena, size, alignof(max_align_t));

    if (memory)
        memset(memory, 0, size);
    return memory;
}

char *lwb_arena_strndup(struct lwb_arena *arena, const char *text, size_t len)
{
    char *copy = alloc_aligned(arena, len + 1, 1);

    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}
