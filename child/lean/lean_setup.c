#include "child/lean/lean_setup.h"

#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

enum { TEXT_MAX = 16 * 1024 * 1024 };

/* Below this, versions that starve their own tasks deadlock. */
enum { SAFE_THREADS = 4 };

static int append_format(struct lwb_strvec *list, const char *name, const char *value)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(TEXT_MAX);

    lwb_buf_append_text(&text, name);
    lwb_buf_append_text(&text, value);
    return lwb_strvec_append_take(list, lwb_buf_take(&text));
}

static int append_number(struct lwb_strvec *list, const char *name, uint64_t value)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    return append_format(list, name, digits);
}

static int check_request(const struct lwb_open_request *request, struct lwb_error *err)
{
    if (!request->toolchain || !request->toolchain_version)
        return lwb_fail(err, LWB_ERR_NO_TOOLCHAIN, "the session names no Lean toolchain");
    if (!request->scratch || request->scratch[0] != '/')
        return lwb_fail(err, LWB_ERR_USAGE, "a Lean session needs an absolute scratch folder");
    if (!request->source_root || request->source_root[0] != '/')
        return lwb_fail(err, LWB_ERR_USAGE, "a Lean session needs an absolute source root");
    for (size_t i = 0; request->search_path && i < request->search_path->count; i++) {
        const char *folder = request->search_path->items[i];

        /* Workers and single runs have different working directories. */
        if (folder[0] != '/')
            return lwb_fail(err, LWB_ERR_USAGE, "not an absolute folder of imports: \"%s\"",
                            folder);
        if (strchr(folder, ':'))
            return lwb_fail(err, LWB_ERR_USAGE, "LEAN_PATH cannot hold a folder with a colon: %s",
                            folder);
    }
    return LWB_OK;
}

/* An empty LEAN_PATH is not none: Lean takes it for the root of the file system. */
static int append_search_path(struct lwb_strvec *env, const struct lwb_strvec *folders)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(TEXT_MAX);

    if (!folders || folders->count == 0)
        return 0;
    for (size_t i = 0; i < folders->count; i++) {
        lwb_buf_append_text(&text, i > 0 ? ":" : "LEAN_PATH=");
        lwb_buf_append_text(&text, folders->items[i]);
    }
    return lwb_strvec_append_take(env, lwb_buf_take(&text));
}

static int fill_environment(struct lwb_lean_setup *setup, const struct lwb_strvec *search_path)
{
    struct lwb_strvec *env = &setup->environment;

    if (append_search_path(env, search_path) < 0 ||
        append_format(env, "LEAN_SRC_PATH=", setup->source_root) < 0 ||
        append_format(env, "TMPDIR=", setup->scratch) < 0 ||
        lwb_strvec_append(env, "LAKE=/nonexistent") < 0 ||
        lwb_strvec_append(env, "LEAN_BACKTRACE=0") < 0 ||
        lwb_strvec_append(env, "HOME=/nonexistent") < 0 ||
        lwb_strvec_append(env, "PATH=/usr/local/bin:/usr/bin:/bin") < 0 ||
        lwb_strvec_append(env, "LC_ALL=C.UTF-8") < 0)
        return -1;
    /* A worker of before LAKE looks for its package manager below this. */
    if (!lwb_lean_version_has(&setup->version, LWB_LEAN_LAKE))
        return lwb_strvec_append(env, "LEAN_SYSROOT=/nonexistent");
    return 0;
}

static uint64_t choose_threads(const struct lwb_lean_version *version, uint64_t wanted)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads = wanted ? wanted : (processors > 0 ? (uint64_t)processors : 1);

    if (lwb_lean_version_has(version, LWB_LEAN_FEW_THREADS))
        return wanted;
    return threads < SAFE_THREADS ? SAFE_THREADS : wanted;
}

static int fill_options(struct lwb_lean_setup *setup, const struct lwb_open_request *request)
{
    uint64_t threads = choose_threads(&setup->version, request->threads);

    for (size_t i = 0; request->options && i < request->options->count; i++) {
        setup->has_options = true;
        if (append_format(&setup->options, "-D", request->options->items[i]) < 0)
            return -1;
    }
    for (size_t i = 0; request->plugins && i < request->plugins->count; i++)
        if (append_format(&setup->options, "--plugin=", request->plugins->items[i]) < 0)
            return -1;
    if (threads && append_number(&setup->options, "-j", threads) < 0)
        return -1;
    if (request->max_memory &&
        append_number(&setup->options, "-M", request->max_memory / (1024 * 1024) + 1) < 0)
        return -1;
    return 0;
}

int lwb_lean_setup_init(struct lwb_lean_setup *setup, const struct lwb_open_request *request,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_lean_setup_release) struct lwb_lean_setup made = { 0 };
    int rc = check_request(request, err);

    if (rc < 0)
        return rc;
    if (lwb_lean_version_parse(&made.version, request->toolchain_version) < 0)
        return lwb_fail(err, LWB_ERR_NO_TOOLCHAIN, "not a Lean version: \"%s\"",
                        request->toolchain_version);
    lwb_lean_version_take_date(&made.version, lwb_path_basename(request->toolchain));
    made.program = lwb_path_join(request->toolchain, "bin/lean");
    made.source_root = lwb_path_normalise(request->source_root);
    made.scratch = lwb_path_normalise(request->scratch);
    if (!made.program || !made.source_root || !made.scratch ||
        fill_environment(&made, request->search_path) < 0 || fill_options(&made, request) < 0)
        return lwb_fail_memory(err);
    if (access(made.program, X_OK) < 0)
        return lwb_fail_errno(err, LWB_ERR_NO_TOOLCHAIN, "%s", made.program);
    *setup = LWB_TAKE(made);
    return LWB_OK;
}

void lwb_lean_setup_release(struct lwb_lean_setup *setup)
{
    lwb_free(setup->program);
    lwb_free(setup->source_root);
    lwb_free(setup->scratch);
    lwb_strvec_release(&setup->environment);
    lwb_strvec_release(&setup->options);
}

static int start_command(const struct lwb_lean_setup *setup, struct lwb_lean_command *command,
                         const char *folder)
{
    *command = (struct lwb_lean_command){ .program = setup->program, .folder = folder };
    return lwb_strvec_copy(&command->environment, &setup->environment);
}

int lwb_lean_setup_worker(const struct lwb_lean_setup *setup, struct lwb_lean_command *command,
                          struct lwb_error *err)
{
    LWB_AUTO(lwb_lean_command_release) struct lwb_lean_command made = { 0 };

    if (start_command(setup, &made, setup->source_root) < 0 ||
        lwb_strvec_append(&made.arguments, "--worker") < 0)
        return lwb_fail_memory(err);
    for (size_t i = 0; i < setup->options.count; i++)
        if (lwb_strvec_append(&made.arguments, setup->options.items[i]) < 0)
            return lwb_fail_memory(err);
    /* Otherwise every answer is kept back for 200 ms. */
    if (lwb_lean_version_has(&setup->version, LWB_LEAN_REPORT_DELAY) &&
        lwb_strvec_append(&made.arguments, "-Dserver.reportDelayMs=0") < 0)
        return lwb_fail_memory(err);
    *command = LWB_TAKE(made);
    return LWB_OK;
}

int lwb_lean_setup_once(const struct lwb_lean_setup *setup, const char *folder, const char *file,
                        const char *olean, struct lwb_lean_command *command, struct lwb_error *err)
{
    LWB_AUTO(lwb_lean_command_release) struct lwb_lean_command made = { 0 };
    struct lwb_strvec *arguments = &made.arguments;

    if (start_command(setup, &made, folder) < 0)
        return lwb_fail_memory(err);
    for (size_t i = 0; i < setup->options.count; i++)
        if (lwb_strvec_append(arguments, setup->options.items[i]) < 0)
            return lwb_fail_memory(err);
    if (lwb_lean_version_has(&setup->version, LWB_LEAN_JSON) &&
        lwb_strvec_append(arguments, "--json") < 0)
        return lwb_fail_memory(err);
    if (lwb_strvec_append(arguments, "-R") < 0 || lwb_strvec_append(arguments, ".") < 0)
        return lwb_fail_memory(err);
    if (lwb_strvec_append(arguments, "-o") < 0 || lwb_strvec_append(arguments, olean) < 0 ||
        lwb_strvec_append(arguments, file) < 0)
        return lwb_fail_memory(err);
    *command = LWB_TAKE(made);
    return LWB_OK;
}
