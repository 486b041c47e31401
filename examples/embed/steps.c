#include "steps.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include <lwbuild/base/json.h>

/* ---- a JSON command -------------------------------------------------------------------------- */

struct numbers {
    const int *items;
    size_t count;
};

static int encode_numbers(struct lwb_buf *json, const void *request, struct lwb_error *err)
{
    const struct numbers *numbers = request;

    lwb_buf_append_text(json, "{\"numbers\":[");
    for (size_t i = 0; i < numbers->count; i++)
        lwb_buf_format(json, "%s%d", i ? "," : "", numbers->items[i]);
    lwb_buf_append_text(json, "]}");
    return lwb_buf_ok(json) ? LWB_OK : lwb_fail_memory(err);
}

static int decode_sum(void *response, struct lwb_bytes text, struct lwb_error *err)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    int rc = lwb_json_parse(&json, text, err);

    return rc < 0 ? rc : lwb_json_get_int(json, "sum", response, err);
}

int run_sum(struct lwb_blocking *client, struct lwb_lease *lease, struct lwb_error *err)
{
    static const struct lwb_json_command command = { "sum", encode_numbers, decode_sum };
    static const int items[] = { 3, 14, 25 };
    struct numbers numbers = { items, 3 };
    int64_t sum;
    int rc = lwb_blocking_json(client, lease, &command, &numbers, &sum, NULL, err);

    if (rc == LWB_OK)
        printf("sum: 3 + 14 + 25 = %" PRId64 "\n", sum);
    return rc;
}

/* ---- a streaming command --------------------------------------------------------------------- */

struct prime {
    int64_t value;
};

struct primes_seen {
    uint64_t count;
    int64_t last;
};

static int encode_limit(struct lwb_buf *json, const void *request, struct lwb_error *err)
{
    lwb_buf_format(json, "{\"below\":%d}", *(const int *)request);
    return lwb_buf_ok(json) ? LWB_OK : lwb_fail_memory(err);
}

static int decode_prime(void *row, struct lwb_bytes text, struct lwb_error *err)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct prime *prime = row;
    int rc = lwb_json_parse(&json, text, err);

    return rc < 0 ? rc : lwb_json_get_int(json, "prime", &prime->value, err);
}

static bool see_prime(void *ctx, const char *stream, uint64_t sequence, const void *row)
{
    struct primes_seen *seen = ctx;
    const struct prime *prime = row;

    (void)stream;
    seen->count = sequence + 1;
    seen->last = prime->value;
    return true; /* false would stop the stream */
}

static bool show_progress(void *ctx, const struct lwb_progress *progress)
{
    (void)ctx;
    printf("progress: %s %" PRIu64 " of %" PRIu64 "\n", progress->phase, progress->current,
           progress->total);
    return true;
}

int run_primes(struct lwb_blocking *client, struct lwb_lease *lease, struct lwb_error *err)
{
    static const struct lwb_streaming_command command = {
        .name = "primes",
        .encode = encode_limit,
        .row_size = sizeof(struct prime),
        .decode_row = decode_prime,
    };
    static const struct lwb_sinks sinks = { .progress = show_progress };
    struct primes_seen seen = { 0 };
    struct lwb_blocking_options options = {
        .sinks = &sinks,
        .rows = { .row = see_prime, .ctx = &seen },
    };
    int limit = 100000;
    int rc = lwb_blocking_rows(client, lease, &command, &limit, NULL, &options, err);

    /* Rows are tentative until the call has succeeded: only now do they count. */
    if (rc == LWB_OK)
        printf("primes: %" PRIu64 " below %d, the last is %" PRId64 "\n", seen.count, limit,
               seen.last);
    return rc;
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static struct lwb_cancel_token *alarm_token; /* a signal handler has no argument of ours */

static void on_alarm(int number)
{
    (void)number;
    lwb_cancel_token_fire(alarm_token); /* NOLINT(bugprone-signal-handler): made for it */
}

static int run_never_end(struct lwb_blocking *client, struct lwb_lease *lease,
                         struct lwb_cancel_token *token, struct lwb_error *err)
{
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply reply = { 0 };
    struct lwb_export_request request = { .name = "never-end", .json = { "{}", 2 } };
    struct lwb_blocking_options options = { .cancel = token };

    return lwb_blocking_command(client, lease, &request, &options, &reply, err);
}

int cancel_what_never_ends(struct lwb_blocking *client, struct lwb_lease *lease,
                           struct lwb_error *err)
{
    static const struct itimerval soon = { .it_value = { .tv_usec = 100 * 1000 } };
    static const struct itimerval never;
    int rc = lwb_cancel_token_create(&alarm_token, lwb_blocking_loop(client), err);

    if (rc < 0)
        return rc;
    (void)signal(SIGALRM, on_alarm);
    (void)setitimer(ITIMER_REAL, &soon, NULL);
    rc = run_never_end(client, lease, alarm_token, err);
    (void)setitimer(ITIMER_REAL, &never, NULL);
    (void)signal(SIGALRM, SIG_IGN);
    lwb_cancel_token_close(alarm_token);
    if (rc != LWB_ERR_CANCELLED)
        return rc < 0 ? rc : lwb_fail(err, LWB_ERR_USAGE, "what never ends has ended");
    printf("never-end: cancelled after a tenth of a second\n");
    return LWB_OK;
}

int survive_a_crash(struct lwb_blocking *client, struct lwb_lease *lease, struct lwb_error *err)
{
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply reply = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf last_words = LWB_BUF(4096);
    struct lwb_export_request request = { .name = "crash", .json = { "{}", 2 } };
    int rc = lwb_blocking_command(client, lease, &request, NULL, &reply, err);

    if (rc != LWB_ERR_CHILD_ABORTED)
        return rc < 0 ? rc : lwb_fail(err, LWB_ERR_USAGE, "the crash did not happen");
    lwb_lease_stderr(lease, 1000, &last_words);
    printf("crash: %s (%s), its last words: %s", lwb_code_name(err->code),
           strsignal(err->facts.signal), lwb_buf_text(&last_words));
    return LWB_OK;
}
