/* lwbuild run and lwbuild doctor as a user calls them, over libraries in C: no Lean is needed. */
#include "tests/support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

static const char *const environment[] = { "LWBUILD_CHILD=" LWBUILD_CHILD, NULL };

static void start(struct program_handle *handle, const char *const *words)
{
    const char *argv[16] = { LWBUILD, "run" };

    for (size_t n = 2; *words; n++)
        argv[n] = *words++;
    program_start(handle, &(struct program){ argv, environment, NULL });
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Runs it and compares the exit code and all of stdout. */
static void expect(const char *const *words, int exit_code, const char *out, const char *said)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct program_handle handle;

    start(&handle, words);
    program_wait(&run, &handle);
    if (run.exit_code != exit_code || !strstr(lwb_buf_text(&run.err), said))
        print_error("exit %d; stderr: %s\n", run.exit_code, lwb_buf_text(&run.err));
    assert_int_equal(run.exit_code, exit_code);
    assert_string_equal(lwb_buf_text(&run.out), out);
    assert_non_null(strstr(lwb_buf_text(&run.err), said));
}

static void a_command_prints_its_answer(void **state)
{
    (void)state;
    expect(WORDS(FIXTURE, "command", "--json", "{\"a\":1}"), 0, "{\"a\":1}\n",
           "warning: an odd request [odd]");
    expect(WORDS(FIXTURE, "command", "--json", "{\n\"a\":1}"), 0, "{ \"a\":1}\n", "");
    expect(WORDS(FIXTURE, "command"), 0, "{}\n", "");
    expect(WORDS(FIXTURE, "command", "--json", "{\"print\":1}"), 0, "{\"print\":1}\n", "stray\n");
    expect(WORDS(FIXTURE, "metadata"), 0,
           "{\"name\":\"fixture\",\"version\":\"1\",\"commands\":[]}\n", "");
    expect(WORDS(FIXTURE, "doctor", "--package", "p", "--library", "l"), 0,
           "{\"package\":\"p\",\"library\":\"l\",\"imports\":[]}\n", "");
}

static void a_stream_prints_rows(void **state)
{
    (void)state;
    expect(WORDS(FIXTURE, "stream", "--rows"), 0, "{\"row\":1}\n{\"row\":1}\n{\"row\":1}\n", "");
    expect(
        WORDS(FIXTURE, "stream", "--rows", "--format", "json"), 0,
        "{\"schema\":1,\"type\":\"row\",\"stream\":\"even\",\"sequence\":0,\"row\":{\"row\":1}}\n"
        "{\"schema\":1,\"type\":\"row\",\"stream\":\"odd\",\"sequence\":0,\"row\":{\"row\":1}}\n"
        "{\"schema\":1,\"type\":\"row\",\"stream\":\"even\",\"sequence\":1,\"row\":{\"row\":1}}\n"
        "{\"schema\":1,\"type\":\"summary\",\"rows\":3}\n",
        "");
}

static void events_are_lines_of_json(void **state)
{
    (void)state;
    expect(WORDS(FIXTURE, "command", "--format", "json"), 0,
           "{\"schema\":1,\"type\":\"progress\",\"phase\":\"half\",\"current\":1,\"total\":2}\n"
           "{\"schema\":1,\"type\":\"diagnostic\",\"severity\":\"warning\",\"code\":\"odd\","
           "\"message\":\"an odd request\"}\n"
           "{\"schema\":1,\"type\":\"answer\",\"answer\":{}}\n",
           "");
    expect(WORDS(FIXTURE, "command", "--format", "json", "--json", "{\"fail\":1}"), 1,
           "{\"schema\":1,\"type\":\"error\",\"code\":\"no-luck\",\"message\":\"it was not to "
           "be\"}\n",
           "");
}

static void exit_codes_say_who_is_to_blame(void **state)
{
    (void)state;
    expect(WORDS(FIXTURE, "command", "--json", "{\"fail\":1}"), 1, "",
           "error: it was not to be [no-luck]");
    expect(WORDS(FIXTURE, "command", "--json", "{\"status\":1}"), 1, "", "ended with status 7");
    expect(WORDS(FIXTURE, "stream", "--rows", "--json", "{\"fail\":1}"), 1, "",
           "no-luck: it was not to be");
    expect(WORDS(FIXTURE, "nothing"), 2, "", "fixture has no command \"nothing\"");
    expect(WORDS(FIXTURE), 2, "", "wants a capability");
    expect(WORDS(FIXTURE, "command", "--recache"), 2, "", "does not take --recache");
    expect(WORDS("nowhere.so", "command"), 3, "", "there is no library");
    expect(WORDS(OTHER_ABI, "command"), 3, "", "has capability ABI 2");
    expect(WORDS(FAILS_TO_OPEN, "command"), 3, "", "not today [closed]");
    expect(WORDS(FIXTURE, "command", "--json", "{\"crash\":1}"), 4, "", "SIGABRT");
    expect(WORDS(FIXTURE, "command", "--timeout", "1", "--json", "{\"hang\":1}"), 4, "",
           "[timeout]");
}

static void what_cannot_be_written_is_no_success(void **state)
{
    const char *argv[] = { "/bin/sh", "-c",    "exec \"$0\" run \"$1\" command >/dev/full",
                           LWBUILD,   FIXTURE, NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    (void)state;
    program_run(&run, &(struct program){ argv, environment, NULL });
    assert_int_equal(run.exit_code, 3);
    assert_non_null(strstr(lwb_buf_text(&run.err), "cannot write the answer"));
}

static void rows_that_nobody_takes_are_not_asked_for(void **state)
{
    const char *argv[] = { "/bin/sh",
                           "-c",
                           "exec \"$0\" run \"$1\" stream --rows --json '{\"large\":1}' >/dev/full",
                           LWBUILD,
                           FIXTURE,
                           NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    (void)state;
    program_run(&run, &(struct program){ argv, environment, NULL });
    assert_int_equal(run.exit_code, 4);
    assert_non_null(strstr(lwb_buf_text(&run.err), "the output is not taken"));
}

static void a_signal_ends_the_child_too(void **state)
{
    struct scratch scratch;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct program_handle handle;
    char request[512];
    int fifo;
    char byte;

    (void)state;
    scratch_make(&scratch);
    (void)snprintf(request, sizeof(request), "{\"touch\":\"%s\",\"hang\":1}",
                   scratch_path(&scratch, "fifo"));
    assert_int_equal(mkfifo(scratch_path(&scratch, "fifo"), 0600), 0);
    start(&handle, WORDS(FIXTURE, "command", "--json", request));
    fifo = open(scratch_path(&scratch, "fifo"), O_RDONLY); /* until the export has opened it */
    assert_int_equal(kill(handle.pid, SIGINT), 0);
    program_wait(&run, &handle);
    assert_int_equal(run.exit_code, 130);
    assert_int_equal(read(fifo, &byte, 1), 0); /* nobody holds the other end any more */
    (void)close(fifo);
    scratch_remove(&scratch);
}

#define IS_FIXTURE "{\"name\":\"fixture\",\"commands\":[]}"

static void metadata_is_compared_before_the_call(void **state)
{
    (void)state;
    expect(WORDS(FIXTURE, "command", "--expect-metadata", IS_FIXTURE), 0, "{}\n", "");
    expect(WORDS(FIXTURE, "stream", "--rows", "--expect-metadata", "{\"version\":\"2\"}"), 3, "",
           "version: expected \"2\", is \"1\" [metadata-mismatch]");
    expect(WORDS(FIXTURE, "command", "--expect-metadata", "{\"commands\":[{\"name\":\"other\"}]}"),
           3, "", "commands: expected {\"name\":\"other\"}, is nothing [metadata-mismatch]");
    expect(WORDS(FIXTURE, "command", "--expect-metadata", "{\"commands\":7}"), 2, "",
           "expected metadata: \"commands\" is not an array");
    expect(WORDS("nowhere.so", "command", "--expect-metadata", "{"), 2, "", "expected metadata: ");
}

/* Runs lwbuild doctor with up to three words; returns the exit code, all of stdout in `run`. */
static void examine(struct program_run *run, const char *first, const char *second,
                    const char *third)
{
    const char *argv[] = { LWBUILD, "doctor", first, second, third, NULL };

    program_run(run, &(struct program){ argv, environment, NULL });
}

static void expect_finding(const struct program_run *run, int exit_code, const char *line)
{
    if (run->exit_code != exit_code || !strstr(lwb_buf_text(&run->out), line))
        print_error("exit %d; stdout: %s\n", run->exit_code, lwb_buf_text(&run->out));
    assert_int_equal(run->exit_code, exit_code);
    assert_non_null(strstr(lwb_buf_text(&run->out), line));
}

static void doctor_looks_before_it_starts_anything(void **state)
{
    LWB_AUTO(program_run_release) struct program_run ill = { 0 };

    (void)state;
    examine(&ill, "nowhere.json", NULL, NULL);
    expect_finding(&ill, 3, "error    capability: ");
    assert_non_null(strstr(lwb_buf_text(&ill.out), "build the target that makes it"));
}

static void doctor_starts_a_child_and_asks(void **state)
{
    LWB_AUTO(program_run_release) struct program_run well = { 0 };
    LWB_AUTO(program_run_release) struct program_run json = { 0 };
    LWB_AUTO(program_run_release) struct program_run other = { 0 };

    (void)state;
    examine(&well, WORDS_LIBRARY, NULL, NULL);
    expect_finding(&well, 0, "ok       capability: the child has loaded it\n");
    expect_finding(&well, 0, "ok       words: nothing beyond the C library is needed\n");
    examine(&json, WORDS_LIBRARY, "--format", "json");
    expect_finding(&json, 0,
                   "{\"schema\":1,\"type\":\"check\",\"code\":\"words.ready\",\"severity\":"
                   "\"info\",\"subject\":\"words\",\"message\":");
    expect_finding(&json, 0, "\"code\":\"metadata-accepted\",\"severity\":\"info\"");
    examine(&other, WORDS_LIBRARY, "--expect-metadata", "{\"name\":\"sentences\"}");
    expect_finding(&other, 3, "error    capability: name: expected \"sentences\", is \"words\"\n");
}

static void doctor_says_what_does_not_start(void **state)
{
    LWB_AUTO(program_run_release) struct program_run abi = { 0 };
    LWB_AUTO(program_run_release) struct program_run closed = { 0 };
    LWB_AUTO(program_run_release) struct program_run no_report = { 0 };

    (void)state;
    examine(&abi, OTHER_ABI, "--format", "json");
    expect_finding(&abi, 3, "\"code\":\"startup-failed\",\"severity\":\"error\"");
    expect_finding(&abi, 3, "has capability ABI 2");
    examine(&closed, FAILS_TO_OPEN, NULL, NULL);
    expect_finding(&closed, 3, "not today");
    examine(&no_report, FIXTURE, NULL, NULL);
    expect_finding(&no_report, 3, "error    capability: doctor: \"diagnostics\" is missing\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_prints_its_answer),
        cmocka_unit_test(a_stream_prints_rows),
        cmocka_unit_test(events_are_lines_of_json),
        cmocka_unit_test(exit_codes_say_who_is_to_blame),
        cmocka_unit_test(what_cannot_be_written_is_no_success),
        cmocka_unit_test(rows_that_nobody_takes_are_not_asked_for),
        cmocka_unit_test(a_signal_ends_the_child_too),
        cmocka_unit_test(metadata_is_compared_before_the_call),
        cmocka_unit_test(doctor_looks_before_it_starts_anything),
        cmocka_unit_test(doctor_starts_a_child_and_asks),
        cmocka_unit_test(doctor_says_what_does_not_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
