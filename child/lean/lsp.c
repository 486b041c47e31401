#include "child/lean/lsp.h"

#include <ctype.h>

#include "lwbuild/base/alloc.h"

/*
 * Outgoing frames are written by hand: the document is the only part of any
 * size, and it goes straight from the source into the frame. The length stands
 * in front of a body whose size is not known yet, so room for its digits is
 * kept; what they do not need is closed up afterwards.
 */
static const char length_word[] = "Content-Length:";

enum { LENGTH_DIGITS = 10 };

static size_t open_frame(struct lwb_buf *out)
{
    lwb_buf_append_text(out, "Content-Length: 0000000000\r\n\r\n");
    return out->len;
}

static void close_frame(struct lwb_buf *out, size_t body)
{
    char digits[24];
    char *place;
    int n;

    if (!lwb_buf_ok(out))
        return;
    place = out->ptr + body - 4 - LENGTH_DIGITS;
    n = snprintf(digits, sizeof(digits), "%zu", out->len - body);
    /* No padding: readers differ in what else than digits they take. */
    memcpy(place, digits, (size_t)n);
    memmove(place + n, place + LENGTH_DIGITS, out->len - (body - 4) + 1);
    out->len -= (size_t)(LENGTH_DIGITS - n);
}

void lwb_lsp_initialize(struct lwb_buf *out)
{
    size_t body = open_frame(out);

    lwb_buf_append_text(out, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":"
                             "{\"processId\":null,\"capabilities\":{},\"initializationOptions\":"
                             "{\"editDelay\":0,\"hasWidgets\":false}}}");
    close_frame(out, body);
}

static void append_document(struct lwb_buf *out, const char *uri, uint64_t version)
{
    lwb_buf_append_text(out, "\"textDocument\":{\"uri\":");
    lwb_json_append_text(out, uri);
    lwb_buf_format(out, ",\"version\":%llu", (unsigned long long)version);
}

void lwb_lsp_did_open(struct lwb_buf *out, const char *uri, struct lwb_bytes text)
{
    size_t body = open_frame(out);

    lwb_buf_append_text(out,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{");
    append_document(out, uri, 1);
    lwb_buf_append_text(out, ",\"languageId\":\"lean\",\"text\":");
    lwb_json_append_string(out, text);
    lwb_buf_append_text(out, "},\"dependencyBuildMode\":\"never\"}}");
    close_frame(out, body);
}

void lwb_lsp_did_change(struct lwb_buf *out, const char *uri, uint64_t version,
                        struct lwb_bytes text)
{
    size_t body = open_frame(out);

    lwb_buf_append_text(out,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didChange\",\"params\":{");
    append_document(out, uri, version);
    lwb_buf_append_text(out, "},\"contentChanges\":[{\"text\":");
    lwb_json_append_string(out, text);
    lwb_buf_append_text(out, "}]}}");
    close_frame(out, body);
}

void lwb_lsp_wait_for_diagnostics(struct lwb_buf *out, const char *uri, uint64_t version,
                                  uint64_t id)
{
    size_t body = open_frame(out);

    lwb_buf_format(out, "{\"jsonrpc\":\"2.0\",\"id\":%llu,", (unsigned long long)id);
    lwb_buf_append_text(out, "\"method\":\"textDocument/waitForDiagnostics\",\"params\":{\"uri\":");
    lwb_json_append_text(out, uri);
    lwb_buf_format(out, ",\"version\":%llu}}", (unsigned long long)version);
    close_frame(out, body);
}

char *lwb_lsp_uri(const char *path)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf uri = LWB_BUF(1024 * 1024);

    lwb_buf_append_text(&uri, "file://");
    for (const unsigned char *at = (const unsigned char *)path; *at; at++) {
        if (isalnum(*at) || strchr("/-._~", *at))
            lwb_buf_append_char(&uri, (char)*at);
        else
            lwb_buf_format(&uri, "%%%02X", *at);
    }
    return lwb_buf_take(&uri);
}

void lwb_lsp_reader_init(struct lwb_lsp_reader *reader)
{
    *reader = (struct lwb_lsp_reader){ .pending = LWB_BUF(LWB_LSP_FRAME_MAX + 64 * 1024) };
}

void lwb_lsp_reader_release(struct lwb_lsp_reader *reader)
{
    lwb_buf_release(&reader->pending);
}

enum { READ_SIZE = 64 * 1024 };

char *lwb_lsp_reader_room(struct lwb_lsp_reader *reader, size_t *room)
{
    lwb_buf_consume(&reader->pending, reader->at);
    reader->at = 0;
    *room = READ_SIZE;
    return lwb_buf_reserve(&reader->pending, READ_SIZE);
}

void lwb_lsp_reader_commit(struct lwb_lsp_reader *reader, size_t len)
{
    reader->pending.len += len;
}

static struct lwb_bytes rest_of(const struct lwb_lsp_reader *reader)
{
    return lwb_bytes(reader->pending.ptr ? reader->pending.ptr + reader->at : "",
                     reader->pending.len - reader->at);
}

enum { HEADER_MAX = 1024 }; /* of other fields */

enum header_state { HEADER_WHOLE, HEADER_CUT, HEADER_NONE };

/*
 * "Content-Length: 123\r\n" and perhaps other fields, up to the empty line.
 * Anything else that begins with those words is noise.
 */
static enum header_state read_header(struct lwb_bytes text, size_t *header, uint64_t *length)
{
    size_t at = sizeof(length_word) - 1;
    const char *end;
    uint64_t value = 0;
    bool digits = false;

    while (at < text.len && text.ptr[at] == ' ')
        at++;
    for (; at < text.len && isdigit((unsigned char)text.ptr[at]); at++) {
        value = value * 10 + (uint64_t)(text.ptr[at] - '0');
        digits = true;
        if (value > LWB_LSP_FRAME_MAX)
            return HEADER_NONE;
    }
    if (at == text.len)
        return HEADER_CUT;
    if (!digits || text.ptr[at] != '\r')
        return HEADER_NONE;
    end = memmem(text.ptr + at, text.len - at < HEADER_MAX ? text.len - at : HEADER_MAX, "\r\n\r\n",
                 4);
    if (!end)
        return text.len - at >= HEADER_MAX ? HEADER_NONE : HEADER_CUT;
    *header = (size_t)(end - text.ptr) + 4;
    *length = value;
    return HEADER_WHOLE;
}

/*
 * A header inside what should be a body: JSON text never holds a raw carriage
 * return, so the outer header was noise that looked like one.
 */
static bool holds_header(struct lwb_bytes body)
{
    while (body.len > 0) {
        const char *found = memmem(body.ptr, body.len, length_word, sizeof(length_word) - 1);
        size_t header;
        uint64_t length;

        if (!found)
            return false;
        body.len -= (size_t)(found - body.ptr);
        body.ptr = found;
        if (read_header(body, &header, &length) == HEADER_WHOLE)
            return true;
        body.ptr++;
        body.len--;
    }
    return false;
}

/* At a header. Returns 1 with a body, 0 when bytes are missing, -1 when it was noise. */
static int take_frame(struct lwb_lsp_reader *reader, struct lwb_bytes *body)
{
    struct lwb_bytes text = rest_of(reader);
    struct lwb_bytes got;
    size_t header;
    uint64_t length;

    switch (read_header(text, &header, &length)) {
    case HEADER_CUT:
        return 0;
    case HEADER_NONE:
        return -1;
    case HEADER_WHOLE:
        break;
    }
    got = lwb_bytes(text.ptr + header, text.len - header < length ? text.len - header : length);
    if (length == 0 || (got.len > 0 && got.ptr[0] != '{') || holds_header(got))
        return -1;
    if (got.len < length)
        return 0;
    if (got.ptr[length - 1] != '}')
        return -1;
    reader->at += header + length;
    *body = got;
    return 1;
}

int lwb_lsp_next(struct lwb_lsp_reader *reader, struct lwb_bytes *body)
{
    for (;;) {
        struct lwb_bytes text = rest_of(reader);
        const char *found = memmem(text.ptr, text.len, length_word, sizeof(length_word) - 1);
        size_t keep = sizeof(length_word) - 2;
        int rc;

        if (!found) {
            /* The end may be the beginning of the word. */
            if (text.len > keep)
                reader->at += text.len - keep;
            return 0;
        }
        reader->at += (size_t)(found - text.ptr);
        rc = take_frame(reader, body);
        if (rc >= 0)
            return rc;
        reader->at++; /* noise that looked like a frame */
    }
}

/*
 * Quotes inside JSON strings are escaped, so these words with their quotes can
 * only be members, whatever a message says. Lean writes JSON without spaces.
 */
enum lwb_lsp_kind lwb_lsp_classify(struct lwb_bytes body)
{
    if (lwb_bytes_contain(body, "\"method\":\"textDocument/publishDiagnostics\""))
        return lwb_bytes_contain(body, "\"isIncremental\":true") ? LWB_LSP_MORE_DIAGNOSTICS
                                                                 : LWB_LSP_DIAGNOSTICS;
    if (lwb_bytes_contain(body, "\"method\":\"$/lean/fileProgress\"")) {
        if (lwb_bytes_contain(body, "\"processing\":[]"))
            return LWB_LSP_DONE;
        return lwb_bytes_contain(body, "\"kind\":2") ? LWB_LSP_FATAL : LWB_LSP_PROGRESS;
    }
    if (lwb_bytes_contain(body, "\"method\":"))
        return LWB_LSP_OTHER;
    return LWB_LSP_REPLY;
}

int lwb_lsp_reply(struct lwb_bytes body, uint64_t *id, bool *is_error)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_error ignored;

    if (lwb_json_parse(&json, body, &ignored) < 0 ||
        lwb_json_get_count(json, "id", id, &ignored) < 0)
        return 0;
    *is_error = lwb_json_find(json, "error") != NULL;
    return *is_error || lwb_json_find(json, "result") != NULL;
}

int lwb_lsp_progress(struct lwb_bytes body, uint64_t *line)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_error ignored;
    const cJSON *params, *processing, *range, *start;

    return lwb_json_parse(&json, body, &ignored) == LWB_OK &&
           lwb_json_get_object(json, "params", &params, &ignored) == LWB_OK &&
           lwb_json_get_array(params, "processing", &processing, &ignored) == LWB_OK &&
           processing->child &&
           lwb_json_get_object(processing->child, "range", &range, &ignored) == LWB_OK &&
           lwb_json_get_object(range, "start", &start, &ignored) == LWB_OK &&
           lwb_json_get_count(start, "line", line, &ignored) == LWB_OK;
}

int lwb_lsp_done(struct lwb_bytes body, uint64_t *version)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_error ignored;
    const cJSON *params, *document;

    return lwb_json_parse(&json, body, &ignored) == LWB_OK &&
           lwb_json_get_object(json, "params", &params, &ignored) == LWB_OK &&
           lwb_json_get_object(params, "textDocument", &document, &ignored) == LWB_OK &&
           lwb_json_get_count(document, "version", version, &ignored) == LWB_OK;
}

bool lwb_lsp_is_about(struct lwb_bytes body, const char *uri)
{
    static const char before[] = "\"uri\":\"";
    size_t len = strlen(uri);

    while (body.len > 0) {
        const char *found = memmem(body.ptr, body.len, before, sizeof(before) - 1);
        struct lwb_bytes rest;

        if (!found)
            return false;
        found += sizeof(before) - 1;
        rest = lwb_bytes(found, body.len - (size_t)(found - body.ptr));
        if (rest.len > len && lwb_bytes_start_with(rest, uri) && rest.ptr[len] == '"')
            return true;
        body = rest;
    }
    return false;
}

int lwb_lsp_diagnostics(struct lwb_bytes body, cJSON **json, uint64_t *version, const cJSON **list,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_json_free) cJSON *parsed = NULL;
    const cJSON *params;
    const cJSON *diagnostics;
    uint64_t number;

    if (lwb_json_parse(&parsed, body, err) < 0 ||
        lwb_json_get_object(parsed, "params", &params, err) < 0 ||
        lwb_json_get_count(params, "version", &number, err) < 0 ||
        lwb_json_get_array(params, "diagnostics", &diagnostics, err) < 0)
        return err->code;
    *json = LWB_TAKE(parsed);
    *version = number;
    *list = diagnostics;
    return LWB_OK;
}
