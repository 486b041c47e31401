#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "child/lean/lean_message.h"
#include "child/lean/lsp.h"

/*
 * What a worker's stdout may hold, noise included: whatever the pieces are in
 * which it comes, the same bodies are found; and no body breaks the decoders.
 * The first byte chooses the pieces.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(struct lwb_bytes body)
{
    LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages messages = { 0 };
    LWB_AUTO(lwb_lean_lines_release) struct lwb_lean_lines lines = { 0 };
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    const cJSON *list;
    struct lwb_error err;
    uint64_t number;
    bool is_error;

    if (lwb_lsp_classify(body) == LWB_LSP_REPLY) {
        (void)lwb_lsp_reply(body, &number, &is_error);
        return;
    }
    if (lwb_lsp_diagnostics(body, &json, &number, &list, &err) == LWB_OK &&
        lwb_lean_lines_init(&lines, lwb_bytes_text("a 𝔸\nb\n")) == 0)
        (void)lwb_lean_messages_add_lsp(&messages, list, &lines, &err);
}

static uint64_t feed(const uint8_t *data, size_t size, size_t piece)
{
    LWB_AUTO(lwb_lsp_reader_release) struct lwb_lsp_reader reader;
    struct lwb_bytes body;
    uint64_t sum = 0;

    lwb_lsp_reader_init(&reader);
    while (size) {
        size_t room;
        char *to = lwb_lsp_reader_room(&reader, &room);
        size_t part = size < piece ? size : piece;

        if (!to || part > room)
            abort();
        memcpy(to, data, part);
        lwb_lsp_reader_commit(&reader, part);
        data += part;
        size -= part;
        while (lwb_lsp_next(&reader, &body) > 0) {
            decode(body);
            sum = sum * 31 + body.len;
            for (size_t i = 0; i < body.len; i++)
                sum = sum * 31 + (unsigned char)body.ptr[i];
        }
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 32 * 1024)
        return 0;
    if (feed(data + 1, size - 1, size) != feed(data + 1, size - 1, 1 + data[0] % 64))
        abort();
    return 0;
}
