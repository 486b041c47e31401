#include <inttypes.h>
#include <stdio.h>

#include "tests/support/child_pipe.h"
#include "tests/support/test.h"

static void start(struct child_pipe *child, uint64_t max_frame)
{
    struct lwb_message message = { 0 };

    child_pipe_start(child, ECHO_CHILD, NULL);
    child_pipe_hello(child, max_frame, NULL);
    child_pipe_open(child, "echo", NULL, NULL);
    child_pipe_expect(child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
}

/* Streams "s0", "s1", ...: how many rows have come, each checked for its number. */
struct tally {
    uint64_t rows[4];
    uint64_t frames;
};

static void take_rows(struct tally *tally, struct lwb_message *message)
{
    struct lwb_rows rows;
    struct lwb_bytes row;
    struct lwb_error err;
    uint64_t taken = 0;
    char start[40];
    size_t stream;

    assert_int_equal(lwb_rows_decode(&rows, message, &err), LWB_OK);
    stream = (size_t)(rows.stream[1] - '0');
    assert_int_equal(rows.first, tally->rows[stream]);
    while (lwb_rows_next(&rows.packed, &row) == 1) {
        (void)snprintf(start, sizeof(start), "{\"n\":%" PRIu64 ",", tally->rows[stream]++);
        assert_true(row.len >= strlen(start));
        assert_memory_equal(row.ptr, start, strlen(start));
        taken++;
    }
    assert_int_equal(rows.packed.len, 0);
    assert_int_equal(taken, rows.count);
    tally->frames++;
}

/* All rows up to the response, which is left in `message`. */
static void take_all(struct child_pipe *child, struct tally *tally, struct lwb_message *message)
{
    assert_int_equal(child_pipe_next(child, message), 1);
    while (message->head.type == LWB_MSG_ROWS) {
        take_rows(tally, message);
        lwb_message_release(message);
        assert_int_equal(child_pipe_next(child, message), 1);
    }
}

static void many_rows_share_few_frames(void **state)
{
    struct lwb_stream_summary summary;
    struct lwb_message message = { 0 };
    struct tally tally = { 0 };
    struct child_pipe child;
    struct lwb_error err;

    (void)state;
    start(&child, LWB_FRAME_DEFAULT_LIMIT);
    child_pipe_export(&child, LWB_MSG_STREAM, "rows", "{\"rows\":100000}");
    take_all(&child, &tally, &message);
    assert_int_equal(lwb_stream_summary_decode(&summary, &message, &err), LWB_OK);
    assert_int_equal(summary.total_rows, 100000);
    assert_int_equal(summary.n_streams, 1);
    assert_string_equal(summary.streams[0].stream, "s0");
    assert_true(lwb_bytes_is(summary.metadata, "{\"echo\":true}"));
    assert_int_equal(tally.rows[0], 100000);
    assert_true(tally.frames < 100000 / 10);
    lwb_message_release(&message);
    child_pipe_stop(&child);
}

static void each_stream_counts_for_itself(void **state)
{
    struct lwb_stream_summary summary;
    struct lwb_message message = { 0 };
    struct tally tally = { 0 };
    struct child_pipe child;
    struct lwb_error err;

    (void)state;
    start(&child, LWB_FRAME_DEFAULT_LIMIT);
    child_pipe_export(&child, LWB_MSG_STREAM, "rows", "{\"rows\":1000,\"streams\":3}");
    take_all(&child, &tally, &message);
    assert_int_equal(lwb_stream_summary_decode(&summary, &message, &err), LWB_OK);
    assert_int_equal(summary.total_rows, 3000);
    assert_int_equal(summary.n_streams, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tally.rows[i], 1000);
    lwb_message_release(&message);
    child_pipe_stop(&child);
}

/* The host sends a burst and then computes without an end: nobody calls a function of ours again.
 */
static void no_row_waits_for_the_host_to_come_back(void **state)
{
    struct lwb_message message = { 0 };
    struct tally tally = { 0 };
    struct child_pipe child;

    (void)state;
    start(&child, LWB_FRAME_DEFAULT_LIMIT);
    child_pipe_export(&child, LWB_MSG_STREAM, "slow", "{\"rows\":50}");
    while (tally.rows[0] < 50) {
        child_pipe_expect(&child, &message, LWB_MSG_ROWS);
        take_rows(&tally, &message);
        lwb_message_release(&message);
    }
    child_pipe_stop(&child);
}

static void a_row_over_the_limit_fails_its_request_alone(void **state)
{
    struct lwb_message message = { 0 };
    struct tally tally = { 0 };
    struct lwb_refusal refusal;
    struct child_pipe child;
    struct lwb_error err;

    (void)state;
    start(&child, LWB_FRAME_MIN_LIMIT);
    child_pipe_export(&child, LWB_MSG_STREAM, "rows", "{\"rows\":3,\"bytes\":65000}");
    child_pipe_expect(&child, &message, LWB_MSG_REFUSAL);
    assert_int_equal(lwb_refusal_decode(&refusal, &message, &err), LWB_OK);
    assert_string_equal(refusal.code, "limit");
    assert_string_equal(refusal.stream, "s0");
    assert_int_equal(refusal.sequence, 0);
    assert_int_equal(refusal.current, 65000);
    assert_int_equal(refusal.limit, LWB_FRAME_MIN_LIMIT);
    lwb_message_release(&message);
    child_pipe_export(&child, LWB_MSG_STREAM, "rows", "{\"rows\":3,\"bytes\":64000}");
    take_all(&child, &tally, &message);
    assert_string_equal(lwb_message_type_name(message.head.type), "response");
    assert_int_equal(tally.rows[0], 3);
    lwb_message_release(&message);
    child_pipe_stop(&child);
}

static void a_check_counts_its_rows_too(void **state)
{
    struct lwb_check_response response;
    struct lwb_message message = { 0 };
    struct child_pipe child;
    struct lwb_error err;

    (void)state;
    start(&child, LWB_FRAME_DEFAULT_LIMIT);
    child_pipe_check(&child, "-- echo: rows 1\n-- echo: info 1:0 between\n-- echo: rows 1\n");
    child_pipe_expect(&child, &message, LWB_MSG_ROWS);
    lwb_message_release(&message);
    child_pipe_expect(&child, &message, LWB_MSG_DIAGNOSTIC);
    lwb_message_release(&message);
    child_pipe_expect(&child, &message, LWB_MSG_ROWS);
    lwb_message_release(&message);
    child_pipe_expect(&child, &message, LWB_MSG_RESPONSE);
    assert_int_equal(lwb_check_response_decode(&response, &message, &err), LWB_OK);
    assert_int_equal(response.n_streams, 1);
    assert_string_equal(response.streams[0].stream, "declarations");
    assert_int_equal(response.streams[0].rows, 2);
    lwb_message_release(&message);
    child_pipe_stop(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_rows_share_few_frames),
        cmocka_unit_test(each_stream_counts_for_itself),
        cmocka_unit_test(no_row_waits_for_the_host_to_come_back),
        cmocka_unit_test(a_row_over_the_limit_fails_its_request_alone),
        cmocka_unit_test(a_check_counts_its_rows_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
