#include "lwbuild/plan/toolchain_internal.h"

#include <stdlib.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/elan.h"
#include "lwbuild/plan/lean_command.h"

/* Which toolchain: the order of toolchain.h. */

#define WHERE_TO_GET_IT "https://lean-lang.org/install"
enum { MAX_NAME_FILE = 64 * 1024 };

struct choice {
    struct lwb_toolchain *out;
    const struct lwb_toolchain_request *request;
    struct lwb_elan elan;
    struct lwb_error *err;
};

static int note_absent(struct choice *choice, const char *path)
{
    return lwb_strvec_append(&choice->out->absent, path) ? lwb_fail_memory(choice->err) : LWB_OK;
}

/* elan's proxies are links to elan, or copies beside it. */
static int is_proxy(const char *dir, const char *real)
{
    LWB_AUTO(lwb_free_text) char *elan = lwb_path_join(dir, "elan");

    if (!elan)
        return -1;
    return strncmp(lwb_path_basename(real), "elan", 4) == 0 || access(elan, F_OK) == 0;
}

/*
 * A proxy in the place of a Lean would choose a toolchain by rules of its own, and
 * may download it.
 */
static int refuse_proxy(const char *prefix, const char *origin, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *bin = lwb_path_join(prefix, "bin");
    LWB_AUTO(lwb_free_text) char *lean = lwb_path_join(prefix, "bin/lean");
    char *real = lean ? realpath(lean, NULL) : NULL;
    int rc = !bin || !lean ? -1 : real ? is_proxy(bin, real) : 0;

    free(real);
    if (rc > 0)
        return lwb_fail(err, LWB_ERR_NO_TOOLCHAIN,
                        "%s: %s is a proxy of elan and no Lean: name one of elan's toolchains",
                        origin, lean);
    return rc < 0 ? lwb_fail_memory(err) : LWB_OK;
}

/* Takes `prefix` and, on success, makes it the answer. */
static int settle(struct choice *choice, char *prefix, const char *name, const char *origin)
{
    LWB_AUTO(lwb_free_text) char *found = prefix;
    char *canonical = found ? realpath(found, NULL) : NULL;
    int rc;

    if (!canonical)
        return found ? lwb_fail_errno(choice->err, LWB_ERR_NO_TOOLCHAIN, "%s: %s", origin, found)
                     : lwb_fail_memory(choice->err);
    choice->out->prefix = lwb_strdup(canonical);
    free(canonical);
    choice->out->name = lwb_strdup(name);
    choice->out->origin = lwb_strdup(origin);
    if (!choice->out->prefix || !choice->out->name || !choice->out->origin)
        return lwb_fail_memory(choice->err);
    rc = refuse_proxy(choice->out->prefix, origin, choice->err);
    return rc < 0 ? rc : 1;
}

/* Said of a name that is nowhere: how to get it, unless it is none. */
static int fail_not_installed(const struct choice *choice, const char *name, const char *origin)
{
    char shown[200];

    if (name[0] == '/' || name[0] == '.')
        return lwb_fail(choice->err, LWB_ERR_NO_TOOLCHAIN, "%s: there is no bin/lean in %s", origin,
                        name);
    if (!lwb_elan_is_name(name, shown, sizeof(shown)))
        return lwb_fail(choice->err, LWB_ERR_NO_TOOLCHAIN, "%s: \"%s\" is no name of a toolchain",
                        origin, shown);
    if (!choice->elan.home || access(choice->elan.home, F_OK) != 0)
        return lwb_fail(choice->err, LWB_ERR_NO_TOOLCHAIN,
                        "%s: Lean toolchain %s is not installed, nor is elan, which installs it: "
                        "see " WHERE_TO_GET_IT,
                        origin, name);
    return lwb_fail(choice->err, LWB_ERR_NO_TOOLCHAIN,
                    "%s: Lean toolchain %s is not installed: run elan toolchain install %s", origin,
                    name, name);
}

/* A toolchain that somebody asked for by name or folder. */
static int use_name(struct choice *choice, const char *name, const char *base, const char *origin)
{
    char *prefix = NULL;
    int rc = lwb_elan_find(&prefix, &choice->elan, name, base, choice->err);

    if (rc > 0)
        return settle(choice, prefix, name, origin);
    return rc < 0 ? rc : fail_not_installed(choice, name, origin);
}

static int use_sysroot(struct choice *choice, const char *dir)
{
    LWB_AUTO(lwb_free_text) char *lean = lwb_path_join(dir, "bin/lean");

    if (!lean)
        return lwb_fail_memory(choice->err);
    if (access(lean, F_OK) != 0)
        return lwb_fail(choice->err, LWB_ERR_NO_TOOLCHAIN,
                        "LEAN_SYSROOT: there is no bin/lean in %s", dir);
    return settle(choice, lwb_strdup(dir), dir, "LEAN_SYSROOT");
}

/* ---- files of the project ---- */

/* The text of a small file: 1, or 0 when it is not there; either way noted. */
static int read_small(struct choice *choice, const char *path, struct lwb_buf *text)
{
    struct lwb_file_stat st;
    int rc;

    if (access(path, F_OK) != 0)
        return note_absent(choice, path);
    rc = lwb_file_read(text, path, &st, choice->err);
    if (rc == LWB_OK)
        rc = lwb_toolchain_note(choice->out, path, &st, choice->err);
    return rc < 0 ? rc : 1;
}

/* The first line, without the space around it. */
static struct lwb_bytes first_line(const struct lwb_buf *text)
{
    const char *start = lwb_buf_text(text);
    size_t len;

    start += strspn(start, " \t\r\n");
    len = strcspn(start, "\r\n");
    while (len && (start[len - 1] == ' ' || start[len - 1] == '\t'))
        len--;
    return lwb_bytes(start, len);
}

static int use_file(struct choice *choice, const char *dir, const char *path, struct lwb_bytes name)
{
    LWB_AUTO(lwb_free_text) char *copy = lwb_strndup(name.ptr, name.len);

    if (!copy)
        return lwb_fail_memory(choice->err);
    return use_name(choice, copy, dir, path);
}

static int try_toolchain_file(struct choice *choice, const char *dir)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(dir, "lean-toolchain");
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MAX_NAME_FILE);
    int rc = path ? read_small(choice, path, &text) : lwb_fail_memory(choice->err);

    if (rc <= 0)
        return rc;
    if (!first_line(&text).len)
        return lwb_fail(choice->err, LWB_ERR_NO_TOOLCHAIN, "%s: names no toolchain", path);
    return use_file(choice, dir, path, first_line(&text));
}

static int try_leanpkg(struct choice *choice, const char *dir)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(dir, "leanpkg.toml");
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MAX_NAME_FILE);
    LWB_AUTO(lwb_toml_release) struct lwb_toml_document document = { 0 };
    const struct lwb_toml *value;
    int rc = path ? read_small(choice, path, &text) : lwb_fail_memory(choice->err);

    if (rc <= 0)
        return rc;
    rc = lwb_toml_parse(&document, lwb_buf_bytes(&text), choice->err);
    if (rc < 0)
        return lwb_error_context(choice->err, "%s", path);
    value = lwb_toml_get(document.root, "package");
    value = value && value->type == LWB_TOML_TABLE ? lwb_toml_get(value, "lean_version") : NULL;
    if (!value || value->type != LWB_TOML_STRING)
        return 0;
    return use_file(choice, dir, path, lwb_bytes_text(value->text));
}

static int try_folder(struct choice *choice, const char *dir)
{
    const char *override = lwb_elan_override(&choice->elan, dir);
    int rc;

    if (override)
        return use_name(choice, override, dir, choice->elan.settings_path);
    rc = try_toolchain_file(choice, dir);
    return rc ? rc : try_leanpkg(choice, dir);
}

/* elan goes upwards from the folder's real path. */
static int try_project(struct choice *choice)
{
    char *real = realpath(choice->request->project, NULL);
    LWB_AUTO(lwb_free_text) char *dir = lwb_strdup(real ? real : choice->request->project);
    int rc = dir ? 0 : lwb_fail_memory(choice->err);

    free(real);
    while (rc == 0) {
        char *parent;

        rc = try_folder(choice, dir);
        if (rc || strcmp(dir, "/") == 0)
            break;
        parent = lwb_path_dirname(dir);
        if (!parent)
            return lwb_fail_memory(choice->err);
        lwb_free(dir);
        dir = parent;
    }
    return rc;
}

/* ---- PATH ---- */

/* The folder above bin/, or what a wrapper script says when that one holds no library. */
static int prefix_of(char **out, const char *real, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *bin = lwb_path_dirname(real);
    LWB_AUTO(lwb_free_text) char *prefix = bin ? lwb_path_dirname(bin) : NULL;
    LWB_AUTO(lwb_free_text) char *library = prefix ? lwb_path_join(prefix, "lib/lean") : NULL;
    LWB_AUTO(lwb_buf_release) struct lwb_buf answer = LWB_BUF(LWB_PATH_MAX);
    int rc;

    if (!library)
        return lwb_fail_memory(err);
    if (access(library, F_OK) == 0) {
        *out = LWB_TAKE(prefix);
        return LWB_OK;
    }
    rc = lwb_lean_ask(&answer, real, "--print-prefix", err);
    if (rc < 0)
        return rc;
    *out = lwb_strndup(first_line(&answer).ptr, first_line(&answer).len);
    return *out ? LWB_OK : lwb_fail_memory(err);
}

static int try_program(struct choice *choice, const char *dir)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(dir, "lean");
    char *prefix = NULL;
    char *real;
    int rc;

    if (!path)
        return lwb_fail_memory(choice->err);
    if (access(path, X_OK) != 0)
        return lwb_toolchain_note_as_it_is(choice->out, path, choice->err);
    real = realpath(path, NULL);
    rc = real ? is_proxy(dir, real) : 1;
    if (rc == 0)
        rc = prefix_of(&prefix, real, choice->err);
    else
        rc = rc < 0 ? lwb_fail_memory(choice->err) : 1;
    free(real);
    return rc == LWB_OK ? settle(choice, prefix, path, "PATH") : rc < 0 ? rc : 0;
}

static int try_path(struct choice *choice)
{
    const char *path = lwb_env_get(choice->request->environment, "PATH");
    int rc = 0;

    while (rc == 0 && path && *path) {
        size_t len = strcspn(path, ":");
        LWB_AUTO(lwb_free_text) char *dir = lwb_strndup(path, len);

        if (!dir)
            return lwb_fail_memory(choice->err);
        if (dir[0] == '/')
            rc = try_program(choice, dir);
        path += len + (path[len] == ':');
    }
    return rc;
}

/* ---- all of it ---- */

static int choose(struct choice *choice)
{
    const struct lwb_toolchain_request *request = choice->request;
    const char *base = request->project ? request->project : "/";
    const char *named = lwb_env_get(request->environment, "ELAN_TOOLCHAIN");
    const char *sysroot = lwb_env_get(request->environment, "LEAN_SYSROOT");
    int rc = 0;

    if (request->given)
        return use_name(choice, request->given, base, "--toolchain");
    if (sysroot)
        return use_sysroot(choice, sysroot);
    if (named)
        return use_name(choice, named, base, "ELAN_TOOLCHAIN");
    if (request->project)
        rc = try_project(choice);
    if (rc == 0 && lwb_elan_default(&choice->elan))
        return use_name(choice, lwb_elan_default(&choice->elan), "/", choice->elan.settings_path);
    if (rc == 0)
        rc = try_path(choice);
    if (rc != 0)
        return rc;
    return lwb_fail(choice->err, LWB_ERR_NO_TOOLCHAIN,
                    "no Lean toolchain: no lean-toolchain file, no default of elan, no lean in "
                    "PATH; to install Lean, see " WHERE_TO_GET_IT);
}

int lwb_toolchain_choose(struct lwb_toolchain *out, const struct lwb_toolchain_request *request,
                         struct lwb_error *err)
{
    struct choice choice = { .out = out, .request = request, .err = err };
    int rc = lwb_elan_init(&choice.elan, request->environment, err);

    if (rc == LWB_OK && choice.elan.has_settings)
        rc = lwb_toolchain_note(out, choice.elan.settings_path, &choice.elan.settings_stat, err);
    else if (rc == LWB_OK && choice.elan.settings_path)
        rc = note_absent(&choice, choice.elan.settings_path);
    if (rc == LWB_OK)
        rc = choose(&choice);
    lwb_elan_release(&choice.elan);
    return rc < 0 ? rc : LWB_OK;
}
