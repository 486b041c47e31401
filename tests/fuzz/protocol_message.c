#include <stdint.h>
#include <stdlib.h>

#include "lwbuild/protocol/frame.h"
#include "lwbuild/protocol/message.h"
#include "lwbuild/worker/row_ledger.h"

/*
 * Any payload through every decoder. What decodes must encode again, and the
 * result must decode to the same bytes once more: nothing is lost on the way.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 1 << 20 };

/* Encode a decoded value; decode that; encode again: the two must be equal. */
#define ROUND_TRIP(name, type)                                                                     \
    static void round_trip_##name(struct lwb_message *message)                                     \
    {                                                                                              \
        LWB_AUTO(lwb_buf_release) struct lwb_buf first = LWB_BUF(2 * LIMIT);                       \
        LWB_AUTO(lwb_buf_release) struct lwb_buf second = LWB_BUF(2 * LIMIT);                      \
        LWB_AUTO(lwb_message_release) struct lwb_message again = { 0 };                            \
        struct lwb_error err;                                                                      \
        type value;                                                                                \
                                                                                                   \
        if (lwb_##name##_decode(&value, message, &err) < 0)                                        \
            return;                                                                                \
        if (lwb_##name##_encode(&first, &message->head, &value, LIMIT, &err) < 0)                  \
            return; /* escapes can make it larger than the limit */                                \
        if (lwb_message_decode(&again, lwb_bytes(first.ptr + 4, first.len - 4), &err) < 0 ||       \
            lwb_##name##_decode(&value, &again, &err) < 0 ||                                       \
            lwb_##name##_encode(&second, &again.head, &value, LIMIT, &err) < 0 ||                  \
            !lwb_bytes_equal(lwb_buf_bytes(&first), lwb_buf_bytes(&second)))                       \
            abort();                                                                               \
    }                                                                                              \
    struct lwb_expect_semicolon

ROUND_TRIP(hello_request, struct lwb_hello_request);
ROUND_TRIP(open_request, struct lwb_open_request);
ROUND_TRIP(check_request, struct lwb_check_request);
ROUND_TRIP(elaborate_request, struct lwb_elaborate_request);
ROUND_TRIP(declaration_kinds_request, struct lwb_declaration_kinds_request);
ROUND_TRIP(declaration_names_request, struct lwb_declaration_names_request);
ROUND_TRIP(export_request, struct lwb_export_request);
ROUND_TRIP(hello_response, struct lwb_hello_response);
ROUND_TRIP(open_response, struct lwb_open_response);
ROUND_TRIP(check_response, struct lwb_check_response);
ROUND_TRIP(elaborate_response, struct lwb_elaborate_response);
ROUND_TRIP(kernel_response, struct lwb_kernel_response);
ROUND_TRIP(strings_response, struct lwb_strings_response);
ROUND_TRIP(answer, struct lwb_answer);
ROUND_TRIP(stream_summary, struct lwb_stream_summary);
ROUND_TRIP(refusal, struct lwb_refusal);
ROUND_TRIP(progress, struct lwb_progress);
ROUND_TRIP(diagnostic, struct lwb_diagnostic);
ROUND_TRIP(rows, struct lwb_rows);

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const round_trips[])(struct lwb_message * message) = {
        round_trip_hello_request,
        round_trip_open_request,
        round_trip_check_request,
        round_trip_elaborate_request,
        round_trip_declaration_kinds_request,
        round_trip_declaration_names_request,
        round_trip_export_request,
        round_trip_hello_response,
        round_trip_open_response,
        round_trip_check_response,
        round_trip_elaborate_response,
        round_trip_kernel_response,
        round_trip_strings_response,
        round_trip_answer,
        round_trip_stream_summary,
        round_trip_refusal,
        round_trip_progress,
        round_trip_diagnostic,
        round_trip_rows,
        enter_rows,
    };
    LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };
    struct lwb_error err;

    if (size == 0 || lwb_message_decode(&message, lwb_bytes(data, size), &err) < 0)
        return 0;
    for (size_t i = 0; i < LWB_COUNT(round_trips); i++)
        round_trips[i](&message);
    return 0;
}
