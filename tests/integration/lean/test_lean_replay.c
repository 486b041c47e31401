#include "tests/support/test.h"

#include <glob.h>
#include <stdio.h>
#include <unistd.h>

#include "child/lean/lean_host.h"
#include "child/lean/lsp.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"
#include "tests/support/lean_session.h"

/*
 * What two real Leans answered, played back to the host: verdict and text must
 * be those of `lean FILE`, which was recorded beside it.
 */
static const char recordings[] = LWB_SOURCE_DIR "/../shared/data/lean";

static const char *const times[] = { "jul2021", "nov2021" };
static const char *const versions[] = { "4.0.0-nightly-2021-07-27", "4.0.0-nightly-2021-11-29" };

/*
 * From here on a worker's words are taken, too: these recordings hold no name that
 * lost its mark.
 */
static const char trusted_version[] = "4.1.0";

static const struct {
    const char *name;
    const char *import; /* of its header */
    enum lwb_verdict verdict;
    enum lwb_reason reason;
    bool fresh; /* decided by the command line, also where a worker's words are taken */
} cases[] = {
    { "ok", NULL, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false },
    { "info", NULL, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false },
    { "sorry", NULL, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false },
    { "syntax", NULL, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false },
    { "tactic", NULL, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false },
    { "type_error", NULL, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false },
    { "unicode", NULL, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false },
    { "heartbeat", NULL, LWB_VERDICT_REJECTED, LWB_REASON_LIMIT, false },
    { "panic", NULL, LWB_VERDICT_ACCEPTED, LWB_REASON_PANIC, true },
    { "bad_header", NULL, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true },
    /* Lean says exit 1; that a file is missing is nothing to keep. */
    { "missing_import", "Does.Not.Exist", LWB_VERDICT_NONE, LWB_REASON_IMPORT, true },
};

static void read_text(struct lwb_buf *out, const char *path)
{
    struct lwb_error err;

    if (lwb_file_read(out, path, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

/* A toolchain folder with replay_lean in it. */
static void make_toolchain(const struct scratch *scratch, const char *time)
{
    char text[1000];

    (void)snprintf(text, sizeof(text), "%s/transcripts/%s", recordings, time);
    scratch_write(scratch, "t/replay", text);
    scratch_write(scratch, "t/bin/keep", "");
    assert_int_equal(symlink(LWB_REPLAY_LEAN, scratch_path(scratch, "t/bin/lean")), 0);
}

/* stdout of the recorded command line; where it names its folder, that was called /project. */
static void read_expected(struct lwb_buf *out, const char *time, const char *name)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1024 * 1024);
    char path[1000];
    const char *from, *to;

    (void)snprintf(path, sizeof(path), "%s/transcripts/%s/%s.cli.txt", recordings, time, name);
    read_text(&text, path);
    from = strstr(lwb_buf_text(&text), "--- stdout\n");
    to = strstr(lwb_buf_text(&text), "--- stderr\n");
    assert_non_null(from);
    assert_non_null(to);
    from += strlen("--- stdout\n");
    lwb_buf_append(out, from, (size_t)(to - from));
}

static void open_replay(struct lean_session *lean, size_t time, const char *version,
                        const char *import)
{
    lean_session_prepare(lean, NULL, version);
    make_toolchain(&lean->scratch, times[time]);
    lean->open.toolchain = strdup(scratch_path(&lean->scratch, "t"));
    if (import)
        assert_int_equal(lwb_strvec_append(&lean->imports, import), 0);
    lean_session_open(lean);
}

static void close_replay(struct lean_session *lean)
{
    free((char *)lean->open.toolchain);
    lean_session_finish(lean);
}

static bool expects_fresh(const struct lean_session *lean, size_t number)
{
    bool has_words = strcmp(lean->open.toolchain_version, trusted_version) == 0;

    return cases[number].fresh || (!has_words && cases[number].verdict == LWB_VERDICT_REJECTED);
}

/* Checks the case as `conversation`.lean; it has to be answered as it was on the command line. */
static void check_case(struct lean_session *lean, size_t time, size_t number,
                       const char *conversation)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf source = LWB_BUF(1024 * 1024);
    LWB_AUTO(lwb_buf_release) struct lwb_buf expected = LWB_BUF(1024 * 1024);
    LWB_AUTO(lwb_buf_release) struct lwb_buf said = LWB_BUF(1024 * 1024);
    struct lwb_check_request request = { .module = "A" };
    char path[1000], file[100], label[100];

    (void)snprintf(path, sizeof(path), "%s/cases/%s.lean", recordings, cases[number].name);
    (void)snprintf(file, sizeof(file), "%s.lean", conversation);
    (void)snprintf(label, sizeof(label), "%s.lean", cases[number].name);
    read_text(&source, path);
    read_expected(&expected, times[time], cases[number].name);
    request.file = file;
    request.source = lwb_buf_bytes(&source);
    recording_call_clear(&lean->call);
    if (lean_session_check_as(lean, &request) < 0)
        fail_msg("%s", lean->err.text);
    (void)recording_call_text(&lean->call, label, &said);
    if (lean->response.verdict != cases[number].verdict ||
        lean->response.reason != cases[number].reason ||
        lean->response.fresh != expects_fresh(lean, number) ||
        strcmp(lwb_buf_text(&said), lwb_buf_text(&expected)) != 0)
        fail_msg("%s %s as %s: %s %s %s\n%s---\n%s", times[time], label,
                 lean->open.toolchain_version, lwb_verdict_name(lean->response.verdict),
                 lwb_reason_name(lean->response.reason),
                 lean->response.detail ? lean->response.detail : "", lwb_buf_text(&said),
                 lwb_buf_text(&expected));
}

static void replay_case(size_t time, const char *version, size_t number)
{
    struct lean_session lean;

    open_replay(&lean, time, version, cases[number].import);
    check_case(&lean, time, number, cases[number].name);
    close_replay(&lean);
}

static void verdicts_and_texts_are_those_of_the_command_line(void **state)
{
    (void)state;
    for (size_t time = 0; time < LWB_COUNT(times); time++)
        for (size_t i = 0; i < LWB_COUNT(cases); i++) {
            replay_case(time, versions[time], i);
            replay_case(time, trusted_version, i);
        }
}

static size_t find_case(const char *name)
{
    size_t i = 0;

    while (strcmp(cases[i].name, name) != 0) {
        i++;
        assert_true(i < LWB_COUNT(cases));
    }
    return i;
}

/* One worker was recorded with the bodies of these cases, one after the other. */
static void several_documents_of_one_worker(void **state)
{
    static const char *const bodies[] = { "ok", "type_error", "tactic", "ok" };

    (void)state;
    for (size_t time = 0; time < LWB_COUNT(times); time++) {
        struct lean_session lean;

        open_replay(&lean, time, trusted_version, NULL);
        for (size_t i = 0; i < LWB_COUNT(bodies); i++)
            check_case(&lean, time, find_case(bodies[i]), "warm-three-bodies");
        close_replay(&lean);
    }
}

/* Every body that was recorded has a kind, and those that are decoded can be. */
static size_t decode_recording(const char *path)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(16 * 1024 * 1024);
    const char *line;
    size_t diagnostics = 0;

    read_text(&text, path);
    for (line = lwb_buf_text(&text); *line; line += strcspn(line, "\n") + 1) {
        LWB_AUTO(lwb_json_free) cJSON *record = NULL;
        LWB_AUTO(lwb_json_free) cJSON *json = NULL;
        LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(1024 * 1024);
        const cJSON *list;
        struct lwb_error err;
        uint64_t number;
        bool is_error;

        assert_int_equal(lwb_json_parse(&record, lwb_bytes(line, strcspn(line, "\n")), &err), 0);
        if (strcmp(lwb_json_text(lwb_json_find(record, "dir")), "from") != 0)
            continue;
        assert_int_equal(lwb_json_print(&body, lwb_json_find(record, "msg"), &err), 0);
        switch (lwb_lsp_classify(lwb_buf_bytes(&body))) {
        case LWB_LSP_MORE_DIAGNOSTICS:
            fail_msg("nobody knew such diagnostics in 2021");
            break;
        case LWB_LSP_PROGRESS:
            assert_int_equal(lwb_lsp_progress(lwb_buf_bytes(&body), &number), 1);
            break;
        case LWB_LSP_DONE:
            assert_int_equal(lwb_lsp_done(lwb_buf_bytes(&body), &number), 1);
            break;
        case LWB_LSP_DIAGNOSTICS:
            assert_int_equal(lwb_lsp_diagnostics(lwb_buf_bytes(&body), &json, &number, &list, &err),
                             LWB_OK);
            diagnostics++;
            break;
        case LWB_LSP_REPLY:
            assert_int_equal(lwb_lsp_reply(lwb_buf_bytes(&body), &number, &is_error), 1);
            break;
        case LWB_LSP_FATAL:
            fail_msg("nobody said so in 2021");
            break;
        case LWB_LSP_OTHER:
            break;
        }
    }
    return diagnostics;
}

static void all_recorded_traffic_can_be_read(void **state)
{
    char pattern[1000];
    glob_t found;

    (void)state;
    (void)snprintf(pattern, sizeof(pattern), "%s/transcripts/*/*.worker.jsonl", recordings);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 30);
    for (size_t i = 0; i < found.gl_pathc; i++)
        assert_true(decode_recording(found.gl_pathv[i]) > 0);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_and_texts_are_those_of_the_command_line),
        cmocka_unit_test(several_documents_of_one_worker),
        cmocka_unit_test(all_recorded_traffic_can_be_read),
    };

    if (access(recordings, R_OK) < 0) {
        (void)printf("skipped: no recordings of real Leans beside the source tree\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
