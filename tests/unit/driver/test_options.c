#include "tests/support/test.h"

#include <string.h>

#include "lwbuild/driver/options.h"
#include "tests/support/scratch.h"

/* Parse the words up to NULL. */
static int parse(struct lwb_options *options, struct lwb_error *err, ...)
{
    char *argv[32] = { "lwbuild" };
    int argc = 1;
    va_list words;

    va_start(words, err);
    while ((argv[argc] = va_arg(words, char *)))
        argc++;
    va_end(words);
    return lwb_options_parse(options, argc, argv, err);
}

static void check_is_the_default_command(void **state)
{
    LWB_AUTO(lwb_options_release) struct lwb_options options = { 0 };
    struct lwb_error err;

    (void)state;
    assert_int_equal(parse(&options, &err, "--jobs", "4", "A.B", "x.lean", NULL), LWB_OK);
    assert_int_equal(options.command, LWB_CMD_CHECK);
    assert_int_equal(options.jobs, 4);
    assert_int_equal(options.targets.count, 2);
    assert_string_equal(options.targets.items[1], "x.lean");
}

static void commands_are_first_words_only(void **state)
{
    LWB_AUTO(lwb_options_release) struct lwb_options plan = { 0 };
    LWB_AUTO(lwb_options_release) struct lwb_options module = { 0 };
    LWB_AUTO(lwb_options_release) struct lwb_options trim = { 0 };
    struct lwb_error err;

    (void)state;
    assert_int_equal(parse(&plan, &err, "plan", "check", NULL), LWB_OK);
    assert_int_equal(plan.command, LWB_CMD_PLAN);
    assert_string_equal(plan.targets.items[0], "check");
    assert_int_equal(parse(&module, &err, "check", "--", "plan", "--jobs", NULL), LWB_OK);
    assert_int_equal(module.targets.count, 2);
    assert_int_equal(parse(&trim, &err, "cache", "trim", "--max-size=10", NULL), LWB_OK);
    assert_int_equal(trim.command, LWB_CMD_CACHE_TRIM);
    assert_int_equal(trim.max_size_mib, 10);
}

static void values_come_in_every_usual_form(void **state)
{
    LWB_AUTO(lwb_options_release) struct lwb_options options = { 0 };
    struct lwb_error err;

    (void)state;
    assert_int_equal(
        parse(&options, &err, "-Da=1", "-D", "b=2", "--host=lean", "--host", "kernel", "-j3", NULL),
        LWB_OK);
    assert_int_equal(options.lean_options.count, 2);
    assert_string_equal(options.lean_options.items[0], "a=1");
    assert_string_equal(options.lean_options.items[1], "b=2");
    assert_string_equal(options.host, "kernel");
    assert_int_equal(options.jobs, 3);
}

static void wrong_words_get_one_line_that_says_what_to_do(void **state)
{
    static const struct {
        const char *words[4];
        const char *says;
    } cases[] = {
        { { "--frob" }, "unknown option --frob; see lwbuild --help" },
        { { "--jobs" }, "--jobs wants a value: N" },
        { { "--jobs", "0" }, "--jobs wants a number from 1" },
        { { "--jobs", "many" }, "--jobs wants a number from 1" },
        { { "--isolation", "x" }, "--isolation takes one of: warm fresh confirm" },
        { { "--quiet=1" }, "--quiet takes no value" },
        { { "plan", "--stamp", "x" }, "this command does not take --stamp" },
        { { "cache" }, "lwbuild cache wants one of: trim, clear, verify" },
        { { "cache", "frob" }, "lwbuild cache wants one of: trim, clear, verify" },
        { { "--no-cache", "--recache" }, "--no-cache goes with neither" },
        { { "--depfile", "x" }, "--depfile wants --stamp" },
        { { "--library", "L", "A" }, "--library chooses what to check, and so do the modules" },
        { { "plan", "--library", "L", "A" }, "leave one of them out" },
        { { "-D", "x" }, "-D wants name=value" },
        { { "--format", "tsv" }, "--format tsv is for --stats only" },
        { { "@/no/such/file" }, "/no/such/file" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_options_release) struct lwb_options options = { 0 };
        const char *const *w = cases[i].words;
        struct lwb_error err;

        assert_int_equal(parse(&options, &err, w[0], w[1], w[2], w[3], NULL), LWB_ERR_USAGE);
        assert_non_null(strstr(err.text, cases[i].says));
    }
}

static void a_response_file_stands_for_its_lines(void **state)
{
    LWB_AUTO(lwb_options_release) struct lwb_options options = { 0 };
    struct scratch scratch;
    struct lwb_error err;
    char at[300];

    (void)state;
    scratch_make(&scratch);
    scratch_write(&scratch, "rsp", "--jobs\n2\n\nA B.lean\r\n$x#y.lean\nlast");
    (void)snprintf(at, sizeof(at), "@%s", scratch_path(&scratch, "rsp"));
    assert_int_equal(parse(&options, &err, at, "C", NULL), LWB_OK);
    assert_int_equal(options.jobs, 2);
    assert_int_equal(options.targets.count, 4);
    assert_string_equal(options.targets.items[0], "A B.lean");
    assert_string_equal(options.targets.items[1], "$x#y.lean");
    assert_string_equal(options.targets.items[2], "last");
    assert_int_equal(options.response_files.count, 1);
    scratch_remove(&scratch);
}

static void a_response_file_that_names_itself_ends(void **state)
{
    LWB_AUTO(lwb_options_release) struct lwb_options options = { 0 };
    struct scratch scratch;
    struct lwb_error err;
    char at[300];

    (void)state;
    scratch_make(&scratch);
    (void)snprintf(at, sizeof(at), "@%s", scratch_path(&scratch, "rsp"));
    scratch_write(&scratch, "rsp", at);
    assert_int_equal(parse(&options, &err, at, NULL), LWB_ERR_USAGE);
    assert_non_null(strstr(err.text, "nested too deeply"));
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_is_the_default_command),
        cmocka_unit_test(commands_are_first_words_only),
        cmocka_unit_test(values_come_in_every_usual_form),
        cmocka_unit_test(wrong_words_get_one_line_that_says_what_to_do),
        cmocka_unit_test(a_response_file_stands_for_its_lines),
        cmocka_unit_test(a_response_file_that_names_itself_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
