#include "child/lean/lean_once.h"

#include <sys/stat.h>

#include "child/lean/lean_place.h"
#include "child/lean/olean_file.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/lean_header.h"
#include "lwbuild/base/path.h"
#include "lwbuild/base/utf8.h"

enum { OUTPUT_MAX = 64 * 1024 * 1024 };

/* Which files an artifact may consist of. */
static const struct {
    const char *part;
    const char *name;
    bool always;    /* each artifact has it */
    bool of_module; /* each artifact of the module system has it */
    enum lwb_olean_place place;
} parts[LWB_LEAN_PARTS_MAX] = {
    { .part = "olean", .name = "module.olean", .always = true },
    { .part = "olean.server",
      .name = "module.olean.server",
      .of_module = true,
      .place = LWB_OLEAN_LATER },
    { .part = "olean.private",
      .name = "module.olean.private",
      .of_module = true,
      .place = LWB_OLEAN_LATER },
    { .part = "ir", .name = "module.ir", .place = LWB_OLEAN_LATER },
    { .part = "ir.sig", .name = "module.ir.sig", .place = LWB_OLEAN_LATER },
};

void lwb_lean_once_release(struct lwb_lean_once *once)
{
    lwb_lean_messages_release(&once->messages);
    for (size_t i = 0; i < once->n_artifacts; i++)
        lwb_free((char *)once->artifacts[i].path);
    once->n_artifacts = 0;
}

/* The last line that says something; stderr of a crash ends with the reason. */
static struct lwb_bytes last_line(const struct lwb_buf *text)
{
    size_t end = text->len;
    size_t start;

    while (end > 0 && (text->ptr[end - 1] == '\n' || text->ptr[end - 1] == '\r'))
        end--;
    for (start = end; start > 0 && text->ptr[start - 1] != '\n'; start--)
        continue;
    return lwb_bytes(text->ptr ? text->ptr + start : "", end - start);
}

void lwb_lean_describe_ending(char *out, size_t size, const struct lwb_lean_ending *ending,
                              const struct lwb_buf *complaint)
{
    struct lwb_bytes last = last_line(complaint);
    char what[120];

    if (ending->timed_out)
        (void)snprintf(what, sizeof(what), "lean was stopped at its time limit");
    else if (ending->overflow)
        (void)snprintf(what, sizeof(what), "lean wrote more than %d MiB",
                       OUTPUT_MAX / (1024 * 1024));
    else if (ending->signal)
        (void)snprintf(what, sizeof(what), "lean was killed by signal %d (%s)", ending->signal,
                       strsignal(ending->signal));
    else
        (void)snprintf(what, sizeof(what), "lean ended with exit code %d", ending->exit_code);
    if (last.len > 0)
        (void)snprintf(out, size, "%s: %.*s", what, (int)lwb_utf8_cut(last, 400), last.ptr);
    else
        (void)snprintf(out, size, "%s", what);
}

static int read_messages(struct lwb_lean_once *once, const struct lwb_lean_setup *setup,
                         const struct lwb_buf *output, const char *file, bool failed,
                         struct lwb_error *err)
{
    struct lwb_bytes bytes = lwb_bytes(lwb_buf_text(output), output->len);

    if (lwb_lean_version_has(&setup->version, LWB_LEAN_JSON))
        return lwb_lean_messages_add_json(&once->messages, bytes, err);
    return lwb_lean_messages_add_text(&once->messages, bytes, file, failed, err);
}

/* Takes `path`, also on failure. */
static int add_artifact(struct lwb_lean_once *once, size_t part, char *path, struct lwb_error *err)
{
    struct lwb_artifact *artifact = &once->artifacts[once->n_artifacts];
    struct stat st;

    if (stat(path, &st) < 0) {
        lwb_free(path);
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "%s", parts[part].name);
    }
    artifact->part = parts[part].part;
    artifact->path = path;
    artifact->size = (uint64_t)st.st_size;
    once->n_artifacts++;
    return lwb_digest_file(&artifact->digest, path, err);
}

/* Returns the state of the part; when it is whole, it was added. */
static int take_part(struct lwb_lean_once *once, size_t part, const char *folder,
                     struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(folder, parts[part].name);
    int state, rc;

    if (!path)
        return lwb_fail_memory(err);
    state = lwb_olean_inspect(path, parts[part].place, err);
    if (state != LWB_OLEAN_WHOLE)
        return state;
    rc = add_artifact(once, part, LWB_TAKE(path), err);
    return rc < 0 ? rc : state;
}

static void doubt(struct lwb_lean_once *once, size_t part, int state)
{
    const char *why = part == 0 && state == LWB_OLEAN_ABSENT
                          ? "lean ended with exit code 0 before it came to the end: "
                          : "";

    once->judgement = (struct lwb_lean_judgement){ LWB_VERDICT_NONE, LWB_REASON_ARTIFACT, false };
    (void)snprintf(once->detail, sizeof(once->detail), "%sthe .%s %s", why, parts[part].part,
                   lwb_olean_describe((enum lwb_olean_state)state));
}

/* Takes what `lean -o` left in `folder`, or turns the acceptance into "no verdict". */
static int collect_artifacts(struct lwb_lean_once *once, const char *folder, bool of_module,
                             struct lwb_error *err)
{
    for (size_t i = 0; i < LWB_COUNT(parts); i++) {
        bool needed = parts[i].always || (of_module && parts[i].of_module);
        int state = take_part(once, i, folder, err);

        if (state < 0)
            return state;
        if (state == LWB_OLEAN_WHOLE || (state == LWB_OLEAN_ABSENT && !needed))
            continue;
        doubt(once, i, state);
        return LWB_OK;
    }
    return LWB_OK;
}

/*
 * Lean writes the .olean when it has come to the end of the file without an
 * error. A file can end Lean before that, with exit code 0 (`#eval
 * IO.Process.exit 0`), and whatever stands behind was never looked at.
 */
static int confirm_end(struct lwb_lean_once *once, const char *olean, struct lwb_error *err)
{
    int state = lwb_olean_inspect(olean, LWB_OLEAN_FIRST, err);

    if (state < 0 || state == LWB_OLEAN_WHOLE)
        return state < 0 ? state : LWB_OK;
    doubt(once, 0, state);
    return LWB_OK;
}

/* Whether the artifact must have the parts that the module system brought. */
static int has_parts(bool *out, const struct lwb_lean_setup *setup, struct lwb_bytes source,
                     struct lwb_error *err)
{
    LWB_AUTO(lwb_lean_header_release) struct lwb_lean_header header = { 0 };
    int rc = lwb_lean_header_parse(&header, source, err);

    if (rc < 0)
        return rc;
    *out = header.module_system && lwb_lean_version_has(&setup->version, LWB_LEAN_PARTS);
    return LWB_OK;
}

/* An acceptance that the file system bears out, with its artifacts if they are wanted. */
static int conclude(struct lwb_lean_once *once, const struct lwb_lean_setup *setup,
                    const struct lwb_check_request *request, const char *folder, const char *olean,
                    struct lwb_error *err)
{
    bool of_module;
    int rc;

    if (once->judgement.verdict != LWB_VERDICT_ACCEPTED)
        return LWB_OK;
    if (!request->want_artifact)
        return confirm_end(once, olean, err);
    rc = has_parts(&of_module, setup, request->source, err);
    return rc < 0 ? rc : collect_artifacts(once, folder, of_module, err);
}

static int run_lean(struct lwb_lean_once *once, const struct lwb_lean_setup *setup,
                    const struct lwb_check_request *request, const struct lwb_lean_command *command,
                    struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf output = LWB_BUF(OUTPUT_MAX);
    LWB_AUTO(lwb_lean_run_release) struct lwb_lean_run run = { 0 };
    uint64_t deadline = request->deadline_ms ? lwb_clock_ns() + request->deadline_ms * 1000000 : 0;
    struct lwb_lean_ending ending;
    int rc = lwb_lean_process_run(&run, command, &output, deadline, err);

    if (rc < 0)
        return rc;
    ending = (struct lwb_lean_ending){
        .finished = true,
        .exit_code = run.exit_code,
        .signal = run.signal,
        .panicked = run.panicked,
        .timed_out = run.timed_out,
        .overflow = run.overflow,
    };
    rc = read_messages(once, setup, &output, request->file, run.exit_code != 0, err);
    if (rc < 0)
        return rc;
    once->judgement = lwb_lean_judge(&once->messages, &ending);
    if (once->judgement.verdict == LWB_VERDICT_NONE || once->judgement.reason == LWB_REASON_PANIC)
        lwb_lean_describe_ending(once->detail, sizeof(once->detail), &ending, &run.complaint);
    return LWB_OK;
}

/* Which other files a run can reach by relative paths. */
enum reach { REACH_NONE, REACH_PROJECT, REACH_ALL };

static int make_place(char **out, const struct lwb_lean_setup *setup,
                      const struct lwb_check_request *request, const char *folder, enum reach reach,
                      struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *place = lwb_path_join(folder, "src");
    int rc;

    if (!place)
        return lwb_fail_memory(err);
    if (reach == REACH_ALL)
        return lwb_lean_place_make_deep(out, place, request->file, request->source,
                                        setup->source_root, err);
    rc = lwb_lean_place_make(place, request->file, request->source,
                             reach == REACH_PROJECT ? setup->source_root : NULL, err);
    if (rc < 0)
        return rc;
    *out = LWB_TAKE(place);
    return LWB_OK;
}

static int try_in(struct lwb_lean_once *once, const struct lwb_lean_setup *setup,
                  const struct lwb_check_request *request, const char *folder, enum reach reach,
                  struct lwb_error *err)
{
    LWB_AUTO(lwb_lean_once_release) struct lwb_lean_once made = { 0 };
    LWB_AUTO(lwb_lean_command_release) struct lwb_lean_command command = { 0 };
    LWB_AUTO(lwb_free_text) char *olean = lwb_path_join(folder, parts[0].name);
    LWB_AUTO(lwb_free_text) char *place = NULL;
    int rc;

    if (!olean)
        return lwb_fail_memory(err);
    rc = make_place(&place, setup, request, folder, reach, err);
    if (rc == LWB_OK)
        rc = lwb_lean_setup_once(setup, place, request->file, olean, &command, err);
    if (rc == LWB_OK)
        rc = run_lean(&made, setup, request, &command, err);
    if (rc == LWB_OK)
        rc = conclude(&made, setup, request, folder, olean, err);
    if (rc == LWB_OK)
        rc = lwb_lean_messages_reroot(&made.messages, place, setup->source_root, err);
    if (rc < 0)
        return rc;
    *once = LWB_TAKE(made);
    return LWB_OK;
}

/* Whether it did not go well, and a file that could not be found had to do with it. */
static bool missed_a_file(const struct lwb_lean_once *once)
{
    static const char words[] = "no such file";

    if (once->judgement.verdict == LWB_VERDICT_ACCEPTED)
        return false;
    for (size_t i = 0; i < once->messages.count; i++)
        if (lwb_bytes_contain(once->messages.items[i].message, words))
            return true;
    return strstr(once->detail, words) != NULL;
}

/* The words of a source do not always say that it reads files (a macro may do it), or which. */
static int try_again_with_all(struct lwb_lean_once *once, const struct lwb_lean_setup *setup,
                              const struct lwb_check_request *request, const char *folder,
                              uint64_t spent_ms, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *again = lwb_path_join(folder, "again");
    struct lwb_check_request rest = *request;

    if (!again)
        return lwb_fail_memory(err);
    if (rest.deadline_ms)
        rest.deadline_ms = rest.deadline_ms > spent_ms ? rest.deadline_ms - spent_ms : 1;
    return try_in(once, setup, &rest, again, REACH_ALL, err);
}

int lwb_lean_once_check(struct lwb_lean_once *once, const struct lwb_lean_setup *setup,
                        const struct lwb_check_request *request, const char *folder,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_lean_once_release) struct lwb_lean_once first = { 0 };
    bool siblings = lwb_lean_place_needs_siblings(request->source);
    uint64_t start = lwb_clock_ms();
    int rc = try_in(&first, setup, request, folder, siblings ? REACH_PROJECT : REACH_NONE, err);

    if (rc < 0)
        return rc;
    if (missed_a_file(&first))
        return try_again_with_all(once, setup, request, folder, lwb_clock_ms() - start, err);
    *once = LWB_TAKE(first);
    return LWB_OK;
}
