/*
 * Everything that has to be known about Lean is in the recipe (cmake-module/
 * lean-capability). Here its files and its settings are written, it is run, and
 * what it leaves is read: a manifest, or failure.json with the reason.
 */
#include "lwbuild/session/capability_build.h"

#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/json.h"
#include "lwbuild/base/path.h"
#include "lwbuild/session/capability_build_internal.h"
#include "lwbuild/worker/tool.h"

enum { SETTINGS_MAX = 1024 * 1024, FAILURE_MAX = 1024 * 1024, OUTPUT_MAX = 256 * 1024 };

struct build {
    const struct lwb_capability_project *project;
    const char *name;
    char *root;   /* absolute */
    char *folder; /* absolute */
    struct lwb_buf output;
};

static void release(struct build *build)
{
    lwb_free(build->root);
    lwb_free(build->folder);
    lwb_buf_release(&build->output);
}
LWB_DEFINE_AUTO(struct build, release);

/* ---- does it make sense? --------------------------------------------------------------------- */

static bool is_symbol(const char *text)
{
    if (isdigit((unsigned char)*text))
        return false;
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return false;
    return *text != '\0';
}

static bool is_command_name(struct lwb_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum((unsigned char)text.ptr[i]) && !strchr("_.-", text.ptr[i]))
            return false;
    return text.len > 0;
}

static int check_export(const char *item, struct lwb_error *err)
{
    const char *equals = strchr(item, '=');
    const char *symbol = equals ? equals + 1 : item;

    if (!is_symbol(symbol))
        return lwb_fail(err, LWB_ERR_USAGE,
                        "'%s' is not a name that @[export] takes: letters, digits and _", symbol);
    if (equals && !is_command_name(lwb_bytes(item, (size_t)(equals - item))))
        return lwb_fail(err, LWB_ERR_USAGE,
                        "'%.*s' is no name for a command: letters, digits, _ . and -",
                        (int)(equals - item), item);
    return LWB_OK;
}

static int check_exports(const struct lwb_strvec *exports, struct lwb_error *err)
{
    for (size_t i = 0; exports && i < exports->count; i++)
        if (check_export(exports->items[i], err) < 0)
            return err->code;
    return LWB_OK;
}

static int check_project(const struct lwb_capability_project *project, const char *name,
                         struct lwb_error *err)
{
    size_t exports = (project->commands ? project->commands->count : 0) +
                     (project->streams ? project->streams->count : 0);

    if (!project->root || !project->library)
        return lwb_fail(err, LWB_ERR_USAGE, "a capability wants a project and a library");
    if (strchr(project->library, '/') || lwb_path_has_suffix(project->library, ".lean"))
        return lwb_fail(err, LWB_ERR_USAGE,
                        "the library is a module's name, such as Survey, not '%s'",
                        project->library);
    if (!is_command_name(lwb_bytes_text(name)))
        return lwb_fail(err, LWB_ERR_USAGE,
                        "'%s' is no name for a capability: letters, digits, _ . and -", name);
    if (exports == 0)
        return lwb_fail(err, LWB_ERR_USAGE, "nothing to call: name a command or a stream");
    if (check_exports(project->commands, err) < 0 || check_exports(project->streams, err) < 0 ||
        (project->metadata && check_export(project->metadata, err) < 0) ||
        (project->doctor && check_export(project->doctor, err) < 0))
        return err->code;
    return LWB_OK;
}

/* ---- what the recipe reads ------------------------------------------------------------------- */

/* A bracket argument takes everything but its own end; a semicolon would make two items of one. */
static int append_value(struct lwb_buf *out, const char *value, struct lwb_error *err)
{
    if (strstr(value, "]==]") || strchr(value, ';'))
        return lwb_fail(err, LWB_ERR_USAGE, "CMake cannot take '%s': it holds ; or ]==]", value);
    lwb_buf_append_text(out, value);
    return LWB_OK;
}

static int set_text(struct lwb_buf *out, const char *name, const char *value, struct lwb_error *err)
{
    lwb_buf_format(out, "set(%s [==[", name);
    if (value && append_value(out, value, err) < 0)
        return err->code;
    lwb_buf_append_text(out, "]==])\n");
    return LWB_OK;
}

static int set_list(struct lwb_buf *out, const char *name, const struct lwb_strvec *values,
                    struct lwb_error *err)
{
    lwb_buf_format(out, "set(%s [==[", name);
    for (size_t i = 0; values && i < values->count; i++) {
        if (i)
            lwb_buf_append_char(out, ';');
        if (append_value(out, values->items[i], err) < 0)
            return err->code;
    }
    lwb_buf_append_text(out, "]==])\n");
    return LWB_OK;
}

static int write_settings(const struct build *build, const char *path, struct lwb_error *err)
{
    const struct lwb_capability_project *project = build->project;
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(SETTINGS_MAX);

    if (set_text(&text, "FOLDER", build->folder, err) < 0 ||
        set_text(&text, "NAME", build->name, err) < 0 ||
        set_text(&text, "VERSION", project->version ? project->version : "1", err) < 0 ||
        set_text(&text, "PROJECT", build->root, err) < 0 ||
        set_text(&text, "PACKAGE", project->package, err) < 0 ||
        set_text(&text, "LIBRARY", project->library, err) < 0 ||
        set_text(&text, "TOOLCHAIN", project->toolchain, err) < 0 ||
        set_text(&text, "NO_LAKE", project->no_lake ? "TRUE" : "FALSE", err) < 0 ||
        set_list(&text, "LAKE_TARGETS", project->lake_targets, err) < 0 ||
        set_text(&text, "METADATA", project->metadata, err) < 0 ||
        set_text(&text, "DOCTOR", project->doctor, err) < 0 ||
        set_list(&text, "JSON", project->commands, err) < 0 ||
        set_list(&text, "STREAM", project->streams, err) < 0 ||
        set_text(&text, "COMPILER", project->compiler ? project->compiler : "cc", err) < 0)
        return err->code;
    lwb_buf_append_text(&text, "set(AR ar)\nset(TOUCH FALSE)\n");
    if (!lwb_buf_ok(&text))
        return lwb_fail_memory(err);
    return lwb_file_write_if_changed(path, lwb_buf_bytes(&text), 0644, err);
}

static int write_recipe_file(const char *folder, const struct lwb_recipe_file *file,
                             struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(folder, file->name);
    LWB_AUTO(lwb_free_text) char *parent = path ? lwb_path_dirname(path) : NULL;

    if (!parent)
        return lwb_fail_memory(err);
    if (lwb_file_make_dirs(parent, 0777, err) < 0)
        return err->code;
    return lwb_file_write_if_changed(path, lwb_bytes(file->bytes, file->len), 0644, err);
}

static int write_recipe(const char *folder, struct lwb_error *err)
{
    for (size_t i = 0; i < lwb_capability_recipe_count; i++)
        if (write_recipe_file(folder, &lwb_capability_recipe[i], err) < 0)
            return err->code;
    return LWB_OK;
}

/* ---- what went wrong ------------------------------------------------------------------------- */

/* The first line in which a tool speaks of an error; CMake's own words repeat what we know. */
static struct lwb_bytes first_error(const struct lwb_buf *output)
{
    const char *line = lwb_buf_text(output);

    while (*line) {
        size_t len = strcspn(line, "\n");
        struct lwb_bytes text = lwb_bytes(line, len);

        if (memmem(text.ptr, text.len, "error:", 6))
            return text;
        line += line[len] ? len + 1 : len;
    }
    return lwb_bytes("", 0);
}

static int fail_build(const struct build *build, const char *code, const char *message,
                      const char *hint, struct lwb_error *err)
{
    const struct lwb_capability_project *project = build->project;
    struct lwb_bytes said = first_error(&build->output);
    char text[500];
    struct lwb_preflight_finding finding = {
        .severity = LWB_PREFLIGHT_ERROR,
        .code = code,
        .subject = build->root,
        .message = text,
        .hint = *hint ? hint : NULL,
    };

    (void)snprintf(text, sizeof(text), "%.260s%s%.*s", message, said.len ? ": " : "",
                   said.len < 200 ? (int)said.len : 200, said.ptr);
    if (project->found)
        project->found(project->ctx, &finding);
    (void)lwb_fail(err, LWB_ERR_CAPABILITY_BUILD, "%.260s%s%s%s%.*s", message, *hint ? "; " : "",
                   hint, said.len ? ": " : "", said.len < 200 ? (int)said.len : 200, said.ptr);
    (void)snprintf(err->facts.child_code, sizeof(err->facts.child_code), "%s", code);
    return err->code;
}

/* The recipe has said why, unless it was CMake that failed. */
static int fail_by_recipe(const struct build *build, const char *failure,
                          const struct lwb_exit *status, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(FAILURE_MAX);
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_error ignored;
    char ended[128];
    const char *code;
    const char *message;
    const char *hint;

    if (lwb_file_read(&text, failure, NULL, &ignored) == LWB_OK &&
        lwb_json_parse(&json, lwb_buf_bytes(&text), &ignored) == LWB_OK &&
        lwb_json_get_text(json, "code", &code, &ignored) == LWB_OK &&
        lwb_json_get_text(json, "message", &message, &ignored) == LWB_OK &&
        lwb_json_get_text(json, "hint", &hint, &ignored) == LWB_OK)
        return fail_build(build, code, message, hint, err);
    lwb_exit_describe(status, ended, sizeof(ended));
    return fail_build(build, "build-failed", ended, "what CMake said stands above", err);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int run_recipe(struct build *build, const char *script, const char *settings,
                      struct lwb_exit *status, struct lwb_error *err)
{
    const struct lwb_capability_project *project = build->project;
    LWB_AUTO(lwb_buf_release) struct lwb_buf definition = LWB_BUF(LWB_PATH_MAX);
    struct lwb_tool tool = LWB_TOOL_DEFAULTS;
    const char *argv[] = {
        project->cmake ? project->cmake : "cmake", "-D", NULL, "-P", script, NULL
    };
    int rc;

    lwb_buf_format(&definition, "SETTINGS=%s", settings);
    if (!lwb_buf_ok(&definition))
        return lwb_fail_memory(err);
    argv[2] = lwb_buf_text(&definition);
    tool.argv = argv;
    tool.cwd = build->folder;
    tool.timeout_ms = project->timeout_ms ? project->timeout_ms : LWB_CAPABILITY_BUILD_TIMEOUT_MS;
    tool.stop_fd = project->stop_fd;
    tool.max_output = OUTPUT_MAX;
    tool.said = project->said;
    tool.ctx = project->ctx;
    rc = lwb_tool_run(&tool, status, &build->output, err);
    if (rc == LWB_ERR_SPAWN) {
        struct lwb_error cause = *err;

        return fail_build(build, "tool-missing", cause.text, "install CMake 3.20 or newer", err);
    }
    return rc < 0 ? lwb_error_context(err, "building %s", build->name) : LWB_OK;
}

static int build_in_folder(struct build *build, const char *manifest, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *recipe = lwb_path_join(build->folder, "recipe");
    LWB_AUTO(lwb_free_text)
    char *script = lwb_path_join(build->folder, "recipe/lean-capability/BuildCapability.cmake");
    LWB_AUTO(lwb_free_text) char *settings = lwb_path_join(build->folder, "settings.cmake");
    LWB_AUTO(lwb_free_text) char *failure = lwb_path_join(build->folder, "failure.json");
    struct lwb_exit status;

    if (!recipe || !script || !settings || !failure)
        return lwb_fail_memory(err);
    if (lwb_file_make_dirs(build->folder, 0777, err) < 0 || write_recipe(recipe, err) < 0 ||
        write_settings(build, settings, err) < 0)
        return err->code;
    (void)unlink(failure);
    if (run_recipe(build, script, settings, &status, err) < 0)
        return err->code;
    if (!lwb_exit_is_clean(&status))
        return fail_by_recipe(build, failure, &status, err);
    if (build->project->found)
        build->project->found(build->project->ctx, &(struct lwb_preflight_finding){
                                                       .severity = LWB_PREFLIGHT_INFO,
                                                       .code = "capability-built",
                                                       .subject = build->root,
                                                       .message = manifest,
                                                   });
    return LWB_OK;
}

int lwb_capability_build(char **manifest, const struct lwb_capability_project *project,
                         struct lwb_error *err)
{
    LWB_AUTO(release)
    struct build build = {
        .project = project,
        .name = project->name ? project->name : project->library,
        .output = LWB_BUF(2 * OUTPUT_MAX),
    };
    LWB_AUTO(lwb_free_text) char *cwd = lwb_alloc(LWB_PATH_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);

    if (check_project(project, build.name ? build.name : "", err) < 0)
        return err->code;
    if (!cwd)
        return lwb_fail_memory(err);
    if (!getcwd(cwd, LWB_PATH_MAX))
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot find the current directory");
    build.root = lwb_path_absolute(cwd, project->root);
    if (project->folder)
        build.folder = lwb_path_absolute(cwd, project->folder);
    else if (build.root)
        build.folder = lwb_path_join(build.root, ".lake/lwbuild");
    if (!build.root || !build.folder)
        return lwb_fail_memory(err);
    lwb_buf_format(&path, "%s/%s.json", build.folder, build.name);
    if (!lwb_buf_ok(&path))
        return lwb_fail_memory(err);
    if (build_in_folder(&build, lwb_buf_text(&path), err) < 0)
        return err->code;
    *manifest = lwb_buf_take(&path);
    return LWB_OK;
}
