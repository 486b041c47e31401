#include "tests/support/host_echo_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/json.h"

/* ---- declarations ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *kind;
} world[] = {
    { "Nat", "inductive" },        { "Nat.zero", "constructor" }, { "Nat.add", "definition" },
    { "Nat.add_comm", "theorem" }, { "propext", "axiom" },
};

int echo_declaration_kinds(void *session, const struct lwb_strvec *names, struct lwb_call *call,
                           struct lwb_strvec *kinds, struct lwb_error *err)
{
    (void)session;
    (void)call;
    for (size_t i = 0; i < names->count; i++) {
        const char *kind = "";

        for (size_t j = 0; j < LWB_COUNT(world); j++)
            if (strcmp(world[j].name, names->items[i]) == 0)
                kind = world[j].kind;
        if (lwb_strvec_append(kinds, kind))
            return lwb_fail_memory(err);
    }
    return LWB_OK;
}

int echo_declaration_names(void *session, const char *prefix, struct lwb_call *call,
                           struct lwb_strvec *names, struct lwb_error *err)
{
    (void)session;
    (void)call;
    for (size_t i = 0; i < LWB_COUNT(world); i++)
        if (strncmp(world[i].name, prefix, strlen(prefix)) == 0 &&
            lwb_strvec_append(names, world[i].name))
            return lwb_fail_memory(err);
    return LWB_OK;
}

/* ---- commands -------------------------------------------------------------------------------- */

static uint64_t parameter(const struct lwb_export_request *request, const char *key,
                          uint64_t missing)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_error ignored;
    uint64_t value = missing;

    if (lwb_json_parse(&json, request->json, &ignored) == LWB_OK)
        (void)lwb_json_get_count(json, key, &value, &ignored);
    return value;
}

static int unknown(const struct lwb_export_request *request, struct lwb_error *err)
{
    return lwb_fail(err, LWB_ERR_UNSUPPORTED, "echo has no export \"%s\"", request->name);
}

static void *kept;

/* A process in a session of its own, without a parent, holding all that we have open. */
static void leave_stray(int report)
{
    pid_t pid;

    (void)setsid();
    pid = fork();
    if (pid == 0)
        echo_hang();
    _exit(write(report, &pid, sizeof(pid)) == (ssize_t)sizeof(pid) ? 0 : 1);
}

/* Use memory, and keep it until the process ends. */
static void eat(uint64_t mib)
{
    char *memory = malloc((size_t)mib << 20);

    for (uint64_t i = 0; memory && i < mib << 20; i += 4096)
        ((volatile char *)memory)[i] = 1;
    kept = memory;
}

static int answer_stray(struct lwb_host_answer *answer, struct lwb_error *err)
{
    int ends[2];
    pid_t stray = 0;
    pid_t pid;

    if (pipe(ends) != 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "no pipe");
    pid = fork();
    if (pid == 0)
        leave_stray(ends[1]);
    (void)!read(ends[0], &stray, sizeof(stray));
    (void)waitpid(pid, NULL, 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
    lwb_buf_format(&answer->json, "{\"pid\":%d}", (int)stray);
    return LWB_OK;
}

int echo_command(void *session, const struct lwb_export_request *request, struct lwb_call *call,
                 struct lwb_host_answer *answer, struct lwb_error *err)
{
    (void)session;
    (void)call;
    if (strcmp(request->name, "echo") == 0)
        lwb_buf_append_bytes(&answer->json, request->json);
    else if (strcmp(request->name, "large") == 0)
        for (uint64_t left = parameter(request, "bytes", 0); left && lwb_buf_ok(&answer->json);
             left--)
            lwb_buf_append_char(&answer->json, ' ');
    else if (strcmp(request->name, "stray") == 0)
        return answer_stray(answer, err);
    else if (strcmp(request->name, "eat") == 0)
        eat(parameter(request, "n", 1));
    else if (strcmp(request->name, "hang") == 0)
        echo_hang();
    else if (strcmp(request->name, "crash") == 0)
        abort();
    else if (strcmp(request->name, "exit") == 0)
        _exit(3);
    else
        return unknown(request, err);
    return LWB_OK;
}

static int send_in_turn(const struct lwb_export_request *request, struct lwb_call *call,
                        struct lwb_error *err)
{
    uint64_t rows = parameter(request, "rows", 1);
    uint64_t bytes = parameter(request, "bytes", 100);
    uint64_t streams = parameter(request, "streams", 1);
    char name[32];
    int rc = LWB_OK;

    if (streams == 1)
        return echo_send_rows(call, "s0", 0, rows, bytes, err);
    for (uint64_t i = 0; rc == LWB_OK && i < rows; i++)
        for (uint64_t j = 0; rc == LWB_OK && j < streams; j++) {
            (void)snprintf(name, sizeof(name), "s%" PRIu64, j);
            rc = echo_send_rows(call, name, i, 1, bytes, err);
        }
    return rc;
}

int echo_stream(void *session, const struct lwb_export_request *request, struct lwb_call *call,
                struct lwb_host_answer *answer, struct lwb_error *err)
{
    int rc;

    (void)session;
    if (strcmp(request->name, "rows") == 0) {
        rc = send_in_turn(request, call, err);
        lwb_buf_append_text(&answer->json, "{\"echo\":true}");
        return rc;
    }
    if (strcmp(request->name, "slow") == 0) {
        rc = echo_send_rows(call, "s0", 0, parameter(request, "rows", 1), 100, err);
        if (rc < 0)
            return rc;
        for (;;)
            echo_spin(1000);
    }
    return unknown(request, err);
}

int echo_metadata(void *session, const struct lwb_export_request *request,
                  struct lwb_host_answer *answer, struct lwb_error *err)
{
    (void)session;
    (void)request;
    (void)err;
    lwb_buf_append_text(&answer->json, "{\"name\":\"echo\",\"version\":\"1\","
                                       "\"commands\":[{\"name\":\"echo\",\"version\":\"1\"},"
                                       "{\"name\":\"rows\",\"version\":\"1\"}]}");
    return LWB_OK;
}

int echo_doctor(void *session, const struct lwb_export_request *request,
                struct lwb_host_answer *answer, struct lwb_error *err)
{
    (void)session;
    (void)request;
    (void)err;
    lwb_buf_append_text(&answer->json, "{\"diagnostics\":[{\"severity\":\"pass\",\"code\":\"echo\","
                                       "\"message\":\"the echo host answers\"}]}");
    return LWB_OK;
}
