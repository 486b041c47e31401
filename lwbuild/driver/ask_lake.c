#include "lwbuild/driver/ask_lake.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/base/trace.h"
#include "lwbuild/driver/world.h"
#include "lwbuild/worker/tool.h"

enum { DEFAULT_TIMEOUT_S = 120, FIRST_MINOR = 8 };

/* ---- memory -------------------------------------------------------------------------------- */

static int make_question(struct lwb_digest *out, struct lwb_world *world, const char *lake,
                         struct lwb_bytes lakefile, struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();
    struct lwb_digest program;
    int rc = world->digests.file(world->digests.ctx, lake, &program, NULL, err);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return lwb_fail(err, LWB_ERR_LAKEFILE, "lake cannot be asked: there is no %s", lake);
    if (!hasher)
        return lwb_fail_memory(err);
    lwb_hasher_text(hasher, 'q', "lake translate-config toml");
    lwb_hasher_digest(hasher, 't', &world->toolchain.identity);
    lwb_hasher_digest(hasher, 'l', &program);
    lwb_hasher_field(hasher, 'f', lakefile);
    *out = lwb_hasher_end(hasher);
    return LWB_OK;
}

/* The answer is an object of the cache, which is what its name says or not there. */
static bool recall(struct lwb_world *world, const struct lwb_digest *question, struct lwb_buf *toml)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    struct lwb_digest answer;
    struct lwb_digest found;
    struct lwb_error ignored;

    if (!world->cache || lwb_cache_recall(world->cache, question, &answer, &ignored) != 1 ||
        lwb_cache_object_path(world->cache, &answer, &path, &ignored) < 0)
        return false;
    if (lwb_file_read(toml, lwb_buf_text(&path), NULL, &ignored) == LWB_OK &&
        lwb_digest_bytes(&found, lwb_buf_bytes(toml), &ignored) == LWB_OK &&
        lwb_digest_compare(&found, &answer) == 0)
        return true;
    lwb_buf_clear(toml);
    return false;
}

/* `path` has the answer, and is gone afterwards. */
static void remember(struct lwb_world *world, const struct lwb_digest *question, const char *path,
                     const struct lwb_buf *toml)
{
    struct lwb_digest answer;
    struct lwb_error ignored; /* then it is asked again */

    if (world->cache && world->may_store &&
        lwb_digest_bytes(&answer, lwb_buf_bytes(toml), &ignored) == LWB_OK &&
        lwb_cache_adopt(world->cache, path, &answer, &ignored) == LWB_OK)
        (void)lwb_cache_remember(world->cache, question, &answer, &ignored);
}

/* ---- running it ---------------------------------------------------------------------------- */

/* Nothing of ours but what a program cannot do without: the answer must not depend on who asks. */
static int make_environment(struct lwb_strvec *out, const struct lwb_world *world,
                            const char *folder, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(4 * LWB_PATH_MAX);
    const char *const words[][2] = {
        { "HOME=", folder },
        { "TMPDIR=", folder },
        { "LEAN_SYSROOT=", world->toolchain.prefix },
        { "LAKE_CACHE_DIR=", folder },
        { "PATH=/usr/local/bin:/usr/bin:/bin:/", "" },
    };

    for (size_t i = 0; i < LWB_COUNT(words); i++) {
        lwb_buf_clear(&text);
        lwb_buf_format(&text, "%s%s", words[i][0], words[i][1]);
        if (!lwb_buf_ok(&text) || lwb_strvec_append(out, lwb_buf_text(&text)))
            return lwb_fail_memory(err);
    }
    return LWB_OK;
}

/* Its last line that says anything is why. */
static int fail_as_it_says(const struct lwb_buf *output, struct lwb_error *err)
{
    const char *end = lwb_buf_text(output) + output->len;
    const char *start;

    while (end > output->ptr && (end[-1] == '\n' || end[-1] == ' '))
        end--;
    start = end;
    while (start > output->ptr && start[-1] != '\n')
        start--;
    return lwb_fail(err, LWB_ERR_LAKEFILE, "lake cannot tell: %.*s", (int)(end - start), start);
}

static bool has_come(const sigset_t *signals)
{
    sigset_t waiting;

    return sigpending(&waiting) == 0 && sigandset(&waiting, &waiting, signals) == 0 &&
           !sigisemptyset(&waiting);
}

/*
 * It leads a session of its own, where no terminal reaches it: who ends us has to end it as well,
 * and nobody is left then who clears up behind it.
 */
static int run_until_stopped(const struct lwb_world *world, struct lwb_tool *tool,
                             struct lwb_exit *status, struct lwb_buf *output, struct lwb_error *err)
{
    struct lwb_error ignored;
    sigset_t signals;
    sigset_t before;
    int rc;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    tool->stop_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    rc = lwb_tool_run(tool, status, output, err);
    if (tool->stop_fd >= 0)
        (void)close(tool->stop_fd);
    if (has_come(&signals))
        (void)lwb_file_remove_tree(world->scratch, &ignored);
    (void)sigprocmask(SIG_SETMASK, &before, NULL); /* one that has come ends us here */
    return rc;
}

static int run_lake(struct lwb_world *world, const char *lake, const char *folder,
                    const char *result, struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec environment = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf output = LWB_BUF(64 * 1024);
    const char *const argv[] = { lake, "translate-config", "toml", result, NULL };
    uint64_t timeout_s = world->options->timeout_s;
    struct lwb_tool tool = LWB_TOOL_DEFAULTS;
    struct lwb_exit status;
    int rc = make_environment(&environment, world, folder, err);

    tool.argv = argv;
    tool.cwd = folder;
    tool.environment = &environment;
    tool.timeout_ms = (timeout_s ? timeout_s : DEFAULT_TIMEOUT_S) * 1000;
    tool.max_output = 32 * 1024;
    lwb_trace("lake_asked", LWB_TRACE_TEXT("lake", lake));
    if (rc == LWB_OK)
        rc = run_until_stopped(world, &tool, &status, &output, err);
    if (rc < 0) {
        err->code = LWB_ERR_LAKEFILE;
        return lwb_error_context(err, "asking lake");
    }
    return lwb_exit_is_clean(&status) ? LWB_OK : fail_as_it_says(&output, err);
}

static char *make_folder(const struct lwb_world *world, struct lwb_bytes lakefile,
                         struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *folder = lwb_path_join(world->scratch, "lakefile");
    LWB_AUTO(lwb_free_text) char *copy = folder ? lwb_path_join(folder, "lakefile.lean") : NULL;

    if (!copy) {
        lwb_fail_memory(err);
        return NULL;
    }
    if (lwb_file_remove_tree(folder, err) < 0 || lwb_file_make_dirs(folder, 0700, err) < 0 ||
        lwb_file_write(copy, lakefile, 0600, err) < 0)
        return NULL;
    return LWB_TAKE(folder);
}

static int read_answer(struct lwb_buf *toml, const char *path, const char *folder,
                       struct lwb_error *err)
{
    if (lwb_file_read(toml, path, NULL, err) < 0) {
        err->code = LWB_ERR_LAKEFILE;
        return lwb_error_context(err, "lake has not answered");
    }
    if (lwb_bytes_contain(lwb_buf_bytes(toml), folder))
        return lwb_fail(err, LWB_ERR_LAKEFILE,
                        "lake's answer depends on the folder in which the lakefile lies");
    return LWB_OK;
}

static int ask(struct lwb_world *world, const char *lake, const struct lwb_digest *question,
               struct lwb_bytes lakefile, struct lwb_buf *toml, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *folder = make_folder(world, lakefile, err);
    LWB_AUTO(lwb_free_text) char *result = folder ? lwb_path_join(folder, "answer.toml") : NULL;
    int rc;

    if (!folder)
        return err->code;
    if (!result)
        return lwb_fail_memory(err);
    if (!world->options->quiet)
        fprintf(stderr, "lwbuild: asking lake what the lakefile says\n");
    rc = run_lake(world, lake, folder, result, err);
    if (rc == LWB_OK)
        rc = read_answer(toml, result, folder, err);
    if (rc == LWB_OK)
        remember(world, question, result, toml);
    return rc;
}

int lwb_ask_lake(void *ctx, struct lwb_bytes lakefile, struct lwb_buf *toml, struct lwb_error *err)
{
    struct lwb_world *world = ctx;
    const struct lwb_toolchain *toolchain = &world->toolchain;
    LWB_AUTO(lwb_free_text) char *lake = NULL;
    struct lwb_digest question;
    int rc;

    if (!world->has_toolchain)
        return lwb_fail(err, LWB_ERR_LAKEFILE, "lake cannot be asked without a Lean toolchain");
    if (toolchain->major < 4 || (toolchain->major == 4 && toolchain->minor < FIRST_MINOR))
        return lwb_fail(err, LWB_ERR_LAKEFILE,
                        "the lake of Lean %s cannot be asked: it takes Lean 4.%d or later",
                        toolchain->version, FIRST_MINOR);
    lake = lwb_path_join(toolchain->prefix, "bin/lake");
    if (!lake)
        return lwb_fail_memory(err);
    rc = make_question(&question, world, lake, lakefile, err);
    if (rc < 0 || recall(world, &question, toml))
        return rc;
    return ask(world, lake, &question, lakefile, toml, err);
}
