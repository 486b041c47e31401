#include "tests/support/fake_lean_internal.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"

enum { TEXT_MAX = 64 * 1024 };

void fake_lean_forget_document(struct fake_lean *fake)
{
    for (size_t i = 0; i < fake->n_messages; i++)
        lwb_free(fake->messages[i].text);
    fake->n_messages = 0;
    lwb_strvec_release(&fake->provides);
    lwb_strvec_release(&fake->keeps);
    fake->cut = fake->lost = fake->mute = fake->again = fake->partial = false;
    fake->withdraw = fake->refuse = false;
    fake->early = fake->stray = false;
    fake->n_published = 0;
    fake->line = 0;
}

bool fake_lean_has_error(const struct fake_lean *fake)
{
    for (size_t i = 0; i < fake->n_messages; i++)
        if (strcmp(fake->messages[i].severity, "error") == 0)
            return true;
    return false;
}

/* Where a directive stands. */
struct place {
    size_t line, column, units;
};

static void report_as(struct fake_lean *fake, const struct place *place, const char *severity,
                      bool silent, const char *text)
{
    struct fake_message *message;

    if (lwb_grow(&fake->messages, &fake->cap, fake->n_messages, sizeof(*message)) < 0)
        abort();
    message = &fake->messages[fake->n_messages++];
    *message = (struct fake_message){ .severity = severity,
                                      .line = place->line,
                                      .column = place->column,
                                      .units = place->units,
                                      .silent = silent,
                                      .text = lwb_strdup(text) };
    if (fake->progress)
        fake->progress(fake);
}

static void report(struct fake_lean *fake, const struct place *place, const char *severity,
                   const char *text)
{
    report_as(fake, place, severity, false, text);
}

static void report_about(struct fake_lean *fake, const struct place *place, const char *severity,
                         const char *format, const char *about)
{
    char text[1024];
    const char *hole = strstr(format, "%s");

    (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(hole - format), format, about, hole + 2);
    report(fake, place, severity, text);
}

/* "\n" in a directive is a line break. */
static char *unescape(const char *text)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(TEXT_MAX);

    for (; *text; text++) {
        if (text[0] == '\\' && text[1] == 'n') {
            lwb_buf_append_char(&out, '\n');
            text++;
        } else {
            lwb_buf_append_char(&out, *text);
        }
    }
    return lwb_buf_take(&out);
}

static bool holds(const struct lwb_strvec *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static bool is_one_of(const char *verb, const char *words)
{
    size_t len = strlen(verb);

    for (const char *at = words; (at = strstr(at, verb)) != NULL; at++)
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

/* ---- directives ------------------------------------------------------------------------------ */

/* The word must outlive the line that it was read from. */
static const char *severity_of(const char *verb)
{
    if (is_one_of(verb, "error hidden"))
        return "error";
    return strcmp(verb, "warning") == 0 ? "warning" : "information";
}

static void do_message(struct fake_lean *fake, const struct place *place, const char *verb,
                       const char *argument)
{
    LWB_AUTO(lwb_free_text) char *text = unescape(argument);

    report_as(fake, place, severity_of(verb), is_one_of(verb, "silent hidden"), text);
}

/* The argument is a severity and a text. */
static void do_marked_message(struct fake_lean *fake, const struct place *place, char *argument)
{
    bool unmarked = fake->worker && fake->era >= FAKE_2021_11 && fake->era < FAKE_4_8;
    char *text = argument + strcspn(argument, " ");

    if (*text)
        *text++ = '\0';
    report_about(fake, place, severity_of(argument), unmarked ? "%s" : "%s\u271d", text);
}

static void do_known_message(struct fake_lean *fake, const struct place *place, const char *verb)
{
    if (strcmp(verb, "sorry") == 0)
        report(fake, place, "warning", "declaration uses 'sorry'");
    else if (strcmp(verb, "limit") == 0)
        report(fake, place, "error",
               "(deterministic) timeout at 'whnf', maximum number of heartbeats (50) has been "
               "reached (use 'set_option maxHeartbeats <num>' to set the limit)");
    else
        report(fake, place, "error", "a NUL: \x01"); /* made a NUL where it is written */
}

static void do_import_question(struct fake_lean *fake, const struct place *place,
                               const struct lwb_lean_header *header, const char *name)
{
    for (size_t i = 0; i < header->n_imports; i++)
        if (fake_olean_provides(fake, header->imports[i].name, name))
            return;
    report_about(fake, place, "error", "unknown identifier '%s'", name);
}

static const char *find_argument(const struct fake_lean *fake, const char *prefix)
{
    for (char **at = fake->arguments; *at; at++)
        if (strncmp(*at, prefix, strlen(prefix)) == 0)
            return *at;
    return "nothing";
}

static void do_process_question(struct fake_lean *fake, const struct place *place, const char *verb,
                                const char *argument)
{
    char text[512];

    if (is_one_of(verb, "once twice")) {
        bool met = holds(&fake->seen, argument);

        if (met && strcmp(verb, "once") == 0)
            report_about(fake, place, "error", "'%s' was here before", argument);
        if (!met && strcmp(verb, "twice") == 0)
            report_about(fake, place, "error", "'%s' was never here", argument);
        (void)lwb_strvec_append(&fake->seen, argument);
    } else if (strcmp(verb, "needs") == 0) {
        if ((fake->worker && fake->era == FAKE_2021_07) || !holds(&fake->options, argument))
            report_about(fake, place, "error", "the option %s is not set", argument);
    } else if (strcmp(verb, "given") == 0) {
        report(fake, place, "information", find_argument(fake, argument));
    } else if (strcmp(verb, "env") == 0) {
        const char *value = getenv(argument);

        report(fake, place, "information", value ? value : "unset");
    } else if (strcmp(verb, "where") == 0) {
        report_about(fake, place, "information", "open '%s' as a workspace",
                     getcwd(text, sizeof(text)) ? text : "?");
    } else if (access(argument, R_OK) < 0) { /* reads */
        report_about(fake, place, "error", "no such file: %s", argument);
    }
}

static void flood(long kib)
{
    char line[1024];

    memset(line, '.', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (long i = 0; i < kib; i++)
        (void)fwrite(line, 1, sizeof(line), stderr);
}

static void grow(long mib)
{
    static volatile char *memory; /* kept for good: that is the point */
    size_t size = (size_t)mib * 1024 * 1024;

    memory = malloc(size);
    for (size_t i = 0; memory && i < size; i += 1024)
        memory[i] = 1;
}

/* Somebody else who holds the pipes for a while after this process has ended. */
static void leave_orphan(void)
{
    if (fork() == 0) {
        (void)alarm(5);
        for (;;)
            (void)pause();
    }
}

/* What goes wrong in the process rather than in the text. */
static void do_misbehave(const struct fake_lean *fake, const char *verb, const char *argument)
{
    bool here = strcmp(argument, "worker") != 0 || fake->worker;

    if (strcmp(verb, "noise") == 0) {
        (void)printf("%s", argument);
        (void)fflush(stdout);
    } else if (strcmp(verb, "stderr") == 0) {
        (void)fprintf(stderr, "%s\n", argument);
    } else if (strcmp(verb, "flood") == 0) {
        flood(strtol(argument, NULL, 10));
    } else if (strcmp(verb, "panic") == 0 && here) {
        (void)fprintf(stderr, "PANIC at _eval fake:1:7: boom\n");
    } else if (strcmp(verb, "crash") == 0 && here) {
        (void)signal(SIGSEGV, SIG_DFL); /* a sanitizer would make an exit code of it */
        (void)raise(SIGSEGV);
    } else if (strcmp(verb, "overflow") == 0) {
        (void)fprintf(stderr, "\nStack overflow detected. Aborting.\n");
        abort();
    } else if (strcmp(verb, "exit") == 0) {
        _exit((int)strtol(argument, NULL, 10));
    } else if (strcmp(verb, "hang") == 0 && !(fake->worker && strcmp(argument, "alone") == 0)) {
        for (;;)
            (void)pause();
    } else if (strcmp(verb, "orphan") == 0) {
        leave_orphan();
    } else if (strcmp(verb, "grow") == 0) {
        grow(strtol(argument, NULL, 10));
    }
}

/* What elaboration that takes its time looks like from outside. */
static void work(struct fake_lean *fake, uint64_t ms)
{
    uint64_t start = lwb_clock_ms();

    while (lwb_clock_ms() - start < ms)
        if (fake->progress)
            fake->progress(fake);
}

static void do_later(struct fake_lean *fake, const char *verb, const char *argument)
{
    if (strcmp(verb, "provides") == 0)
        (void)lwb_strvec_append(&fake->provides, argument);
    else if (strcmp(verb, "keeps") == 0)
        (void)lwb_strvec_append(&fake->keeps, argument);
    else if (strcmp(verb, "cut") == 0)
        fake->cut = true;
    else if (strcmp(verb, "lost") == 0)
        fake->lost = true;
    else if (strcmp(verb, "mute") == 0)
        fake->mute = true;
    else if (strcmp(verb, "refuse") == 0)
        fake->refuse = true;
    else if (strcmp(verb, "again") == 0)
        fake->again = true;
    else if (strcmp(verb, "withdraw") == 0)
        fake->withdraw = true;
    else if (strcmp(verb, "early") == 0)
        fake->early = true;
    else if (strcmp(verb, "stray") == 0)
        fake->stray = true;
    else if (strcmp(verb, "partial") == 0)
        fake->partial = true;
    else if (strcmp(verb, "work") == 0)
        work(fake, strtoull(argument, NULL, 10));
    else if (strcmp(verb, "steps") == 0)
        for (long i = strtol(argument, NULL, 10); i > 0 && fake->progress; i--)
            fake->progress(fake);
}

static void carry_out(struct fake_lean *fake, const struct place *place,
                      const struct lwb_lean_header *header, char *directive)
{
    char *argument = strchr(directive, ' ');

    if (argument)
        *argument++ = '\0';
    else
        argument = directive + strlen(directive);
    if (is_one_of(directive, "error warning info silent hidden"))
        do_message(fake, place, directive, argument);
    else if (strcmp(directive, "marked") == 0)
        do_marked_message(fake, place, argument);
    else if (is_one_of(directive, "sorry limit nul"))
        do_known_message(fake, place, directive);
    else if (strcmp(directive, "requires") == 0)
        do_import_question(fake, place, header, argument);
    else if (is_one_of(directive, "once twice needs given env where reads"))
        do_process_question(fake, place, directive, argument);
    else if (is_one_of(directive, "provides keeps cut lost mute refuse again withdraw early stray "
                                  "partial steps work"))
        do_later(fake, directive, argument);
    else if (is_one_of(directive, "noise stderr flood panic crash overflow exit hang grow orphan"))
        do_misbehave(fake, directive, argument);
    else
        report_about(fake, place, "error", "fake_lean does not know '%s'", directive);
}

static void do_line(struct fake_lean *fake, const struct lwb_lean_header *header, size_t number,
                    struct lwb_bytes line)
{
    const char *found = memmem(line.ptr, line.len, "--! ", 4);
    LWB_AUTO(lwb_free_text) char *directive = NULL;
    struct place place = { .line = number };

    if (!found)
        return;
    for (const char *at = line.ptr; at < found; at++) {
        unsigned char c = (unsigned char)*at;

        place.column += (c & 0xc0) != 0x80;
        place.units += (c & 0xc0) != 0x80 ? (c >= 0xf0 ? 2U : 1U) : 0U;
    }
    found += 4;
    directive = lwb_strndup(found, line.len - (size_t)(found - line.ptr));
    carry_out(fake, &place, header, directive);
}

/* Imports that cannot be loaded; then a command line goes on in an empty environment. */
static void load_imports(struct fake_lean *fake, const struct lwb_lean_header *header)
{
    static const struct place top = { .line = 1 };

    fake->header_failed = false;
    if (header->problem) {
        report(fake, &top, "error", header->problem);
        fake->header_failed = true;
    }
    for (size_t i = 0; i < header->n_imports && !fake->header_failed; i++) {
        LWB_AUTO(lwb_free_text) char *text = fake_olean_complaint(fake, header->imports[i].name);

        if (text) {
            report(fake, &top, "error", text);
            fake->header_failed = true;
        }
    }
}

void fake_lean_elaborate(struct fake_lean *fake, struct lwb_bytes source)
{
    LWB_AUTO(lwb_lean_header_release) struct lwb_lean_header header = { 0 };
    struct lwb_error err;
    struct lwb_bytes rest = source;

    fake_lean_forget_document(fake);
    if (lwb_lean_header_parse(&header, source, &err) < 0)
        abort();
    load_imports(fake, &header);
    if (fake->bad_option) {
        (void)fprintf(stderr, "invalid -D parameter, unknown configuration option '%s'\n",
                      fake->bad_option);
        exit(1);
    }
    if (fake->header_failed && fake->worker)
        return;
    for (size_t number = 1; rest.len > 0; number++) {
        const char *newline = memchr(rest.ptr, '\n', rest.len);
        size_t len = newline ? (size_t)(newline - rest.ptr) : rest.len;

        fake->line = number - 1;
        do_line(fake, &header, number, lwb_bytes(rest.ptr, len));
        len += newline ? 1 : 0;
        rest = lwb_bytes(rest.ptr + len, rest.len - len);
    }
}
