#include "lwbuild/plan/names.h"

#include "lwbuild/base/alloc.h"

void lwb_names_release(struct lwb_names *names)
{
    lwb_arena_release(&names->arena);
    lwb_free(names->texts);
    lwb_free(names->slots);
    *names = (struct lwb_names){ 0 };
}

static uint64_t hash(struct lwb_bytes text)
{
    uint64_t value = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < text.len; i++)
        value = (value ^ (unsigned char)text.ptr[i]) * UINT64_C(1099511628211);
    return value ^ (value >> 32);
}

/* The slot that holds `text`, or the free one where it belongs. */
static size_t find_slot(const struct lwb_names *names, struct lwb_bytes text)
{
    size_t slot = (size_t)hash(text) & (names->n_slots - 1);

    while (names->slots[slot] && !lwb_bytes_is(text, names->texts[names->slots[slot] - 1]))
        slot = (slot + 1) & (names->n_slots - 1);
    return slot;
}

static int grow_slots(struct lwb_names *names)
{
    size_t wanted = names->n_slots ? names->n_slots * 2 : 256;
    uint32_t *slots = lwb_alloc_array(wanted, sizeof(*slots));

    if (!slots)
        return -1;
    lwb_free(names->slots);
    names->slots = slots;
    names->n_slots = wanted;
    for (size_t i = 0; i < names->count; i++)
        slots[find_slot(names, lwb_bytes_text(names->texts[i]))] = (uint32_t)i + 1;
    return 0;
}

uint32_t lwb_names_intern(struct lwb_names *names, struct lwb_bytes text)
{
    char *copy;
    size_t slot;

    if (names->count * 3 >= names->n_slots * 2 && grow_slots(names))
        return LWB_NAME_NONE;
    slot = find_slot(names, text);
    if (names->slots[slot])
        return names->slots[slot] - 1;
    if (lwb_grow(&names->texts, &names->cap, names->count, sizeof(*names->texts)))
        return LWB_NAME_NONE;
    copy = lwb_arena_strndup(&names->arena, text.ptr, text.len);
    if (!copy)
        return LWB_NAME_NONE;
    names->texts[names->count] = copy;
    names->slots[slot] = (uint32_t)++names->count;
    return (uint32_t)names->count - 1;
}

uint32_t lwb_names_find(const struct lwb_names *names, struct lwb_bytes text)
{
    size_t slot;

    if (!names->n_slots)
        return LWB_NAME_NONE;
    slot = find_slot(names, text);
    return names->slots[slot] ? names->slots[slot] - 1 : LWB_NAME_NONE;
}
