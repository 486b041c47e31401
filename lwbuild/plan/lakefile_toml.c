#include "lwbuild/plan/lakefile.h"

#include <inttypes.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/plan/toml.h"

/* lakefile.toml, as Lake documents it since Lean 4.8. */

static int fail_type(struct lwb_error *err, const struct lwb_toml *value, const char *wanted)
{
    return lwb_lakefile_fail(err, value->line, "%s is %s, not %s", value->key ? value->key : "it",
                             lwb_toml_type_name(value->type), wanted);
}

/* Replaces *out. */
static int take_text(char **out, const struct lwb_toml *value, struct lwb_error *err)
{
    char *copy;

    if (value->type != LWB_TOML_STRING)
        return fail_type(err, value, "a string");
    copy = lwb_strdup(value->text);
    if (!copy)
        return lwb_fail_memory(err);
    lwb_free(*out);
    *out = copy;
    return LWB_OK;
}

static int take_texts(struct lwb_strvec *out, const struct lwb_toml *value, struct lwb_error *err)
{
    if (value->type != LWB_TOML_ARRAY)
        return fail_type(err, value, "an array of strings");
    for (const struct lwb_toml *item = value->first; item; item = item->next) {
        if (item->type != LWB_TOML_STRING)
            return lwb_lakefile_fail(err, item->line, "an item of %s is %s, not a string",
                                     value->key, lwb_toml_type_name(item->type));
        if (lwb_strvec_append(out, item->text))
            return lwb_fail_memory(err);
    }
    return LWB_OK;
}

/* ---- options ---- */

static int add_option(struct lwb_strvec *options, const char *name, const struct lwb_toml *value,
                      struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(64 * 1024);

    lwb_buf_format(&text, "%s=", name);
    if (value->type == LWB_TOML_BOOL)
        lwb_buf_append_text(&text, value->boolean ? "true" : "false");
    else if (value->type == LWB_TOML_STRING)
        lwb_buf_append_text(&text, value->text);
    else if (value->type == LWB_TOML_INTEGER && value->integer >= 0)
        lwb_buf_format(&text, "%" PRId64, value->integer);
    else
        return lwb_lakefile_fail(err, value->line, "option %s is %s, which Lean's options are not",
                                 name, lwb_toml_type_name(value->type));
    return lwb_strvec_append_take(options, lwb_buf_take(&text)) ? lwb_fail_memory(err) : LWB_OK;
}

/* pp.unicode.fun = true is three tables to TOML and one name to Lean. */
static int add_option_table(struct lwb_strvec *options, const char *prefix,
                            const struct lwb_toml *table, struct lwb_error *err)
{
    int rc = LWB_OK;

    for (const struct lwb_toml *member = table->first; rc == LWB_OK && member;
         member = member->next) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(64 * 1024);

        lwb_buf_format(&name, "%s%s%s", prefix, *prefix ? "." : "", member->key);
        if (!lwb_buf_ok(&name))
            return lwb_fail_memory(err);
        rc = member->type == LWB_TOML_TABLE ? add_option_table(options, name.ptr, member, err)
                                            : add_option(options, name.ptr, member, err);
    }
    return rc;
}

/* The older form: [{ name = "x", value = true }] */
static int add_option_list(struct lwb_strvec *options, const struct lwb_toml *array,
                           struct lwb_error *err)
{
    int rc = LWB_OK;

    for (const struct lwb_toml *item = array->first; rc == LWB_OK && item; item = item->next) {
        bool table = item->type == LWB_TOML_TABLE;
        const struct lwb_toml *name = table ? lwb_toml_get(item, "name") : NULL;
        const struct lwb_toml *value = table ? lwb_toml_get(item, "value") : NULL;

        if (!name || name->type != LWB_TOML_STRING || !value)
            return lwb_lakefile_fail(err, item->line,
                                     "an option is { name = \"...\", value = ... }");
        rc = add_option(options, name->text, value, err);
    }
    return rc;
}

static int take_options(struct lwb_strvec *options, const struct lwb_toml *value,
                        struct lwb_error *err)
{
    if (value->type == LWB_TOML_TABLE)
        return add_option_table(options, "", value, err);
    if (value->type == LWB_TOML_ARRAY)
        return add_option_list(options, value, err);
    return fail_type(err, value, "a table of options");
}

/* What packages, libraries and executables have in common: 1 when `member` was one of those. */
static int take_setting(struct lwb_lean_settings *settings, const struct lwb_toml *member,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec arguments = { 0 };
    int rc;

    if (strcmp(member->key, "leanOptions") == 0) {
        rc = take_options(&settings->options, member, err);
        return rc < 0 ? rc : 1;
    }
    if (strcmp(member->key, "moreLeanArgs") == 0 || strcmp(member->key, "weakLeanArgs") == 0) {
        rc = take_texts(&arguments, member, err);
        if (rc == LWB_OK)
            rc = lwb_lean_settings_add_arguments(settings, &arguments, member->line, err);
        return rc < 0 ? rc : 1;
    }
    /* Build targets whose results lean loads; none is as good as not there. */
    if (strcmp(member->key, "plugins") == 0 || strcmp(member->key, "dynlibs") == 0)
        return member->type == LWB_TOML_ARRAY && !member->first;
    return 0;
}

static int fail_unknown(struct lwb_error *err, const struct lwb_toml *member)
{
    return lwb_lakefile_fail(err, member->line,
                             "lwbuild does not know %s, and it could change what Lean says",
                             member->key);
}

/* ---- targets ---- */

static int take_target_member(struct lwb_lake_target *target, const struct lwb_toml *member,
                              struct lwb_error *err)
{
    const char *key = member->key;
    int rc = take_setting(&target->settings, member, err);

    if (rc != 0)
        return rc < 0 ? rc : LWB_OK;
    if (strcmp(key, "name") == 0)
        return LWB_OK;
    if (strcmp(key, "srcDir") == 0)
        return take_text(&target->src_dir, member, err);
    if (strcmp(key, "roots") == 0 && !target->executable)
        return take_texts(&target->roots, member, err);
    if (strcmp(key, "globs") == 0 && !target->executable)
        return take_texts(&target->globs, member, err);
    if (strcmp(key, "root") == 0 && target->executable && member->type == LWB_TOML_STRING)
        return lwb_strvec_append(&target->roots, member->text) ? lwb_fail_memory(err) : LWB_OK;
    if (lwb_lake_key_is_harmless(key, target->executable ? LWB_LAKE_EXECUTABLE : LWB_LAKE_LIBRARY))
        return LWB_OK;
    return fail_unknown(err, member);
}

static const char *name_of(const struct lwb_toml *table)
{
    const struct lwb_toml *name =
        table->type == LWB_TOML_TABLE ? lwb_toml_get(table, "name") : NULL;

    return name && name->type == LWB_TOML_STRING && *name->text ? name->text : NULL;
}

static int take_targets(struct lwb_lakefile *file, const struct lwb_toml *array, bool executable,
                        struct lwb_error *err)
{
    int rc = LWB_OK;

    if (array->type != LWB_TOML_ARRAY)
        return fail_type(err, array, "an array of tables");
    for (const struct lwb_toml *table = array->first; rc == LWB_OK && table; table = table->next) {
        struct lwb_lake_target *target;

        if (!name_of(table))
            return lwb_lakefile_fail(err, table->line, "a %s without a name", array->key);
        target = lwb_lakefile_add_target(file, name_of(table), executable);
        if (!target)
            return lwb_fail_memory(err);
        for (const struct lwb_toml *member = table->first; rc == LWB_OK && member;
             member = member->next)
            rc = take_target_member(target, member, err);
    }
    return rc;
}

/* ---- requires ---- */

static int take_requires(struct lwb_lakefile *file, const struct lwb_toml *array,
                         struct lwb_error *err)
{
    int rc = LWB_OK;

    if (array->type != LWB_TOML_ARRAY)
        return fail_type(err, array, "an array of tables");
    for (const struct lwb_toml *table = array->first; rc == LWB_OK && table; table = table->next) {
        const struct lwb_toml *path;
        struct lwb_lake_require *require;

        if (!name_of(table))
            return lwb_lakefile_fail(err, table->line, "a require without a name");
        require = lwb_lakefile_add_require(file, name_of(table));
        path = lwb_toml_get(table, "path");
        if (!require)
            return lwb_fail_memory(err);
        if (path)
            rc = take_text(&require->path, path, err);
    }
    return rc;
}

/* ---- the package ---- */

static int take_package_member(struct lwb_lakefile *file, const struct lwb_toml *member,
                               struct lwb_strvec *defaults, struct lwb_error *err)
{
    const char *key = member->key;
    int rc = take_setting(&file->settings, member, err);

    if (rc != 0)
        return rc < 0 ? rc : LWB_OK;
    if (strcmp(key, "name") == 0)
        return take_text(&file->name, member, err);
    if (strcmp(key, "srcDir") == 0)
        return take_text(&file->src_dir, member, err);
    if (strcmp(key, "packagesDir") == 0)
        return take_text(&file->packages_dir, member, err);
    if (strcmp(key, "defaultTargets") == 0)
        return take_texts(defaults, member, err);
    if (strcmp(key, "lean_lib") == 0 || strcmp(key, "lean_exe") == 0)
        return take_targets(file, member, strcmp(key, "lean_exe") == 0, err);
    if (strcmp(key, "require") == 0)
        return take_requires(file, member, err);
    if (strcmp(key, "input_file") == 0 || strcmp(key, "input_dir") == 0 ||
        lwb_lake_key_is_harmless(key, LWB_LAKE_PACKAGE))
        return LWB_OK;
    return fail_unknown(err, member);
}

int lwb_lakefile_read_toml(struct lwb_lakefile *out, struct lwb_bytes text, struct lwb_error *err)
{
    LWB_AUTO(lwb_toml_release) struct lwb_toml_document document = { 0 };
    LWB_AUTO(lwb_lakefile_release) struct lwb_lakefile file = { 0 };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec defaults = { 0 };
    int rc = lwb_toml_parse(&document, text, err);

    if (rc == LWB_ERR_FORMAT)
        err->code = LWB_ERR_LAKEFILE;
    if (rc < 0)
        return err->code;
    file.src_dir = lwb_strdup(".");
    if (!file.src_dir)
        return lwb_fail_memory(err);
    for (const struct lwb_toml *member = document.root->first; rc == LWB_OK && member;
         member = member->next)
        rc = take_package_member(&file, member, &defaults, err);
    if (rc == LWB_OK && !file.name)
        return lwb_lakefile_fail(err, 1, "the package has no name");
    if (rc == LWB_OK)
        rc = lwb_lakefile_finish(&file, &defaults, err);
    if (rc == LWB_OK) {
        *out = LWB_TAKE(file);
    }
    return rc;
}
