#include "lwbuild/worker/row_ledger.h"

#include <stdio.h>

#include "lwbuild/base/alloc.h"

struct lwb_row_stream {
    char *name;
    uint64_t next;
};

void lwb_row_ledger_clear(struct lwb_row_ledger *ledger)
{
    for (size_t i = 0; i < ledger->n_streams; i++)
        lwb_free(ledger->streams[i].name);
    ledger->n_streams = 0;
    ledger->rows = 0;
}

void lwb_row_ledger_release(struct lwb_row_ledger *ledger)
{
    lwb_row_ledger_clear(ledger);
    lwb_free(ledger->streams);
    *ledger = (struct lwb_row_ledger){ 0 };
}

static struct lwb_row_stream *find(const struct lwb_row_ledger *ledger, const char *name)
{
    for (size_t i = 0; i < ledger->n_streams; i++)
        if (strcmp(ledger->streams[i].name, name) == 0)
            return &ledger->streams[i];
    return NULL;
}

static struct lwb_row_stream *add(struct lwb_row_ledger *ledger, const char *name)
{
    struct lwb_row_stream stream = { .name = NULL };

    if (lwb_grow(&ledger->streams, &ledger->cap, ledger->n_streams, sizeof(stream)))
        return NULL;
    stream.name = lwb_strdup(name);
    if (!stream.name)
        return NULL;
    ledger->streams[ledger->n_streams] = stream;
    return &ledger->streams[ledger->n_streams++];
}

static int fail_at(struct lwb_error *err, const char *stream, uint64_t sequence)
{
    (void)snprintf(err->facts.stream, sizeof(err->facts.stream), "%s", stream);
    err->facts.sequence = sequence;
    return err->code;
}

static int count_rows(const struct lwb_rows *rows, struct lwb_error *err)
{
    struct lwb_bytes packed = rows->packed;
    struct lwb_bytes row;
    uint64_t count = 0;
    int rc;

    while ((rc = lwb_rows_next(&packed, &row)) == 1)
        count++;
    if (rc < 0) {
        uint64_t cut = rows->first + count;

        (void)lwb_fail(err, LWB_ERR_PROTOCOL, "row %llu of stream %.60s is cut",
                       (unsigned long long)cut, rows->stream);
        return fail_at(err, rows->stream, cut);
    }
    if (count != rows->count) {
        (void)lwb_fail(err, LWB_ERR_PROTOCOL, "%llu rows announced in stream %.60s, %llu sent",
                       (unsigned long long)rows->count, rows->stream, (unsigned long long)count);
        return fail_at(err, rows->stream, rows->first);
    }
    return LWB_OK;
}

int lwb_row_ledger_enter(struct lwb_row_ledger *ledger, const struct lwb_rows *rows,
                         struct lwb_error *err)
{
    struct lwb_row_stream *stream = find(ledger, rows->stream);
    uint64_t expected = stream ? stream->next : 0;

    if (rows->first != expected) {
        (void)lwb_fail(err, LWB_ERR_PROTOCOL, "row %llu of stream %.60s came instead of row %llu",
                       (unsigned long long)rows->first, rows->stream, (unsigned long long)expected);
        return fail_at(err, rows->stream, rows->first);
    }
    if (count_rows(rows, err) < 0)
        return err->code;
    if (!stream && ledger->n_streams >= LWB_ROW_STREAMS_MAX)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "more than %d streams", LWB_ROW_STREAMS_MAX);
    if (!stream)
        stream = add(ledger, rows->stream);
    if (!stream)
        return lwb_fail_memory(err);
    stream->next += rows->count;
    ledger->rows += rows->count;
    return LWB_OK;
}

static int fail_count(const char *stream, uint64_t answered, uint64_t came, struct lwb_error *err)
{
    (void)lwb_fail(err, LWB_ERR_PROTOCOL, "stream %.60s ends with %llu rows, %llu came", stream,
                   (unsigned long long)answered, (unsigned long long)came);
    return fail_at(err, stream, came);
}

int lwb_row_ledger_close(const struct lwb_row_ledger *ledger,
                         const struct lwb_stream_count *streams, size_t n_streams,
                         struct lwb_error *err)
{
    uint64_t answered = 0;

    for (size_t i = 0; i < n_streams; i++) {
        const struct lwb_row_stream *stream = find(ledger, streams[i].stream);
        uint64_t came = stream ? stream->next : 0;

        if (came != streams[i].rows)
            return fail_count(streams[i].stream, streams[i].rows, came, err);
        answered += came;
    }
    if (answered != ledger->rows)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "the answer counts %llu rows, %llu came",
                        (unsigned long long)answered, (unsigned long long)ledger->rows);
    return LWB_OK;
}
