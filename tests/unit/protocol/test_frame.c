#include "tests/support/test.h"

#include "lwbuild/protocol/frame.h"

static void feed(struct lwb_frame_reader *reader, const char *data, size_t len)
{
    while (len) {
        size_t room;
        char *to = lwb_frame_reader_room(reader, &room);
        size_t part = len < room ? len : room;

        assert_non_null(to);
        memcpy(to, data, part);
        lwb_frame_reader_commit(reader, part);
        data += part;
        len -= part;
    }
}

static void append(struct lwb_buf *out, const char *head, struct lwb_bytes attachment)
{
    struct lwb_error err;

    assert_int_equal(LWB_OK, lwb_frame_append(out, lwb_bytes_text(head), attachment, 1000, &err));
}

/* Take what is there: the next of the expected frames, one after the other. */
static unsigned take_frames(struct lwb_frame_reader *reader, unsigned seen)
{
    static const char *const expected[] = { "{\"a\":1}", "{}\nraw\nbytes" };
    struct lwb_bytes frame = { 0 };
    struct lwb_error err;

    for (; lwb_frame_next(reader, &frame, &err) == 1; seen++)
        assert_true(seen < LWB_COUNT(expected) && lwb_bytes_is(frame, expected[seen]));
    return seen;
}

/* Whatever the cut, the same frames come out. */
static void any_cut_gives_the_same_frames(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf wire = LWB_BUF(1000);

    (void)state;
    append(&wire, "{\"a\":1}", lwb_bytes(NULL, 0));
    append(&wire, "{}", lwb_bytes_text("raw\nbytes"));
    for (size_t cut = 0; cut <= wire.len; cut++) {
        LWB_AUTO(lwb_frame_reader_release) struct lwb_frame_reader reader;
        struct lwb_error err;
        unsigned seen;

        lwb_frame_reader_init(&reader, 1000);
        feed(&reader, wire.ptr, cut);
        seen = take_frames(&reader, 0);
        feed(&reader, wire.ptr + cut, wire.len - cut);
        assert_int_equal(2, take_frames(&reader, seen));
        assert_int_equal(LWB_OK, lwb_frame_reader_end(&reader, &err));
    }
}

static void an_oversized_frame_is_refused_before_its_body_arrives(void **state)
{
    LWB_AUTO(lwb_frame_reader_release) struct lwb_frame_reader reader;
    struct lwb_bytes frame;
    struct lwb_error err;

    (void)state;
    lwb_frame_reader_init(&reader, 1000);
    feed(&reader, "\0\0\3\351", 4);
    assert_int_equal(LWB_ERR_LIMIT, lwb_frame_next(&reader, &frame, &err));
    assert_int_equal(1001, err.facts.current);
    assert_int_equal(1000, err.facts.limit);
    assert_string_equal("frame of 1001 bytes, at most 1000 allowed", err.text);
}

static void a_frame_of_exactly_the_limit_passes(void **state)
{
    LWB_AUTO(lwb_frame_reader_release) struct lwb_frame_reader reader;
    LWB_AUTO(lwb_buf_release) struct lwb_buf wire = LWB_BUF(300000);
    static char body[200000];
    struct lwb_bytes frame;
    struct lwb_error err;

    (void)state;
    memset(body, 'x', sizeof(body));
    assert_int_equal(LWB_OK, lwb_frame_append(&wire, lwb_bytes(body, sizeof(body)),
                                              lwb_bytes(NULL, 0), sizeof(body), &err));
    lwb_frame_reader_init(&reader, sizeof(body));
    feed(&reader, wire.ptr, wire.len);
    assert_int_equal(1, lwb_frame_next(&reader, &frame, &err));
    assert_int_equal(sizeof(body), frame.len);
}

static void an_empty_frame_is_a_protocol_error(void **state)
{
    LWB_AUTO(lwb_frame_reader_release) struct lwb_frame_reader reader;
    struct lwb_bytes frame;
    struct lwb_error err;

    (void)state;
    lwb_frame_reader_init(&reader, 1000);
    feed(&reader, "\0\0\0\0", 4);
    assert_int_equal(LWB_ERR_PROTOCOL, lwb_frame_next(&reader, &frame, &err));
}

/* L25: a clean end, a cut length and a cut body are told apart. */
static void the_end_says_where_it_came(void **state)
{
    static const struct {
        size_t len;
        const char *text;
    } cases[] = {
        { 0, NULL },
        { 2, "output ended inside the length of a frame (2 of 4)" },
        { 4, "output ended inside a frame (0 of 3 bytes)" },
        { 6, "output ended inside a frame (2 of 3 bytes)" },
        { 7, NULL },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_frame_reader_release) struct lwb_frame_reader reader;
        struct lwb_bytes frame;
        struct lwb_error err;

        lwb_frame_reader_init(&reader, 1000);
        feed(&reader, "\0\0\0\3abc", cases[i].len);
        (void)lwb_frame_next(&reader, &frame, &err);
        assert_int_equal(cases[i].text ? LWB_ERR_PROTOCOL : LWB_OK,
                         lwb_frame_reader_end(&reader, &err));
        if (cases[i].text)
            assert_string_equal(cases[i].text, err.text);
    }
}

static void appending_over_the_limit_leaves_the_buffer_alone(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf wire = LWB_BUF(1000);
    struct lwb_error err;

    (void)state;
    append(&wire, "{}", lwb_bytes(NULL, 0));
    assert_int_equal(LWB_ERR_LIMIT, lwb_frame_append(&wire, lwb_bytes_text("{\"a\":1}"),
                                                     lwb_bytes_text("xy"), 9, &err));
    assert_int_equal(6, wire.len);
    assert_true(lwb_buf_ok(&wire));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_cut_gives_the_same_frames),
        cmocka_unit_test(an_oversized_frame_is_refused_before_its_body_arrives),
        cmocka_unit_test(a_frame_of_exactly_the_limit_passes),
        cmocka_unit_test(an_empty_frame_is_a_protocol_error),
        cmocka_unit_test(the_end_says_where_it_came),
        cmocka_unit_test(appending_over_the_limit_leaves_the_buffer_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
