#include "lwbuild/plan/names.h"

#include "lwbuild/base/alloc.h"

void lwb_names_release(struct lwb_names *names)
{
    lwb_arena_release(&names->arena);
    lwb_free(names->texts);
    lwb_free(names->slots);
    *names = (struct lwb_names){ 0 };
}

/* Eight bytes at a time; good enough for names that nobody makes up to collide. */
static uint32_t hash(struct lwb_bytes text)
{
    const uint64_t factor = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t value = text.len * factor;
    uint64_t word = 0;

    for (; text.len >= sizeof(word); text = lwb_bytes(text.ptr + 8, text.len - 8)) {
        memcpy(&word, text.ptr, sizeof(word));
        value = (value ^ word) * factor;
        value ^= value >> 29;
    }
    word = 0;
    if (text.len)
        memcpy(&word, text.ptr, text.len);
    value = (value ^ word) * factor;
    return (uint32_t)(value ^ value >> 32);
}

/* The slot that holds `text`, or the free one where it belongs. */
static struct lwb_name_slot *find_slot(const struct lwb_names *names, struct lwb_bytes text,
                                       uint32_t text_hash)
{
    size_t at = text_hash & (names->n_slots - 1);

    for (;; at = (at + 1) & (names->n_slots - 1)) {
        struct lwb_name_slot *slot = &names->slots[at];
        const char *known;

        if (!slot->number)
            return slot;
        known = names->texts[slot->number - 1];
        if (slot->hash == text_hash && strncmp(known, text.ptr, text.len) == 0 &&
            known[text.len] == '\0')
            return slot;
    }
}

static int grow_slots(struct lwb_names *names)
{
    size_t wanted = names->n_slots ? names->n_slots * 2 : 256;
    struct lwb_name_slot *slots = lwb_alloc_array(wanted, sizeof(*slots));

    if (!slots)
        return -1;
    for (size_t i = 0; i < names->n_slots; i++) {
        size_t at = names->slots[i].hash & (wanted - 1);

        if (!names->slots[i].number)
            continue;
        while (slots[at].number)
            at = (at + 1) & (wanted - 1);
        slots[at] = names->slots[i];
    }
    lwb_free(names->slots);
    names->slots = slots;
    names->n_slots = wanted;
    return 0;
}

uint32_t lwb_names_intern(struct lwb_names *names, struct lwb_bytes text)
{
    uint32_t text_hash = hash(text);
    struct lwb_name_slot *slot;
    char *copy;

    if (names->count * 3 >= names->n_slots * 2 && grow_slots(names))
        return LWB_NAME_NONE;
    slot = find_slot(names, text, text_hash);
    if (slot->number)
        return slot->number - 1;
    if (lwb_grow(&names->texts, &names->cap, names->count, sizeof(*names->texts)))
        return LWB_NAME_NONE;
    copy = lwb_arena_strndup(&names->arena, text.ptr, text.len);
    if (!copy)
        return LWB_NAME_NONE;
    names->texts[names->count] = copy;
    *slot = (struct lwb_name_slot){ (uint32_t)++names->count, text_hash };
    return (uint32_t)names->count - 1;
}

uint32_t lwb_names_find(const struct lwb_names *names, struct lwb_bytes text)
{
    const struct lwb_name_slot *slot;

    if (!names->n_slots)
        return LWB_NAME_NONE;
    slot = find_slot(names, text, hash(text));
    return slot->number ? slot->number - 1 : LWB_NAME_NONE;
}
