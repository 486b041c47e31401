#include "lwbuild/plan/lakefile_lean.h"

#include "lwbuild/base/alloc.h"

/*
 * Commands of a lakefile.lean. Those that declare packages, libraries and
 * executables are read to the last word. Definitions are kept for those who
 * refer to them. What a script, a target or a helper does is left out, since it
 * cannot change what the declarations say; what could (conditions around
 * declarations, macros) is refused.
 *
 * A command starts in column 0 and ends where the next one starts.
 */

enum command {
    NO_COMMAND,
    PACKAGE,
    LIBRARY,
    EXECUTABLE,
    REQUIRE,
    DEFINITION,
    CONDITION, /* meta if */
    HARMLESS,
    REFUSED,
};

static const struct {
    const char *word;
    enum command command;
} commands[] = {
    { "package", PACKAGE },        { "lean_lib", LIBRARY },      { "lean_exe", EXECUTABLE },
    { "require", REQUIRE },        { "def", DEFINITION },        { "abbrev", DEFINITION },
    { "meta", CONDITION },         { "import", HARMLESS },       { "open", HARMLESS },
    { "namespace", HARMLESS },     { "section", HARMLESS },      { "end", HARMLESS },
    { "universe", HARMLESS },      { "variable", HARMLESS },     { "script", HARMLESS },
    { "target", HARMLESS },        { "extern_lib", HARMLESS },   { "input_file", HARMLESS },
    { "input_dir", HARMLESS },     { "module_facet", HARMLESS }, { "library_facet", HARMLESS },
    { "package_facet", HARMLESS }, { "post_update", HARMLESS },  { "structure", HARMLESS },
    { "inductive", HARMLESS },     { "deriving", HARMLESS },     { "theorem", HARMLESS },
    { "instance", REFUSED },       { "macro", REFUSED },         { "macro_rules", REFUSED },
    { "syntax", REFUSED },         { "notation", REFUSED },      { "elab", REFUSED },
    { "elab_rules", REFUSED },     { "run_cmd", REFUSED },       { "initialize", REFUSED },
};

static bool is_modifier(const struct lwb_token *token)
{
    static const char *const words[] = { "private", "protected",     "partial",
                                         "unsafe",  "noncomputable", "public" };

    for (size_t i = 0; i < LWB_COUNT(words); i++)
        if (lwb_lake_token_is(token, words[i]))
            return true;
    return false;
}

static enum command command_of(const struct lwb_token *token)
{
    for (size_t i = 0; token->kind == LWB_TOKEN_NAME && i < LWB_COUNT(commands); i++)
        if (strcmp(token->text, commands[i].word) == 0)
            return commands[i].command;
    return NO_COMMAND;
}

/* Whether a command starts here: at the margin, with a word or sign that starts one. */
static bool at_start(const struct lwb_lake_reader *reader)
{
    const struct lwb_token *token = lwb_lake_token(reader);

    return token->kind == LWB_TOKEN_END ||
           (token->at_margin &&
            (command_of(token) != NO_COMMAND || is_modifier(token) ||
             lwb_lake_token_is(token, "@[") || lwb_lake_token_is(token, "set_option") ||
             lwb_lake_token_is(token, "#")));
}

static int fail_here(struct lwb_lake_reader *reader, const char *what)
{
    const struct lwb_token *token = lwb_lake_token(reader);

    return lwb_lakefile_fail(reader->err, token->line, "%s '%s'", what,
                             token->kind == LWB_TOKEN_END ? "the end" : token->text);
}

/*
 * To the end of a command that does not matter. A word in column 0 that is none
 * that lwbuild knows may be a declaration in somebody's own syntax.
 */
static int skip_to_start(struct lwb_lake_reader *reader)
{
    static const char *const inner[] = { "where", "then", "else", "do", "with", "from" };

    for (; !at_start(reader); reader->at++) {
        const struct lwb_token *token = lwb_lake_token(reader);
        bool known = !token->at_margin || token->kind != LWB_TOKEN_NAME;

        for (size_t i = 0; !known && i < LWB_COUNT(inner); i++)
            known = strcmp(token->text, inner[i]) == 0;
        if (!known)
            return fail_here(reader, "lwbuild does not understand");
    }
    return LWB_OK;
}

/* ---- what values mean ---- */

static int fail_kind(struct lwb_lake_reader *reader, const struct lwb_lake_value *value,
                     const char *wanted)
{
    return lwb_lakefile_fail(reader->err, value->line, "%s is not %s",
                             value->field ? value->field : "a value", wanted);
}

/* ⟨"src"⟩ is "src", and so is .ofString "src". */
static const struct lwb_lake_value *unwrap(const struct lwb_lake_value *value)
{
    while ((value->kind == LWB_LAKE_TUPLE && value->first && value->first == value->last) ||
           (value->kind == LWB_LAKE_CALL && strncmp(value->text, "of", 2) == 0))
        value = value->first;
    return value;
}

static int set_text(struct lwb_lake_reader *reader, const struct lwb_lake_value *value, char **out)
{
    const struct lwb_lake_value *text = unwrap(value);
    char *copy;

    if (text->kind != LWB_LAKE_TEXT)
        return fail_kind(reader, value, "a string");
    copy = lwb_strdup(text->text);
    if (!copy)
        return lwb_fail_memory(reader->err);
    lwb_free(*out);
    *out = copy;
    return LWB_OK;
}

/* A list of names or strings; a single one is a list too (roots := `A is not, but globs := `A is).
 */
static int add_texts(struct lwb_lake_reader *reader, const struct lwb_lake_value *list,
                     enum lwb_lake_value_kind kind, struct lwb_strvec *out)
{
    if (list->kind != LWB_LAKE_LIST)
        return fail_kind(reader, list, "a list");
    for (const struct lwb_lake_value *item = list->first; item; item = item->next) {
        if (item->kind != kind)
            return fail_kind(reader, item, kind == LWB_LAKE_NAME ? "a name" : "a string");
        if (lwb_strvec_append(out, item->text))
            return lwb_fail_memory(reader->err);
    }
    return LWB_OK;
}

/* `A, `A.+, .one `A, .submodules `A, .andSubmodules `A */
static int add_glob(struct lwb_lake_reader *reader, const struct lwb_lake_value *glob,
                    struct lwb_strvec *out)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(64 * 1024);
    const struct lwb_lake_value *name = glob->kind == LWB_LAKE_CALL ? glob->first : glob;

    if (name->kind != LWB_LAKE_NAME ||
        (glob->kind == LWB_LAKE_CALL && strncmp(glob->text, "of", 2) == 0))
        return fail_kind(reader, glob, "a glob");
    lwb_buf_append_text(&text, name->text);
    if (glob->kind == LWB_LAKE_CALL && strcmp(glob->text, "submodules") == 0)
        lwb_buf_append_text(&text, ".+");
    else if (glob->kind == LWB_LAKE_CALL && strcmp(glob->text, "andSubmodules") == 0)
        lwb_buf_append_text(&text, ".*");
    return lwb_strvec_append_take(out, lwb_buf_take(&text)) ? lwb_fail_memory(reader->err) : LWB_OK;
}

static int add_globs(struct lwb_lake_reader *reader, const struct lwb_lake_value *value,
                     struct lwb_strvec *out)
{
    int rc = LWB_OK;

    if (value->kind != LWB_LAKE_LIST)
        return add_glob(reader, value, out);
    for (const struct lwb_lake_value *item = value->first; rc == LWB_OK && item; item = item->next)
        rc = add_glob(reader, item, out);
    return rc;
}

/* ⟨`autoImplicit, false⟩ or { name := `autoImplicit, value := false } */
static int add_option(struct lwb_lake_reader *reader, const struct lwb_lake_value *option,
                      struct lwb_strvec *out)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(64 * 1024);
    const struct lwb_lake_value *name = option->first;
    const struct lwb_lake_value *value = name ? name->next : NULL;

    if (option->kind == LWB_LAKE_FIELDS && value && strcmp(name->field, "value") == 0) {
        value = name;
        name = name->next;
    }
    if ((option->kind != LWB_LAKE_TUPLE && option->kind != LWB_LAKE_FIELDS) || !value ||
        option->first->next->next || name->kind != LWB_LAKE_NAME)
        return fail_kind(reader, option, "an option, as ⟨`name, value⟩");
    if (option->kind == LWB_LAKE_FIELDS &&
        (strcmp(name->field, "name") != 0 || strcmp(value->field, "value") != 0))
        return fail_kind(reader, option, "an option, as ⟨`name, value⟩");
    value = unwrap(value);
    if (value->kind != LWB_LAKE_BOOL && value->kind != LWB_LAKE_NUMBER &&
        value->kind != LWB_LAKE_TEXT)
        return fail_kind(reader, value, "the value of an option");
    lwb_buf_format(&text, "%s=%s", name->text, value->text);
    return lwb_strvec_append_take(out, lwb_buf_take(&text)) ? lwb_fail_memory(reader->err) : LWB_OK;
}

/* leanOptions, moreLeanArgs and the like: 1 when `value` was one of those. */
static int take_setting(struct lwb_lake_reader *reader, const struct lwb_lake_value *value,
                        struct lwb_lean_settings *settings)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec arguments = { 0 };
    int rc = LWB_OK;

    if (strcmp(value->field, "leanOptions") == 0) {
        if (value->kind != LWB_LAKE_LIST)
            return fail_kind(reader, value, "a list");
        for (const struct lwb_lake_value *item = value->first; rc == LWB_OK && item;
             item = item->next)
            rc = add_option(reader, item, &settings->options);
        return rc < 0 ? rc : 1;
    }
    if (strcmp(value->field, "moreLeanArgs") == 0 || strcmp(value->field, "weakLeanArgs") == 0) {
        rc = add_texts(reader, value, LWB_LAKE_TEXT, &arguments);
        if (rc == LWB_OK)
            rc = lwb_lean_settings_add_arguments(settings, &arguments, value->line, reader->err);
        return rc < 0 ? rc : 1;
    }
    if (strcmp(value->field, "plugins") == 0 || strcmp(value->field, "dynlibs") == 0)
        return value->kind == LWB_LAKE_LIST && !value->first;
    return 0;
}

static int fail_unknown(struct lwb_lake_reader *reader, const struct lwb_lake_value *value)
{
    return lwb_lakefile_fail(reader->err, value->line,
                             "lwbuild does not know %s, and it could change what Lean says",
                             value->field);
}

/* ---- fields ---- */

/* `target` is NULL in a package. */
static int take_field(struct lwb_lake_reader *reader, struct lwb_lake_target *target,
                      const struct lwb_lake_value *value)
{
    struct lwb_lakefile *file = &reader->file;
    const char *field = value->field;
    int rc = take_setting(reader, value, target ? &target->settings : &file->settings);

    if (rc != 0)
        return rc < 0 ? rc : LWB_OK;
    if (strcmp(field, "srcDir") == 0)
        return set_text(reader, value, target ? &target->src_dir : &file->src_dir);
    if (!target && strcmp(field, "packagesDir") == 0)
        return set_text(reader, value, &file->packages_dir);
    if (!target && strcmp(field, "defaultTargets") == 0)
        return add_texts(reader, value, LWB_LAKE_NAME, &reader->defaults);
    if (target && !target->executable && strcmp(field, "roots") == 0)
        return add_texts(reader, value, LWB_LAKE_NAME, &target->roots);
    if (target && !target->executable && strcmp(field, "globs") == 0)
        return add_globs(reader, value, &target->globs);
    if (target && target->executable && strcmp(field, "root") == 0 && value->kind == LWB_LAKE_NAME)
        return lwb_strvec_append(&target->roots, value->text) ? lwb_fail_memory(reader->err)
                                                              : LWB_OK;
    return fail_unknown(reader, value);
}

/* The next token is a field's name with its := behind it. */
static bool at_field(const struct lwb_lake_reader *reader)
{
    const struct lwb_token *token = lwb_lake_token(reader);

    if (token->kind != LWB_TOKEN_NAME || at_start(reader))
        return false;
    return lwb_lake_token_is(token + 1, ":=");
}

static bool is_open(const struct lwb_token *token)
{
    static const char *const signs[] = { "{", "(", "[", "#[", "⟨" };

    for (size_t i = 0; i < LWB_COUNT(signs); i++)
        if (lwb_lake_token_is(token, signs[i]))
            return true;
    return false;
}

static bool is_close(const struct lwb_token *token)
{
    static const char *const signs[] = { "}", ")", "]", "⟩" };

    for (size_t i = 0; i < LWB_COUNT(signs); i++)
        if (lwb_lake_token_is(token, signs[i]))
            return true;
    return false;
}

/* The value of a field that does not matter, whatever it is. */
static void skip_value(struct lwb_lake_reader *reader)
{
    unsigned depth = 0;

    while (!at_start(reader)) {
        const struct lwb_token *token = lwb_lake_token(reader);

        if (depth == 0 && (is_close(token) || lwb_lake_token_is(token, ",") ||
                           (token->starts_line && at_field(reader))))
            return;
        depth += is_open(token);
        depth -= is_close(token);
        reader->at++;
    }
}

static bool ends_field(const struct lwb_token *token)
{
    return token->starts_line || lwb_lake_token_is(token, ",") || lwb_lake_token_is(token, "}");
}

static int read_field(struct lwb_lake_reader *reader, struct lwb_lake_target *target)
{
    enum lwb_lake_place place = !target              ? LWB_LAKE_PACKAGE
                                : target->executable ? LWB_LAKE_EXECUTABLE
                                                     : LWB_LAKE_LIBRARY;
    const struct lwb_token *name = lwb_lake_token(reader);
    struct lwb_lake_value *value;
    int rc;

    reader->at += 2;
    if (strcmp(name->text, "name") == 0 || strcmp(name->text, "dependencies") == 0 ||
        lwb_lake_key_is_harmless(name->text, place)) {
        skip_value(reader);
        return LWB_OK;
    }
    rc = lwb_lake_read_value(reader, &value);
    if (rc < 0)
        return rc;
    if (!ends_field(lwb_lake_token(reader)))
        return fail_here(reader, "lwbuild does not understand");
    value->field = name->text;
    return take_field(reader, target, value);
}

/* `where` and fields, or { fields }, or nothing. */
static int read_fields(struct lwb_lake_reader *reader, struct lwb_lake_target *target)
{
    bool where = lwb_lake_take(reader, "where");
    bool braces = lwb_lake_take(reader, "{");
    int rc = LWB_OK;

    while ((where || braces) && rc == LWB_OK && at_field(reader)) {
        rc = read_field(reader, target);
        (void)lwb_lake_take(reader, ",");
    }
    if (rc == LWB_OK && braces && !lwb_lake_take(reader, "}"))
        return fail_here(reader, "lwbuild does not understand");
    if (rc == LWB_OK && !at_start(reader))
        return fail_here(reader, "lwbuild does not understand");
    return rc;
}

/* ---- commands ---- */

/* foo, «foo-bar», "foo-bar": without guillemets where they are all of it. */
static int read_name(struct lwb_lake_reader *reader, char **out)
{
    const struct lwb_token *token = lwb_lake_token(reader);
    struct lwb_bytes text = lwb_bytes_text(token->text);

    if (token->kind != LWB_TOKEN_NAME && token->kind != LWB_TOKEN_STRING)
        return fail_here(reader, "expected a name, not");
    if (text.len > 4 && strncmp(text.ptr, "«", 2) == 0 &&
        memmem(text.ptr, text.len, "»", 2) == text.ptr + text.len - 2)
        text = lwb_bytes(text.ptr + 2, text.len - 4);
    *out = lwb_strndup(text.ptr, text.len);
    reader->at++;
    return *out ? LWB_OK : lwb_fail_memory(reader->err);
}

static int read_package(struct lwb_lake_reader *reader)
{
    char *name = NULL;
    int rc;

    if (reader->file.name)
        return fail_here(reader, "a second");
    reader->at++;
    rc = read_name(reader, &name);
    reader->file.name = name;
    return rc < 0 ? rc : read_fields(reader, NULL);
}

static int read_target(struct lwb_lake_reader *reader, bool executable, bool is_default)
{
    LWB_AUTO(lwb_free_text) char *name = NULL;
    struct lwb_lake_target *target;
    int rc;

    reader->at++;
    rc = read_name(reader, &name);
    if (rc < 0)
        return rc;
    target = lwb_lakefile_add_target(&reader->file, name, executable);
    if (!target)
        return lwb_fail_memory(reader->err);
    target->is_default = is_default;
    return read_fields(reader, target);
}

/* What matters is where a path dependency lies; the manifest knows better when there is one. */
static int read_require(struct lwb_lake_reader *reader)
{
    LWB_AUTO(lwb_free_text) char *name = NULL;
    struct lwb_lake_require *require;
    struct lwb_lake_value *path = NULL;
    int rc;

    reader->at++;
    rc = read_name(reader, &name);
    /* require "scope" / "name" */
    if (rc == LWB_OK && lwb_lake_take(reader, "/")) {
        lwb_free(name);
        name = NULL;
        rc = read_name(reader, &name);
    }
    if (rc < 0)
        return rc;
    require = lwb_lakefile_add_require(&reader->file, name);
    if (!require)
        return lwb_fail_memory(reader->err);
    if (lwb_lake_take(reader, "from") && !lwb_lake_token_is(lwb_lake_token(reader), "git")) {
        rc = lwb_lake_read_value(reader, &path);
        if (rc == LWB_OK)
            rc = set_text(reader, path, &require->path);
    }
    return rc < 0 ? rc : skip_to_start(reader);
}

/* `def name : type := value` and `def name : type where`: only the first kind can be referred to.
 */
static int read_definition(struct lwb_lake_reader *reader)
{
    const struct lwb_token *name = lwb_lake_token(reader) + 1;

    if (lwb_lake_token_is(name, "package"))
        return fail_here(reader, "packages are declared without");
    reader->at++;
    while (!at_start(reader)) {
        if (lwb_lake_take(reader, ":=")) {
            if (lwb_grow(&reader->definitions, &reader->cap_definitions, reader->n_definitions,
                         sizeof(*reader->definitions)))
                return lwb_fail_memory(reader->err);
            reader->definitions[reader->n_definitions++] =
                (struct lwb_lake_definition){ name->text, reader->at };
            break;
        }
        reader->at++;
    }
    return skip_to_start(reader);
}

/*
 * `meta if ... then require ...`: which packages are fetched is the manifest's
 * business. Around anything else a condition matters.
 */
static int read_condition(struct lwb_lake_reader *reader)
{
    size_t start = reader->at++;

    while (!at_start(reader)) {
        enum command command = command_of(lwb_lake_token(reader));

        if (command == PACKAGE || command == LIBRARY || command == EXECUTABLE)
            return fail_here(reader, "lwbuild cannot decide the condition around");
        reader->at++;
    }
    if ((lwb_lake_token_is(lwb_lake_token(reader) - 1, "then") ||
         lwb_lake_token_is(lwb_lake_token(reader) - 1, "else") ||
         lwb_lake_token_is(lwb_lake_token(reader) - 1, "do")) &&
        command_of(lwb_lake_token(reader)) != REQUIRE) {
        reader->at = start;
        return fail_here(reader, "lwbuild cannot decide the condition behind");
    }
    return LWB_OK;
}

/* set_option x y: for the lakefile itself; `set_option x y in` has a command behind it. */
static void skip_line(struct lwb_lake_reader *reader)
{
    do
        reader->at++;
    while (!lwb_lake_token(reader)->starts_line);
}

/* @[...]: *is_default when it marks a default target. */
static void read_attributes(struct lwb_lake_reader *reader, bool *is_default)
{
    unsigned depth = 0;

    do {
        const struct lwb_token *token = lwb_lake_token(reader);

        if (token->kind == LWB_TOKEN_END)
            return;
        depth += is_open(token) || lwb_lake_token_is(token, "@[");
        depth -= is_close(token);
        *is_default |=
            lwb_lake_token_is(token, "default_target") || lwb_lake_token_is(token, "defaultTarget");
        reader->at++;
    } while (depth);
}

static int read_command(struct lwb_lake_reader *reader)
{
    bool is_default = false;

    while (lwb_lake_token_is(lwb_lake_token(reader), "@["))
        read_attributes(reader, &is_default);
    while (is_modifier(lwb_lake_token(reader)))
        reader->at++;
    if (lwb_lake_token_is(lwb_lake_token(reader), "set_option")) {
        skip_line(reader);
        return LWB_OK;
    }
    if (lwb_lake_take(reader, "#")) /* #eval, #check */
        return skip_to_start(reader);
    switch (command_of(lwb_lake_token(reader))) {
    case PACKAGE:
        return read_package(reader);
    case LIBRARY:
        return read_target(reader, false, is_default);
    case EXECUTABLE:
        return read_target(reader, true, is_default);
    case REQUIRE:
        return read_require(reader);
    case DEFINITION:
        return read_definition(reader);
    case CONDITION:
        return read_condition(reader);
    case HARMLESS:
        reader->at++;
        return skip_to_start(reader);
    case NO_COMMAND:
    case REFUSED:
        break;
    }
    return fail_here(reader, "lwbuild does not understand");
}

/* ---- the file ---- */

/* Packages of 2021 declared no library: the root is the name in upper camel case. */
static int add_implied_library(struct lwb_lake_reader *reader)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf root = LWB_BUF(64 * 1024);
    struct lwb_lake_target *target;
    bool upper = true;

    for (const char *c = reader->file.name; *c; c++) {
        if (*c == '-' || *c == '_') {
            upper = true;
            continue;
        }
        lwb_buf_append_char(&root, upper && *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
        upper = false;
    }
    if (!lwb_buf_ok(&root))
        return lwb_fail_memory(reader->err);
    target = lwb_lakefile_add_target(&reader->file, lwb_buf_text(&root), false);
    return target ? LWB_OK : lwb_fail_memory(reader->err);
}

static int read_commands(struct lwb_lake_reader *reader)
{
    int rc = LWB_OK;

    while (rc == LWB_OK && lwb_lake_token(reader)->kind != LWB_TOKEN_END)
        rc = read_command(reader);
    if (rc == LWB_OK && !reader->file.name)
        return lwb_lakefile_fail(reader->err, 1, "no package is declared");
    if (rc == LWB_OK && !reader->file.n_targets)
        rc = add_implied_library(reader);
    return rc == LWB_OK ? lwb_lakefile_finish(&reader->file, &reader->defaults, reader->err) : rc;
}

int lwb_lakefile_read_lean(struct lwb_lakefile *out, struct lwb_bytes text, struct lwb_error *err)
{
    struct lwb_lake_reader reader = { .err = err };
    int rc = lwb_tokens_read(&reader.tokens, text, err);

    if (rc == LWB_ERR_FORMAT)
        rc = (int)(err->code = LWB_ERR_LAKEFILE);
    if (rc == LWB_OK) {
        reader.file.src_dir = lwb_strdup(".");
        rc = reader.file.src_dir ? read_commands(&reader) : lwb_fail_memory(err);
    }
    if (rc == LWB_OK) {
        *out = reader.file;
        reader.file = (struct lwb_lakefile){ 0 };
    }
    lwb_lakefile_release(&reader.file);
    lwb_strvec_release(&reader.defaults);
    lwb_free(reader.definitions);
    lwb_tokens_release(&reader.tokens);
    return rc;
}
