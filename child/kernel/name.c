#include "child/kernel/name.h"

#include <inttypes.h>

#include "child/kernel/table.h"
#include "lwbuild/base/alloc.h"

enum { FIRST_SLOTS = 1 << 10 };

bool kn_names_init(struct kn_names *names, struct kn_budget *budget)
{
    names->budget = budget;
    names->arena.budget = budget;
    if (!kn_intern_init(&names->by_text, budget, FIRST_SLOTS) ||
        !kn_intern_init(&names->by_part, budget, FIRST_SLOTS) ||
        !kn_grow(budget, &names->parts, &names->cap_parts, 0, sizeof(*names->parts)))
        return false;
    names->parts[0] = (struct kn_name_part){ KN_ANONYMOUS, KN_NO_NAME };
    names->n_parts = 1;
    return true;
}

void kn_names_release(struct kn_names *names)
{
    if (!names->budget)
        return;
    kn_intern_release(&names->by_text, names->budget);
    kn_intern_release(&names->by_part, names->budget);
    kn_give(names->budget, names->texts, names->cap_texts * sizeof(*names->texts));
    kn_give(names->budget, names->parts, names->cap_parts * sizeof(*names->parts));
    kn_arena_release(&names->arena);
    memset(names, 0, sizeof(*names));
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

static uint32_t hash_part(struct kn_name_part part)
{
    return kn_mix(kn_pair(part.parent, part.part));
}

/* Twice as large, with what is in it. */
static bool grow_texts(struct kn_names *names)
{
    struct kn_intern larger;
    uint32_t i;

    if (!kn_intern_init(&larger, names->budget, 2 * kn_intern_slots(&names->by_text)))
        return false;
    for (i = 0; i < names->n_texts; i++)
        kn_intern_add(&larger, hash_bytes(names->texts[i]), i);
    kn_intern_release(&names->by_text, names->budget);
    names->by_text = larger;
    return true;
}

static bool grow_parts(struct kn_names *names)
{
    struct kn_intern larger;
    uint32_t i;

    if (!kn_intern_init(&larger, names->budget, 2 * kn_intern_slots(&names->by_part)))
        return false;
    for (i = 1; i < names->n_parts; i++)
        kn_intern_add(&larger, hash_part(names->parts[i]), i);
    kn_intern_release(&names->by_part, names->budget);
    names->by_part = larger;
    return true;
}

/* True with the number of the text; else the search stands where it belongs. */
static bool find_text(const struct kn_names *names, struct lwb_bytes text, struct kn_search *search,
                      uint32_t *out)
{
    while (kn_search_next(search, out)) {
        if (lwb_bytes_equal(names->texts[*out], text))
            return true;
    }
    return false;
}

static bool find_part(const struct kn_names *names, struct kn_name_part part,
                      struct kn_search *search, kn_name *out)
{
    while (kn_search_next(search, out)) {
        if (names->parts[*out].parent == part.parent && names->parts[*out].part == part.part)
            return true;
    }
    return false;
}

uint32_t kn_text(struct kn_names *names, struct lwb_bytes text)
{
    const uint32_t hash = hash_bytes(text);
    struct kn_search search;
    uint32_t out;
    char *own;

    if (!kn_intern_has_room(&names->by_text, names->n_texts) && !grow_texts(names))
        return KN_NO_NAME;
    search = kn_search(&names->by_text, hash);
    if (find_text(names, text, &search, &out))
        return out;
    if (names->n_texts >= KN_DIGITS - 1 || !kn_grow(names->budget, &names->texts, &names->cap_texts,
                                                    names->n_texts, sizeof(*names->texts)))
        return KN_NO_NAME;
    if (text.len) {
        own = kn_arena_take(&names->arena, text.len);
        if (!own)
            return KN_NO_NAME;
        memcpy(own, text.ptr, text.len);
        text.ptr = own;
    }
    names->texts[names->n_texts] = text;
    kn_search_add(&search, hash, (uint32_t)names->n_texts);
    return (uint32_t)names->n_texts++;
}

static kn_name add_part(struct kn_names *names, struct kn_name_part part)
{
    const uint32_t hash = hash_part(part);
    struct kn_search search;
    kn_name out;

    if (part.parent == KN_NO_NAME || part.part == KN_NO_NAME ||
        (!kn_intern_has_room(&names->by_part, names->n_parts) && !grow_parts(names)))
        return KN_NO_NAME;
    search = kn_search(&names->by_part, hash);
    if (find_part(names, part, &search, &out))
        return out;
    if (names->n_parts >= KN_NO_NAME / 2 ||
        !kn_grow(names->budget, &names->parts, &names->cap_parts, names->n_parts,
                 sizeof(*names->parts)))
        return KN_NO_NAME;
    names->parts[names->n_parts] = part;
    kn_search_add(&search, hash, (uint32_t)names->n_parts);
    return (uint32_t)names->n_parts++;
}

kn_name kn_name_text(struct kn_names *names, kn_name parent, uint32_t text)
{
    return add_part(names, (struct kn_name_part){ parent, text });
}

kn_name kn_name_number(struct kn_names *names, kn_name parent, uint64_t number)
{
    char digits[24];
    uint32_t text;

    if (number < KN_DIGITS)
        return add_part(names, (struct kn_name_part){ parent, KN_NUMBER | (uint32_t)number });
    (void)snprintf(digits, sizeof(digits), "%" PRIu64, number);
    text = kn_text(names, lwb_bytes_text(digits));
    if (text == KN_NO_NAME)
        return KN_NO_NAME;
    return add_part(names, (struct kn_name_part){ parent, KN_NUMBER | KN_DIGITS | text });
}

kn_name kn_name_parse(struct kn_names *names, const char *dotted)
{
    kn_name name = KN_ANONYMOUS;

    for (;;) {
        size_t n = strcspn(dotted, ".");

        name = kn_name_text(names, name, kn_text(names, lwb_bytes(dotted, n)));
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
        struct kn_name_part part = { parent, 0 };
        struct kn_search search = kn_search(&names->by_text, hash_bytes(text));

        if (!find_text(names, text, &search, &part.part))
            return KN_NO_NAME;
        search = kn_search(&names->by_part, hash_part(part));
        if (!find_part(names, part, &search, &parent))
            return KN_NO_NAME;
        if (!dotted[n])
            return parent;
        dotted += n + 1;
    }
}

bool kn_name_mentions(const struct kn_names *names, kn_name name, const char *text)
{
    for (; name != KN_ANONYMOUS && name < names->n_parts; name = names->parts[name].parent) {
        const uint32_t part = names->parts[name].part;

        if (!(part & KN_NUMBER) && lwb_bytes_is(names->texts[part], text))
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
        const uint32_t part = names->parts[path[--n]].part;

        if (!(part & KN_NUMBER))
            append_component(out, names->texts[part]);
        else if (part & KN_DIGITS)
            lwb_buf_append_bytes(out, names->texts[part & ~(KN_NUMBER | KN_DIGITS)]);
        else
            lwb_buf_format(out, "%" PRIu32, part & ~KN_NUMBER);
        if (n > 0)
            lwb_buf_append_char(out, '.');
    }
}
