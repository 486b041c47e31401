#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child/host_capability.h"
#include "child/serve.h"
#include "lwbuild/base/file.h"
#include "lwbuild/protocol/frame.h"
#include "tests/support/fault.h"
#include "tests/support/host_echo.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

/*
 * A whole conversation, recorded, is served again and again; each time another
 * allocation fails. The child may refuse a request or end, but it must not
 * leak, crash, or say what is not a frame.
 */
enum { LIMIT = 1 << 20 };

static void add_check(struct lwb_buf *out, struct lwb_message_head *head)
{
    struct lwb_check_request check = {
        .module = "A.B",
        .file = "A/B.lean",
        .source = lwb_bytes_text("-- echo: progress 2\n-- echo: warn 1:2 text\n-- echo: rows 3\n"
                                 "-- echo: info 1:2 not UTF-8: \xff\ntheorem t : True\n"),
        .want_artifact = true,
    };
    struct lwb_error err;

    head->type = LWB_MSG_CHECK;
    head->request++;
    assert_int_equal(lwb_check_request_encode(out, head, &check, LIMIT, &err), LWB_OK);
}

static void add_export(struct lwb_buf *out, struct lwb_message_head *head,
                       enum lwb_message_type type, const char *name, const char *json)
{
    struct lwb_export_request request = { .name = name, .json = lwb_bytes_text(json) };
    struct lwb_error err;

    head->type = type;
    head->request++;
    assert_int_equal(lwb_export_request_encode(out, head, &request, LIMIT, &err), LWB_OK);
}

static void add_declarations(struct lwb_buf *out, struct lwb_message_head *head)
{
    struct lwb_declaration_names_request names = { .prefix = "Nat" };
    struct lwb_error err;

    head->type = LWB_MSG_DECLARATION_NAMES;
    head->request++;
    assert_int_equal(lwb_declaration_names_request_encode(out, head, &names, LIMIT, &err), LWB_OK);
}

static void add_start(struct lwb_buf *out, struct lwb_message_head *head,
                      const struct lwb_open_request *open)
{
    struct lwb_hello_request hello = { .max_frame = LIMIT, .parent = "a test" };
    struct lwb_error err;

    *head = (struct lwb_message_head){ .generation = 1, .type = LWB_MSG_HELLO };
    assert_int_equal(lwb_hello_request_encode(out, head, &hello, LIMIT, &err), LWB_OK);
    head->type = LWB_MSG_OPEN;
    head->request++;
    assert_int_equal(lwb_open_request_encode(out, head, open, LIMIT, &err), LWB_OK);
}

static void add_end(struct lwb_buf *out, struct lwb_message_head *head)
{
    struct lwb_error err;

    head->type = LWB_MSG_TERMINATE;
    head->request++;
    assert_int_equal(lwb_plain_encode(out, head, LIMIT, &err), LWB_OK);
}

static void record_echo(struct lwb_buf *out, const struct scratch *scratch)
{
    struct lwb_open_request open = { .host = "echo", .scratch = scratch->dir };
    struct lwb_message_head head;

    add_start(out, &head, &open);
    add_check(out, &head);
    add_declarations(out, &head);
    add_export(out, &head, LWB_MSG_COMMAND, "echo", "{\"x\":1}");
    add_export(out, &head, LWB_MSG_COMMAND, "absent", "{}");
    add_export(out, &head, LWB_MSG_STREAM, "rows", "{\"rows\":20,\"streams\":2}");
    add_end(out, &head);
}

static void record_capability(struct lwb_buf *out, const struct scratch *scratch)
{
    struct lwb_open_request open = {
        .host = "capability",
        .capability = scratch_path(scratch, "manifest.json"),
        .scratch = scratch->dir,
    };
    struct lwb_message_head head;

    scratch_write(scratch, "manifest.json",
                  "{\"library\":\"" EXAMPLE "\",\"commands\":[\"count\"],"
                  "\"streams\":[\"frequencies\"]}");
    add_start(out, &head, &open);
    add_export(out, &head, LWB_MSG_METADATA, "", "{}");
    add_export(out, &head, LWB_MSG_DOCTOR, "", "{}");
    add_export(out, &head, LWB_MSG_COMMAND, "count", "{\"path\":\"" EXAMPLE ".absent\"}");
    add_export(out, &head, LWB_MSG_STREAM, "frequencies",
               "{\"path\":\"" LWB_SOURCE_DIR "/examples/capability/README.md\"}");
    add_end(out, &head);
}

static int file_with(struct lwb_bytes content)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    struct lwb_error err;

    assert_true(fd >= 0);
    assert_int_equal(lwb_file_write_fd(fd, content, &err), LWB_OK);
    return fd;
}

/* What the child has said is frames, whole and of this protocol. Returns how many. */
static int count_frames(int fd)
{
    struct lwb_frame_reader reader;
    struct lwb_bytes payload;
    struct lwb_error err;
    int frames = 0;
    size_t room;
    ssize_t got;

    lwb_frame_reader_init(&reader, LIMIT);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    do {
        char *to = lwb_frame_reader_room(&reader, &room);

        got = read(fd, to, room);
        assert_true(got >= 0);
        lwb_frame_reader_commit(&reader, (size_t)got);
        while (lwb_frame_next(&reader, &payload, &err) == 1) {
            struct lwb_message message = { 0 };

            assert_int_equal(lwb_message_decode(&message, payload, &err), LWB_OK);
            lwb_message_release(&message);
            frames++;
        }
    } while (got > 0);
    assert_int_equal(lwb_frame_reader_end(&reader, &err), LWB_OK);
    lwb_frame_reader_release(&reader);
    return frames;
}

static enum lwb_child_exit serve(int in, int out, struct lwb_error *err)
{
    static const struct lwb_host *const hosts[] = { &lwb_host_echo, &lwb_host_capability, NULL };

    assert_int_equal(lseek(in, 0, SEEK_SET), 0);
    assert_int_equal(ftruncate(out, 0), 0);
    assert_int_equal(lseek(out, 0, SEEK_SET), 0);
    return lwb_serve(hosts, in, out, err);
}

/*
 * `frames` is how many come at least when nothing fails, `allocations` how many
 * can fail at least.
 */
static void sweep(void (*record)(struct lwb_buf *out, const struct scratch *scratch), int frames,
                  long allocations)
{
    struct lwb_buf script = LWB_BUF(LIMIT);
    struct scratch scratch;
    enum lwb_child_exit code;
    struct lwb_error err;
    bool fired;
    long n = 0;
    int seen;
    int out;
    int in;

    scratch_make(&scratch);
    record(&script, &scratch);
    in = file_with(lwb_buf_bytes(&script));
    out = file_with(lwb_bytes("", 0));
    lwb_buf_release(&script);
    fault_begin();
    do {
        fault_arm(n++);
        code = serve(in, out, &err);
        fired = fault_disarm();
        if (code != LWB_CHILD_EXIT_OK && (!fired || code != LWB_CHILD_EXIT_SYSTEM))
            fail_msg("allocation %ld: exit %d, %s", n - 1, code, err.text);
        assert_int_equal(fault_live_blocks(), 0);
        seen = count_frames(out);
    } while (fired);
    assert_true(n > allocations);
    assert_true(seen >= frames);
    fault_end();
    (void)close(in);
    (void)close(out);
    scratch_remove(&scratch);
}

static void every_allocation_of_a_conversation_may_fail(void **state)
{
    (void)state;
    sweep(record_echo, 12, 50);
}

static void every_allocation_of_a_capability_session_may_fail(void **state)
{
    (void)state;
    sweep(record_capability, 8, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_a_conversation_may_fail),
        cmocka_unit_test(every_allocation_of_a_capability_session_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
