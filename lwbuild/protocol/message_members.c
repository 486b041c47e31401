#include "lwbuild/protocol/message_internal.h"

#include "lwbuild/base/utf8.h"

/*
 * Most heads are a few texts and numbers, and a tree of them costs more than
 * the trip through the pipe. So heads of the usual form are read in one pass
 * into a short table. The scanner only ever says yes to what the tree would
 * have said the same about; whatever looks unusual, and everything that is
 * wrong, is left to the tree, so that there is one place that words errors.
 */
struct lwb_member {
    const char *key; /* not NUL-terminated */
    size_t key_len;
    enum { MEMBER_TEXT, MEMBER_COUNT, MEMBER_FLAG } kind;
    const char *text; /* NUL-terminated once the table is the message's */
    uint64_t number;  /* a text's length, a count, or a flag */
};

enum {
    MAX_MEMBERS = 12,
    MAX_TEXT = 4096,      /* a longer head is worth a tree */
    MAX_COUNT_DIGITS = 15 /* LWB_JSON_INT_MAX has as many */
};

/* ---- scanning ---------------------------------------------------------------------------- */

static bool skip(struct lwb_bytes *text, const char *word, size_t len)
{
    if (text->len < len || memcmp(text->ptr, word, len) != 0)
        return false;
    *text = lwb_bytes(text->ptr + len, text->len - len);
    return true;
}
#define SKIP(text, word) skip((text), (word), sizeof(word) - 1)

static bool scan_count(struct lwb_bytes *text, uint64_t *out)
{
    size_t len = 0;
    uint64_t value = 0;

    while (len < text->len && len < MAX_COUNT_DIGITS && text->ptr[len] >= '0' &&
           text->ptr[len] <= '9')
        value = value * 10 + (uint64_t)(text->ptr[len++] - '0');
    if (len == 0 || (len > 1 && text->ptr[0] == '0'))
        return false;
    *text = lwb_bytes(text->ptr + len, text->len - len);
    *out = value;
    return true;
}

/* Behind the opening quote, up to and over the closing one. */
static bool scan_text(struct lwb_bytes *text, const char **out, size_t *out_len)
{
    size_t len = 0;

    while (len < text->len && text->ptr[len] != '"') {
        if ((unsigned char)text->ptr[len] < 0x20 || text->ptr[len] == '\\')
            return false;
        len++;
    }
    if (len == text->len)
        return false;
    *out = text->ptr;
    *out_len = len;
    *text = lwb_bytes(text->ptr + len + 1, text->len - len - 1);
    return true;
}

static bool scan_value(struct lwb_bytes *text, struct lwb_member *member)
{
    size_t len;
    bool yes;

    if (SKIP(text, "\"")) {
        member->kind = MEMBER_TEXT;
        if (!scan_text(text, &member->text, &len))
            return false;
        member->number = len;
        return true;
    }
    yes = SKIP(text, "true");
    if (yes || SKIP(text, "false")) {
        member->kind = MEMBER_FLAG;
        member->number = yes;
        return true;
    }
    member->kind = MEMBER_COUNT;
    return scan_count(text, &member->number);
}

static bool scan_head(struct lwb_bytes *text, struct lwb_message_head *head)
{
    struct lwb_bytes type;

    if (!SKIP(text, "{\"version\":") || !scan_count(text, &head->version) ||
        head->version != LWB_PROTOCOL_VERSION || !SKIP(text, ",\"generation\":") ||
        !scan_count(text, &head->generation) || !SKIP(text, ",\"request\":") ||
        !scan_count(text, &head->request) || !SKIP(text, ",\"type\":\"") ||
        !scan_text(text, &type.ptr, &type.len))
        return false;
    return lwb_message_type_parse(&head->type, type) == 0;
}

/* Returns how many members stand behind the head, or -1 for a form that is not the usual one. */
static int scan_members(struct lwb_bytes *text, struct lwb_member *members)
{
    int count = 0;

    while (SKIP(text, ",\"")) {
        struct lwb_member *member = &members[count];

        if (count == MAX_MEMBERS || !scan_text(text, &member->key, &member->key_len) ||
            !SKIP(text, ":") || !scan_value(text, member))
            return -1;
        count++;
    }
    return SKIP(text, "}") && text->len == 0 ? count : -1;
}

/* Texts are handed out with a NUL behind them: a copy of the head has room for those. */
static int keep_members(struct lwb_message *message, const struct lwb_member *members, size_t count,
                        struct lwb_error *err)
{
    size_t table = count * sizeof(*members);
    char *memory = lwb_message_alloc(message, 1, table + message->text.len);
    struct lwb_member *kept = (struct lwb_member *)(void *)memory;
    char *text;

    if (!memory)
        return lwb_fail_memory(err);
    text = memory + table;
    memcpy(kept, members, table);
    memcpy(text, message->text.ptr, message->text.len);
    for (size_t i = 0; i < count; i++) {
        kept[i].key = text + (members[i].key - message->text.ptr);
        if (members[i].kind != MEMBER_TEXT)
            continue;
        kept[i].text = text + (members[i].text - message->text.ptr);
        text[members[i].text - message->text.ptr + (ptrdiff_t)members[i].number] = '\0';
    }
    message->members = kept;
    message->n_members = count;
    return 1;
}

int lwb_message_scan(struct lwb_message *message, struct lwb_error *err)
{
    struct lwb_member members[MAX_MEMBERS];
    struct lwb_bytes rest = message->text;
    struct lwb_message_head head;
    int count;

    if (rest.len > MAX_TEXT || !scan_head(&rest, &head))
        return 0;
    count = scan_members(&rest, members);
    if (count < 0 || !lwb_utf8_is_valid(message->text))
        return 0;
    message->head = head;
    return count ? keep_members(message, members, (size_t)count, err) : 1;
}

/* ---- members by key ------------------------------------------------------------------------ */

static const struct lwb_member *find(const struct lwb_message *message, const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < message->n_members; i++)
        if (message->members[i].key_len == len && memcmp(message->members[i].key, key, len) == 0)
            return &message->members[i];
    return NULL;
}

/* The member in the table, if that is where it can be. */
static const struct lwb_member *find_kind(const struct lwb_message *message, const char *key,
                                          int kind)
{
    const struct lwb_member *member = message->json ? NULL : find(message, key);

    return member && (int)member->kind == kind ? member : NULL;
}

static bool is_absent(const struct lwb_message *message, const char *key)
{
    return !message->json && !find(message, key);
}

/* What the table cannot answer; it was scanned, so that only memory can be missing. */
static int grow_tree(struct lwb_message *message, struct lwb_error *err)
{
    return message->json ? LWB_OK : lwb_json_parse(&message->json, message->text, err);
}

bool lwb_message_has(const struct lwb_message *message, const char *key)
{
    return message->json ? lwb_json_find(message->json, key) != NULL : find(message, key) != NULL;
}

int lwb_message_get_text(struct lwb_message *message, const char *key, const char **out,
                         struct lwb_error *err)
{
    const struct lwb_member *member = find_kind(message, key, MEMBER_TEXT);

    if (!member)
        return grow_tree(message, err) < 0 ? err->code
                                           : lwb_json_get_text(message->json, key, out, err);
    *out = member->text;
    return LWB_OK;
}

int lwb_message_opt_text(struct lwb_message *message, const char *key, const char *fallback,
                         const char **out, struct lwb_error *err)
{
    const struct lwb_member *member = find_kind(message, key, MEMBER_TEXT);

    if (!member && !is_absent(message, key))
        return grow_tree(message, err) < 0
                   ? err->code
                   : lwb_json_opt_text(message->json, key, fallback, out, err);
    *out = member ? member->text : fallback;
    return LWB_OK;
}

int lwb_message_get_count(struct lwb_message *message, const char *key, uint64_t *out,
                          struct lwb_error *err)
{
    const struct lwb_member *member = find_kind(message, key, MEMBER_COUNT);

    if (!member)
        return grow_tree(message, err) < 0 ? err->code
                                           : lwb_json_get_count(message->json, key, out, err);
    *out = member->number;
    return LWB_OK;
}

int lwb_message_count(struct lwb_message *message, const char *key, uint64_t *out,
                      struct lwb_error *err)
{
    if (lwb_message_has(message, key))
        return lwb_message_get_count(message, key, out, err);
    *out = 0;
    return LWB_OK;
}

int lwb_message_opt_int(struct lwb_message *message, const char *key, int64_t fallback,
                        int64_t *out, struct lwb_error *err)
{
    const struct lwb_member *member = find_kind(message, key, MEMBER_COUNT);

    if (!member && !is_absent(message, key))
        return grow_tree(message, err) < 0
                   ? err->code
                   : lwb_json_opt_int(message->json, key, fallback, out, err);
    *out = member ? (int64_t)member->number : fallback;
    return LWB_OK;
}

int lwb_message_get_bool(struct lwb_message *message, const char *key, bool *out,
                         struct lwb_error *err)
{
    const struct lwb_member *member = find_kind(message, key, MEMBER_FLAG);

    if (!member)
        return grow_tree(message, err) < 0 ? err->code
                                           : lwb_json_get_bool(message->json, key, out, err);
    *out = member->number != 0;
    return LWB_OK;
}

int lwb_message_opt_bool(struct lwb_message *message, const char *key, bool fallback, bool *out,
                         struct lwb_error *err)
{
    const struct lwb_member *member = find_kind(message, key, MEMBER_FLAG);

    if (!member && !is_absent(message, key))
        return grow_tree(message, err) < 0
                   ? err->code
                   : lwb_json_opt_bool(message->json, key, fallback, out, err);
    *out = member ? member->number != 0 : fallback;
    return LWB_OK;
}

int lwb_message_get_array(struct lwb_message *message, const char *key, const cJSON **out,
                          struct lwb_error *err)
{
    return grow_tree(message, err) < 0 ? err->code
                                       : lwb_json_get_array(message->json, key, out, err);
}

int lwb_message_opt_array(struct lwb_message *message, const char *key, const cJSON **out,
                          struct lwb_error *err)
{
    if (!lwb_message_has(message, key))
        return 0;
    return lwb_message_get_array(message, key, out, err) < 0 ? err->code : 1;
}
