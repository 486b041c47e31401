#pragma once

#include "lwbuild/base/error.h"
#include "lwbuild/base/file.h"
#include "lwbuild/plan/toml.h"

/*
 * What elan, the toolchain manager, keeps on disk: toolchains by name and
 * settings. elan itself is never run, since it may download.
 */
struct lwb_elan {
    char *home;                         /* NULL when neither ELAN_HOME nor HOME is set */
    char *settings_path;                /* <home>/settings.toml */
    bool has_settings;                  /* that file exists */
    struct lwb_file_stat settings_stat; /* from before it was read */
    struct lwb_toml_document settings;
};

/* Settings that are there but cannot be read are an error. */
int lwb_elan_init(struct lwb_elan *elan, const char *const *environment, struct lwb_error *err);
void lwb_elan_release(struct lwb_elan *elan);
LWB_DEFINE_AUTO(struct lwb_elan, lwb_elan_release);

/* The default toolchain's name, or the override for exactly this folder; NULL when there is none.
 */
const char *lwb_elan_default(const struct lwb_elan *elan);
const char *lwb_elan_override(const struct lwb_elan *elan, const char *dir);

/*
 * Whether elan could know a toolchain by this name: printable ASCII without
 * blanks. `shown` becomes the name with everything else replaced, so that a
 * file's odd bytes do not reach a terminal.
 */
bool lwb_elan_is_name(const char *name, char *shown, size_t size);

/*
 * The folder of the toolchain called `name`; a relative path is taken from
 * `base`. Returns 1 and *out (the caller's), 0 when it is not installed.
 */
int lwb_elan_find(char **out, const struct lwb_elan *elan, const char *name, const char *base,
                  struct lwb_error *err);

/* A variable of an envp array, NULL when unset or empty. */
const char *lwb_env_get(const char *const *environment, const char *name);
