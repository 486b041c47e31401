#include "lwbuild/protocol/message_internal.h"

#include "lwbuild/base/alloc.h"

static const char type_names[][20] = {
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

int lwb_message_type_parse(enum lwb_message_type *out, struct lwb_bytes name)
{
    if (name.len == 0 || name.len >= sizeof(type_names[0]))
        return -1;
    for (size_t i = 0; i < LWB_COUNT(type_names); i++) {
        if (type_names[i][0] == name.ptr[0] && memcmp(type_names[i], name.ptr, name.len) == 0 &&
            type_names[i][name.len] == '\0') {
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
    if (lwb_message_type_parse(&head->type, lwb_bytes_text(type)))
        return lwb_fail(err, LWB_ERR_PROTOCOL, "unknown message type \"%.40s\"", type);
    return LWB_OK;
}

static int decode_tree(struct lwb_message *message, struct lwb_error *err)
{
    if (lwb_json_parse(&message->json, message->text, err) == LWB_OK &&
        decode_head(&message->head, message->json, err) == LWB_OK)
        return LWB_OK;
    if (err->code == LWB_ERR_FORMAT)
        err->code = LWB_ERR_PROTOCOL;
    return err->code;
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
    int rc;

    if (newline) {
        head.len = (size_t)(newline - payload.ptr);
        message.attachment = lwb_bytes(newline + 1, payload.len - head.len - 1);
    }
    message.text = head;
    rc = lwb_message_scan(&message, err);
    if (rc == 0)
        rc = decode_tree(&message, err);
    if (rc < 0)
        return lwb_error_context(err, "message");
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

int lwb_message_strings(struct lwb_message *message, const char *key, struct lwb_strvec *out,
                        struct lwb_error *err)
{
    const cJSON *array;
    const cJSON *item;
    struct lwb_strvec list = { 0 };
    int rc = lwb_message_opt_array(message, key, &array, err);

    if (rc <= 0) {
        if (rc == 0)
            *out = list;
        return rc;
    }
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
    int rc = lwb_message_opt_array(response, "streams", &array, err);

    if (rc < 0)
        return lwb_message_bad(response, err);
    if (rc > 0) {
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
