#include "child/kernel/name.h"

#include <inttypes.h>

#include "child/kernel/table.h"
#include "lwbuild/base/alloc.h"

enum { FIRST_SLOTS = 1 << 10 };

bool kn_names_init(struct kn_names *names, struct kn_budget *budget)
{
    names->budget = budget;
    names->arena.budget = budget;
    names->by_text.slots = kn_take(budget, FIRST_SLOTS * sizeof(struct kn_name_slot));
    names->by_part.slots = kn_take(budget, FIRST_SLOTS * sizeof(struct kn_name_slot));
    if (!names->by_text.slots || !names->by_part.slots ||
        !kn_grow(budget, &names->parts, &names->cap_parts, 0, sizeof(*names->parts)))
        return false;
    names->by_text.mask = FIRST_SLOTS - 1;
    names->by_part.mask = FIRST_SLOTS - 1;
    names->parts[0] = (struct kn_name_part){ KN_ANONYMOUS, KN_NO_NAME, 0 };
    names->n_parts = 1;
    return true;
}

static void release_table(struct kn_names *names, struct kn_name_table *table)
{
    if (table->slots)
        kn_give(names->budget, table->slots, ((size_t)table->mask + 1) * sizeof(*table->slots));
}

void kn_names_release(struct kn_names *names)
{
    if (!names->budget)
        return;
    release_table(names, &names->by_text);
    release_table(names, &names->by_part);
    kn_give(names->budget, names->texts, names->cap_texts * sizeof(*names->texts));
    kn_give(names->budget, names->parts, names->cap_parts * sizeof(*names->parts));
    kn_arena_release(&names->arena);
    memset(names, 0, sizeof(*names));
}

static bool make_room(struct kn_names *names, struct kn_name_table *table, size_t count)
{
    const uint32_t mask = 2 * table->mask + 1;
    struct kn_name_slot *slots;
    uint32_t i, j;

    if (count < table->mask - table->mask / 4)
        return true;
    slots =
        mask > UINT32_MAX / 2 ? NULL : kn_take(names->budget, ((size_t)mask + 1) * sizeof(*slots));
    if (!slots)
        return false;
    for (i = 0; i <= table->mask; i++) {
        if (!table->slots[i].index1)
            continue;
        for (j = table->slots[i].hash & mask; slots[j].index1; j = (j + 1) & mask)
            continue;
        slots[j] = table->slots[i];
    }
    release_table(names, table);
    table->slots = slots;
    table->mask = mask;
    return true;
}

static uint32_t hash_bytes(struct lwb_bytes text)
{
    uint64_t h = text.len * UINT64_C(0x9e3779b97f4a7c15);
    const char *p = text.ptr;
    size_t n = text.len;

    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;

        memcpy(&word, p, 8);
        h = (h ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
        h ^= h >> 31;
    }
    if (n) {
        uint64_t word = 0;

        memcpy(&word, p, n);
        h = (h ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
    }
    return (uint32_t)(h >> 32 ^ h >> 11);
}

/* The slot of the text, or the free one where it would be. */
static uint32_t text_slot(const struct kn_names *names, struct lwb_bytes text, uint32_t hash)
{
    const struct kn_name_table *table = &names->by_text;
    uint32_t i;

    for (i = hash & table->mask; table->slots[i].index1; i = (i + 1) & table->mask) {
        if (table->slots[i].hash == hash &&
            lwb_bytes_equal(names->texts[table->slots[i].index1 - 1], text))
            break;
    }
    return i;
}

uint32_t kn_text(struct kn_names *names, struct lwb_bytes text, bool lasting)
{
    const uint32_t hash = hash_bytes(text);
    uint32_t i;
    char *own;

    if (!make_room(names, &names->by_text, names->n_texts))
        return KN_NO_NAME;
    i = text_slot(names, text, hash);
    if (names->by_text.slots[i].index1)
        return names->by_text.slots[i].index1 - 1;
    if (!kn_grow(names->budget, &names->texts, &names->cap_texts, names->n_texts,
                 sizeof(*names->texts)))
        return KN_NO_NAME;
    if (!lasting && text.len) {
        own = kn_arena_take(&names->arena, text.len);
        if (!own)
            return KN_NO_NAME;
        memcpy(own, text.ptr, text.len);
        text.ptr = own;
    }
    names->texts[names->n_texts++] = text;
    names->by_text.slots[i] = (struct kn_name_slot){ (uint32_t)names->n_texts, hash };
    return (uint32_t)names->n_texts - 1;
}

static uint32_t hash_part(const struct kn_name_part *part)
{
    uint64_t h = kn_mix((uint64_t)part->parent << 32 | part->text);

    return kn_mix(h ^ part->number * UINT64_C(0xd6e8feb86659fd93));
}

static uint32_t part_slot(const struct kn_names *names, const struct kn_name_part *part)
{
    const struct kn_name_table *table = &names->by_part;
    uint32_t i;

    for (i = hash_part(part) & table->mask; table->slots[i].index1; i = (i + 1) & table->mask) {
        const struct kn_name_part *old = &names->parts[table->slots[i].index1 - 1];

        if (old->parent == part->parent && old->text == part->text && old->number == part->number)
            break;
    }
    return i;
}

static kn_name add_part(struct kn_names *names, struct kn_name_part part)
{
    uint32_t i;

    if (!make_room(names, &names->by_part, names->n_parts) || part.parent == KN_NO_NAME)
        return KN_NO_NAME;
    i = part_slot(names, &part);
    if (names->by_part.slots[i].index1)
        return names->by_part.slots[i].index1 - 1;
    if (names->n_parts >= KN_NO_NAME / 2 ||
        !kn_grow(names->budget, &names->parts, &names->cap_parts, names->n_parts,
                 sizeof(*names->parts)))
        return KN_NO_NAME;
    names->parts[names->n_parts++] = part;
    names->by_part.slots[i] = (struct kn_name_slot){ (uint32_t)names->n_parts, hash_part(&part) };
    return (uint32_t)names->n_parts - 1;
}

kn_name kn_name_text(struct kn_names *names, kn_name parent, uint32_t text)
{
    if (text == KN_NO_NAME)
        return KN_NO_NAME;
    return add_part(names, (struct kn_name_part){ parent, text, 0 });
}

kn_name kn_name_number(struct kn_names *names, kn_name parent, uint64_t number)
{
    return add_part(names, (struct kn_name_part){ parent, KN_NO_NAME, number });
}

kn_name kn_name_parse(struct kn_names *names, const char *dotted)
{
    kn_name name = KN_ANONYMOUS;

    for (;;) {
        size_t n = strcspn(dotted, ".");

        name = kn_name_text(names, name, kn_text(names, lwb_bytes(dotted, n), true));
        if (!dotted[n] || name == KN_NO_NAME)
            return name;
        dotted += n + 1;
    }
}

kn_name kn_name_find(const struct kn_names *names, kn_name parent, const char *dotted)
{
    for (;;) {
        const size_t n = strcspn(dotted, ".");
        const struct lwb_bytes text = lwb_bytes(dotted, n);
        struct kn_name_part part = { parent, 0, 0 };
        uint32_t slot = text_slot(names, text, hash_bytes(text));

        part.text = names->by_text.slots[slot].index1 - 1;
        slot = part.text == KN_NO_NAME ? KN_NO_NAME : part_slot(names, &part);
        if (slot == KN_NO_NAME || !names->by_part.slots[slot].index1)
            return KN_NO_NAME;
        parent = names->by_part.slots[slot].index1 - 1;
        if (!dotted[n])
            return parent;
        dotted += n + 1;
    }
}

bool kn_name_mentions(const struct kn_names *names, kn_name name, const char *text)
{
    for (; name != KN_ANONYMOUS && name < names->n_parts; name = names->parts[name].parent) {
        if (names->parts[name].text != KN_NO_NAME &&
            lwb_bytes_is(names->texts[names->parts[name].text], text))
            return true;
    }
    return false;
}

static bool is_plain(struct lwb_bytes text)
{
    size_t i;

    for (i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c <= ' ' || c == '.' || c == 0x7f)
            return false;
    }
    return text.len > 0;
}

/* Control characters would break the one line that a name stands in. */
static void append_component(struct lwb_buf *out, struct lwb_bytes text)
{
    size_t i;

    if (is_plain(text)) {
        lwb_buf_append_bytes(out, text);
        return;
    }
    lwb_buf_append_text(out, "«");
    for (i = 0; i < text.len; i++)
        lwb_buf_append_char(
            out, (unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f ? '?' : text.ptr[i]);
    lwb_buf_append_text(out, "»");
}

void kn_name_describe(const struct kn_names *names, kn_name name, struct lwb_buf *out)
{
    enum { MOST = 64 };
    kn_name path[MOST];
    int n = 0;

    if (name >= names->n_parts) {
        lwb_buf_append_text(out, "(internal)");
        return;
    }
    if (name == KN_ANONYMOUS)
        lwb_buf_append_text(out, "[anonymous]");
    for (; name != KN_ANONYMOUS && n < MOST; name = names->parts[name].parent)
        path[n++] = name;
    if (name != KN_ANONYMOUS)
        lwb_buf_append_text(out, "(...).");
    while (n > 0) {
        const struct kn_name_part *part = &names->parts[path[--n]];

        if (part->text != KN_NO_NAME)
            append_component(out, names->texts[part->text]);
        else
            lwb_buf_format(out, "%" PRIu64, part->number);
        if (n > 0)
            lwb_buf_append_char(out, '.');
    }
}
