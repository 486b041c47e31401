/*
 * A C program that asks Lean what is in a module, and never meets Lean: the capability runs in a
 * child process. usage: report <manifest> <module> [<lwbuild-child>]
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <lwbuild/base/json.h>
#include <lwbuild/lwbuild.h>

enum { MAX_KINDS = 16 };

struct counts {
    struct {
        char kind[32];
        unsigned count;
    } kinds[MAX_KINDS];
    size_t n_kinds;
    char longest[256]; /* name of a declaration */
};

static void count(struct counts *counts, const char *kind, const char *name)
{
    size_t i = 0;

    while (i < counts->n_kinds && strcmp(counts->kinds[i].kind, kind) != 0)
        i++;
    if (i == MAX_KINDS)
        return;
    if (i == counts->n_kinds)
        (void)snprintf(counts->kinds[counts->n_kinds++].kind, sizeof(counts->kinds[i].kind), "%s",
                       kind);
    counts->kinds[i].count++;
    if (strlen(name) > strlen(counts->longest))
        (void)snprintf(counts->longest, sizeof(counts->longest), "%s", name);
}

/* One row of the stream; false would end it. */
static bool on_row(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    const char *name;
    const char *kind;
    struct lwb_error err;

    (void)stream;
    (void)sequence;
    if (lwb_json_parse(&json, row, &err) < 0 || lwb_json_get_text(json, "name", &name, &err) < 0 ||
        lwb_json_get_text(json, "kind", &kind, &err) < 0)
        return false;
    count(ctx, kind, name);
    return true;
}

static int list_declarations(struct lwb_blocking *client, struct lwb_lease *lease,
                             const char *module, struct counts *counts, struct lwb_error *err)
{
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply kept = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf request = LWB_BUF(4096);
    struct lwb_sinks sinks = { .row = on_row, .ctx = counts };
    struct lwb_blocking_options options = { .sinks = &sinks };
    struct lwb_export_request export = { .name = "declarations" };
    bool first = true;

    lwb_buf_append_char(&request, '{');
    lwb_json_member_text(&request, &first, "module", module);
    lwb_buf_append_char(&request, '}');
    export.json = lwb_buf_bytes(&request);
    return lwb_blocking_stream(client, lease, &export, &options, &kept, err);
}

static int report(struct lwb_blocking *client, const char *manifest, const char *module,
                  struct lwb_error *err)
{
    struct lwb_session_config world = { .open = { .host = "capability", .capability = manifest } };
    struct counts counts = { .n_kinds = 0 };
    struct lwb_lease *lease;
    int rc = lwb_blocking_acquire(client, &world, NULL, &lease, err);

    if (rc < 0)
        return rc;
    rc = list_declarations(client, lease, module, &counts, err);
    lwb_blocking_return(client, lease);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < counts.n_kinds; i++)
        printf("%6u %s\n", counts.kinds[i].count, counts.kinds[i].kind);
    printf("the longest name: %s\n", counts.longest);
    return LWB_OK;
}

int main(int argc, char **argv)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec environment = { 0 };
    LWB_AUTO(lwb_blocking_close) struct lwb_blocking *client = NULL;
    struct lwb_pool_config config = { .worker = LWB_WORKER_CONFIG_DEFAULTS, .max_workers = 1 };
    struct lwb_error err;

    if (argc < 3) {
        fprintf(stderr, "usage: report <manifest> <module> [<lwbuild-child>]\n");
        return 2;
    }
    lwb_json_init();
    config.worker.executable = argc > 3 ? argv[3] : SURVEY_CHILD;
    config.worker.environment = &environment;
    if (lwb_worker_environment(&environment, &err) < 0 ||
        lwb_blocking_open(&client, &config, &err) < 0 ||
        report(client, argv[1], argv[2], &err) < 0) {
        fprintf(stderr, "report: %s\n", err.text);
        return 1;
    }
    return 0;
}
