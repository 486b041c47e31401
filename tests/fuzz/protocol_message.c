#include <stdint.h>
#include <stdlib.h>

#include "lwbuild/protocol/frame.h"
#include "lwbuild/protocol/message.h"
#include "lwbuild/worker/row_ledger.h"

/*
 * Any payload through every decoder. What decodes must encode again, and the
 * result must decode to the same bytes once more: nothing is lost on the way.
 * And with a blank behind its first brace, which keeps the scanner of usual
 * heads from reading it, it must mean the same: scanner and tree agree.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 1 << 20 };

/* What a decoder makes of the message, as a frame; or the words in which it refuses. */
#define CODEC(name, type)                                                                          \
    static bool recode_##name(struct lwb_buf *out, struct lwb_message *message)                    \
    {                                                                                              \
        struct lwb_error err;                                                                      \
        type value;                                                                                \
                                                                                                   \
        if (lwb_##name##_decode(&value, message, &err) == LWB_OK &&                                \
            lwb_##name##_encode(out, &message->head, &value, LIMIT, &err) == LWB_OK)               \
            return true; /* else escapes made it larger than the limit */                          \
        lwb_buf_append_text(out, err.text);                                                        \
        return false;                                                                              \
    }                                                                                              \
    struct lwb_expect_semicolon

CODEC(hello_request, struct lwb_hello_request);
CODEC(open_request, struct lwb_open_request);
CODEC(check_request, struct lwb_check_request);
CODEC(elaborate_request, struct lwb_elaborate_request);
CODEC(declaration_kinds_request, struct lwb_declaration_kinds_request);
CODEC(declaration_names_request, struct lwb_declaration_names_request);
CODEC(export_request, struct lwb_export_request);
CODEC(hello_response, struct lwb_hello_response);
CODEC(open_response, struct lwb_open_response);
CODEC(check_response, struct lwb_check_response);
CODEC(elaborate_response, struct lwb_elaborate_response);
CODEC(kernel_response, struct lwb_kernel_response);
CODEC(strings_response, struct lwb_strings_response);
CODEC(answer, struct lwb_answer);
CODEC(stream_summary, struct lwb_stream_summary);
CODEC(refusal, struct lwb_refusal);
CODEC(progress, struct lwb_progress);
CODEC(diagnostic, struct lwb_diagnostic);
CODEC(rows, struct lwb_rows);

/* The ledger believes no numbers. */
static void enter_rows(struct lwb_message *message)
{
    LWB_AUTO(lwb_row_ledger_release) struct lwb_row_ledger ledger = { 0 };
    struct lwb_rows rows;
    struct lwb_error err;

    if (lwb_rows_decode(&rows, message, &err) == LWB_OK &&
        lwb_row_ledger_enter(&ledger, &rows, &err) == LWB_OK &&
        (rows.first != 0 || ledger.rows != rows.count))
        abort();
}

static bool (*const codecs[])(struct lwb_buf *out, struct lwb_message *message) = {
    recode_hello_request,
    recode_open_request,
    recode_check_request,
    recode_elaborate_request,
    recode_declaration_kinds_request,
    recode_declaration_names_request,
    recode_export_request,
    recode_hello_response,
    recode_open_response,
    recode_check_response,
    recode_elaborate_response,
    recode_kernel_response,
    recode_strings_response,
    recode_answer,
    recode_stream_summary,
    recode_refusal,
    recode_progress,
    recode_diagnostic,
    recode_rows,
};

/* Decode, encode, decode, encode: the two frames must be equal. */
static void round_trip(size_t codec, struct lwb_message *message)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf first = LWB_BUF(2 * LIMIT);
    LWB_AUTO(lwb_buf_release) struct lwb_buf second = LWB_BUF(2 * LIMIT);
    LWB_AUTO(lwb_message_release) struct lwb_message again = { 0 };
    struct lwb_error err;

    if (!codecs[codec](&first, message))
        return;
    if (lwb_message_decode(&again, lwb_bytes(first.ptr + 4, first.len - 4), &err) < 0 ||
        !codecs[codec](&second, &again) ||
        !lwb_bytes_equal(lwb_buf_bytes(&first), lwb_buf_bytes(&second)))
        abort();
}

/* The same message, once as it came and once by way of the tree: every decoder says the same. */
static void compare(struct lwb_message *scanned, struct lwb_message *tree)
{
    if (scanned->head.generation != tree->head.generation ||
        scanned->head.request != tree->head.request || scanned->head.type != tree->head.type ||
        !lwb_bytes_equal(scanned->attachment, tree->attachment))
        abort();
    for (size_t i = 0; i < LWB_COUNT(codecs); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf one = LWB_BUF(2 * LIMIT);
        LWB_AUTO(lwb_buf_release) struct lwb_buf other = LWB_BUF(2 * LIMIT);

        if (codecs[i](&one, scanned) != codecs[i](&other, tree) ||
            !lwb_bytes_equal(lwb_buf_bytes(&one), lwb_buf_bytes(&other)))
            abort();
    }
}

static void decode_both_ways(struct lwb_bytes payload)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf spaced = LWB_BUF(payload.len + 1);
    LWB_AUTO(lwb_message_release) struct lwb_message scanned = { 0 };
    LWB_AUTO(lwb_message_release) struct lwb_message tree = { 0 };
    struct lwb_error err;
    int rc = lwb_message_decode(&scanned, payload, &err);

    lwb_buf_append_text(&spaced, "{ ");
    lwb_buf_append(&spaced, payload.ptr + 1, payload.len - 1);
    if (rc != lwb_message_decode(&tree, lwb_buf_bytes(&spaced), &err))
        abort();
    if (rc == LWB_OK)
        compare(&scanned, &tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };
    struct lwb_error err;

    if (size == 0)
        return 0;
    if (data[0] == '{')
        decode_both_ways(lwb_bytes(data, size));
    if (lwb_message_decode(&message, lwb_bytes(data, size), &err) < 0)
        return 0;
    for (size_t i = 0; i < LWB_COUNT(codecs); i++)
        round_trip(i, &message);
    enter_rows(&message);
    return 0;
}
