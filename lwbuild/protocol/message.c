#include "lwbuild/protocol/message_internal.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/protocol/frame.h"

static const char *const type_names[] = {
    [LWB_MSG_HELLO] = "hello",
    [LWB_MSG_HEALTH] = "health",
    [LWB_MSG_OPEN] = "open",
    [LWB_MSG_CHECK] = "check",
    [LWB_MSG_ELABORATE] = "elaborate",
    [LWB_MSG_KERNEL_CHECK] = "kernel-check",
    [LWB_MSG_DECLARATION_KINDS] = "declaration-kinds",
    [LWB_MSG_DECLARATION_NAMES] = "declaration-names",
    [LWB_MSG_STREAM] = "stream",
    [LWB_MSG_METADATA] = "metadata",
    [LWB_MSG_DOCTOR] = "doctor",
    [LWB_MSG_COMMAND] = "command",
    [LWB_MSG_TERMINATE] = "terminate",
    [LWB_MSG_RESPONSE] = "response",
    [LWB_MSG_REFUSAL] = "refusal",
    [LWB_MSG_PROGRESS] = "progress",
    [LWB_MSG_DIAGNOSTIC] = "diagnostic",
    [LWB_MSG_ROWS] = "rows",
};

const char *lwb_message_type_name(enum lwb_message_type type)
{
    return type_names[type];
}

bool lwb_message_type_is_request(enum lwb_message_type type)
{
    return type <= LWB_MSG_TERMINATE;
}

static int parse_type(enum lwb_message_type *out, const char *name)
{
    for (size_t i = 0; i < LWB_COUNT(type_names); i++) {
        if (strcmp(type_names[i], name) == 0) {
            *out = (enum lwb_message_type)i;
            return 0;
        }
    }
    return -1;
}

/* ---- decoding --------------------------------------------------------------------------- */

struct lwb_message_block {
    struct lwb_message_block *next;
    max_align_t memory[];
};

void *lwb_message_alloc(struct lwb_message *message, size_t count, size_t size)
{
    struct lwb_message_block *block;

    if (size && count > (SIZE_MAX - sizeof(*block)) / size)
        return NULL;
    block = lwb_alloc(sizeof(*block) + count * size);
    if (!block)
        return NULL;
    block->next = message->blocks;
    message->blocks = block;
    return block->memory;
}

void lwb_message_release(struct lwb_message *message)
{
    while (message->blocks) {
        struct lwb_message_block *next = message->blocks->next;

        lwb_free(message->blocks);
        message->blocks = next;
    }
    lwb_json_free(message->json);
    *message = (struct lwb_message){ 0 };
}

static int decode_head(struct lwb_message_head *head, const cJSON *json, struct lwb_error *err)
{
    const char *type = "";
    int rc = lwb_json_get_count(json, "version", &head->version, err);

    if (rc < 0)
        return rc;
    if (head->version != LWB_PROTOCOL_VERSION)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "protocol version %llu, not %d",
                        (unsigned long long)head->version, LWB_PROTOCOL_VERSION);
    rc = lwb_json_get_count(json, "generation", &head->generation, err);
    if (rc == LWB_OK)
        rc = lwb_json_get_count(json, "request", &head->request, err);
    if (rc == LWB_OK)
        rc = lwb_json_get_text(json, "type", &type, err);
    if (rc < 0)
        return rc;
    if (parse_type(&head->type, type))
        return lwb_fail(err, LWB_ERR_PROTOCOL, "unknown message type \"%.40s\"", type);
    return LWB_OK;
}

static bool skip(struct lwb_bytes *text, const char *word)
{
    size_t len = strlen(word);

    if (text->len < len || memcmp(text->ptr, word, len) != 0)
        return false;
    *text = lwb_bytes(text->ptr + len, text->len - len);
    return true;
}

static bool scan_count(struct lwb_bytes *text, uint64_t *out)
{
    size_t len = 0;
    uint64_t value = 0;

    while (len < text->len && len < 15 && text->ptr[len] >= '0' && text->ptr[len] <= '9')
        value = value * 10 + (uint64_t)(text->ptr[len++] - '0');
    if (len == 0 || (len > 1 && text->ptr[0] == '0'))
        return false;
    *text = lwb_bytes(text->ptr + len, text->len - len);
    *out = value;
    return true;
}

/*
 * Most answers are nothing but a head. When it has just the shape that our
 * encoders give it, reading it takes no tree; anything else takes the long way
 * and means the same.
 */
static bool scan_plain_head(struct lwb_message_head *out, struct lwb_bytes text)
{
    struct lwb_message_head head;
    char type[32];
    size_t len;

    if (!skip(&text, "{\"version\":") || !scan_count(&text, &head.version) ||
        head.version != LWB_PROTOCOL_VERSION || !skip(&text, ",\"generation\":") ||
        !scan_count(&text, &head.generation) || !skip(&text, ",\"request\":") ||
        !scan_count(&text, &head.request) || !skip(&text, ",\"type\":\"") || text.len < 2)
        return false;
    len = text.len - 2;
    if (len >= sizeof(type) || memcmp(text.ptr + len, "\"}", 2) != 0)
        return false;
    memcpy(type, text.ptr, len);
    type[len] = '\0';
    if (parse_type(&head.type, type))
        return false;
    *out = head;
    return true;
}

static void hand_over(struct lwb_message *to, struct lwb_message *from)
{
    *to = *from;
    *from = (struct lwb_message){ 0 };
}

int lwb_message_decode(struct lwb_message *out, struct lwb_bytes payload, struct lwb_error *err)
{
    LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };
    const char *newline = memchr(payload.ptr, '\n', payload.len);
    struct lwb_bytes head = payload;

    if (newline) {
        head.len = (size_t)(newline - payload.ptr);
        message.attachment = lwb_bytes(newline + 1, payload.len - head.len - 1);
    }
    if (!scan_plain_head(&message.head, head) &&
        (lwb_json_parse(&message.json, head, err) < 0 ||
         decode_head(&message.head, message.json, err) < 0)) {
        if (err->code == LWB_ERR_FORMAT)
            err->code = LWB_ERR_PROTOCOL;
        return lwb_error_context(err, "message");
    }
    hand_over(out, &message);
    return LWB_OK;
}

int lwb_message_bad(const struct lwb_message *message, struct lwb_error *err)
{
    if (err->code == LWB_ERR_FORMAT)
        err->code = LWB_ERR_PROTOCOL;
    return lwb_error_context(err, "%s message", lwb_message_type_name(message->head.type));
}

int lwb_message_bad_word(const struct lwb_message *message, const char *key, const char *word,
                         struct lwb_error *err)
{
    (void)lwb_fail(err, LWB_ERR_PROTOCOL, "\"%s\" cannot be \"%.40s\"", key, word);
    return lwb_message_bad(message, err);
}

int lwb_message_count(const cJSON *json, const char *key, uint64_t *out, struct lwb_error *err)
{
    if (lwb_json_find(json, key))
        return lwb_json_get_count(json, key, out, err);
    *out = 0;
    return LWB_OK;
}

int lwb_message_strings(struct lwb_message *message, const char *key, struct lwb_strvec *out,
                        struct lwb_error *err)
{
    const cJSON *array;
    const cJSON *item;
    struct lwb_strvec list = { 0 };

    if (!lwb_json_find(message->json, key)) {
        *out = list;
        return LWB_OK;
    }
    if (lwb_json_get_array(message->json, key, &array, err) < 0)
        return err->code;
    list.items =
        lwb_message_alloc(message, (size_t)cJSON_GetArraySize(array) + 1, sizeof(*list.items));
    if (!list.items)
        return lwb_fail_memory(err);
    cJSON_ArrayForEach(item, array)
    {
        if (!lwb_json_text(item))
            return lwb_fail(err, LWB_ERR_PROTOCOL, "\"%s\" holds what is not a string", key);
        list.items[list.count++] = item->valuestring;
    }
    *out = list;
    return LWB_OK;
}

int lwb_message_streams(struct lwb_message *response, struct lwb_stream_count **streams,
                        size_t *n_streams, struct lwb_error *err)
{
    const cJSON *array;
    const cJSON *item;
    struct lwb_stream_count *list = NULL;
    size_t count = 0;

    if (lwb_json_find(response->json, "streams")) {
        if (lwb_json_get_array(response->json, "streams", &array, err) < 0)
            return lwb_message_bad(response, err);
        list = lwb_message_alloc(response, (size_t)cJSON_GetArraySize(array), sizeof(*list));
        if (!list)
            return lwb_fail_memory(err);
        cJSON_ArrayForEach(item, array)
        {
            if (lwb_json_get_text(item, "stream", &list[count].stream, err) < 0 ||
                lwb_json_get_count(item, "rows", &list[count].rows, err) < 0)
                return lwb_message_bad(response, err);
            count++;
        }
    }
    *streams = list;
    *n_streams = count;
    return LWB_OK;
}

/* ---- encoding ----------------------------------------------------------------------------- */

void lwb_writer_begin(struct lwb_writer *writer, struct lwb_buf *out,
                      const struct lwb_message_head *head, uint32_t limit)
{
    *writer = (struct lwb_writer){ .out = out, .start = out->len, .limit = limit };
    lwb_buf_append_u32be(out, 0);
    lwb_buf_append_text(out, "{\"version\":");
    lwb_buf_append_decimal(out, LWB_PROTOCOL_VERSION);
    lwb_buf_append_text(out, ",\"generation\":");
    lwb_buf_append_decimal(out, head->generation);
    lwb_buf_append_text(out, ",\"request\":");
    lwb_buf_append_decimal(out, head->request);
    lwb_buf_append_text(out, ",\"type\":\"");
    lwb_buf_append_text(out, lwb_message_type_name(head->type));
    lwb_buf_append_char(out, '"');
}

void lwb_writer_text(struct lwb_writer *writer, const char *key, const char *value)
{
    if (value)
        lwb_json_member_text(writer->out, &writer->first, key, value);
}

void lwb_writer_bytes(struct lwb_writer *writer, const char *key, struct lwb_bytes value)
{
    lwb_json_member_bytes(writer->out, &writer->first, key, value);
}

/* Larger numbers would not survive a double; no count of ours comes near. */
static int64_t clamp(uint64_t value)
{
    return value < (uint64_t)LWB_JSON_INT_MAX ? (int64_t)value : LWB_JSON_INT_MAX;
}

void lwb_writer_count(struct lwb_writer *writer, const char *key, uint64_t value)
{
    lwb_json_member_int(writer->out, &writer->first, key, clamp(value));
}

void lwb_writer_int(struct lwb_writer *writer, const char *key, int64_t value, int64_t silent)
{
    if (value != silent)
        lwb_json_member_int(writer->out, &writer->first, key, value);
}

void lwb_writer_flag(struct lwb_writer *writer, const char *key, bool value)
{
    lwb_json_member_bool(writer->out, &writer->first, key, value);
}

void lwb_writer_strings(struct lwb_writer *writer, const char *key, const struct lwb_strvec *list)
{
    if (!list)
        return;
    lwb_writer_list(writer, key);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            lwb_buf_append_char(writer->out, ',');
        lwb_json_append_text(writer->out, list->items[i]);
    }
    lwb_writer_list_end(writer);
}

void lwb_writer_streams(struct lwb_writer *writer, const struct lwb_stream_count *streams,
                        size_t n_streams)
{
    if (!n_streams)
        return;
    lwb_writer_list(writer, "streams");
    for (size_t i = 0; i < n_streams; i++) {
        lwb_writer_open(writer, i == 0);
        lwb_writer_text(writer, "stream", streams[i].stream);
        lwb_writer_count(writer, "rows", streams[i].rows);
        lwb_writer_close(writer);
    }
    lwb_writer_list_end(writer);
}

void lwb_writer_list(struct lwb_writer *writer, const char *key)
{
    lwb_json_member(writer->out, &writer->first, key);
    lwb_buf_append_char(writer->out, '[');
}

void lwb_writer_open(struct lwb_writer *writer, bool first)
{
    lwb_buf_append_text(writer->out, first ? "{" : ",{");
    writer->first = true;
}

void lwb_writer_close(struct lwb_writer *writer)
{
    lwb_buf_append_char(writer->out, '}');
}

void lwb_writer_list_end(struct lwb_writer *writer)
{
    lwb_buf_append_char(writer->out, ']');
    writer->first = false;
}

static int fail_too_large(size_t len, uint32_t limit, struct lwb_error *err)
{
    (void)lwb_fail(err, LWB_ERR_LIMIT, "message of %zu bytes, at most %u allowed", len, limit);
    err->facts.current = len;
    err->facts.limit = limit;
    return err->code;
}

/* Why the frame is not there. What was appended is only a part of it, so its length is a guess. */
static int fail_writer(const struct lwb_writer *writer, size_t len, struct lwb_error *err)
{
    const struct lwb_buf *out = writer->out;
    size_t room = out->max - writer->start;

    if (len <= writer->limit && !out->full)
        return lwb_fail_memory(err);
    if (room < (size_t)writer->limit + LWB_FRAME_HEADER)
        return fail_too_large(len, (uint32_t)room, err);
    return fail_too_large(len > writer->limit ? len : (size_t)writer->limit + 1, writer->limit,
                          err);
}

int lwb_writer_end(struct lwb_writer *writer, struct lwb_bytes attachment, struct lwb_error *err)
{
    struct lwb_buf *out = writer->out;
    size_t written;
    size_t len;

    lwb_buf_append_char(out, '}');
    written = out->len - writer->start;
    len = written > LWB_FRAME_HEADER ? written - LWB_FRAME_HEADER : 0;
    if (attachment.ptr)
        len += attachment.len + 1;
    if (len <= writer->limit && attachment.ptr) {
        lwb_buf_append_char(out, '\n');
        lwb_buf_append_bytes(out, attachment);
    }
    if (len > writer->limit || !lwb_buf_ok(out)) {
        (void)fail_writer(writer, len, err);
        out->len = writer->start;
        out->failed = false;
        if (out->ptr)
            out->ptr[out->len] = '\0';
        return err->code;
    }
    for (unsigned i = 0; i < LWB_FRAME_HEADER; i++)
        out->ptr[writer->start + i] = (char)(len >> (24 - 8 * i));
    return LWB_OK;
}

int lwb_plain_encode(struct lwb_buf *out, const struct lwb_message_head *head, uint32_t limit,
                     struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    return lwb_writer_end(&writer, lwb_bytes(NULL, 0), err);
}
