/*
 * Does the host say what `lean FILE` says? Checks every given file both ways
 * and prints what differs, and how long each way took.
 *
 *     lean_compare [--known LIST] [--fresh] FOLDER [FILE...]     FILE relative to FOLDER; else all
 *
 * Exit code 0 if verdicts and texts are equal (texts of the files in LIST need
 * not be: see known_differences.txt), 1 if not, 2 if it could not try, 77 where
 * there is no Lean or no such folder.
 */
#include <glob.h>
#include <signal.h>
#include <unistd.h>

#include "child/lean/lean_host.h"
#include "child/lean/lean_message.h"
#include "child/lean/lean_setup.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/lean_header.h"
#include "lwbuild/base/path.h"
#include "tests/support/real_lean.h"
#include "tests/support/recording_call.h"

enum { SOURCE_MAX = 16 * 1024 * 1024, TIME_LIMIT_S = 300 };

/* One session per distinct header, as the driver has one per batch. */
struct header_session {
    struct lwb_strvec imports;
    bool prelude;
    void *session;
};

struct comparison {
    const char *prefix;
    const char *version;
    const char *folder;
    char scratch[64];
    struct lwb_lean_setup setup;
    struct header_session *sessions;
    size_t n_sessions;
    size_t cap;
    struct lwb_call call;
    enum lwb_isolation isolation;
    uint64_t lean_ns, host_ns;
    struct lwb_buf
        known; /* files whose text differs for a reason: name, blank, reason, a line each */
    unsigned files, fresh, other_verdict, other_text, known_text;
};

static void die(const struct lwb_error *err)
{
    (void)fprintf(stderr, "lean_compare: %s\n", err->text);
    exit(2);
}

static struct lwb_open_request open_request(struct comparison *all,
                                            const struct header_session *header)
{
    static const struct lwb_strvec none;

    return (struct lwb_open_request){
        .host = "lean",
        .project_root = all->folder,
        .source_root = all->folder,
        .toolchain = all->prefix,
        .toolchain_version = all->version,
        .imports = header ? &header->imports : &none,
        .prelude = header && header->prelude,
        .scratch = all->scratch,
    };
}

static bool is_same(const struct lwb_strvec *a, const struct lwb_strvec *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->items[i], b->items[i]) == 0;
    return same;
}

static void *session_for(struct comparison *all, struct lwb_bytes source)
{
    LWB_AUTO(lwb_lean_header_release) struct lwb_lean_header found = { 0 };
    struct header_session header = { 0 };
    struct lwb_open_response response;
    struct lwb_open_request request;
    struct lwb_error err;
    char own[100];

    if (lwb_lean_header_parse(&found, source, &err) < 0)
        die(&err);
    for (size_t i = 0; i < found.n_imports; i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(4096);

        lwb_buf_append_text(&text, lwb_import_flags_text(found.imports[i].flags));
        lwb_buf_append_bytes(&text, found.imports[i].name);
        (void)lwb_strvec_append(&header.imports, lwb_buf_text(&text));
    }
    header.prelude = found.prelude;
    for (size_t i = 0; i < all->n_sessions; i++)
        if (all->sessions[i].prelude == header.prelude &&
            is_same(&all->sessions[i].imports, &header.imports)) {
            lwb_strvec_release(&header.imports);
            return all->sessions[i].session;
        }
    if (lwb_grow(&all->sessions, &all->cap, all->n_sessions, sizeof(header)) < 0)
        abort();
    request = open_request(all, &header);
    (void)snprintf(own, sizeof(own), "%s/%zu", all->scratch, all->n_sessions);
    request.scratch = own; /* two sessions in one folder would take each other's names */
    if (lwb_file_make_dirs(own, 0700, &err) < 0)
        die(&err);
    if (lwb_host_lean.open(&header.session, &request, &response, &err) < 0)
        die(&err);
    all->sessions[all->n_sessions++] = header;
    return header.session;
}

/* What `lean FILE` prints in the folder, and its exit code. */
static int run_lean(struct comparison *all, const char *file, struct lwb_buf *output)
{
    LWB_AUTO(lwb_lean_command_release)
    struct lwb_lean_command command = { .program = all->setup.program, .folder = all->folder };
    LWB_AUTO(lwb_lean_run_release) struct lwb_lean_run run = { 0 };
    uint64_t start = lwb_clock_ns();
    struct lwb_error err;

    if (lwb_strvec_append(&command.arguments, file) < 0 ||
        lwb_strvec_copy(&command.environment, &all->setup.environment) < 0)
        abort();
    if (lwb_lean_process_run(&run, &command, output, start + TIME_LIMIT_S * UINT64_C(1000000000),
                             &err) < 0)
        die(&err);
    all->lean_ns += lwb_clock_ns() - start;
    return run.signal ? -run.signal : run.exit_code;
}

static enum lwb_verdict expected_verdict(int exit_code)
{
    if (exit_code == 0)
        return LWB_VERDICT_ACCEPTED;
    return exit_code == 1 ? LWB_VERDICT_REJECTED : LWB_VERDICT_NONE;
}

/* An import that is missing is Lean's exit 1 and our "no verdict". */
static bool agrees(const struct lwb_check_response *response, int exit_code)
{
    if (response->verdict == LWB_VERDICT_NONE && response->reason == LWB_REASON_IMPORT)
        return exit_code == 1;
    return response->verdict == expected_verdict(exit_code);
}

static bool is_known(const struct comparison *all, const char *file)
{
    size_t len = strlen(file);

    for (const char *at = lwb_buf_text(&all->known); at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, file, len) == 0 && at[len] == ' ')
            return true;
    }
    return false;
}

static void compare_file(struct comparison *all, const char *file)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf source = LWB_BUF(SOURCE_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf expected = LWB_BUF(4 * SOURCE_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf said = LWB_BUF(4 * SOURCE_MAX);
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(all->folder, file);
    struct lwb_check_request request = { .module = "A", .file = file, .isolation = all->isolation };
    struct lwb_check_response response = { 0 };
    struct lwb_error err;
    void *session;
    uint64_t start;
    int code;

    if (lwb_file_read(&source, path, NULL, &err) < 0)
        die(&err);
    request.source = lwb_bytes(lwb_buf_text(&source), source.len);
    request.deadline_ms = TIME_LIMIT_S * 1000;
    code = run_lean(all, file, &expected);
    session = session_for(all, request.source);
    recording_call_clear(&all->call);
    start = lwb_clock_ns();
    if (lwb_host_lean.check(session, &request, &all->call, &response, &err) < 0)
        die(&err);
    all->host_ns += lwb_clock_ns() - start;
    all->files++;
    all->fresh += response.fresh;
    (void)recording_call_text(&all->call, file, &said);
    if (!agrees(&response, code)) {
        all->other_verdict++;
        (void)printf("VERDICT %s: lean %d, host %s %s (%s)\n", file, code,
                     lwb_verdict_name(response.verdict), lwb_reason_name(response.reason),
                     response.detail ? response.detail : "");
    }
    if (lwb_bytes_equal(lwb_buf_bytes(&expected), lwb_buf_bytes(&said)))
        return;
    if (is_known(all, file)) {
        all->known_text++;
    } else {
        all->other_text++;
        (void)printf("TEXT %s%s\n--- lean\n%s--- host\n%s---\n", file,
                     response.fresh ? " (fresh)" : "", lwb_buf_text(&expected),
                     lwb_buf_text(&said));
    }
}

static void compare_folder(struct comparison *all)
{
    LWB_AUTO(lwb_free_text) char *pattern = lwb_path_join(all->folder, "*.lean");
    glob_t found;

    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        compare_file(all, lwb_path_basename(found.gl_pathv[i]));
    globfree(&found);
}

int main(int argc, char **argv)
{
    struct lwb_toolchain toolchain = { 0 };
    struct comparison all = { 0 };
    struct lwb_open_request request;
    struct lwb_error err;
    int first = 2; /* file */

    all.known = LWB_BUF(1024 * 1024);
    for (; first <= argc && strncmp(argv[first - 1], "--", 2) == 0; first++) {
        if (strcmp(argv[first - 1], "--fresh") == 0)
            all.isolation = LWB_ISOLATION_FRESH;
        else if (lwb_file_read(&all.known, argv[first++], NULL, &err) < 0)
            die(&err);
    }
    if (argc < first || access(argv[first - 1], R_OK) < 0) {
        (void)printf("skipped: no folder of Lean files to compare with\n");
        return 77;
    }
    real_lean_find(&toolchain);
    (void)signal(SIGPIPE, SIG_IGN);
    all.prefix = toolchain.prefix;
    all.version = toolchain.version;
    all.folder = argv[first - 1];
    (void)snprintf(all.scratch, sizeof(all.scratch), "/tmp/lean_compare.XXXXXX");
    if (!mkdtemp(all.scratch))
        return 2;
    request = open_request(&all, NULL);
    if (lwb_lean_setup_init(&all.setup, &request, &err) < 0)
        die(&err);
    for (int i = first; i < argc; i++)
        compare_file(&all, argv[i]);
    if (argc == first)
        compare_folder(&all);
    for (size_t i = 0; i < all.n_sessions; i++) {
        lwb_host_lean.close(all.sessions[i].session);
        lwb_strvec_release(&all.sessions[i].imports);
    }
    lwb_free(all.sessions);
    recording_call_clear(&all.call);
    lwb_lean_setup_release(&all.setup);
    (void)lwb_file_remove_tree(all.scratch, &err);
    (void)printf("Lean %s: %u files (%u fresh), %zu sessions: verdict differs %u, text differs %u, "
                 "as is known %u; lean %.2f s, host %.2f s\n",
                 toolchain.version, all.files, all.fresh, all.n_sessions, all.other_verdict,
                 all.other_text, all.known_text, (double)all.lean_ns / 1e9,
                 (double)all.host_ns / 1e9);
    lwb_buf_release(&all.known);
    lwb_toolchain_release(&toolchain);
    return all.files == 0 || all.other_verdict || all.other_text;
}
