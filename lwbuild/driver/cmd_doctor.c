#include "lwbuild/driver/cmd_doctor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/json.h"
#include "lwbuild/base/path.h"
#include "lwbuild/driver/child_program.h"
#include "lwbuild/driver/doctor_capability.h"
#include "lwbuild/driver/json_schema.h"
#include "lwbuild/driver/version.h"
#include "lwbuild/driver/world.h"
#include "lwbuild/plan/project.h"
#include "lwbuild/plan/witness.h"

extern char **environ;

enum severity { INFO, WARNING, ERROR };

struct doctor {
    struct lwb_world world;
    bool json;
    bool any_error;
};

/* One finding; `hint` may be NULL. */
static void report(struct doctor *doctor, enum severity severity, const char *code,
                   const char *subject, const char *message, const char *hint)
{
    static const char *const words[] = { "info", "warning", "error" };
    static const char *const marks[] = { "ok     ", "warning", "error  " };
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(256 * 1024);
    bool first = true;

    doctor->any_error |= severity == ERROR;
    if (!doctor->json) {
        printf("%s  %s: %s\n", marks[severity], subject, message);
        if (hint)
            printf("         %s\n", hint);
        return;
    }
    lwb_buf_append_char(&out, '{');
    lwb_json_member_int(&out, &first, "schema", LWB_JSON_SCHEMA);
    lwb_json_member_text(&out, &first, "type", "check");
    lwb_json_member_text(&out, &first, "code", code);
    lwb_json_member_text(&out, &first, "severity", words[severity]);
    lwb_json_member_text(&out, &first, "subject", subject);
    lwb_json_member_text(&out, &first, "message", message);
    if (hint)
        lwb_json_member_text(&out, &first, "hint", hint);
    lwb_buf_append_text(&out, "}\n");
    (void)fwrite(lwb_buf_text(&out), 1, out.len, stdout);
}

/* ---- the checks ---------------------------------------------------------------------------- */

static int digest_file(void *ctx, const char *path, struct lwb_digest *out,
                       struct lwb_file_stat *st, struct lwb_error *err)
{
    int rc = lwb_file_stat(st ? st : &(struct lwb_file_stat){ 0 }, path, err);

    (void)ctx;
    if (rc == 1)
        rc = lwb_digest_file(out, path, err) < 0 ? err->code : 1;
    return rc;
}

static const struct lwb_digest_source plain_digests = { .file = digest_file };

static void check_child(struct doctor *doctor)
{
    static const char *const hosts[] = { "lean", "kernel", "capability" };
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(LWB_PATH_MAX);
    char digest[LWB_DIGEST_HEX + 1];
    struct lwb_error err;

    if (lwb_child_program_find(&doctor->world.child, &err) < 0) {
        report(doctor, ERROR, "child-unresolved", "child program", err.text,
               "install lwbuild-child beside lwbuild, or set LWBUILD_CHILD to its path");
        return;
    }
    report(doctor, INFO, "child-found", "child program", doctor->world.child, NULL);
    for (size_t i = 0; i < LWB_COUNT(hosts); i++) {
        if (lwb_child_program_host_digest(digest, doctor->world.child, hosts[i], &plain_digests,
                                          &err) == LWB_OK) {
            lwb_buf_format(&text, "%s%s", text.len ? ", " : "", hosts[i]);
        } else if (err.code != LWB_ERR_UNSUPPORTED) {
            report(doctor, ERROR, "child-startup-failed", "child program", err.text,
                   "run it with --version to see what it says");
            return;
        }
    }
    report(doctor, text.len ? INFO : WARNING, "child-hosts", "hosts",
           text.len ? lwb_buf_text(&text) : "none of lean, kernel, capability", NULL);
}

static void check_project(struct doctor *doctor)
{
    const struct lwb_options *options = doctor->world.options;
    LWB_AUTO(lwb_witnesses_release) struct lwb_witnesses witnesses = { 0 };
    LWB_AUTO(lwb_project_release) struct lwb_project project = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(LWB_PATH_MAX);
    struct lwb_error err;
    int rc =
        lwb_project_find_root(&project.root, doctor->world.cwd, options->project, &witnesses, &err);

    if (rc == 0) {
        report(doctor, INFO, "project-none", "project", "none here or above",
               "name files, or the project with --project");
        return;
    }
    if (rc > 0)
        rc = lwb_project_load(&project, options->package, NULL, NULL, &witnesses, &err);
    if (rc < 0) {
        report(doctor, options->project ? ERROR : WARNING, "project-unreadable", "project",
               err.text, NULL);
        return;
    }
    lwb_buf_append_text(&text, project.root);
    if (*project.package)
        lwb_buf_format(&text, " (package %s)", project.package);
    report(doctor, INFO, "project-found", "project", lwb_buf_text(&text), NULL);
}

/* What depends on the version, in the words of the documentation. */
static void describe_use(struct lwb_buf *text, const struct lwb_toolchain *toolchain)
{
    lwb_buf_append_text(text, "modules and projects, with warm workers");
    if (toolchain->minor >= 8)
        lwb_buf_append_text(text, "; --ask-lake");
    if (toolchain->minor >= 22)
        lwb_buf_append_text(text, "; the module system");
}

/* What is slower with it than with others; NULL when nothing is. */
static const char *find_price(const struct lwb_toolchain *toolchain)
{
    if (toolchain->minor >= 1)
        return NULL;
    if (strcmp(toolchain->date, "2021-09-08") < 0)
        return "before 4.1 a rejection costs a process of its own, and so does, before 2021-09-08, "
               "every check with options";
    return "before 4.1 a rejection costs a process of its own";
}

static void check_toolchain(struct doctor *doctor)
{
    const struct lwb_options *options = doctor->world.options;
    LWB_AUTO(lwb_free_text)
    char *project = lwb_path_absolute(doctor->world.cwd, options->project ? options->project : ".");
    LWB_AUTO(lwb_toolchain_release) struct lwb_toolchain found = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(LWB_PATH_MAX);
    struct lwb_toolchain_request request = {
        .given = options->toolchain,
        .project = project,
        .environment = (const char *const *)environ,
    };
    struct lwb_error err;

    if (lwb_toolchain_find(&found, &request, &plain_digests, &err) < 0) {
        report(doctor, options->toolchain ? ERROR : WARNING, "toolchain-missing", "Lean", err.text,
               "without it, export files (.ndjson) can be checked and .lean files cannot");
        return;
    }
    lwb_buf_format(&text, "%s%s%.12s at %s (%s)", found.version,
                   found.githash[0] ? ", commit " : "", found.githash, found.prefix, found.origin);
    report(doctor, INFO, "toolchain-found", "Lean", lwb_buf_text(&text), NULL);
    lwb_buf_clear(&text);
    describe_use(&text, &found);
    report(doctor, INFO, "toolchain-use", "works with it", lwb_buf_text(&text), find_price(&found));
}

static void check_cache(struct doctor *doctor)
{
    struct lwb_error err;

    if (lwb_world_open_cache(&doctor->world, doctor->world.options, &err) < 0) {
        report(doctor, WARNING, "cache-unusable", "cache", err.text,
               "checks work without it, but nothing is remembered; set LWBUILD_CACHE_DIR to a "
               "folder of yours");
        return;
    }
    report(doctor, INFO, "cache-found", "cache", doctor->world.cache_dir,
           lwb_cache_is_read_only(doctor->world.cache) ? "it is used read-only" : NULL);
}

static void on_finding(void *ctx, const struct lwb_preflight_finding *finding)
{
    static const enum severity severities[] = {
        [LWB_PREFLIGHT_INFO] = INFO,
        [LWB_PREFLIGHT_WARNING] = WARNING,
        [LWB_PREFLIGHT_ERROR] = ERROR,
    };

    report(ctx, severities[finding->severity], finding->code, finding->subject, finding->message,
           finding->hint);
}

static void check_capability(struct doctor *doctor, const char *given)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_absolute(doctor->world.cwd, given);

    if (path)
        lwb_doctor_capability(path, doctor->world.options, on_finding, doctor);
}

int lwb_cmd_doctor(const struct lwb_options *options)
{
    struct doctor doctor = {
        .world = { .options = options, .cwd = getcwd(NULL, 0) },
        .json = options->format && strcmp(options->format, "json") == 0,
    };

    if (!doctor.world.cwd) {
        perror("lwbuild: error: cannot find the current directory");
        return LWB_EXIT_ENVIRONMENT;
    }
    report(&doctor, INFO, "version", "lwbuild", LWB_VERSION, NULL);
    check_child(&doctor);
    check_project(&doctor);
    check_toolchain(&doctor);
    check_cache(&doctor);
    for (size_t i = 0; i < options->targets.count; i++)
        check_capability(&doctor, options->targets.items[i]);
    lwb_world_close(&doctor.world);
    return doctor.any_error ? LWB_EXIT_ENVIRONMENT : LWB_EXIT_ACCEPTED;
}
