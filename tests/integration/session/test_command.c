#include "tests/support/test.h"

#include <stdio.h>

#include "lwbuild/base/json.h"
#include "lwbuild/session/command.h"
#include "tests/support/worker_fixture.h"

/* Typed commands: whose fault it is shows in the code. */

struct point {
    int64_t x;
    bool broken; /* makes encode fail */
};

static int encode_point(struct lwb_buf *json, const void *request, struct lwb_error *err)
{
    const struct point *point = request;

    if (point->broken)
        return lwb_fail(err, LWB_ERR_FORMAT, "a broken point");
    lwb_buf_format(json, "{\"x\":%lld}", (long long)point->x);
    return LWB_OK;
}

static int decode_point(void *response, struct lwb_bytes json, struct lwb_error *err)
{
    LWB_AUTO(lwb_json_free) cJSON *parsed = NULL;
    struct point *point = response;

    return lwb_json_parse(&parsed, json, err) < 0 ? err->code
                                                  : lwb_json_get_int(parsed, "x", &point->x, err);
}

static int decode_nothing(void *response, struct lwb_bytes json, struct lwb_error *err)
{
    (void)response;
    (void)json;
    return lwb_fail(err, LWB_ERR_FORMAT, "not what was expected");
}

struct row {
    int64_t length;
};

static int decode_row(void *row, struct lwb_bytes json, struct lwb_error *err)
{
    (void)err;
    ((struct row *)row)->length = (int64_t)json.len;
    return LWB_OK;
}

/* The rows of fake-child carry their number: the third is not liked. */
static int decode_two_rows(void *row, struct lwb_bytes json, struct lwb_error *err)
{
    if (memmem(json.ptr, json.len, "00000002", 8))
        return lwb_fail(err, LWB_ERR_FORMAT, "a third row");
    return decode_row(row, json, err);
}

static int decode_total(void *summary, const struct lwb_stream_summary *from, struct lwb_error *err)
{
    (void)err;
    *(uint64_t *)summary = from->total_rows;
    return LWB_OK;
}

static int decode_no_total(void *summary, const struct lwb_stream_summary *from,
                           struct lwb_error *err)
{
    (void)summary;
    return lwb_fail(err, LWB_ERR_FORMAT, "%llu is not a good number",
                    (unsigned long long)from->total_rows);
}

static const struct lwb_json_command echo = { "echo", encode_point, decode_point };
static const struct lwb_json_command misread = { "echo", encode_point, decode_nothing };

static int encode_count(struct lwb_buf *json, const void *request, struct lwb_error *err)
{
    (void)err;
    lwb_buf_format(json, "{\"n\":%u}", *(const unsigned *)request);
    return LWB_OK;
}

static const struct lwb_streaming_command stream = {
    .name = "rows",
    .encode = encode_count,
    .row_size = sizeof(struct row),
    .decode_row = decode_row,
    .decode_summary = decode_total,
};

static void on_done(void *ctx, const struct lwb_error *err)
{
    struct worker_fixture *fixture = ctx;

    fixture->done = err ? *err : (struct lwb_error){ 0 };
    fixture->done_calls++;
}

static bool take_row(void *ctx, const char *name, uint64_t sequence, const void *row)
{
    struct worker_fixture *fixture = ctx;

    assert_string_equal("rows", name);
    assert_int_equal(fixture->rows, sequence);
    assert_true(((const struct row *)row)->length > 90);
    fixture->rows++;
    return true;
}

static struct lwb_typed_call typed_call(struct worker_fixture *fixture)
{
    fixture->done_calls = 0;
    fixture->rows = 0;
    return (struct lwb_typed_call){
        .rows = { take_row, fixture },
        .done = on_done,
        .ctx = fixture,
    };
}

static void structs_go_in_and_come_out(void **state)
{
    struct worker_fixture *fixture = *state;
    const struct point in = { .x = 42 };
    struct point out = { 0 };
    struct lwb_typed_call call;
    struct lwb_error err;

    fixture_open(fixture, "normal");
    call = typed_call(fixture);
    assert_int_equal(LWB_OK, lwb_json_command_run(fixture->session, &echo, &in, &out, &call, &err));
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_OK, fixture->done.code);
    assert_int_equal(42, out.x);
}

static void what_cannot_be_encoded_is_not_sent(void **state)
{
    struct worker_fixture *fixture = *state;
    const struct point in = { .broken = true };
    struct point out = { 0 };
    struct lwb_typed_call call;
    struct lwb_error err;

    fixture_open(fixture, "normal");
    call = typed_call(fixture);
    assert_int_equal(LWB_ERR_ENCODE_REQUEST,
                     lwb_json_command_run(fixture->session, &echo, &in, &out, &call, &err));
    assert_string_equal("echo: request: a broken point", err.text);
    assert_true(lwb_session_is_valid(fixture->session));
}

static void a_response_of_another_shape_leaves_the_session_usable(void **state)
{
    struct worker_fixture *fixture = *state;
    const struct point in = { .x = 1 };
    struct point out = { 0 };
    struct lwb_typed_call call;
    struct lwb_error err;

    fixture_open(fixture, "normal");
    call = typed_call(fixture);
    assert_int_equal(LWB_OK,
                     lwb_json_command_run(fixture->session, &misread, &in, &out, &call, &err));
    run_until(fixture, &fixture->done_calls, 1);
    assert_int_equal(LWB_ERR_DECODE_RESPONSE, fixture->done.code);
    assert_string_equal("echo: response: not what was expected", fixture->done.text);
    assert_true(lwb_session_is_valid(fixture->session));
}

static enum lwb_code run_stream(struct worker_fixture *fixture,
                                const struct lwb_streaming_command *command, unsigned count,
                                uint64_t *total)
{
    struct lwb_typed_call call = typed_call(fixture);
    struct lwb_error err;

    assert_int_equal(
        LWB_OK, lwb_streaming_command_run(fixture->session, command, &count, total, &call, &err));
    run_until(fixture, &fixture->done_calls, 1);
    return fixture->done.code;
}

static void rows_come_decoded(void **state)
{
    struct worker_fixture *fixture = *state;
    uint64_t total = 0;

    fixture_open(fixture, "normal");
    assert_int_equal(LWB_OK, run_stream(fixture, &stream, 1000, &total));
    assert_int_equal(1000, fixture->rows);
    assert_int_equal(1000, total);
}

static void a_row_that_cannot_be_decoded_names_itself(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_streaming_command picky = stream;
    uint64_t total = 7;

    picky.decode_row = decode_two_rows;
    fixture_open(fixture, "normal");
    assert_int_equal(LWB_ERR_DECODE_ROW, run_stream(fixture, &picky, 10, &total));
    assert_string_equal("rows: row: a third row", fixture->done.text);
    assert_string_equal("rows", fixture->done.facts.stream);
    assert_int_equal(2, fixture->done.facts.sequence);
    assert_int_equal(2, fixture->rows);
    assert_int_equal(7, total);
    assert_false(lwb_session_is_valid(fixture->session));
}

static void a_summary_that_cannot_be_decoded_is_told_apart(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_streaming_command picky = stream;
    uint64_t total = 7;

    picky.decode_summary = decode_no_total;
    fixture_open(fixture, "normal");
    assert_int_equal(LWB_ERR_DECODE_SUMMARY, run_stream(fixture, &picky, 3, &total));
    assert_true(lwb_session_is_valid(fixture->session));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(structs_go_in_and_come_out),
        WORKER_TEST(what_cannot_be_encoded_is_not_sent),
        WORKER_TEST(a_response_of_another_shape_leaves_the_session_usable),
        WORKER_TEST(rows_come_decoded),
        WORKER_TEST(a_row_that_cannot_be_decoded_names_itself),
        WORKER_TEST(a_summary_that_cannot_be_decoded_is_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
