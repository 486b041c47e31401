#include "tests/support/fake_lean_internal.h"

#include <stdio.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/json.h"
#include "tests/support/lean_frames.h"

/* As strict as the real one: a message it does not know ends it with exit code 1. */
enum { FRAME_MAX = 256 * 1024 * 1024 };

static struct {
    struct lwb_buf uri;
    struct lwb_buf header; /* of the first document, as the imports it names */
    uint64_t version;
} document = { .uri = { .max = 65536 }, .header = { .max = 65536 } };

static int protocol_error(const char *text)
{
    (void)fprintf(stderr, "[%s] %s\n", lwb_buf_text(&document.uri), text);
    return 1;
}

static void append_message(struct lwb_buf *out, const struct fake_message *message)
{
    size_t line = message->line - 1;
    bool is_error = strcmp(message->severity, "error") == 0;
    bool is_warning = strcmp(message->severity, "warning") == 0;

    lwb_buf_format(out,
                   "{\"source\":\"Lean 4\",\"severity\":%d,"
                   "\"range\":{\"start\":{\"line\":%zu,\"character\":%zu},"
                   "\"end\":{\"line\":%zu,\"character\":%zu}},"
                   "\"fullRange\":{\"start\":{\"line\":%zu,\"character\":%zu},"
                   "\"end\":{\"line\":%zu,\"character\":%zu}},",
                   is_error ? 1 : (is_warning ? 2 : 3), line, message->units, line,
                   message->units + 1, line, message->units, line + 1, (size_t)0);
    if (message->silent)
        lwb_buf_append_text(out, "\"isSilent\":true,");
    lwb_buf_append_text(out, "\"message\":");
    if (strchr(message->text, '\x01')) /* stands for a NUL, which C texts cannot hold */
        lwb_buf_append_text(out, "\"a NUL: \\u0000\"");
    else
        lwb_json_append_text(out, message->text);
    lwb_buf_append_char(out, '}');
}

static void publish_about(const struct fake_lean *fake, const char *uri, uint64_t version,
                          size_t first, size_t end, const char *more)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(FRAME_MAX);

    lwb_buf_format(&body, "{\"params\":{\"version\":%llu,\"uri\":\"%s\",\"diagnostics\":[",
                   (unsigned long long)version, uri);
    for (size_t i = first; i < end; i++) {
        if (i > first)
            lwb_buf_append_char(&body, ',');
        append_message(&body, &fake->messages[i]);
    }
    lwb_buf_format(&body, "]%s},\"method\":\"textDocument/publishDiagnostics\",", more);
    lwb_buf_append_text(&body, "\"jsonrpc\":\"2.0\"}");
    lean_send_frame(lwb_buf_bytes(&body));
}

static void publish_version(const struct fake_lean *fake, uint64_t version, size_t first,
                            size_t end, const char *more)
{
    publish_about(fake, lwb_buf_text(&document.uri), version, first, end, more);
}

/* All messages so far, or those that are new. */
static void publish(struct fake_lean *fake)
{
    if (fake->partial)
        publish_version(fake, document.version, fake->n_published, fake->n_messages,
                        ",\"isIncremental\":true");
    else
        publish_version(fake, document.version, 0, fake->n_messages, "");
    fake->n_published = fake->n_messages;
}

static void send_progress(size_t line, const char *kind)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(FRAME_MAX);

    lwb_buf_format(&body,
                   "{\"params\":{\"textDocument\":{\"version\":%llu,\"uri\":\"%s\"},"
                   "\"processing\":[{\"range\":{\"start\":{\"line\":%zu,\"character\":0},"
                   "\"end\":{\"line\":9999,\"character\":0}}%s}]},"
                   "\"method\":\"$/lean/fileProgress\",\"jsonrpc\":\"2.0\"}",
                   (unsigned long long)document.version, lwb_buf_text(&document.uri), line, kind);
    lean_send_frame(lwb_buf_bytes(&body));
}

static void send_done(const char *uri, uint64_t version)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(FRAME_MAX);

    lwb_buf_format(&body,
                   "{\"params\":{\"textDocument\":{\"version\":%llu,\"uri\":\"%s\"},"
                   "\"processing\":[]},\"method\":\"$/lean/fileProgress\",\"jsonrpc\":\"2.0\"}",
                   (unsigned long long)version, uri);
    lean_send_frame(lwb_buf_bytes(&body));
}

static void send_reply(uint64_t id)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(4096);

    lwb_buf_format(&body, "{\"result\":{},\"jsonrpc\":\"2.0\",\"id\":%llu}",
                   (unsigned long long)id);
    lean_send_frame(lwb_buf_bytes(&body));
}

/* What a check does not need: news of the document, and requests numbered by the worker itself. */
static void chat(const struct fake_lean *fake, uint64_t id)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(FRAME_MAX);

    if (fake->era < FAKE_4_8)
        return;
    lwb_buf_format(&body,
                   "{\"params\":{\"version\":%llu,\"references\":{}},"
                   "\"method\":\"$/lean/ileanInfoUpdate\",\"jsonrpc\":\"2.0\"}",
                   (unsigned long long)document.version);
    lean_send_frame(lwb_buf_bytes(&body));
    lwb_buf_clear(&body);
    lwb_buf_format(&body,
                   "{\"method\":\"workspace/semanticTokens/refresh\",\"jsonrpc\":\"2.0\","
                   "\"id\":%llu}",
                   (unsigned long long)id);
    lean_send_frame(lwb_buf_bytes(&body));
}

/* A newer version is there, or so it believes. */
static void send_refusal(uint64_t id)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(4096);

    lwb_buf_format(&body,
                   "{\"jsonrpc\":\"2.0\",\"id\":%llu,"
                   "\"error\":{\"message\":\"File changed.\",\"code\":-32801}}",
                   (unsigned long long)id);
    lean_send_frame(lwb_buf_bytes(&body));
}

static void send_stray(const struct fake_lean *fake)
{
    static const char uri[] = "file:///elsewhere.lean";

    publish_about(fake, uri, document.version, 0, 0, "");
    send_done(uri, document.version);
    for (uint64_t id = 0; id < 10; id++)
        send_reply(id);
}

static void on_progress(struct fake_lean *fake)
{
    if (fake->early)
        return;
    send_progress(fake->line, fake->era >= FAKE_2022_12 ? ",\"kind\":1" : "");
    publish(fake);
}

static void describe_header(struct lwb_buf *out, struct lwb_bytes text)
{
    LWB_AUTO(lwb_lean_header_release) struct lwb_lean_header header = { 0 };
    struct lwb_error err;

    if (lwb_lean_header_parse(&header, text, &err) < 0)
        abort();
    /* Since 4.8 positions count too: the text up to the last token must be the same. */
    lwb_buf_append(out, text.ptr, header.end);
}

static void process(struct fake_lean *fake, struct lwb_bytes text)
{
    fake->progress = on_progress;
    publish_version(fake, document.version, 0, 0, "");
    fake_lean_elaborate(fake, text);
    if (fake->stray)
        send_stray(fake);
    if (fake->early) { /* that an older version is done is none of this one's business */
        send_done(lwb_buf_text(&document.uri), document.version - 1);
        return;
    }
    publish(fake);
    if (fake->header_failed) {
        if (fake->era >= FAKE_2022_12)
            send_progress(0, ",\"kind\":2");
        return;
    }
    send_done(lwb_buf_text(&document.uri), document.version);
    if (fake->again)
        publish_version(fake, document.version - 1, 0, 0, "");
    if (fake->withdraw)
        publish_version(fake, document.version, 0, 0, "");
    if (fake->stray)
        send_stray(fake);
}

static int take_text(struct fake_lean *fake, const cJSON *holder, bool first)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf header = LWB_BUF(65536);
    struct lwb_error err;
    const char *text;

    if (lwb_json_get_text(holder, "text", &text, &err) < 0)
        return protocol_error(err.text);
    describe_header(&header, lwb_bytes_text(text));
    if (first) {
        lwb_buf_append_bytes(&document.header, lwb_buf_bytes(&header));
    } else if (!lwb_bytes_equal(lwb_buf_bytes(&header), lwb_buf_bytes(&document.header)) &&
               fake->era != FAKE_2021_07) { /* which goes on with the old environment */
        (void)protocol_error("Internal server error: header changed but worker wasn't restarted.");
        return fake->era >= FAKE_2022_12 ? 2 : 1;
    }
    process(fake, lwb_bytes_text(text));
    return 0;
}

static int on_open(struct fake_lean *fake, const cJSON *params)
{
    struct lwb_error err;
    const cJSON *item;
    const char *uri;

    if (lwb_json_get_object(params, "textDocument", &item, &err) < 0 ||
        lwb_json_get_text(item, "uri", &uri, &err) < 0 ||
        lwb_json_get_count(item, "version", &document.version, &err) < 0)
        return protocol_error(err.text);
    lwb_buf_append_text(&document.uri, uri);
    return take_text(fake, item, true);
}

static int on_change(struct fake_lean *fake, const cJSON *params)
{
    struct lwb_error err;
    const cJSON *item;
    const cJSON *changes;
    uint64_t version;

    if (lwb_json_get_object(params, "textDocument", &item, &err) < 0 ||
        lwb_json_get_count(item, "version", &version, &err) < 0 ||
        lwb_json_get_array(params, "contentChanges", &changes, &err) < 0)
        return protocol_error(err.text);
    if (version <= document.version)
        return protocol_error("Got outdated version number");
    document.version = version;
    return take_text(fake, changes->child, false);
}

static int on_wait(const struct fake_lean *fake, const cJSON *message, const cJSON *params)
{
    struct lwb_error err;
    uint64_t id, version;

    if (lwb_json_get_count(message, "id", &id, &err) < 0 ||
        lwb_json_get_count(params, "version", &version, &err) < 0)
        return protocol_error(err.text);
    if (version > document.version)
        return protocol_error("waitForDiagnostics of a version that is not there yet");
    chat(fake, id);
    if (fake->refuse)
        send_refusal(id);
    else if (!fake->mute)
        send_reply(id);
    return 0;
}

/* Returns 0 to go on. */
static int dispatch(struct fake_lean *fake, const cJSON *message, size_t number)
{
    struct lwb_error err;
    const cJSON *params = lwb_json_find(message, "params");
    const char *method;

    if (lwb_json_get_text(message, "method", &method, &err) < 0)
        return protocol_error("Got invalid JSON-RPC message");
    if (number == 0)
        return strcmp(method, "initialize") == 0 ? 0 : protocol_error("expected initialize");
    if (number == 1)
        return strcmp(method, "textDocument/didOpen") == 0 ? on_open(fake, params)
                                                           : protocol_error("expected didOpen");
    if (strcmp(method, "textDocument/didChange") == 0)
        return on_change(fake, params);
    if (strcmp(method, "textDocument/waitForDiagnostics") == 0)
        return on_wait(fake, message, params);
    return protocol_error("Got unsupported notification method");
}

int fake_lean_worker(struct fake_lean *fake)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(FRAME_MAX);

    for (size_t number = 0; lean_read_frame(&body); number++) {
        LWB_AUTO(lwb_json_free) cJSON *message = NULL;
        struct lwb_error err;
        int code;

        if (lwb_json_parse(&message, lwb_buf_bytes(&body), &err) < 0)
            return protocol_error(err.text);
        if (strcmp(lwb_json_text(lwb_json_find(message, "method")) ?: "", "exit") == 0)
            return 0;
        code = dispatch(fake, message, number);
        if (code != 0)
            return code;
    }
    return protocol_error("stdin is at its end");
}
