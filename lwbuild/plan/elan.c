#include "lwbuild/plan/elan.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"

enum { MAX_SETTINGS = 1024 * 1024 };

const char *lwb_env_get(const char *const *environment, const char *name)
{
    size_t len = strlen(name);

    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return (*environment)[len + 1] ? *environment + len + 1 : NULL;
    return NULL;
}

static int read_settings(struct lwb_elan *elan, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MAX_SETTINGS);
    int rc = lwb_file_read(&text, elan->settings_path, &elan->settings_stat, err);

    if (rc < 0 && (err->sys == ENOENT || err->sys == ENOTDIR))
        return LWB_OK;
    if (rc < 0)
        return rc;
    elan->has_settings = true;
    rc = lwb_toml_parse(&elan->settings, lwb_buf_bytes(&text), err);
    return rc < 0 ? lwb_error_context(err, "%s", elan->settings_path) : rc;
}

int lwb_elan_init(struct lwb_elan *elan, const char *const *environment, struct lwb_error *err)
{
    const char *home = lwb_env_get(environment, "ELAN_HOME");
    const char *user = lwb_env_get(environment, "HOME");

    *elan = (struct lwb_elan){ 0 };
    if (!home && !user)
        return LWB_OK;
    elan->home = home ? lwb_strdup(home) : lwb_path_join(user, ".elan");
    elan->settings_path = elan->home ? lwb_path_join(elan->home, "settings.toml") : NULL;
    return elan->settings_path ? read_settings(elan, err) : lwb_fail_memory(err);
}

void lwb_elan_release(struct lwb_elan *elan)
{
    lwb_free(elan->home);
    lwb_free(elan->settings_path);
    lwb_toml_release(&elan->settings);
    *elan = (struct lwb_elan){ 0 };
}

static const char *get_text(const struct lwb_toml *table, const char *key)
{
    const struct lwb_toml *value = table ? lwb_toml_get(table, key) : NULL;

    return value && value->type == LWB_TOML_STRING && *value->text ? value->text : NULL;
}

const char *lwb_elan_default(const struct lwb_elan *elan)
{
    return get_text(elan->settings.root, "default_toolchain");
}

const char *lwb_elan_override(const struct lwb_elan *elan, const char *dir)
{
    const struct lwb_toml *root = elan->settings.root;
    const struct lwb_toml *overrides = root ? lwb_toml_get(root, "overrides") : NULL;

    return overrides && overrides->type == LWB_TOML_TABLE ? get_text(overrides, dir) : NULL;
}

/* ---- names and folders ---- */

bool lwb_elan_is_name(const char *name, char *shown, size_t size)
{
    bool is_name = *name != '\0';
    size_t len = 0;

    for (; *name; name++) {
        bool printable = *name >= ' ' && *name <= '~';

        is_name = is_name && printable && *name != ' ';
        if (len + 1 < size)
            shown[len++] = printable ? *name : '?';
    }
    shown[len] = '\0';
    return is_name;
}

static int has_lean(const char *dir)
{
    LWB_AUTO(lwb_free_text) char *lean = lwb_path_join(dir, "bin/lean");

    if (!lean)
        return -1;
    return access(lean, F_OK) == 0;
}

/* "leanprover/lean4:v4.9.0" -> <home>/toolchains/leanprover--lean4---v4.9.0 */
static char *folder_of(const struct lwb_elan *elan, const char *name)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);

    lwb_buf_format(&path, "%s/toolchains/", elan->home);
    for (; *name; name++) {
        if (*name == '/' || *name == ':')
            lwb_buf_append_text(&path, *name == '/' ? "--" : "---");
        else
            lwb_buf_append_char(&path, *name);
    }
    return lwb_buf_take(&path);
}

static bool is_version(const char *name)
{
    return (name[0] >= '0' && name[0] <= '9') ||
           (name[0] == 'v' && name[1] >= '0' && name[1] <= '9');
}

/* The name in full, as elan completes it: "4.9.0" is leanprover/lean4:v4.9.0. */
static char *full_name(const char *name)
{
    static const char nightly[] = "leanprover/lean4:nightly";
    LWB_AUTO(lwb_buf_release) struct lwb_buf full = LWB_BUF(LWB_PATH_MAX);

    if (strchr(name, ':')) {
        if (strncmp(name, nightly, sizeof(nightly) - 1) == 0)
            lwb_buf_format(&full, "leanprover/lean4-nightly:%s", strchr(name, ':') + 1);
        else
            lwb_buf_append_text(&full, name);
    } else if (strncmp(name, "nightly", 7) == 0) {
        lwb_buf_format(&full, "leanprover/lean4-nightly:%s", name);
    } else {
        lwb_buf_format(&full, "leanprover/lean4:%s%s", is_version(name) && *name != 'v' ? "v" : "",
                       name);
    }
    return lwb_buf_take(&full);
}

/* ---- channels ---- */

/* v4.9.0-rc2 as a number that grows with versions; 0 when it is no version. */
static unsigned long version_rank(const char *text, bool candidates)
{
    unsigned major;
    unsigned minor;
    unsigned patch;
    unsigned candidate = 999;
    int end = 0;

    if (sscanf(text, "v%4u.%4u.%4u%n", &major, &minor, &patch, &end) != 3)
        return 0;
    if (text[end] && (!candidates || sscanf(text + end, "-rc%3u", &candidate) != 1))
        return 0;
    return ((major * 10000UL + minor) * 10000UL + patch) * 1000UL + candidate;
}

struct channel {
    const char *name;
    const char *folder; /* how the folders of its toolchains start */
    bool candidates;
    bool dated;
};

static const struct channel channels[] = {
    { "leanprover/lean4:stable", "leanprover--lean4---", false, false },
    { "leanprover/lean4:beta", "leanprover--lean4---", true, false },
    { "leanprover/lean4-nightly:nightly", "leanprover--lean4-nightly---nightly-", false, true },
};

static bool is_newer(const struct channel *channel, const char *name, const char *best)
{
    size_t skip = strlen(channel->folder);

    if (strncmp(name, channel->folder, skip) != 0)
        return false;
    if (channel->dated)
        return !*best || strcmp(name + skip, best + skip) > 0;
    return version_rank(name + skip, channel->candidates) >
           (*best ? version_rank(best + skip, channel->candidates) : 0);
}

static int find_newest(char **out, const struct lwb_elan *elan, const struct channel *channel,
                       struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *toolchains = lwb_path_join(elan->home, "toolchains");
    char best[NAME_MAX + 1] = "";
    const struct dirent *entry;
    DIR *dir;

    if (!toolchains)
        return lwb_fail_memory(err);
    dir = opendir(toolchains);
    if (!dir)
        return 0;
    while ((entry = readdir(dir)) != NULL)
        if (is_newer(channel, entry->d_name, best))
            (void)snprintf(best, sizeof(best), "%s", entry->d_name);
    closedir(dir);
    if (!*best)
        return 0;
    *out = lwb_path_join(toolchains, best);
    return *out ? 1 : lwb_fail_memory(err);
}

/* ---- finding ---- */

static int use_if_lean(char **out, char *dir, struct lwb_error *err)
{
    int found = dir ? has_lean(dir) : -1;

    if (found > 0)
        *out = dir;
    else
        lwb_free(dir);
    return found < 0 ? lwb_fail_memory(err) : found;
}

static int find_by_name(char **out, const struct lwb_elan *elan, const char *name,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *full = full_name(name);
    int rc = use_if_lean(out, folder_of(elan, name), err);

    if (!full)
        return lwb_fail_memory(err);
    if (rc == 0)
        rc = use_if_lean(out, folder_of(elan, full), err);
    for (size_t i = 0; rc == 0 && i < LWB_COUNT(channels); i++)
        if (strcmp(channels[i].name, full) == 0)
            rc = find_newest(out, elan, &channels[i], err);
    return rc;
}

int lwb_elan_find(char **out, const struct lwb_elan *elan, const char *name, const char *base,
                  struct lwb_error *err)
{
    bool is_path = name[0] == '/' || name[0] == '.';
    char *found = NULL;
    int rc = 0;

    if (is_path || !strchr(name, ':'))
        rc = use_if_lean(&found, lwb_path_absolute(base, name), err);
    if (rc == 0 && !is_path && elan->home)
        rc = find_by_name(&found, elan, name, err);
    if (rc > 0)
        *out = found;
    return rc;
}
