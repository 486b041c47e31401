#include "lwbuild/protocol/message_internal.h"

#include <limits.h>
#include <stdio.h>

/* Responses and the refusal, in the order of message.h. */

static const struct lwb_bytes no_attachment;

static const char *const verdicts[] = {
    [LWB_VERDICT_ACCEPTED] = "accepted",
    [LWB_VERDICT_REJECTED] = "rejected",
    [LWB_VERDICT_NONE] = "none",
};

static const char *const reasons[] = {
    [LWB_REASON_NONE] = "",
    [LWB_REASON_TIME] = "time",
    [LWB_REASON_MEMORY] = "memory",
    [LWB_REASON_CRASH] = "crash",
    [LWB_REASON_PANIC] = "panic",
    [LWB_REASON_CANCELLED] = "cancelled",
    [LWB_REASON_NO_MESSAGE] = "no-message",
    [LWB_REASON_IMPORT] = "import",
    [LWB_REASON_CHANGED] = "changed",
    [LWB_REASON_DECLINED] = "declined",
    [LWB_REASON_LIMIT] = "limit",
    [LWB_REASON_OVERFLOW] = "overflow",
    [LWB_REASON_ARTIFACT] = "artifact",
    [LWB_REASON_UNSUPPORTED] = "unsupported",
    [LWB_REASON_BLOCKED] = "blocked",
};

static const char *const kernel_statuses[] = {
    [LWB_KERNEL_CHECKED] = "checked",
    [LWB_KERNEL_REJECTED] = "rejected",
    [LWB_KERNEL_UNAVAILABLE] = "unavailable",
    [LWB_KERNEL_UNSUPPORTED] = "unsupported",
};

/* The index of `word`, or -1. */
static int index_of(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return (int)i;
    return -1;
}

const char *lwb_reason_name(enum lwb_reason reason)
{
    return reasons[reason];
}

int lwb_reason_parse(enum lwb_reason *out, const char *name)
{
    int index = index_of(reasons, LWB_COUNT(reasons), name);

    if (index < 0)
        return -1;
    *out = (enum lwb_reason)index;
    return 0;
}

const char *lwb_verdict_name(enum lwb_verdict verdict)
{
    return verdicts[verdict];
}

int lwb_verdict_parse(enum lwb_verdict *out, const char *name)
{
    int index = index_of(verdicts, LWB_COUNT(verdicts), name);

    if (index < 0)
        return -1;
    *out = (enum lwb_verdict)index;
    return 0;
}

/* ---- hello and open ------------------------------------------------------------------------ */

int lwb_hello_response_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                              const struct lwb_hello_response *value, uint32_t limit,
                              struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "child", value->child);
    lwb_writer_count(&writer, "max_frame", value->max_frame);
    lwb_writer_count(&writer, "pid", value->pid);
    lwb_writer_list(&writer, "hosts");
    for (size_t i = 0; i < value->n_hosts; i++) {
        lwb_writer_open(&writer, i == 0);
        lwb_writer_text(&writer, "kind", value->hosts[i].kind);
        lwb_writer_text(&writer, "digest", value->hosts[i].digest);
        lwb_writer_close(&writer);
    }
    lwb_writer_list_end(&writer);
    lwb_writer_text(&writer, "lean_version", value->lean_version);
    return lwb_writer_end(&writer, no_attachment, err);
}

static int decode_hosts(struct lwb_hello_response *value, struct lwb_message *message,
                        struct lwb_error *err)
{
    const cJSON *array;
    const cJSON *item;

    if (lwb_message_get_array(message, "hosts", &array, err) < 0)
        return err->code;
    value->hosts =
        lwb_message_alloc(message, (size_t)cJSON_GetArraySize(array), sizeof(*value->hosts));
    if (!value->hosts)
        return lwb_fail_memory(err);
    cJSON_ArrayForEach(item, array)
    {
        struct lwb_host_offer *host = &value->hosts[value->n_hosts++];

        if (lwb_json_get_text(item, "kind", &host->kind, err) < 0 ||
            lwb_json_get_text(item, "digest", &host->digest, err) < 0)
            return err->code;
    }
    return LWB_OK;
}

int lwb_hello_response_decode(struct lwb_hello_response *out, struct lwb_message *message,
                              struct lwb_error *err)
{
    struct lwb_hello_response value = { 0 };

    if (lwb_message_get_text(message, "child", &value.child, err) < 0 ||
        lwb_message_get_count(message, "max_frame", &value.max_frame, err) < 0 ||
        lwb_message_get_count(message, "pid", &value.pid, err) < 0 ||
        decode_hosts(&value, message, err) < 0 ||
        lwb_message_opt_text(message, "lean_version", NULL, &value.lean_version, err) < 0)
        return lwb_message_bad(message, err);
    *out = value;
    return LWB_OK;
}

int lwb_open_response_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                             const struct lwb_open_response *value, uint32_t limit,
                             struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "lean_version", value->lean_version);
    lwb_writer_text(&writer, "note", value->note);
    return lwb_writer_end(&writer, no_attachment, err);
}

int lwb_open_response_decode(struct lwb_open_response *out, struct lwb_message *message,
                             struct lwb_error *err)
{
    struct lwb_open_response value;

    if (lwb_message_opt_text(message, "lean_version", NULL, &value.lean_version, err) < 0 ||
        lwb_message_opt_text(message, "note", NULL, &value.note, err) < 0)
        return lwb_message_bad(message, err);
    *out = value;
    return LWB_OK;
}

/* ---- check ----------------------------------------------------------------------------------- */

static void write_artifacts(struct lwb_writer *writer, const struct lwb_check_response *value)
{
    char hex[LWB_DIGEST_HEX + 1];

    if (!value->n_artifacts)
        return;
    lwb_writer_list(writer, "artifacts");
    for (size_t i = 0; i < value->n_artifacts; i++) {
        lwb_digest_hex(&value->artifacts[i].digest, hex);
        lwb_writer_open(writer, i == 0);
        lwb_writer_text(writer, "part", value->artifacts[i].part);
        lwb_writer_text(writer, "path", value->artifacts[i].path);
        lwb_writer_text(writer, "digest", hex);
        lwb_writer_count(writer, "size", value->artifacts[i].size);
        lwb_writer_close(writer);
    }
    lwb_writer_list_end(writer);
}

int lwb_check_response_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                              const struct lwb_check_response *value, uint32_t limit,
                              struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "verdict", lwb_verdict_name(value->verdict));
    lwb_writer_text(&writer, "reason", lwb_reason_name(value->reason));
    lwb_writer_text(&writer, "detail", value->detail);
    lwb_writer_flag(&writer, "fresh", value->fresh);
    lwb_writer_flag(&writer, "storable", value->storable);
    lwb_writer_flag(&writer, "truncated", value->truncated);
    lwb_writer_count(&writer, "check_ns", value->check_ns);
    write_artifacts(&writer, value);
    lwb_writer_streams(&writer, value->streams, value->n_streams);
    return lwb_writer_end(&writer, no_attachment, err);
}

static int decode_artifact(struct lwb_artifact *out, const cJSON *item, struct lwb_error *err)
{
    const char *hex;

    if (lwb_json_get_text(item, "part", &out->part, err) < 0 ||
        lwb_json_get_text(item, "path", &out->path, err) < 0 ||
        lwb_json_get_text(item, "digest", &hex, err) < 0 ||
        lwb_json_get_count(item, "size", &out->size, err) < 0)
        return err->code;
    if (lwb_digest_parse(&out->digest, lwb_bytes_text(hex)))
        return lwb_fail(err, LWB_ERR_PROTOCOL, "\"digest\" of an artifact is no digest");
    return LWB_OK;
}

static int decode_artifacts(struct lwb_check_response *value, struct lwb_message *message,
                            struct lwb_error *err)
{
    const cJSON *array;
    const cJSON *item;
    int rc = lwb_message_opt_array(message, "artifacts", &array, err);

    if (rc <= 0)
        return rc;
    value->artifacts =
        lwb_message_alloc(message, (size_t)cJSON_GetArraySize(array), sizeof(*value->artifacts));
    if (!value->artifacts)
        return lwb_fail_memory(err);
    cJSON_ArrayForEach(item, array)
    {
        if (decode_artifact(&value->artifacts[value->n_artifacts++], item, err) < 0)
            return err->code;
    }
    return LWB_OK;
}

static int decode_verdict(struct lwb_check_response *value, struct lwb_message *message,
                          struct lwb_error *err)
{
    const char *verdict;
    const char *reason;

    if (lwb_message_get_text(message, "verdict", &verdict, err) < 0 ||
        lwb_message_opt_text(message, "reason", "", &reason, err) < 0)
        return lwb_message_bad(message, err);
    if (lwb_verdict_parse(&value->verdict, verdict))
        return lwb_message_bad_word(message, "verdict", verdict, err);
    if (lwb_reason_parse(&value->reason, reason))
        return lwb_message_bad_word(message, "reason", reason, err);
    return LWB_OK;
}

int lwb_check_response_decode(struct lwb_check_response *out, struct lwb_message *message,
                              struct lwb_error *err)
{
    struct lwb_check_response value = { 0 };

    if (decode_verdict(&value, message, err) < 0 ||
        lwb_message_streams(message, &value.streams, &value.n_streams, err) < 0)
        return err->code;
    if (lwb_message_opt_text(message, "detail", NULL, &value.detail, err) < 0 ||
        lwb_message_get_bool(message, "fresh", &value.fresh, err) < 0 ||
        lwb_message_get_bool(message, "storable", &value.storable, err) < 0 ||
        lwb_message_opt_bool(message, "truncated", false, &value.truncated, err) < 0 ||
        lwb_message_count(message, "check_ns", &value.check_ns, err) < 0 ||
        decode_artifacts(&value, message, err) < 0)
        return lwb_message_bad(message, err);
    *out = value;
    return LWB_OK;
}

/* ---- elaborate, kernel check, declarations --------------------------------------------------- */

int lwb_elaborate_response_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                                  const struct lwb_elaborate_response *value, uint32_t limit,
                                  struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_flag(&writer, "success", value->success);
    lwb_writer_flag(&writer, "truncated", value->truncated);
    return lwb_writer_end(&writer, no_attachment, err);
}

int lwb_elaborate_response_decode(struct lwb_elaborate_response *out, struct lwb_message *message,
                                  struct lwb_error *err)
{
    struct lwb_elaborate_response value;

    if (lwb_message_get_bool(message, "success", &value.success, err) < 0 ||
        lwb_message_opt_bool(message, "truncated", false, &value.truncated, err) < 0)
        return lwb_message_bad(message, err);
    *out = value;
    return LWB_OK;
}

int lwb_kernel_response_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                               const struct lwb_kernel_response *value, uint32_t limit,
                               struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "status", kernel_statuses[value->status]);
    lwb_writer_flag(&writer, "truncated", value->truncated);
    return lwb_writer_end(&writer, no_attachment, err);
}

int lwb_kernel_response_decode(struct lwb_kernel_response *out, struct lwb_message *message,
                               struct lwb_error *err)
{
    struct lwb_kernel_response value;
    const char *status;
    int index;

    if (lwb_message_get_text(message, "status", &status, err) < 0 ||
        lwb_message_opt_bool(message, "truncated", false, &value.truncated, err) < 0)
        return lwb_message_bad(message, err);
    index = index_of(kernel_statuses, LWB_COUNT(kernel_statuses), status);
    if (index < 0)
        return lwb_message_bad_word(message, "status", status, err);
    value.status = (enum lwb_kernel_status)index;
    *out = value;
    return LWB_OK;
}

int lwb_strings_response_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                                const struct lwb_strings_response *value, uint32_t limit,
                                struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_strings(&writer, "items", &value->items);
    return lwb_writer_end(&writer, no_attachment, err);
}

int lwb_strings_response_decode(struct lwb_strings_response *out, struct lwb_message *message,
                                struct lwb_error *err)
{
    const cJSON *array;

    /* Required, so that a lost list is not taken for an empty one. */
    if (lwb_message_get_array(message, "items", &array, err) < 0 ||
        lwb_message_strings(message, "items", &out->items, err) < 0)
        return lwb_message_bad(message, err);
    return LWB_OK;
}

/* ---- capabilities ---------------------------------------------------------------------------- */

int lwb_answer_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                      const struct lwb_answer *value, uint32_t limit, struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_streams(&writer, value->streams, value->n_streams);
    return lwb_writer_end(&writer, value->json.ptr ? value->json : lwb_bytes("", 0), err);
}

int lwb_answer_decode(struct lwb_answer *out, struct lwb_message *message, struct lwb_error *err)
{
    struct lwb_answer value = { .json = message->attachment };

    if (!value.json.ptr) {
        (void)lwb_fail(err, LWB_ERR_PROTOCOL, "no attachment");
        return lwb_message_bad(message, err);
    }
    if (lwb_message_streams(message, &value.streams, &value.n_streams, err) < 0)
        return err->code;
    *out = value;
    return LWB_OK;
}

int lwb_stream_summary_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                              const struct lwb_stream_summary *value, uint32_t limit,
                              struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_count(&writer, "total_rows", value->total_rows);
    lwb_writer_count(&writer, "child_ns", value->child_ns);
    lwb_writer_streams(&writer, value->streams, value->n_streams);
    return lwb_writer_end(&writer, value->metadata.len ? value->metadata : no_attachment, err);
}

int lwb_stream_summary_decode(struct lwb_stream_summary *out, struct lwb_message *message,
                              struct lwb_error *err)
{
    struct lwb_stream_summary value = { .metadata = message->attachment };
    uint64_t sum = 0;

    if (lwb_message_streams(message, &value.streams, &value.n_streams, err) < 0)
        return err->code;
    if (lwb_message_get_count(message, "total_rows", &value.total_rows, err) < 0 ||
        lwb_message_count(message, "child_ns", &value.child_ns, err) < 0)
        return lwb_message_bad(message, err);
    for (size_t i = 0; i < value.n_streams; i++)
        sum += value.streams[i].rows;
    if (sum != value.total_rows) {
        (void)lwb_fail(err, LWB_ERR_PROTOCOL, "%llu rows in all, %llu in the streams",
                       (unsigned long long)value.total_rows, (unsigned long long)sum);
        return lwb_message_bad(message, err);
    }
    *out = value;
    return LWB_OK;
}

/* ---- refusal --------------------------------------------------------------------------------- */

int lwb_refusal_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                       const struct lwb_refusal *value, uint32_t limit, struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "code", value->code);
    lwb_writer_text(&writer, "text", value->text);
    lwb_writer_int(&writer, "status", value->status, 0);
    lwb_writer_text(&writer, "stream", value->stream);
    lwb_writer_count(&writer, "sequence", value->sequence);
    lwb_writer_count(&writer, "current", value->current);
    lwb_writer_count(&writer, "limit", value->limit);
    return lwb_writer_end(&writer, no_attachment, err);
}

int lwb_refusal_decode(struct lwb_refusal *out, struct lwb_message *message, struct lwb_error *err)
{
    struct lwb_refusal value;

    if (lwb_message_get_text(message, "code", &value.code, err) < 0 ||
        lwb_message_get_text(message, "text", &value.text, err) < 0 ||
        lwb_message_opt_int(message, "status", 0, &value.status, err) < 0 ||
        lwb_message_opt_text(message, "stream", NULL, &value.stream, err) < 0 ||
        lwb_message_count(message, "sequence", &value.sequence, err) < 0 ||
        lwb_message_count(message, "current", &value.current, err) < 0 ||
        lwb_message_count(message, "limit", &value.limit, err) < 0)
        return lwb_message_bad(message, err);
    *out = value;
    return LWB_OK;
}

void lwb_refusal_from_error(struct lwb_refusal *out, const struct lwb_error *err)
{
    const struct lwb_facts *facts = &err->facts;
    bool own_word = err->code == LWB_ERR_WORKER && facts->child_code[0];

    *out = (struct lwb_refusal){
        .code = own_word ? facts->child_code : lwb_code_name(err->code),
        .text = err->text,
        .status = facts->status,
        .stream = facts->stream[0] ? facts->stream : NULL,
        .sequence = facts->sequence,
        .current = facts->current,
        .limit = facts->limit,
    };
}

/* What a child can know better than we: everything else is our own observation or nobody's. */
static bool may_be_claimed(enum lwb_code code)
{
    switch ((int)code) {
    case LWB_ERR_UNSUPPORTED:
    case LWB_ERR_STREAM_FAILED:
    case LWB_ERR_STREAM_CALLBACK:
    case LWB_ERR_ROW_MALFORMED:
    case LWB_ERR_METADATA_MALFORMED:
    case LWB_ERR_METADATA_MISMATCH:
    case LWB_ERR_DOCTOR_MALFORMED:
    case LWB_ERR_SETUP:
    case LWB_ERR_CAPABILITY_BUILD:
    case LWB_ERR_NO_TOOLCHAIN:
    case LWB_ERR_MISSING_IMPORT:
    case LWB_ERR_STALE_IMPORT:
        return true;
    default:
        return false;
    }
}

int lwb_refusal_to_error(const struct lwb_refusal *refusal, struct lwb_error *err)
{
    enum lwb_code code = LWB_ERR_WORKER;

    if (lwb_code_parse(&code, refusal->code) || !may_be_claimed(code))
        code = LWB_ERR_WORKER;
    (void)lwb_fail(err, code, "%s", refusal->text);
    (void)snprintf(err->facts.child_code, sizeof(err->facts.child_code), "%s", refusal->code);
    (void)snprintf(err->facts.stream, sizeof(err->facts.stream), "%s",
                   refusal->stream ? refusal->stream : "");
    if (refusal->status >= INT_MIN && refusal->status <= INT_MAX)
        err->facts.status = (int)refusal->status;
    err->facts.sequence = refusal->sequence;
    err->facts.current = refusal->current;
    err->facts.limit = refusal->limit;
    err->facts.work_entered_child = true;
    return code;
}
