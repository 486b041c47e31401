/*
 * A child that misbehaves on request. It speaks the protocol by itself, frame
 * by frame, and shares nothing with the real child but the codecs.
 *
 *     fake-child [SCENARIO] --parent-pid N
 *
 * A scenario is about the start, idle time or the end:
 *
 *   silent            never says hello
 *   start-exit3       exits with 3 at once          start-segv   dies at once
 *   start-stderr      says why on stderr, exits 1   start-garbage  says no frame
 *   version           speaks protocol version 2     refuse-hello
 *   no-hosts          offers no host                big-frames   wants more than allowed
 *   stale-hello       answers for generation 99     half-hello   dies inside its hello
 *   idle-exit         exits with 3 after its hello  idle-frame   speaks after open, unasked
 *   deaf              says hello, then never reads
 *   stubborn          ignores terminate and the end of input
 *   rude              answers terminate with garbage
 *   refuse-open
 *
 * In a request, the name of the export or module says what happens; anything
 * else is echoed. `n` comes from the JSON argument.
 *
 *   segv, abort, exit3, exit0, kill      ends that way, before any answer
 *   silent            never answers      sleep        answers after n milliseconds
 *   half-frame, cut-length               part of a frame, then exit 3
 *   half-exit0                           part of a frame, then exit 0
 *   oversized, empty-frame, garbage, unknown-type, request-back
 *   stale-generation, wrong-id           an answer that belongs elsewhere
 *   stale-row         a row of another generation, then an answer
 *   two-answers       the same answer twice
 *   no-verdict        an answer without its members
 *   rows              n rows, coalesced  rows-then-segv, rows-then-silent
 *   rows-order        rows 0, 2          rows-again   row 0 twice
 *   rows-cut          a row shorter than it says
 *   rows-count        two rows, answered as three    rows-lost  as none
 *   rows-streams      three streams, interleaved
 *   events            progress, diagnostic, row, each once
 *   progress, diagnostic                 n of them
 *   flood             n MiB on stderr, then the answer
 *   close-output      closes stdout and lives on
 *   close-input       closes stdin and stays silent
 *   grandchild        leaves a process that holds all pipes, exits with 3
 *   eat               takes n MiB, then the answer;  eat-silent  then nothing
 *   refuse            refuses with the code that the argument names
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "lwbuild/base/json.h"
#include "lwbuild/protocol/frame.h"
#include "lwbuild/protocol/message.h"

enum { LIMIT = 64 * 1024 * 1024 };

static const char *scenario = "normal";
static uint32_t max_frame = LIMIT;
static struct lwb_buf out = { .max = (size_t)2 * LIMIT };
static struct lwb_error err;

static bool is(const char *name, const char *what)
{
    return strcmp(name, what) == 0;
}

static void die(const char *how)
{
    (void)!write(STDERR_FILENO, how, strlen(how));
    _exit(99);
}

static void flush(void)
{
    size_t at = 0;

    while (at < out.len) {
        ssize_t len = write(STDOUT_FILENO, out.ptr + at, out.len - at);

        if (len < 0 && errno != EINTR)
            _exit(0); /* the parent is gone */
        at += len > 0 ? (size_t)len : 0;
    }
    lwb_buf_clear(&out);
}

static void raw(const char *bytes, size_t len)
{
    lwb_buf_append(&out, bytes, len);
    flush();
}

static void wait_for_ever(void)
{
    for (;;)
        pause();
}

static struct lwb_message_head reply_to(const struct lwb_message_head *head,
                                        enum lwb_message_type type)
{
    struct lwb_message_head reply = *head;

    reply.type = type;
    return reply;
}

static void end_as(const char *name)
{
    (void)signal(SIGABRT, SIG_DFL); /* a sanitizer's handlers would make exits of them */
    (void)signal(SIGSEGV, SIG_DFL);
    if (is(name, "segv"))
        raise(SIGSEGV);
    if (is(name, "abort"))
        abort();
    if (is(name, "exit3"))
        _exit(3);
    if (is(name, "exit0"))
        _exit(0);
    if (is(name, "kill"))
        raise(SIGKILL);
}

/* ---- hello ------------------------------------------------------------------------------- */

static void start_badly(void)
{
    if (is(scenario, "silent"))
        wait_for_ever();
    if (is(scenario, "start-exit3"))
        _exit(3);
    if (is(scenario, "start-segv"))
        end_as("segv");
    if (is(scenario, "start-stderr")) {
        fprintf(stderr, "first line\nno such \033[31mhost\033[0m\n");
        _exit(1);
    }
    if (is(scenario, "start-garbage")) {
        raw("Hello, world!\n", 14);
        wait_for_ever();
    }
}

static void say_version_2(void)
{
    static const char text[] =
        "{\"version\":2,\"generation\":1,\"request\":1,\"type\":\"response\"}";

    (void)lwb_frame_append(&out, lwb_bytes_text(text), lwb_bytes(NULL, 0), LIMIT, &err);
    flush();
    wait_for_ever();
}

static void say_hello(struct lwb_message *message)
{
    struct lwb_message_head head = reply_to(&message->head, LWB_MSG_RESPONSE);
    struct lwb_host_offer host = { "fake", "00" };
    struct lwb_hello_response hello = { "fake-child", LIMIT, (uint64_t)getpid(), &host, 1, NULL };
    struct lwb_refusal refusal = { .code = "setup", .text = "not today" };
    struct lwb_hello_request request;

    if (lwb_hello_request_decode(&request, message, &err) < 0)
        die(err.text);
    if (is(scenario, "version"))
        say_version_2();
    max_frame = (uint32_t)request.max_frame;
    hello.max_frame = is(scenario, "big-frames") ? request.max_frame + 1 : request.max_frame;
    hello.n_hosts = is(scenario, "no-hosts") ? 0 : 1;
    if (is(scenario, "stale-hello"))
        head.generation = 99;
    if (is(scenario, "refuse-hello")) {
        head.type = LWB_MSG_REFUSAL;
        (void)lwb_refusal_encode(&out, &head, &refusal, LIMIT, &err);
    } else {
        (void)lwb_hello_response_encode(&out, &head, &hello, LIMIT, &err);
    }
    if (is(scenario, "half-hello")) {
        out.len /= 2;
        flush();
        end_as("segv");
    }
    flush();
    if (is(scenario, "idle-exit"))
        _exit(3);
    if (is(scenario, "deaf"))
        wait_for_ever();
}

/* ---- rows and events ------------------------------------------------------------------------ */

static void put_rows(const struct lwb_message_head *head, const char *stream, uint64_t first,
                     uint64_t count, uint64_t announced)
{
    static struct lwb_buf packed = { .max = LIMIT };
    struct lwb_message_head rows_head = reply_to(head, LWB_MSG_ROWS);
    struct lwb_rows rows = { stream, first, announced, { NULL, 0 } };

    lwb_buf_clear(&packed);
    for (uint64_t i = 0; i < count; i++) {
        char text[160];
        int len = snprintf(text, sizeof(text),
                           "{\"index\":%08llu,\"name\":\"Mathlib.Algebra.Group.Basic.mul_comm\","
                           "\"kind\":\"theorem\",\"status\":\"checked\"}",
                           (unsigned long long)(first + i));

        lwb_buf_append_u32be(&packed, (uint32_t)len);
        lwb_buf_append(&packed, text, (size_t)len);
    }
    rows.packed = lwb_buf_bytes(&packed);
    (void)lwb_rows_encode(&out, &rows_head, &rows, LIMIT, &err);
    flush();
}

/* As a good child does: coalesced to what a frame of 64 KiB holds. */
static void put_many_rows(const struct lwb_message_head *head, uint64_t count)
{
    enum { AT_ONCE = 512 };

    for (uint64_t at = 0; at < count; at += AT_ONCE) {
        uint64_t part = count - at < AT_ONCE ? count - at : AT_ONCE;

        put_rows(head, "rows", at, part, part);
    }
}

static void put_progress(const struct lwb_message_head *head, uint64_t current)
{
    struct lwb_message_head event = reply_to(head, LWB_MSG_PROGRESS);
    struct lwb_progress progress = { "working", current, true, 10, 1000 };

    (void)lwb_progress_encode(&out, &event, &progress, LIMIT, &err);
    flush();
}

static void put_diagnostic(const struct lwb_message_head *head)
{
    struct lwb_message_head event = reply_to(head, LWB_MSG_DIAGNOSTIC);
    struct lwb_diagnostic diagnostic = {
        LWB_SEVERITY_WARNING, 1, 2, -1, -1, { "fake", 4 }, { "look out", 8 },
    };

    (void)lwb_diagnostic_encode(&out, &event, &diagnostic, LIMIT, &err);
    flush();
}

/* ---- answers -----------------------------------------------------------------------------------
 */

struct work {
    struct lwb_message_head head; /* of the request */
    const char *name;
    struct lwb_bytes argument;
    uint64_t n;
};

static void put_answer(const struct work *work, struct lwb_message_head head,
                       const struct lwb_stream_count *counts, size_t n_counts)
{
    struct lwb_stream_count *streams = (struct lwb_stream_count *)counts;
    struct lwb_stream_summary summary = { 0, streams, n_counts, 1, { NULL, 0 } };
    struct lwb_answer answer = { work->argument, streams, n_counts };
    struct lwb_check_response check = {
        .verdict = LWB_VERDICT_ACCEPTED,
        .storable = true,
        .streams = streams,
        .n_streams = n_counts,
    };
    struct lwb_elaborate_response elaborated = { true, false };
    struct lwb_kernel_response kernel = { LWB_KERNEL_CHECKED, false };
    char *words[] = { "theorem", "", NULL };
    struct lwb_strings_response strings = { { words, 2, 0 } };

    for (size_t i = 0; i < n_counts; i++)
        summary.total_rows += counts[i].rows;
    if (work->head.type == LWB_MSG_STREAM)
        (void)lwb_stream_summary_encode(&out, &head, &summary, LIMIT, &err);
    else if (work->head.type == LWB_MSG_CHECK)
        (void)lwb_check_response_encode(&out, &head, &check, LIMIT, &err);
    else if (work->head.type == LWB_MSG_ELABORATE)
        (void)lwb_elaborate_response_encode(&out, &head, &elaborated, LIMIT, &err);
    else if (work->head.type == LWB_MSG_KERNEL_CHECK)
        (void)lwb_kernel_response_encode(&out, &head, &kernel, LIMIT, &err);
    else if (work->head.type == LWB_MSG_DECLARATION_KINDS ||
             work->head.type == LWB_MSG_DECLARATION_NAMES)
        (void)lwb_strings_response_encode(&out, &head, &strings, LIMIT, &err);
    else if (work->head.type == LWB_MSG_HEALTH || work->head.type == LWB_MSG_TERMINATE)
        (void)lwb_plain_encode(&out, &head, LIMIT, &err);
    else
        (void)lwb_answer_encode(&out, &head, &answer, LIMIT, &err);
    flush();
}

static void answer(const struct work *work)
{
    put_answer(work, reply_to(&work->head, LWB_MSG_RESPONSE), NULL, 0);
}

static void answer_rows(const struct work *work, const char *stream, uint64_t rows)
{
    const struct lwb_stream_count count = { stream, rows };

    put_answer(work, reply_to(&work->head, LWB_MSG_RESPONSE), &count, 1);
}

/* ---- faults -------------------------------------------------------------------------------------
 */

static void eat(uint64_t mib)
{
    char *memory = malloc((size_t)mib << 20);

    if (!memory)
        die("no memory to eat");
    for (uint64_t i = 0; i < mib << 20; i += 4096)
        ((volatile char *)memory)[i] = 1; /* kept: the request's answer waits on it */
}

static void flood(uint64_t mib)
{
    static char noise[1 << 20];

    memset(noise, '.', sizeof(noise));
    for (size_t i = 99; i < sizeof(noise); i += 100)
        noise[i] = '\n';
    for (uint64_t i = 0; i < mib; i++) {
        size_t at = 0;

        while (at < sizeof(noise)) {
            ssize_t len = write(STDERR_FILENO, noise + at, sizeof(noise) - at);

            if (len < 0)
                die("stderr is closed");
            at += (size_t)len;
        }
    }
    fprintf(stderr, "the last words\n");
}

static void leave_grandchild(void)
{
    if (fork() == 0)
        wait_for_ever();
    _exit(3);
}

static bool break_frames(const struct work *work)
{
    static const char *const texts[][2] = {
        { "garbage", "this is no JSON" },
        { "unknown-type", "{\"version\":1,\"generation\":1,\"request\":1,\"type\":\"sing\"}" },
    };

    if (is(work->name, "half-frame") || is(work->name, "half-exit0")) {
        raw("\0\0\1\0{\"half", 10);
        _exit(is(work->name, "half-exit0") ? 0 : 3);
    }
    if (is(work->name, "cut-length")) {
        raw("\0\0", 2);
        _exit(3);
    }
    if (is(work->name, "oversized")) {
        raw("\x7f\xff\xff\xff", 4);
        wait_for_ever();
    }
    if (is(work->name, "empty-frame")) {
        raw("\0\0\0\0", 4);
        wait_for_ever();
    }
    for (size_t i = 0; i < LWB_COUNT(texts); i++) {
        if (!is(work->name, texts[i][0]))
            continue;
        (void)lwb_frame_append(&out, lwb_bytes_text(texts[i][1]), lwb_bytes(NULL, 0), LIMIT, &err);
        flush();
        wait_for_ever();
    }
    return false;
}

static bool break_ids(const struct work *work)
{
    struct work other = *work;

    if (is(work->name, "stale-generation")) {
        other.head.generation += 7;
        answer(&other);
    } else if (is(work->name, "wrong-id")) {
        other.head.request += 7;
        answer(&other);
    } else if (is(work->name, "stale-row")) {
        other.head.generation--;
        put_rows(&other.head, "rows", 0, 1, 1);
        answer(work);
    } else if (is(work->name, "two-answers")) {
        answer(work);
        answer(work);
    } else if (is(work->name, "request-back")) {
        other.head.type = LWB_MSG_HEALTH;
        (void)lwb_plain_encode(&out, &other.head, LIMIT, &err);
        flush();
        wait_for_ever();
    } else if (is(work->name, "no-verdict")) {
        other.head.type = LWB_MSG_RESPONSE;
        (void)lwb_plain_encode(&out, &other.head, LIMIT, &err);
        flush();
    } else {
        return false;
    }
    return true;
}

static void interleave_streams(const struct work *work)
{
    const struct lwb_stream_count counts[] = { { "a", 2 }, { "b", 1 }, { "c", 1 } };

    put_rows(&work->head, "a", 0, 1, 1);
    put_rows(&work->head, "b", 0, 1, 1);
    put_rows(&work->head, "a", 1, 1, 1);
    put_rows(&work->head, "c", 0, 1, 1);
    put_answer(work, reply_to(&work->head, LWB_MSG_RESPONSE), counts, 3);
}

static void cut_row(const struct work *work)
{
    static const char packed[] = "\0\0\0\1x\0\0\0\7cut";
    struct lwb_message_head head = reply_to(&work->head, LWB_MSG_ROWS);
    struct lwb_rows rows = { "rows", 0, 2, { packed, sizeof(packed) - 1 } };

    (void)lwb_rows_encode(&out, &head, &rows, LIMIT, &err);
    flush();
    wait_for_ever();
}

static bool do_rows(const struct work *work)
{
    const struct lwb_message_head *head = &work->head;

    if (is(work->name, "rows")) {
        put_many_rows(head, work->n);
        answer_rows(work, "rows", work->n);
    } else if (is(work->name, "rows-then-segv")) {
        put_many_rows(head, 3);
        end_as("segv");
    } else if (is(work->name, "rows-then-silent")) {
        put_many_rows(head, 3);
        wait_for_ever();
    } else if (is(work->name, "rows-order") || is(work->name, "rows-again")) {
        put_rows(head, "rows", 0, 1, 1);
        put_rows(head, "rows", is(work->name, "rows-order") ? 2 : 0, 1, 1);
        answer_rows(work, "rows", 2);
    } else if (is(work->name, "rows-count") || is(work->name, "rows-lost")) {
        put_rows(head, "rows", 0, 2, 2);
        answer_rows(work, is(work->name, "rows-count") ? "rows" : "others",
                    is(work->name, "rows-count") ? 3 : 0);
    } else if (is(work->name, "rows-cut")) {
        cut_row(work);
    } else if (is(work->name, "rows-streams")) {
        interleave_streams(work);
    } else {
        return false;
    }
    return true;
}

static bool do_events(const struct work *work)
{
    if (is(work->name, "events")) {
        put_progress(&work->head, 1);
        put_diagnostic(&work->head);
        put_rows(&work->head, "rows", 0, 1, 1);
        answer_rows(work, "rows", 1);
        return true;
    }
    for (uint64_t i = 0; i < work->n && is(work->name, "progress"); i++)
        put_progress(&work->head, i);
    for (uint64_t i = 0; i < work->n && is(work->name, "diagnostic"); i++)
        put_diagnostic(&work->head);
    return false;
}

static void refuse(const struct work *work)
{
    struct lwb_message_head head = reply_to(&work->head, LWB_MSG_REFUSAL);
    char code[64] = { 0 };
    struct lwb_refusal refusal = {
        .code = code,
        .text = "as was wished",
        .status = 5,
        .stream = "rows",
        .sequence = 9,
    };

    (void)snprintf(code, sizeof(code), "%.*s", (int)work->argument.len, work->argument.ptr);
    (void)lwb_refusal_encode(&out, &head, &refusal, LIMIT, &err);
    flush();
}

static bool do_processes(const struct work *work)
{
    if (is(work->name, "flood"))
        flood(work->n);
    if (is(work->name, "eat") || is(work->name, "eat-silent"))
        eat(work->n);
    if (is(work->name, "silent") || is(work->name, "eat-silent"))
        wait_for_ever();
    if (is(work->name, "sleep")) {
        struct timespec time = { (time_t)(work->n / 1000), (long)(work->n % 1000) * 1000000 };

        (void)nanosleep(&time, NULL);
    }
    if (is(work->name, "close-output")) {
        close(STDOUT_FILENO);
        wait_for_ever();
    }
    if (is(work->name, "close-input")) {
        close(STDIN_FILENO);
        wait_for_ever();
    }
    if (is(work->name, "grandchild"))
        leave_grandchild();
    if (is(work->name, "refuse"))
        refuse(work);
    return is(work->name, "refuse");
}

/* ---- requests
 * ------------------------------------------------------------------------------------- */

static uint64_t number_in(struct lwb_bytes json)
{
    LWB_AUTO(lwb_json_free) cJSON *parsed = NULL;
    struct lwb_error ignored;
    uint64_t n = 0;

    if (lwb_json_parse(&parsed, json, &ignored) == LWB_OK)
        (void)lwb_json_get_count(parsed, "n", &n, &ignored);
    return n;
}

static void read_work(struct work *work, struct lwb_message *message)
{
    struct lwb_export_request export;
    struct lwb_check_request check;
    struct lwb_elaborate_request elaborate;

    *work = (struct work){ .head = message->head, .name = "", .argument = message->attachment };
    switch (message->head.type) {
    case LWB_MSG_CHECK:
        if (lwb_check_request_decode(&check, message, &err) < 0)
            die(err.text);
        work->name = check.module;
        break;
    case LWB_MSG_ELABORATE:
    case LWB_MSG_KERNEL_CHECK:
        if (lwb_elaborate_request_decode(&elaborate, message, &err) < 0)
            die(err.text);
        work->name = elaborate.label;
        break;
    case LWB_MSG_STREAM:
    case LWB_MSG_METADATA:
    case LWB_MSG_DOCTOR:
    case LWB_MSG_COMMAND:
        if (lwb_export_request_decode(&export, message, &err) < 0)
            die(err.text);
        work->name = export.name;
        break;
    default:
        break;
    }
    work->n = number_in(work->argument);
}

static void terminate(const struct work *work)
{
    if (is(scenario, "stubborn"))
        wait_for_ever();
    if (is(scenario, "rude")) {
        raw("\0\0\0\5rude!", 9);
        wait_for_ever();
    }
    answer(work);
    _exit(0);
}

static void open_session(const struct lwb_message_head *request)
{
    struct lwb_message_head head = reply_to(request, LWB_MSG_RESPONSE);
    struct lwb_open_response opened = { "4.0.0-fake", "a fake" };
    struct lwb_refusal refusal = { .code = "no-toolchain", .text = "no Lean here" };

    if (is(scenario, "refuse-open")) {
        head.type = LWB_MSG_REFUSAL;
        (void)lwb_refusal_encode(&out, &head, &refusal, LIMIT, &err);
    } else {
        (void)lwb_open_response_encode(&out, &head, &opened, LIMIT, &err);
    }
    flush();
    if (is(scenario, "idle-frame"))
        put_progress(&head, 1);
}

static void serve(struct lwb_message *message)
{
    struct work work;

    if (message->head.type == LWB_MSG_HELLO) {
        say_hello(message);
        return;
    }
    if (message->head.type == LWB_MSG_OPEN) {
        open_session(&message->head);
        return;
    }
    read_work(&work, message);
    if (message->head.type == LWB_MSG_TERMINATE)
        terminate(&work);
    end_as(work.name);
    if (!break_frames(&work) && !break_ids(&work) && !do_rows(&work) && !do_events(&work) &&
        !do_processes(&work))
        answer(&work);
}

int main(int argc, char **argv)
{
    struct lwb_frame_reader reader;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && strncmp(argv[1], "--", 2) != 0)
        scenario = argv[1];
    start_badly();
    lwb_frame_reader_init(&reader, LIMIT);
    for (;;) {
        struct lwb_bytes payload;
        size_t room;
        char *to = lwb_frame_reader_room(&reader, &room);
        ssize_t len = to ? read(STDIN_FILENO, to, room) : -1;

        if (len <= 0 && is(scenario, "stubborn"))
            wait_for_ever();
        if (len <= 0)
            return 0;
        lwb_frame_reader_commit(&reader, (size_t)len);
        while (lwb_frame_next(&reader, &payload, &err) == 1) {
            LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };

            if (lwb_message_decode(&message, payload, &err) < 0)
                die(err.text);
            serve(&message);
        }
    }
}
