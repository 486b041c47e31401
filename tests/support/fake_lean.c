/* `lean FILE`, `lean -R . -o X.olean FILE` and `lean --worker`, faked: see fake_lean_internal.h. */
#include "tests/support/fake_lean_internal.h"

#include <stdio.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/json.h"
#include "lwbuild/base/path.h"

static void die(const char *text)
{
    (void)fprintf(stderr, "%s\n", text);
    exit(1);
}

/* The toolchain is the folder above bin/; its file "era" says which Lean this is. */
static void find_toolchain(struct fake_lean *fake, const char *program)
{
    static const char *const eras[] = { "2021-07", "2021-11", "2022-12", "4.8",
                                        "4.12",    "4.22",    "4.34" };
    LWB_AUTO(lwb_free_text) char *bin = lwb_path_dirname(program);
    LWB_AUTO(lwb_free_text) char *file = NULL;
    LWB_AUTO(lwb_buf_release) struct lwb_buf era = LWB_BUF(100);
    struct lwb_error err;

    fake->prefix = bin ? lwb_path_dirname(bin) : NULL;
    file = fake->prefix ? lwb_path_join(fake->prefix, "era") : NULL;
    if (!file || lwb_file_read(&era, file, NULL, &err) < 0)
        die("fake_lean: no file \"era\" in the toolchain");
    for (size_t i = 0; i < LWB_COUNT(eras); i++)
        if (strcmp(lwb_buf_text(&era), eras[i]) == 0) {
            fake->era = (enum fake_era)i;
            return;
        }
    die("fake_lean: unknown era");
}

/* Before 4.11 an option that nobody has declared ends the program at once. */
static void take_option(struct fake_lean *fake, const char *option)
{
    static const char *const known[] = { "fake.", "maxHeartbeats=", "autoImplicit=", "pp." };
    bool is_known = fake->era >= FAKE_4_8 && strncmp(option, "server.reportDelayMs=", 21) == 0;

    for (size_t i = 0; i < LWB_COUNT(known); i++)
        is_known = is_known || strncmp(option, known[i], strlen(known[i])) == 0;
    if (!is_known && fake->era >= FAKE_4_12)
        fake->bad_option = option;
    if (!is_known && fake->era < FAKE_4_12) {
        (void)fprintf(stderr, "unknown option '%s'\n", option);
        exit(1);
    }
    (void)lwb_strvec_append(&fake->options, option);
}

/* Returns the FILE argument, or NULL. */
static const char *read_arguments(struct fake_lean *fake, int argc, char **argv)
{
    const char *file = NULL;

    fake->arguments = argv;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--worker") == 0)
            fake->worker = true;
        else if (strcmp(argv[i], "--json") == 0 && fake->era >= FAKE_4_8)
            fake->json = true;
        else if (strncmp(argv[i], "-D", 2) == 0)
            take_option(fake, argv[i] + 2);
        else if (strcmp(argv[i], "-R") == 0 && i + 1 < argc)
            i++;
        else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
            fake->olean = argv[++i];
        else if (strcmp(argv[i], "-j0") == 0)
            die("a task manager without workers"); /* an assertion since 4.9 */
        else if (strncmp(argv[i], "-j", 2) == 0 || strncmp(argv[i], "-M", 2) == 0 ||
                 strncmp(argv[i], "--plugin=", 9) == 0)
            continue;
        else if (argv[i][0] == '-')
            die("Unknown command line option");
        else
            file = argv[i];
    }
    return file;
}

static void print_json(const struct fake_message *message, const char *file)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1024 * 1024);

    lwb_buf_append_text(&out, "{\"severity\":");
    lwb_json_append_text(&out, message->severity);
    lwb_buf_format(&out, ",\"pos\":{\"line\":%zu,\"column\":%zu},\"keepFullRange\":false",
                   message->line, message->column);
    lwb_buf_format(&out, ",\"kind\":\"[anonymous]\",\"fileName\":\"%s\",\"endPos\":null", file);
    lwb_buf_append_text(&out, ",\"data\":");
    lwb_json_append_text(&out, message->text);
    lwb_buf_append_text(&out, ",\"caption\":\"\"}");
    (void)printf("%s\n", lwb_buf_text(&out));
}

static void print_text(const struct fake_message *message, const char *file)
{
    size_t len = strlen(message->text);

    if (strcmp(message->severity, "information") != 0)
        (void)printf("%s:%zu:%zu: %s: ", file, message->line, message->column, message->severity);
    (void)printf("%s%s", message->text, len > 0 && message->text[len - 1] == '\n' ? "" : "\n");
}

static int run_once(struct fake_lean *fake, const char *file)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf source = LWB_BUF(64 * 1024 * 1024);
    LWB_AUTO(lwb_lean_header_release) struct lwb_lean_header header = { 0 };
    struct lwb_error err;

    if (!file)
        die("Expected exactly one file name");
    if (lwb_file_read(&source, file, NULL, &err) < 0)
        die(err.text);
    fake_lean_elaborate(fake, lwb_buf_bytes(&source));
    for (size_t i = 0; i < fake->n_messages; i++) {
        if (fake->messages[i].silent)
            continue;
        if (fake->json)
            print_json(&fake->messages[i], file);
        else
            print_text(&fake->messages[i], file);
    }
    (void)fflush(stdout);
    if (fake_lean_has_error(fake))
        return 1;
    if (lwb_lean_header_parse(&header, lwb_buf_bytes(&source), &err) < 0)
        return 1;
    return fake->olean && !fake->lost ? fake_olean_write(fake, fake->olean, &header) : 0;
}

int main(int argc, char **argv)
{
    static struct fake_lean fake;
    const char *file;

    find_toolchain(&fake, argv[0]);
    file = read_arguments(&fake, argc, argv);
    return fake.worker ? fake_lean_worker(&fake) : run_once(&fake, file);
}
