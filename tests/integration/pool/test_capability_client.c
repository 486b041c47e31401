#include "tests/support/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "lwbuild/base/json.h"
#include "lwbuild/lwbuild.h"
#include "tests/support/worker_fixture.h"

/* From a path to a session that works, with the real child and the example capability. */

static struct lwb_capability_config words_config(void)
{
    struct lwb_capability_config config = LWB_CAPABILITY_CONFIG_DEFAULTS;

    config.capability = WORDS;
    config.child = REAL_CHILD;
    return config;
}

static void expect_last(const struct lwb_bootstrap_report *report, const char *code)
{
    assert_true(report->n_checks > 0);
    assert_string_equal(code, report->checks[report->n_checks - 1].code);
}

static void a_capability_opens_and_answers(void **state)
{
    LWB_AUTO(lwb_capability_close) struct lwb_capability_client *client = NULL;
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply kept = { 0 };
    LWB_AUTO(lwb_doctor_report_release) struct lwb_doctor_report doctor = { 0 };
    const struct lwb_export_request request = { "doctor", { "{}", 2 } };
    struct lwb_capability_config config = words_config();
    struct lwb_bootstrap_report report;
    struct lwb_error err = { 0 };

    (void)state;
    config.metadata = "{\"name\":\"words\",\"commands\":[{\"name\":\"count\",\"version\":\"1\"}]}";
    if (lwb_capability_open(&client, &config, &report, &err) < 0)
        fail_msg("%s", err.text);
    expect_last(&report, "metadata-accepted");
    assert_null(lwb_bootstrap_first_error(&report));
    assert_string_equal("words", lwb_capability_metadata(client)->name);
    assert_int_equal(2, lwb_capability_metadata(client)->n_commands);
    assert_true(lwb_capability_runtime(client)->n_hosts > 0);
    assert_int_equal(LWB_OK, lwb_blocking_doctor(lwb_capability_blocking(client),
                                                 lwb_capability_lease(client), &request, NULL,
                                                 &kept, &err));
    assert_int_equal(LWB_OK, lwb_doctor_report_parse(&doctor, kept.reply.answer.json, &err));
    assert_int_equal(LWB_DOCTOR_PASS, doctor.worst);
    assert_int_equal(LWB_OK, lwb_capability_renew(client, &err));
}

static void metadata_of_another_capability_is_refused(void **state)
{
    struct lwb_capability_client *client = NULL;
    struct lwb_capability_config config = words_config();
    struct lwb_bootstrap_report report;
    struct lwb_error err;

    (void)state;
    config.metadata =
        "{\"commands\":[{\"name\":\"count\"},{\"name\":\"count\",\"version\":\"9\"}]}";
    assert_int_equal(LWB_ERR_METADATA_MISMATCH,
                     lwb_capability_open(&client, &config, &report, &err));
    assert_string_equal("commands: expected {\"name\":\"count\",\"version\":\"9\"}, is "
                        "{\"name\":\"count\",\"version\":\"1\"}",
                        err.text);
    expect_last(&report, "metadata-mismatch");
    assert_int_equal(0, child_processes());
}

static void a_child_that_is_not_there_is_a_finding(void **state)
{
    struct lwb_capability_config config = words_config();
    struct lwb_bootstrap_report report;
    struct lwb_error err;

    (void)state;
    config.child = "/nowhere/child";
    assert_int_equal(LWB_ERR_BOOTSTRAP, lwb_capability_check(&config, &report, &err));
    assert_string_equal("child-unresolved", err.facts.child_code);
    assert_string_equal("child-unresolved", lwb_bootstrap_first_error(&report)->code);
    config.child = LWB_SOURCE_DIR "/LICENSE";
    assert_int_equal(LWB_ERR_BOOTSTRAP, lwb_capability_check(&config, &report, &err));
    assert_string_equal("child-not-executable", err.facts.child_code);
}

static void a_library_that_is_not_there_is_a_finding(void **state)
{
    struct lwb_capability_config config = words_config();
    struct lwb_bootstrap_report report;
    struct lwb_error err;

    (void)state;
    config.capability = "/nowhere/library.so";
    assert_int_equal(LWB_ERR_BOOTSTRAP, lwb_capability_check(&config, &report, &err));
    assert_string_equal("capability-preflight", lwb_bootstrap_first_error(&report)->code);
}

static void a_program_that_is_no_child_is_a_finding(void **state)
{
    struct lwb_capability_client *client = NULL;
    struct lwb_capability_config config = words_config();
    struct lwb_bootstrap_report report;
    struct lwb_error err;

    (void)state;
    config.child = "/bin/echo";
    assert_int_equal(LWB_ERR_HANDSHAKE, lwb_capability_open(&client, &config, &report, &err));
    expect_last(&report, "handshake-failed");
    config.child = "/bin/false";
    assert_int_equal(LWB_ERR_CHILD_EXITED, lwb_capability_open(&client, &config, &report, &err));
    expect_last(&report, "startup-failed");
}

static void the_child_is_found_by_its_environment(void **state)
{
    char *path = NULL;
    struct lwb_error err;

    (void)state;
    assert_int_equal(0, unsetenv("LWBUILD_CHILD"));
    assert_int_equal(LWB_ERR_CHILD_NOT_FOUND, lwb_child_path_find(&path, NULL, "no-such", &err));
    assert_non_null(strstr(err.text, "/no-such, ")); /* both places are named */
    assert_int_equal(0, setenv("LWBUILD_CHILD", REAL_CHILD, 1));
    assert_int_equal(LWB_OK, lwb_child_path_find(&path, NULL, NULL, &err));
    assert_string_equal(REAL_CHILD, path);
    lwb_free_text(path);
    assert_int_equal(0, unsetenv("LWBUILD_CHILD"));
}

static void what_can_stand_in_for_each_other_has_the_same_key(void **state)
{
    struct lwb_capability_config config = words_config();
    struct lwb_digest one;
    struct lwb_digest other;
    struct lwb_error err;

    (void)state;
    assert_int_equal(LWB_OK, lwb_capability_key(&one, &config, &err));
    config.child = "/another/child"; /* how it is run is not what it is about */
    assert_int_equal(LWB_OK, lwb_capability_key(&other, &config, &err));
    assert_memory_equal(&one, &other, sizeof(one));
    config.metadata = "{\"name\":\"words\"}";
    assert_int_equal(LWB_OK, lwb_capability_key(&other, &config, &err));
    assert_memory_not_equal(&one, &other, sizeof(one));
    config = words_config();
    config.capability = "/another/library.so";
    assert_int_equal(LWB_OK, lwb_capability_key(&other, &config, &err));
    assert_memory_not_equal(&one, &other, sizeof(one));
    config.capability = NULL;
    assert_int_equal(LWB_ERR_USAGE, lwb_capability_key(&other, &config, &err));
}

/* The library has gone since it was looked at: the child says so when it opens the session. */
static void a_session_without_its_library_is_not_set_up(void **state)
{
    const struct lwb_session_config world = {
        .open = { .host = "capability", .capability = "/nowhere/library.so" },
    };
    struct lwb_pool_config config = { .max_workers = 1, .worker = LWB_WORKER_CONFIG_DEFAULTS };
    LWB_AUTO(lwb_blocking_close) struct lwb_blocking *client = NULL;
    struct lwb_lease *lease = NULL;
    struct lwb_error err;

    (void)state;
    config.worker.executable = REAL_CHILD;
    assert_int_equal(LWB_OK, lwb_blocking_open(&client, &config, &err));
    assert_int_equal(LWB_ERR_SETUP, lwb_blocking_acquire(client, &world, NULL, &lease, &err));
    assert_non_null(strstr(err.text, "/nowhere/library.so"));
}

static void a_doctor_may_say_more(void **state)
{
    LWB_AUTO(lwb_doctor_report_release) struct lwb_doctor_report doctor = { 0 };
    const char *json = "{\"diagnostics\":[{\"severity\":\"warning\",\"code\":\"c\",\"message\":"
                       "\"m\",\"details\":{\"n\":7}},{\"severity\":\"pass\",\"code\":\"d\","
                       "\"message\":\"m\"}],\"metadata\":{\"name\":\"words\"}}";
    struct lwb_error err;
    const char *name;
    uint64_t n;

    (void)state;
    assert_int_equal(LWB_OK, lwb_doctor_report_parse(&doctor, lwb_bytes_text(json), &err));
    assert_int_equal(LWB_DOCTOR_WARNING, doctor.worst);
    assert_int_equal(LWB_OK, lwb_json_get_count(doctor.diagnostics[0].details, "n", &n, &err));
    assert_int_equal(7, n);
    assert_null(doctor.diagnostics[1].details);
    assert_int_equal(LWB_OK, lwb_json_get_text(doctor.metadata, "name", &name, &err));
    assert_string_equal("words", name);
}

static void reports_of_another_shape_are_malformed(void **state)
{
    struct lwb_capability_metadata metadata;
    struct lwb_doctor_report doctor;
    struct lwb_error err;

    (void)state;
    assert_int_equal(LWB_ERR_METADATA_MALFORMED,
                     lwb_capability_metadata_parse(&metadata, lwb_bytes_text("[]"), &err));
    assert_int_equal(LWB_ERR_METADATA_MALFORMED,
                     lwb_capability_metadata_parse(
                         &metadata, lwb_bytes_text("{\"commands\":[{\"version\":\"1\"}]}"), &err));
    assert_string_equal("metadata: \"commands\": \"name\" is missing", err.text);
    assert_int_equal(LWB_ERR_DOCTOR_MALFORMED,
                     lwb_doctor_report_parse(&doctor, lwb_bytes_text("{}"), &err));
    assert_int_equal(
        LWB_ERR_DOCTOR_MALFORMED,
        lwb_doctor_report_parse(&doctor,
                                lwb_bytes_text("{\"diagnostics\":[{\"severity\":\"fine\",\"code\":"
                                               "\"c\",\"message\":\"m\"}]}"),
                                &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capability_opens_and_answers),
        cmocka_unit_test(what_can_stand_in_for_each_other_has_the_same_key),
        cmocka_unit_test(a_session_without_its_library_is_not_set_up),
        cmocka_unit_test(a_doctor_may_say_more),
        cmocka_unit_test(metadata_of_another_capability_is_refused),
        cmocka_unit_test(a_child_that_is_not_there_is_a_finding),
        cmocka_unit_test(a_library_that_is_not_there_is_a_finding),
        cmocka_unit_test(a_program_that_is_no_child_is_a_finding),
        cmocka_unit_test(the_child_is_found_by_its_environment),
        cmocka_unit_test(reports_of_another_shape_are_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
