#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child/call.h"
#include "lwbuild/base/json.h"
#include "lwbuild/protocol/frame.h"
#include "tests/support/test.h"

/* A call whose frames go to a file in memory. */
struct fixture {
    int fd;
    struct lwb_outlet *outlet;
    struct lwb_call call;
    struct lwb_frame_reader reader;
    struct lwb_message message;
};

static void begin(struct fixture *fixture, uint64_t max_diagnostic_bytes)
{
    static const struct lwb_message_head head = { .generation = 3, .request = 7 };
    struct lwb_error err;

    *fixture = (struct fixture){ .fd = memfd_create("frames", MFD_CLOEXEC) };
    assert_true(fixture->fd >= 0);
    lwb_json_init();
    assert_int_equal(lwb_outlet_create(&fixture->outlet, fixture->fd, LWB_FRAME_MIN_LIMIT, &err),
                     LWB_OK);
    lwb_call_begin(&fixture->call, fixture->outlet, &head);
    fixture->call.diagnostic_bytes = lwb_call_diagnostic_limit(max_diagnostic_bytes);
    lwb_frame_reader_init(&fixture->reader, LWB_FRAME_MIN_LIMIT);
}

static void end(struct fixture *fixture)
{
    lwb_message_release(&fixture->message);
    lwb_frame_reader_release(&fixture->reader);
    lwb_call_end(&fixture->call);
    lwb_outlet_destroy(fixture->outlet);
    (void)close(fixture->fd);
}

/* What has been written so far can be read from now on. */
static void rewind_frames(struct fixture *fixture)
{
    assert_int_equal(lseek(fixture->fd, 0, SEEK_SET), 0);
}

/* The next frame, which is of the fixture's request; false when there is none. */
static bool next(struct fixture *fixture)
{
    struct lwb_bytes payload;
    struct lwb_error err;
    size_t room;

    lwb_message_release(&fixture->message);
    while (lwb_frame_next(&fixture->reader, &payload, &err) == 0) {
        char *to = lwb_frame_reader_room(&fixture->reader, &room);
        ssize_t got = read(fixture->fd, to, room);

        if (got <= 0)
            return false;
        lwb_frame_reader_commit(&fixture->reader, (size_t)got);
    }
    assert_int_equal(lwb_message_decode(&fixture->message, payload, &err), LWB_OK);
    assert_int_equal(fixture->message.head.generation, 3);
    assert_int_equal(fixture->message.head.request, 7);
    return true;
}

static void tell(struct fixture *fixture, enum lwb_severity severity, const char *text)
{
    struct lwb_diagnostic diagnostic = {
        .severity = severity, .line = 1, .column = 0, .message = lwb_bytes_text(text)
    };

    assert_int_equal(lwb_call_diagnostic(&fixture->call, &diagnostic), LWB_OK);
}

static void expect_diagnostic(struct fixture *fixture, const char *text)
{
    struct lwb_diagnostic diagnostic;
    struct lwb_error err;

    assert_true(next(fixture));
    assert_int_equal(lwb_diagnostic_decode(&diagnostic, &fixture->message, &err), LWB_OK);
    assert_int_equal(diagnostic.message.len, strlen(text));
    assert_memory_equal(diagnostic.message.ptr, text, strlen(text));
}

/* ---- diagnostics ----------------------------------------------------------------------------- */

static void messages_over_the_limit_are_cut_and_then_dropped(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, 10);
    tell(&fixture, LWB_SEVERITY_WARNING, "12345");
    assert_false(fixture.call.truncated);
    tell(&fixture, LWB_SEVERITY_WARNING,
         "1234\xc3\xa9"); /* the limit lies inside its last letter */
    assert_true(fixture.call.truncated);
    tell(&fixture, LWB_SEVERITY_WARNING, "more");
    rewind_frames(&fixture);
    expect_diagnostic(&fixture, "12345");
    expect_diagnostic(&fixture, "1234");
    expect_diagnostic(&fixture, "m");
    assert_false(next(&fixture));
    end(&fixture);
}

static void the_first_error_passes_whatever_the_limit(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, 4);
    tell(&fixture, LWB_SEVERITY_WARNING, "used up");
    tell(&fixture, LWB_SEVERITY_ERROR, "why it is wrong");
    tell(&fixture, LWB_SEVERITY_ERROR, "and again");
    rewind_frames(&fixture);
    expect_diagnostic(&fixture, "used");
    expect_diagnostic(&fixture, "why it is wrong");
    assert_false(next(&fixture));
    assert_true(fixture.call.truncated);
    end(&fixture);
}

static void a_message_larger_than_a_frame_is_cut(void **state)
{
    static char large[2 * LWB_FRAME_MIN_LIMIT];
    struct lwb_diagnostic diagnostic;
    struct fixture fixture;
    struct lwb_error err;

    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    begin(&fixture, 0);
    tell(&fixture, LWB_SEVERITY_ERROR, large);
    rewind_frames(&fixture);
    assert_true(next(&fixture));
    assert_int_equal(lwb_diagnostic_decode(&diagnostic, &fixture.message, &err), LWB_OK);
    assert_true(diagnostic.message.len > LWB_FRAME_MIN_LIMIT / 2);
    assert_true(fixture.call.truncated);
    end(&fixture);
}

static void what_is_not_utf8_is_repaired(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, 0);
    tell(&fixture, LWB_SEVERITY_INFORMATION,
         "a\xff"
         "b");
    rewind_frames(&fixture);
    expect_diagnostic(&fixture, "a\xEF\xBF\xBD"
                                "b");
    assert_false(fixture.call.truncated);
    end(&fixture);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void rows_come_before_the_event_behind_them(void **state)
{
    struct lwb_rows rows;
    struct fixture fixture;
    struct lwb_error err;

    (void)state;
    begin(&fixture, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(lwb_call_row(&fixture.call, "s", lwb_bytes("{}", 2)), LWB_OK);
    tell(&fixture, LWB_SEVERITY_INFORMATION, "behind");
    assert_int_equal(lwb_call_rows(&fixture.call), 5);
    rewind_frames(&fixture);
    for (uint64_t seen = 0; seen < 5; seen += rows.count) {
        assert_true(next(&fixture));
        assert_int_equal(lwb_rows_decode(&rows, &fixture.message, &err), LWB_OK);
        assert_int_equal(rows.first, seen);
    }
    expect_diagnostic(&fixture, "behind");
    end(&fixture);
}

static void the_first_failure_decides(void **state)
{
    static char large[LWB_FRAME_MIN_LIMIT];
    struct fixture fixture;

    (void)state;
    begin(&fixture, 0);
    assert_int_equal(lwb_call_row(&fixture.call, "s", lwb_bytes(large, sizeof(large))),
                     LWB_ERR_LIMIT);
    assert_int_equal(lwb_call_row(&fixture.call, "s", lwb_bytes("{}", 2)), LWB_ERR_LIMIT);
    assert_int_equal(lwb_call_progress(&fixture.call, "p", 1, NULL), LWB_ERR_LIMIT);
    assert_int_equal(fixture.call.failure.code, LWB_ERR_LIMIT);
    assert_string_equal(fixture.call.failure.facts.stream, "s");
    assert_int_equal(fixture.call.failure.facts.current, sizeof(large));
    rewind_frames(&fixture);
    assert_false(next(&fixture));
    end(&fixture);
}

static void streams_are_limited_in_number_and_name(void **state)
{
    char name[80];
    struct fixture fixture;

    (void)state;
    begin(&fixture, 0);
    for (int i = 0; i < LWB_CALL_MAX_STREAMS; i++) {
        (void)snprintf(name, sizeof(name), "s%d", i);
        assert_int_equal(lwb_call_row(&fixture.call, name, lwb_bytes("{}", 2)), LWB_OK);
    }
    assert_int_equal(lwb_call_row(&fixture.call, "one more", lwb_bytes("{}", 2)), LWB_ERR_LIMIT);
    end(&fixture);
    begin(&fixture, 0);
    memset(name, 'n', sizeof(name));
    name[64] = '\0';
    assert_int_equal(lwb_call_row(&fixture.call, name, lwb_bytes("{}", 2)),
                     LWB_ERR_STREAM_CALLBACK);
    end(&fixture);
}

static void a_parent_that_is_gone_is_remembered(void **state)
{
    struct fixture fixture;
    int unwritable = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    begin(&fixture, 0);
    assert_int_equal(dup3(unwritable, fixture.fd, O_CLOEXEC), fixture.fd);
    (void)close(unwritable);
    assert_int_equal(lwb_call_progress(&fixture.call, "p", 1, NULL), LWB_ERR_SYSTEM);
    assert_true(lwb_outlet_is_broken(fixture.outlet));
    assert_int_equal(lwb_call_row(&fixture.call, "s", lwb_bytes("{}", 2)), LWB_ERR_SYSTEM);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_over_the_limit_are_cut_and_then_dropped),
        cmocka_unit_test(the_first_error_passes_whatever_the_limit),
        cmocka_unit_test(a_message_larger_than_a_frame_is_cut),
        cmocka_unit_test(what_is_not_utf8_is_repaired),
        cmocka_unit_test(rows_come_before_the_event_behind_them),
        cmocka_unit_test(the_first_failure_decides),
        cmocka_unit_test(streams_are_limited_in_number_and_name),
        cmocka_unit_test(a_parent_that_is_gone_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
