#include "lwbuild/driver/cmd_capability.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/json.h"
#include "lwbuild/base/path.h"
#include "lwbuild/driver/exit_code.h"
#include "lwbuild/driver/json_schema.h"
#include "lwbuild/session/capability_build.h"

static void on_output(void *ctx, struct lwb_bytes output)
{
    (void)ctx;
    (void)fwrite(output.ptr, 1, output.len, stderr);
}

/* Readable when the build shall be ended. */
static int watch_signals(void)
{
    sigset_t signals;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Lean's no, or the linker's, is an answer about the project; a tool that is not there is none. */
static enum lwb_exit_code exit_code_of(const struct lwb_error *err)
{
    static const char *const rejections[] = { "lake-failed", "lean-failed", "compile-failed",
                                              "export-missing", "export-type" };

    if (err->code == LWB_ERR_CANCELLED)
        return LWB_EXIT_CANCELLED;
    if (err->code == LWB_ERR_USAGE)
        return LWB_EXIT_USAGE;
    if (err->code == LWB_ERR_TIMEOUT)
        return LWB_EXIT_NO_VERDICT;
    for (size_t i = 0; i < LWB_COUNT(rejections); i++)
        if (strcmp(err->facts.child_code, rejections[i]) == 0)
            return LWB_EXIT_REJECTED;
    return LWB_EXIT_ENVIRONMENT;
}

static void report_failure(const struct lwb_error *err, bool json)
{
    const char *code = *err->facts.child_code ? err->facts.child_code : lwb_code_name(err->code);
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(64 * 1024);
    bool first = true;

    fprintf(stderr, "lwbuild: error: %s [%s]\n", err->text, code);
    if (!json)
        return;
    lwb_buf_append_char(&out, '{');
    lwb_json_member_int(&out, &first, "schema", LWB_JSON_SCHEMA);
    lwb_json_member_text(&out, &first, "type", "error");
    lwb_json_member_text(&out, &first, "code", code);
    lwb_json_member_text(&out, &first, "message", err->text);
    lwb_buf_append_text(&out, "}\n");
    (void)fwrite(lwb_buf_text(&out), 1, out.len, stdout);
}

static void report_manifest(const char *manifest, bool json)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(2 * LWB_PATH_MAX);
    bool first = true;

    if (json) {
        lwb_buf_append_char(&out, '{');
        lwb_json_member_int(&out, &first, "schema", LWB_JSON_SCHEMA);
        lwb_json_member_text(&out, &first, "type", "capability");
        lwb_json_member_text(&out, &first, "manifest", manifest);
        lwb_buf_append_text(&out, "}\n");
    } else {
        lwb_buf_format(&out, "%s\n", manifest);
    }
    (void)fwrite(lwb_buf_text(&out), 1, out.len, stdout);
}

/* A relative folder is meant from where the person is; anything else is a name. */
static int make_toolchain(char **out, const char *given, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *cwd = getcwd(NULL, 0);
    LWB_AUTO(lwb_free_text) char *path = cwd && given ? lwb_path_absolute(cwd, given) : NULL;

    *out = NULL;
    if (!given)
        return LWB_OK;
    if (path && access(path, F_OK) == 0)
        *out = LWB_TAKE(path);
    else
        *out = lwb_strdup(given);
    return *out ? LWB_OK : lwb_fail_memory(err);
}

static int build(char **manifest, const struct lwb_options *options, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *toolchain = NULL;
    struct lwb_capability_project project = LWB_CAPABILITY_PROJECT_DEFAULTS;

    if (options->targets.count != 1)
        return lwb_fail(err, LWB_ERR_USAGE,
                        "lwbuild capability build wants one folder to build in");
    if (!options->library)
        return lwb_fail(err, LWB_ERR_USAGE,
                        "lwbuild capability build wants --library, the root module");
    if (make_toolchain(&toolchain, options->toolchain, err) < 0)
        return err->code;
    project.root = options->project ? options->project : ".";
    project.library = options->library;
    project.package = options->package;
    project.name = options->name;
    project.version = options->capability_version;
    project.folder = options->targets.items[0];
    project.commands = &options->commands;
    project.streams = &options->streams;
    project.metadata = options->metadata;
    project.doctor = options->doctor;
    project.toolchain = toolchain;
    project.lake_targets = &options->lake_targets;
    project.no_lake = options->no_lake;
    project.timeout_ms = options->timeout_s * 1000;
    project.stop_fd = watch_signals();
    project.said = on_output;
    return lwb_capability_build(manifest, &project, err);
}

int lwb_cmd_capability_build(const struct lwb_options *options)
{
    bool json = options->format && strcmp(options->format, "json") == 0;
    LWB_AUTO(lwb_free_text) char *manifest = NULL;
    struct lwb_error err;

    if (build(&manifest, options, &err) < 0) {
        report_failure(&err, json);
        return exit_code_of(&err);
    }
    report_manifest(manifest, json);
    return LWB_EXIT_ACCEPTED;
}
