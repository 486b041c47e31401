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
 *   picky             opens no session whose package is called "never", and does not say so
 *   large             takes as many MiB as the session's package is called before it is open
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
#include "tests/support/fake_child_internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

const char *fake_scenario = "normal";
struct lwb_buf fake_out = { .max = (size_t)2 * FAKE_LIMIT };
struct lwb_error fake_err;

void fake_die(const char *how)
{
    (void)!write(STDERR_FILENO, how, strlen(how));
    _exit(99);
}

void fake_flush(void)
{
    size_t at = 0;

    while (at < fake_out.len) {
        ssize_t len = write(STDOUT_FILENO, fake_out.ptr + at, fake_out.len - at);

        if (len < 0 && errno != EINTR)
            _exit(0); /* the parent is gone */
        at += len > 0 ? (size_t)len : 0;
    }
    lwb_buf_clear(&fake_out);
}

void fake_raw(const char *bytes, size_t len)
{
    lwb_buf_append(&fake_out, bytes, len);
    fake_flush();
}

void fake_wait_for_ever(void)
{
    for (;;)
        pause();
}

struct lwb_message_head fake_reply_to(const struct lwb_message_head *head,
                                      enum lwb_message_type type)
{
    struct lwb_message_head reply = *head;

    reply.type = type;
    return reply;
}

/* ---- answers ----------------------------------------------------------------------------- */

void fake_put_answer(const struct fake_work *work, struct lwb_message_head head,
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
        (void)lwb_stream_summary_encode(&fake_out, &head, &summary, FAKE_LIMIT, &fake_err);
    else if (work->head.type == LWB_MSG_CHECK)
        (void)lwb_check_response_encode(&fake_out, &head, &check, FAKE_LIMIT, &fake_err);
    else if (work->head.type == LWB_MSG_ELABORATE)
        (void)lwb_elaborate_response_encode(&fake_out, &head, &elaborated, FAKE_LIMIT, &fake_err);
    else if (work->head.type == LWB_MSG_KERNEL_CHECK)
        (void)lwb_kernel_response_encode(&fake_out, &head, &kernel, FAKE_LIMIT, &fake_err);
    else if (work->head.type == LWB_MSG_DECLARATION_KINDS ||
             work->head.type == LWB_MSG_DECLARATION_NAMES)
        (void)lwb_strings_response_encode(&fake_out, &head, &strings, FAKE_LIMIT, &fake_err);
    else if (work->head.type == LWB_MSG_HEALTH || work->head.type == LWB_MSG_TERMINATE)
        (void)lwb_plain_encode(&fake_out, &head, FAKE_LIMIT, &fake_err);
    else
        (void)lwb_answer_encode(&fake_out, &head, &answer, FAKE_LIMIT, &fake_err);
    fake_flush();
}

void fake_answer(const struct fake_work *work)
{
    fake_put_answer(work, fake_reply_to(&work->head, LWB_MSG_RESPONSE), NULL, 0);
}

/* With the code that the argument names. */
static bool refuse(const struct fake_work *work)
{
    struct lwb_message_head head = fake_reply_to(&work->head, LWB_MSG_REFUSAL);
    char code[64] = { 0 };
    struct lwb_refusal refusal = {
        .code = code,
        .text = "as was wished",
        .status = 5,
        .stream = "rows",
        .sequence = 9,
    };

    if (!fake_is(work->name, "refuse"))
        return false;
    (void)snprintf(code, sizeof(code), "%.*s", (int)work->argument.len, work->argument.ptr);
    (void)lwb_refusal_encode(&fake_out, &head, &refusal, FAKE_LIMIT, &fake_err);
    fake_flush();
    return true;
}

/* ---- requests ---------------------------------------------------------------------------- */

static uint64_t number_in(struct lwb_bytes json)
{
    LWB_AUTO(lwb_json_free) cJSON *parsed = NULL;
    struct lwb_error ignored;
    uint64_t n = 0;

    if (lwb_json_parse(&parsed, json, &ignored) == LWB_OK)
        (void)lwb_json_get_count(parsed, "n", &n, &ignored);
    return n;
}

static void read_work(struct fake_work *work, struct lwb_message *message)
{
    struct lwb_export_request export;
    struct lwb_check_request check;
    struct lwb_elaborate_request elaborate;

    *work =
        (struct fake_work){ .head = message->head, .name = "", .argument = message->attachment };
    switch (message->head.type) {
    case LWB_MSG_CHECK:
        if (lwb_check_request_decode(&check, message, &fake_err) < 0)
            fake_die(fake_err.text);
        work->name = check.module;
        break;
    case LWB_MSG_ELABORATE:
    case LWB_MSG_KERNEL_CHECK:
        if (lwb_elaborate_request_decode(&elaborate, message, &fake_err) < 0)
            fake_die(fake_err.text);
        work->name = elaborate.label;
        break;
    case LWB_MSG_STREAM:
    case LWB_MSG_METADATA:
    case LWB_MSG_DOCTOR:
    case LWB_MSG_COMMAND:
        if (lwb_export_request_decode(&export, message, &fake_err) < 0)
            fake_die(fake_err.text);
        work->name = export.name;
        break;
    default:
        break;
    }
    work->n = number_in(work->argument);
}

static void serve(struct lwb_message *message)
{
    struct fake_work work;

    if (message->head.type == LWB_MSG_HELLO) {
        fake_say_hello(message);
        return;
    }
    if (message->head.type == LWB_MSG_OPEN) {
        fake_open_session(message);
        return;
    }
    read_work(&work, message);
    if (message->head.type == LWB_MSG_TERMINATE)
        fake_terminate(&work);
    fake_end_as(work.name);
    fake_do_processes(&work);
    if (!fake_break_frames(&work) && !fake_break_ids(&work) && !fake_do_rows(&work) &&
        !fake_do_events(&work) && !refuse(&work))
        fake_answer(&work);
}

int main(int argc, char **argv)
{
    struct lwb_frame_reader reader;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && strncmp(argv[1], "--", 2) != 0)
        fake_scenario = argv[1];
    fake_start_badly();
    lwb_frame_reader_init(&reader, FAKE_LIMIT);
    for (;;) {
        struct lwb_bytes payload;
        size_t room;
        char *to = lwb_frame_reader_room(&reader, &room);
        ssize_t len = to ? read(STDIN_FILENO, to, room) : -1;

        if (len <= 0 && fake_is(fake_scenario, "stubborn"))
            fake_wait_for_ever();
        if (len <= 0)
            return 0;
        lwb_frame_reader_commit(&reader, (size_t)len);
        while (lwb_frame_next(&reader, &payload, &fake_err) == 1) {
            LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };

            if (lwb_message_decode(&message, payload, &fake_err) < 0)
                fake_die(fake_err.text);
            serve(&message);
        }
    }
}
