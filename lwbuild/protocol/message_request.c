#include "lwbuild/protocol/message_internal.h"

/* Requests, in the order of message.h. */

static const struct lwb_bytes no_attachment;

/* An attachment that is there but empty must not look absent. */
static struct lwb_bytes present(struct lwb_bytes bytes)
{
    return bytes.ptr ? bytes : lwb_bytes("", 0);
}

static int need_attachment(const struct lwb_message *message, struct lwb_error *err)
{
    if (message->attachment.ptr)
        return LWB_OK;
    (void)lwb_fail(err, LWB_ERR_PROTOCOL, "no attachment");
    return lwb_message_bad(message, err);
}

int lwb_hello_request_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                             const struct lwb_hello_request *value, uint32_t limit,
                             struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_count(&writer, "max_frame", value->max_frame);
    lwb_writer_text(&writer, "parent", value->parent);
    return lwb_writer_end(&writer, no_attachment, err);
}

int lwb_hello_request_decode(struct lwb_hello_request *out, struct lwb_message *message,
                             struct lwb_error *err)
{
    struct lwb_hello_request value;

    if (lwb_message_get_count(message, "max_frame", &value.max_frame, err) < 0 ||
        lwb_message_get_text(message, "parent", &value.parent, err) < 0)
        return lwb_message_bad(message, err);
    *out = value;
    return LWB_OK;
}

int lwb_open_request_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                            const struct lwb_open_request *value, uint32_t limit,
                            struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "host", value->host);
    lwb_writer_text(&writer, "project_root", value->project_root);
    lwb_writer_text(&writer, "package", value->package);
    lwb_writer_text(&writer, "library", value->library);
    lwb_writer_text(&writer, "source_root", value->source_root);
    lwb_writer_text(&writer, "toolchain", value->toolchain);
    lwb_writer_text(&writer, "toolchain_version", value->toolchain_version);
    lwb_writer_strings(&writer, "imports", value->imports);
    lwb_writer_strings(&writer, "options", value->options);
    lwb_writer_strings(&writer, "search_path", value->search_path);
    lwb_writer_strings(&writer, "plugins", value->plugins);
    lwb_writer_text(&writer, "capability", value->capability);
    lwb_writer_text(&writer, "scratch", value->scratch);
    lwb_writer_flag(&writer, "prelude", value->prelude);
    lwb_writer_flag(&writer, "module_system", value->module_system);
    lwb_writer_count(&writer, "threads", value->threads);
    lwb_writer_count(&writer, "max_memory", value->max_memory);
    return lwb_writer_end(&writer, no_attachment, err);
}

static int decode_open_texts(struct lwb_open_request *value, struct lwb_message *message,
                             struct lwb_error *err)
{
    const struct {
        const char *key;
        const char **out;
    } texts[] = {
        { "project_root", &value->project_root },
        { "package", &value->package },
        { "library", &value->library },
        { "source_root", &value->source_root },
        { "toolchain", &value->toolchain },
        { "toolchain_version", &value->toolchain_version },
        { "capability", &value->capability },
        { "scratch", &value->scratch },
    };

    for (size_t i = 0; i < LWB_COUNT(texts); i++)
        if (lwb_message_opt_text(message, texts[i].key, NULL, texts[i].out, err) < 0)
            return err->code;
    return lwb_message_get_text(message, "host", &value->host, err);
}

static int decode_open_lists(struct lwb_open_request *value, struct lwb_message *message,
                             struct lwb_error *err)
{
    const struct {
        const char *key;
        const struct lwb_strvec **out;
    } lists[] = {
        { "imports", &value->imports },
        { "options", &value->options },
        { "search_path", &value->search_path },
        { "plugins", &value->plugins },
    };
    struct lwb_strvec *vecs = lwb_message_alloc(message, LWB_COUNT(lists), sizeof(*vecs));

    if (!vecs)
        return lwb_fail_memory(err);
    for (size_t i = 0; i < LWB_COUNT(lists); i++) {
        if (lwb_message_strings(message, lists[i].key, &vecs[i], err) < 0)
            return err->code;
        *lists[i].out = &vecs[i];
    }
    return LWB_OK;
}

int lwb_open_request_decode(struct lwb_open_request *out, struct lwb_message *message,
                            struct lwb_error *err)
{
    struct lwb_open_request value = { 0 };

    if (decode_open_texts(&value, message, err) < 0 ||
        decode_open_lists(&value, message, err) < 0 ||
        lwb_message_opt_bool(message, "prelude", false, &value.prelude, err) < 0 ||
        lwb_message_opt_bool(message, "module_system", false, &value.module_system, err) < 0 ||
        lwb_message_count(message, "threads", &value.threads, err) < 0 ||
        lwb_message_count(message, "max_memory", &value.max_memory, err) < 0)
        return lwb_message_bad(message, err);
    *out = value;
    return LWB_OK;
}

int lwb_check_request_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                             const struct lwb_check_request *value, uint32_t limit,
                             struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "module", value->module);
    lwb_writer_text(&writer, "file", value->file);
    lwb_writer_text(&writer, "path", value->path);
    lwb_writer_text(&writer, "digest", value->digest);
    lwb_writer_text(&writer, "isolation",
                    value->isolation == LWB_ISOLATION_FRESH ? "fresh" : "warm");
    lwb_writer_flag(&writer, "want_artifact", value->want_artifact);
    lwb_writer_count(&writer, "deadline_ms", value->deadline_ms);
    lwb_writer_count(&writer, "max_diagnostic_bytes", value->max_diagnostic_bytes);
    return lwb_writer_end(&writer, value->path ? no_attachment : present(value->source), err);
}

static int decode_isolation(enum lwb_isolation *out, struct lwb_message *message,
                            struct lwb_error *err)
{
    const char *word;

    if (lwb_message_opt_text(message, "isolation", "warm", &word, err) < 0)
        return lwb_message_bad(message, err);
    if (strcmp(word, "warm") == 0)
        *out = LWB_ISOLATION_WARM;
    else if (strcmp(word, "fresh") == 0)
        *out = LWB_ISOLATION_FRESH;
    else
        return lwb_message_bad_word(message, "isolation", word, err);
    return LWB_OK;
}

int lwb_check_request_decode(struct lwb_check_request *out, struct lwb_message *message,
                             struct lwb_error *err)
{
    struct lwb_check_request value = { .source = message->attachment };

    if (lwb_message_get_text(message, "module", &value.module, err) < 0 ||
        lwb_message_get_text(message, "file", &value.file, err) < 0 ||
        lwb_message_opt_text(message, "path", NULL, &value.path, err) < 0 ||
        lwb_message_opt_text(message, "digest", NULL, &value.digest, err) < 0 ||
        lwb_message_opt_bool(message, "want_artifact", false, &value.want_artifact, err) < 0 ||
        lwb_message_count(message, "deadline_ms", &value.deadline_ms, err) < 0 ||
        lwb_message_count(message, "max_diagnostic_bytes", &value.max_diagnostic_bytes, err) < 0)
        return lwb_message_bad(message, err);
    if (decode_isolation(&value.isolation, message, err) < 0 ||
        (!value.path && need_attachment(message, err) < 0))
        return err->code;
    *out = value;
    return LWB_OK;
}

int lwb_elaborate_request_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                                 const struct lwb_elaborate_request *value, uint32_t limit,
                                 struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "label", value->label);
    lwb_writer_text(&writer, "namespace", value->namespace_context);
    lwb_writer_count(&writer, "heartbeats", value->heartbeats);
    lwb_writer_count(&writer, "max_diagnostic_bytes", value->max_diagnostic_bytes);
    return lwb_writer_end(&writer, present(value->source), err);
}

int lwb_elaborate_request_decode(struct lwb_elaborate_request *out, struct lwb_message *message,
                                 struct lwb_error *err)
{
    struct lwb_elaborate_request value = { .source = message->attachment };

    if (lwb_message_get_text(message, "label", &value.label, err) < 0 ||
        lwb_message_opt_text(message, "namespace", NULL, &value.namespace_context, err) < 0 ||
        lwb_message_count(message, "heartbeats", &value.heartbeats, err) < 0 ||
        lwb_message_count(message, "max_diagnostic_bytes", &value.max_diagnostic_bytes, err) < 0)
        return lwb_message_bad(message, err);
    if (need_attachment(message, err) < 0)
        return err->code;
    *out = value;
    return LWB_OK;
}

int lwb_declaration_kinds_request_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                                         const struct lwb_declaration_kinds_request *value,
                                         uint32_t limit, struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_strings(&writer, "names", value->names);
    return lwb_writer_end(&writer, no_attachment, err);
}

int lwb_declaration_kinds_request_decode(struct lwb_declaration_kinds_request *out,
                                         struct lwb_message *message, struct lwb_error *err)
{
    struct lwb_strvec *names = lwb_message_alloc(message, 1, sizeof(*names));

    if (!names)
        return lwb_fail_memory(err);
    if (lwb_message_strings(message, "names", names, err) < 0)
        return lwb_message_bad(message, err);
    out->names = names;
    return LWB_OK;
}

int lwb_declaration_names_request_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                                         const struct lwb_declaration_names_request *value,
                                         uint32_t limit, struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "prefix", value->prefix);
    return lwb_writer_end(&writer, no_attachment, err);
}

int lwb_declaration_names_request_decode(struct lwb_declaration_names_request *out,
                                         struct lwb_message *message, struct lwb_error *err)
{
    const char *prefix;

    if (lwb_message_opt_text(message, "prefix", "", &prefix, err) < 0)
        return lwb_message_bad(message, err);
    out->prefix = prefix;
    return LWB_OK;
}

int lwb_export_request_encode(struct lwb_buf *out, const struct lwb_message_head *head,
                              const struct lwb_export_request *value, uint32_t limit,
                              struct lwb_error *err)
{
    struct lwb_writer writer;

    lwb_writer_begin(&writer, out, head, limit);
    lwb_writer_text(&writer, "name", value->name);
    return lwb_writer_end(&writer, present(value->json), err);
}

int lwb_export_request_decode(struct lwb_export_request *out, struct lwb_message *message,
                              struct lwb_error *err)
{
    const char *name;

    if (lwb_message_get_text(message, "name", &name, err) < 0)
        return lwb_message_bad(message, err);
    if (need_attachment(message, err) < 0)
        return err->code;
    *out = (struct lwb_export_request){ name, message->attachment };
    return LWB_OK;
}
