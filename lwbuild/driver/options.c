#include "lwbuild/driver/options.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"

enum { MAX_RESPONSE_FILE = 64 * 1024 * 1024, MAX_RESPONSE_DEPTH = 4 };

enum kind { FLAG, TEXT, LIST, COUNT };

#define BIT(command) (1u << (command))
#define CHECK BIT(LWB_CMD_CHECK)
#define PLAN BIT(LWB_CMD_PLAN)
#define REPLAY BIT(LWB_CMD_REPLAY)
#define RUN BIT(LWB_CMD_RUN)
#define DOCTOR BIT(LWB_CMD_DOCTOR)
#define BUILD BIT(LWB_CMD_CAPABILITY_BUILD)
#define CACHE (BIT(LWB_CMD_CACHE_TRIM) | BIT(LWB_CMD_CACHE_CLEAR) | BIT(LWB_CMD_CACHE_VERIFY))
#define STATS BIT(LWB_CMD_STATS)
#define PROJECT (CHECK | PLAN | REPLAY | DOCTOR)

static const struct option_spec {
    const char *name; /* without the dashes; one letter: a single dash */
    enum kind kind;
    size_t offset;
    unsigned commands;
    const char *value;   /* what it takes, for --help */
    const char *choices; /* of a TEXT, space-separated; NULL: anything */
    const char *help;
} specs[] = {
#define AT(field) offsetof(struct lwb_options, field)
    { "project", TEXT, AT(project), PROJECT | RUN | BUILD, "DIR", NULL,
      "the Lake project (default: the nearest lakefile or lean-toolchain upwards)" },
    { "package", TEXT, AT(package), PROJECT | RUN | BUILD, "NAME", NULL,
      "package of the project (default: the root package)" },
    { "library", TEXT, AT(library), PROJECT | RUN | BUILD, "NAME", NULL,
      "library of the package (default: its default targets, else all libraries); "
      "for capability build its root module" },
    { "source-root", LIST, AT(source_roots), PROJECT, "DIR", NULL,
      "a further folder of .lean files, searched first (repeatable)" },
    { "import-path", LIST, AT(import_paths), PROJECT, "DIR", NULL,
      "a folder of .olean files to import from, without Lake (repeatable)" },
    { "host", TEXT, AT(host), PROJECT, "KIND", NULL,
      "who checks: lean, kernel (export files), or auto (default)" },
    { "toolchain", TEXT, AT(toolchain), PROJECT | RUN | BUILD, "T", NULL,
      "Lean toolchain: a path or an elan name (default: as the project says)" },
    { "ask-lake", FLAG, AT(ask_lake), CHECK | PLAN | REPLAY, NULL, NULL,
      "run a lakefile.lean that computes its settings, by the toolchain's lake, on a copy of it "
      "(Lean 4.8 and later)" },
    { "D", LIST, AT(lean_options), PROJECT, "NAME=VALUE", NULL,
      "a Lean option for every module (repeatable)" },
    { "input", LIST, AT(inputs), CHECK | PLAN | REPLAY, "FILE", NULL,
      "a further file that the results depend on (repeatable)" },
    { "by-content", FLAG, AT(by_content), CHECK | PLAN, NULL, NULL,
      "rely on no date: read all files again, Lean's and the packages' as well (for file systems "
      "whose dates miss edits)" },
    { "isolation", TEXT, AT(isolation), CHECK | REPLAY, "KIND", "warm fresh confirm",
      "warm workers (default), a fresh process per module, or warm with a share confirmed fresh" },
    { "fail-on", TEXT, AT(fail_on), CHECK | REPLAY, "WHAT", "error warning sorry",
      "what makes the check fail beside errors (default: error)" },
    { "allow-axiom", LIST, AT(allow_axioms), CHECK | REPLAY, "NAME", NULL,
      "kernel host: an axiom that proofs may use beside propext, Classical.choice and "
      "Quot.sound; '*' allows any (repeatable)" },
    { "expect", LIST, AT(expect), CHECK | REPLAY, "NAME", NULL,
      "kernel host: a theorem that must be proved (repeatable)" },
    { "jobs", COUNT, AT(jobs), CHECK, "N", NULL, "workers at once (default: one per processor)" },
    { "max-rss", COUNT, AT(max_rss_mib), CHECK | RUN, "MIB", NULL,
      "memory that one worker may use before its request is ended" },
    { "timeout", COUNT, AT(timeout_s), CHECK | RUN | DOCTOR | BUILD, "SEC", NULL,
      "time for one module once its session is open, or for a command (default: 600), or for a "
      "capability's build (1800) or check-up (30)" },
    { "cache", TEXT, AT(cache), CHECK | PLAN | REPLAY | CACHE | STATS | DOCTOR, "DIR", NULL,
      "result cache (default: $LWBUILD_CACHE_DIR, $XDG_CACHE_HOME/lwbuild, ~/.cache/lwbuild)" },
    { "no-cache", FLAG, AT(no_cache), CHECK | PLAN, NULL, NULL,
      "neither look up nor store results" },
    { "read-only", FLAG, AT(read_only), CHECK | REPLAY, NULL, NULL, "look up, store nothing" },
    { "recache", FLAG, AT(recache), CHECK, NULL, NULL, "look nothing up, store results" },
    { "no-store", FLAG, AT(no_store), CHECK, NULL, NULL, "as --read-only" },
    { "max-size", COUNT, AT(max_size_mib), CHECK | BIT(LWB_CMD_CACHE_TRIM), "MIB", NULL,
      "size that the cache is trimmed to (default: 5120)" },
    { "depfile", TEXT, AT(depfile), CHECK, "FILE", NULL,
      "write what the result depends on, for Ninja or Make" },
    { "stamp", TEXT, AT(stamp), CHECK, "FILE", NULL, "write this file when all is accepted" },
    { "stamp-mode", TEXT, AT(stamp_mode), CHECK, "MODE", "restat touch",
      "touch: date it anew each time (default); restat: leave an equal one alone (Ninja 1.12)" },
    { "known-inputs", FLAG, AT(known_inputs), CHECK, NULL, NULL,
      "leave the files of this command line out of the depfile: the build knows them" },
    { "format", TEXT, AT(format), PROJECT | STATS | RUN | BUILD, "F", "text json tsv",
      "text (default) or json; tsv for --stats" },
    { "explain", FLAG, AT(explain), CHECK | PLAN, NULL, NULL,
      "say for each module why it had to be checked" },
    { "trace", TEXT, AT(trace), CHECK | RUN, "FILE", NULL,
      "append events as JSON lines (also LWBUILD_TRACE)" },
    { "color", TEXT, AT(color), CHECK | REPLAY, "WHEN", "auto always never",
      "colour in messages (default: auto)" },
    { "quiet", FLAG, AT(quiet), CHECK | REPLAY, NULL, NULL, "results only, no talk" },
    { "verbose", FLAG, AT(verbose), CHECK | REPLAY | DOCTOR | STATS, NULL, NULL, "say more" },
    { "zero", FLAG, AT(zero), STATS, NULL, NULL, "set the statistics back" },
    { "json", TEXT, AT(json), RUN, "REQUEST", NULL, "the command's request, a JSON text" },
    { "rows", FLAG, AT(rows), RUN, NULL, NULL, "a streaming command: print rows as JSON lines" },
    { "expect-metadata", TEXT, AT(expect_metadata), RUN | DOCTOR, "JSON", NULL,
      "what the capability's metadata must say, else nothing is called" },
    { "command", LIST, AT(commands), BUILD, "[NAME=]EXPORT", NULL,
      "a function String -> IO String to offer as a command (repeatable)" },
    { "stream", LIST, AT(streams), BUILD, "[NAME=]EXPORT", NULL,
      "a function String -> USize -> USize -> IO UInt8 to offer as a stream (repeatable)" },
    { "metadata", TEXT, AT(metadata), BUILD, "EXPORT", NULL,
      "the function that says what is offered (default: made from the others)" },
    { "doctor", TEXT, AT(doctor), BUILD, "EXPORT", NULL,
      "the function that says whether all is well (default: it is when Lean has started)" },
    { "name", TEXT, AT(name), BUILD, "NAME", NULL,
      "of the capability and its files (default: the library's)" },
    { "capability-version", TEXT, AT(capability_version), BUILD, "V", NULL,
      "of the capability (default: 1)" },
    { "lake-target", LIST, AT(lake_targets), BUILD, "T", NULL,
      "what Lake shall build in place of the library (repeatable)" },
    { "no-lake", FLAG, AT(no_lake), BUILD, NULL, NULL,
      "do without Lake although there is a lakefile" },
#undef AT
};

static const struct {
    const char *first, *second;
    enum lwb_command command;
    const char *help;
} commands[] = {
    { "check", NULL, LWB_CMD_CHECK,
      "[options] [--] [MODULE|FILE]...   check modules (the default)" },
    { "plan", NULL, LWB_CMD_PLAN, "[options] [--] [MODULE|FILE]...    print batches and keys" },
    { "replay", NULL, LWB_CMD_REPLAY,
      "[options] [--] [MODULE|FILE]...  print cached messages again" },
    { "run", NULL, LWB_CMD_RUN,
      "[options] CAPABILITY COMMAND         call a command of a library" },
    { "doctor", NULL, LWB_CMD_DOCTOR,
      "[options] [CAPABILITY]...         say what was found, and what is wrong" },
    { "capability", "build", LWB_CMD_CAPABILITY_BUILD,
      "[options] FOLDER       make commands of a Lean library, in FOLDER" },
    { "cache", "trim", LWB_CMD_CACHE_TRIM,
      "                               shrink the cache to its limit" },
    { "cache", "clear", LWB_CMD_CACHE_CLEAR, "                              forget all results" },
    { "cache", "verify", LWB_CMD_CACHE_VERIFY,
      "                             check every entry and object" },
};

/* ---- words, with response files opened ----------------------------------------------------- */

static int add_word(struct lwb_options *options, const char *word, size_t len, int depth,
                    struct lwb_error *err);

static int note_response_file(struct lwb_options *options, const char *path,
                              const struct lwb_file_stat *st)
{
    size_t count = options->response_files.count;

    if (lwb_grow(&options->response_stats, &options->cap_response_stats, count,
                 sizeof(*options->response_stats)))
        return -1;
    options->response_stats[count] = *st;
    return lwb_strvec_append(&options->response_files, path);
}

/* One argument per line, verbatim; empty lines are skipped. */
static int add_response_file(struct lwb_options *options, const char *path, int depth,
                             struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MAX_RESPONSE_FILE);
    struct lwb_file_stat st;
    int rc;

    if (depth == MAX_RESPONSE_DEPTH)
        return lwb_fail(err, LWB_ERR_USAGE, "@%s: response files are nested too deeply", path);
    rc = lwb_file_read(&text, path, &st, err);
    if (rc < 0) {
        (void)lwb_error_context(err, "response file");
        return err->code = LWB_ERR_USAGE;
    }
    if (note_response_file(options, path, &st))
        return lwb_fail_memory(err);
    for (const char *line = lwb_buf_text(&text); *line;) {
        size_t len = strcspn(line, "\n");
        size_t used = len && line[len - 1] == '\r' ? len - 1 : len;

        if (used && (rc = add_word(options, line, used, depth + 1, err)) < 0)
            return rc;
        line += line[len] ? len + 1 : len;
    }
    return LWB_OK;
}

static int add_word(struct lwb_options *options, const char *word, size_t len, int depth,
                    struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *copy = lwb_strndup(word, len);

    if (!copy)
        return lwb_fail_memory(err);
    if (copy[0] == '@' && copy[1])
        return add_response_file(options, copy + 1, depth, err);
    return lwb_strvec_append_take(&options->words, LWB_TAKE(copy)) ? lwb_fail_memory(err) : LWB_OK;
}

int lwb_options_check_unchanged(const struct lwb_options *options, struct lwb_error *err)
{
    for (size_t i = 0; i < options->response_files.count; i++) {
        const char *path = options->response_files.items[i];
        struct lwb_file_stat now;
        struct stat st;

        if (stat(path, &st) == 0) {
            lwb_file_stat_from(&now, &st);
            if (!S_ISREG(st.st_mode) || lwb_file_stat_equal(&now, &options->response_stats[i]))
                continue;
        }
        return lwb_fail(err, LWB_ERR_SYSTEM, "%s was changed during the run; run again", path);
    }
    return LWB_OK;
}

/* ---- options ------------------------------------------------------------------------------- */

static bool is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);

    for (const char *word = choices; *word; word += strspn(word, " ")) {
        size_t word_len = strcspn(word, " ");

        if (word_len == len && memcmp(word, value, len) == 0)
            return true;
        word += word_len;
    }
    return false;
}

static int parse_count(uint64_t *out, const char *name, const char *value, struct lwb_error *err)
{
    uint64_t count = 0;

    for (const char *digit = value; *digit; digit++) {
        if (!isdigit((unsigned char)*digit) || digit - value > 8)
            count = 0;
        else
            count = count * 10 + (uint64_t)(*digit - '0');
        if (count == 0)
            break;
    }
    if (count == 0)
        return lwb_fail(err, LWB_ERR_USAGE, "--%s wants a number from 1 to 999999999, not '%s'",
                        name, value);
    *out = count;
    return LWB_OK;
}

static const struct option_spec *find_spec(const char *name, size_t len)
{
    for (size_t i = 0; i < LWB_COUNT(specs); i++)
        if (strlen(specs[i].name) == len && memcmp(specs[i].name, name, len) == 0)
            return &specs[i];
    return NULL;
}

static int assign(struct lwb_options *options, const struct option_spec *spec, const char *value,
                  struct lwb_error *err)
{
    char *field = (char *)options + spec->offset;

    switch (spec->kind) {
    case FLAG:
        *(bool *)(void *)field = true;
        return LWB_OK;
    case TEXT:
        if (spec->choices && !is_choice(spec->choices, value))
            return lwb_fail(err, LWB_ERR_USAGE, "--%s takes one of: %s; not '%s'", spec->name,
                            spec->choices, value);
        *(const char **)(void *)field = value;
        return LWB_OK;
    case LIST:
        return lwb_strvec_append((struct lwb_strvec *)(void *)field, value) ? lwb_fail_memory(err)
                                                                            : LWB_OK;
    case COUNT:
        return parse_count((uint64_t *)(void *)field, spec->name, value, err);
    }
    return LWB_OK;
}

/* `word` starts with a dash; *next is the index of the word behind it. */
static int parse_option(struct lwb_options *options, size_t *next, const char *word,
                        struct lwb_error *err)
{
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    size_t len = is_long ? strcspn(name, "=") : 1;
    const struct option_spec *spec = find_spec(name, len);
    const char *value = NULL;

    if (strcmp(word, "-j") == 0 || (!is_long && word[1] == 'j'))
        spec = find_spec("jobs", 4);
    else if (!spec || (is_long && len == 1))
        return lwb_fail(err, LWB_ERR_USAGE, "unknown option %s; see lwbuild --help", word);
    if (!(spec->commands & BIT(options->command)))
        return lwb_fail(err, LWB_ERR_USAGE, "this command does not take %s; see lwbuild --help",
                        word);
    if (is_long && name[len] == '=')
        value = name + len + 1;
    else if (!is_long && name[1])
        value = name + 1;
    if (spec->kind == FLAG && value)
        return lwb_fail(err, LWB_ERR_USAGE, "--%s takes no value", spec->name);
    if (spec->kind != FLAG && !value) {
        if (*next >= options->words.count)
            return lwb_fail(err, LWB_ERR_USAGE, "%s wants a value: %s", word, spec->value);
        value = options->words.items[(*next)++];
    }
    return assign(options, spec, value, err);
}

/* Sets the command and returns how many words it took. */
static size_t parse_command(struct lwb_options *options)
{
    const struct lwb_strvec *words = &options->words;
    const char *first = words->count ? words->items[0] : "";

    options->command = LWB_CMD_CHECK;
    if (strcmp(first, "--stats") == 0)
        options->command = LWB_CMD_STATS;
    else if (strcmp(first, "--version") == 0)
        options->command = LWB_CMD_VERSION;
    else if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        options->command = LWB_CMD_HELP;
    if (options->command != LWB_CMD_CHECK)
        return 1;
    for (size_t i = 0; i < LWB_COUNT(commands); i++) {
        if (strcmp(first, commands[i].first) != 0)
            continue;
        if (commands[i].second &&
            (words->count < 2 || strcmp(words->items[1], commands[i].second) != 0))
            continue;
        options->command = commands[i].command;
        return commands[i].second ? 2 : 1;
    }
    return 0;
}

static bool is_about_modules(enum lwb_command command)
{
    return (BIT(command) & (CHECK | PLAN | REPLAY)) != 0;
}

static int refuse_contradictions(const struct lwb_options *options, struct lwb_error *err)
{
    if (options->no_cache && (options->recache || options->read_only || options->no_store))
        return lwb_fail(err, LWB_ERR_USAGE,
                        "--no-cache goes with neither --recache, --read-only nor --no-store");
    if (options->recache && (options->read_only || options->no_store))
        return lwb_fail(err, LWB_ERR_USAGE,
                        "--recache goes with neither --read-only nor --no-store");
    if (options->quiet && options->verbose)
        return lwb_fail(err, LWB_ERR_USAGE, "--quiet and --verbose exclude each other");
    if (options->library && options->targets.count && is_about_modules(options->command))
        return lwb_fail(err, LWB_ERR_USAGE,
                        "--library chooses what to check, and so do the modules and files that are "
                        "named; leave one of them out");
    if (options->depfile && !options->stamp)
        return lwb_fail(err, LWB_ERR_USAGE, "--depfile wants --stamp, the file that it is about");
    if (options->format && strcmp(options->format, "tsv") == 0 && options->command != LWB_CMD_STATS)
        return lwb_fail(err, LWB_ERR_USAGE, "--format tsv is for --stats only");
    for (size_t i = 0; i < options->lean_options.count; i++)
        if (!strchr(options->lean_options.items[i], '='))
            return lwb_fail(err, LWB_ERR_USAGE, "-D wants name=value, not '%s'",
                            options->lean_options.items[i]);
    return LWB_OK;
}

int lwb_options_parse(struct lwb_options *out, int argc, char **argv, struct lwb_error *err)
{
    LWB_AUTO(lwb_options_release) struct lwb_options options = { 0 };
    bool only_targets = false;
    int rc = LWB_OK;

    for (int i = 1; i < argc && rc == LWB_OK; i++)
        rc = add_word(&options, argv[i], strlen(argv[i]), 0, err);
    if (rc == LWB_OK && options.words.count && strcmp(options.words.items[0], "cache") == 0 &&
        parse_command(&options) == 0)
        rc = lwb_fail(err, LWB_ERR_USAGE, "lwbuild cache wants one of: trim, clear, verify");
    if (rc == LWB_OK && options.words.count && strcmp(options.words.items[0], "capability") == 0 &&
        parse_command(&options) == 0)
        rc = lwb_fail(err, LWB_ERR_USAGE, "lwbuild capability wants: build");
    if (rc < 0)
        return rc;
    for (size_t i = parse_command(&options); i < options.words.count && rc == LWB_OK;) {
        const char *word = options.words.items[i++];

        if (!only_targets && strcmp(word, "--") == 0)
            only_targets = true;
        else if (!only_targets && strcmp(word, "--help") == 0)
            options.command = LWB_CMD_HELP;
        else if (!only_targets && word[0] == '-' && word[1])
            rc = parse_option(&options, &i, word, err);
        else if (lwb_strvec_append(&options.targets, word))
            rc = lwb_fail_memory(err);
    }
    if (rc == LWB_OK)
        rc = refuse_contradictions(&options, err);
    if (rc < 0)
        return rc;
    *out = LWB_TAKE(options);
    return LWB_OK;
}

void lwb_options_release(struct lwb_options *options)
{
    lwb_strvec_release(&options->words);
    lwb_strvec_release(&options->response_files);
    lwb_free(options->response_stats);
    lwb_strvec_release(&options->targets);
    lwb_strvec_release(&options->source_roots);
    lwb_strvec_release(&options->import_paths);
    lwb_strvec_release(&options->lean_options);
    lwb_strvec_release(&options->inputs);
    lwb_strvec_release(&options->allow_axioms);
    lwb_strvec_release(&options->expect);
    lwb_strvec_release(&options->commands);
    lwb_strvec_release(&options->streams);
    lwb_strvec_release(&options->lake_targets);
}

/* ---- help ---------------------------------------------------------------------------------- */

static void print_wrapped(FILE *out, const char *text, int column)
{
    enum { WIDTH = 96 };
    int at = column;

    while (*text) {
        int len = (int)strcspn(text, " ");

        if (at + len > WIDTH) {
            fprintf(out, "\n%*s", column, "");
            at = column;
        }
        fprintf(out, "%.*s", len, text);
        at += len + 1;
        text += len;
        if (*text)
            text++;
        if (*text && at <= WIDTH)
            fputc(' ', out);
    }
    fputc('\n', out);
}

void lwb_options_print_help(FILE *out)
{
    enum { COLUMN = 26 };

    fputs("lwbuild checks Lean 4 code and proofs inside a build.\n\nUsage:\n", out);
    for (size_t i = 0; i < LWB_COUNT(commands); i++)
        fprintf(out, "  lwbuild %s%s%s %s\n", commands[i].first, commands[i].second ? " " : "",
                commands[i].second ? commands[i].second : "", commands[i].help);
    fputs("  lwbuild --stats | --version | --help\n"
          "  A word that ends in .lean or .ndjson or holds a / is a file, any other a module.\n"
          "  @FILE stands for the lines of FILE, one argument each.\n\nOptions:\n",
          out);
    for (size_t i = 0; i < LWB_COUNT(specs); i++) {
        bool is_long = specs[i].name[1] != '\0';
        int len = fprintf(out, "  %s%s%s%s", is_long ? "--" : "-", specs[i].name,
                          specs[i].value ? " " : "", specs[i].value ? specs[i].value : "");

        if (len >= COLUMN)
            fputc('\n', out);
        fprintf(out, "%*s", len >= COLUMN ? COLUMN : COLUMN - len, "");
        print_wrapped(out, specs[i].help, COLUMN);
    }
    fputs("\nExit codes:\n"
          "  0 accepted   1 rejected   2 wrong usage   3 wrong environment   4 no verdict\n"
          "  5 an import is stale   130 cancelled\n",
          out);
}
