#include "tests/support/test.h"

#include <dirent.h>
#include <unistd.h>

#include "child/lean/lean_host.h"
#include "child/lean/olean_file.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "tests/support/fake_session.h"

/* A process per module: artifacts, and what its folder is like. */

static void check(struct fake_session *fixture, const char *file, const char *source,
                  bool want_artifact)
{
    struct lwb_check_request request = { .module = "A",
                                         .file = file,
                                         .source = lwb_bytes_text(source),
                                         .isolation = LWB_ISOLATION_FRESH,
                                         .want_artifact = want_artifact };

    if (lean_session_check_as(&fixture->lean, &request) < 0)
        fail_msg("%s", fixture->lean.err.text);
    assert_true(fixture->lean.response.fresh);
}

static void fresh_means_without_history(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    for (int i = 0; i < 2; i++) {
        check(&fixture, "A.lean", "--! once ref\n", false);
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
        assert_int_equal(fixture.lean.response.n_artifacts, 0);
    }
    lean_session_finish(&fixture.lean);
}

static void an_artifact_is_whole_and_has_its_digest(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        const struct lwb_artifact *artifact;
        struct lwb_digest digest;
        struct lwb_error err;
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        check(&fixture, "Deep/A.lean", "--! provides x\n", true);
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
        assert_true(fixture.lean.response.storable);
        assert_int_equal(fixture.lean.response.n_artifacts, 1);
        artifact = &fixture.lean.response.artifacts[0];
        assert_string_equal(artifact->part, "olean");
        assert_memory_equal(artifact->path, fixture.lean.own_folder,
                            strlen(fixture.lean.own_folder));
        assert_int_equal(lwb_olean_inspect(artifact->path, LWB_OLEAN_FIRST, &err), LWB_OLEAN_WHOLE);
        assert_int_equal(lwb_digest_file(&digest, artifact->path, &err), LWB_OK);
        assert_int_equal(lwb_digest_compare(&digest, &artifact->digest), 0);
        lean_session_finish(&fixture.lean);
    }
}

static void open_module_system(struct fake_session *fixture, const char *era)
{
    fake_session_prepare(fixture, era);
    fixture->lean.open.module_system = true;
    lean_session_open(&fixture->lean);
}

static void a_module_of_the_module_system_has_parts(void **state)
{
    static const char *const parts[] = { "olean", "olean.server", "olean.private", "ir", "ir.sig" };
    static const struct {
        const char *era;
        const char *source;
        size_t n_parts;
    } cases[] = {
        { "4.22", "module\n--! provides x\n", 4 },
        { "4.22", "module\n", 4 },
        { "4.34", "module\n--! provides x\n", 5 },
        { "4.34", "module\n", 5 },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct fake_session fixture;

        open_module_system(&fixture, cases[i].era);
        check(&fixture, "A.lean", cases[i].source, true);
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
        assert_int_equal(fixture.lean.response.n_artifacts, cases[i].n_parts);
        for (size_t k = 0; k < cases[i].n_parts; k++)
            assert_string_equal(fixture.lean.response.artifacts[k].part, parts[k]);
        lean_session_finish(&fixture.lean);
    }
}

static void an_artifact_without_all_its_parts_is_no_verdict(void **state)
{
    struct fake_session fixture;

    (void)state;
    open_module_system(&fixture, "4.22");
    check(&fixture, "A.lean", "module\n--! partial\n", true);
    fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_ARTIFACT, true);
    assert_string_equal(fixture.lean.response.detail, "the .olean.private was not written");
    lean_session_finish(&fixture.lean);
}

static void half_an_artifact_is_no_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        check(&fixture, "A.lean", "--! cut\n", true);
        fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_ARTIFACT, true);
        assert_string_equal(fixture.lean.response.detail, "the .olean is cut");
        check(&fixture, "A.lean", "--! lost\n", true);
        fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_ARTIFACT, true);
        assert_string_equal(fixture.lean.response.detail,
                            "lean ended with exit code 0 before it came to the end: "
                            "the .olean was not written");
        assert_false(fixture.lean.response.storable);
        lean_session_finish(&fixture.lean);
    }
}

static void a_rejected_module_has_no_artifact(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    check(&fixture, "A.lean", "--! error x\n", true);
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    assert_int_equal(fixture.lean.response.n_artifacts, 0);
    lean_session_finish(&fixture.lean);
}

/* The artifact of the last check becomes `name`.olean in the folder "lib". */
static void keep_artifact(struct fake_session *fixture, const char *name)
{
    char path[400];

    (void)snprintf(path, sizeof(path), "%s/lib/%s.olean", fixture->lean.scratch.dir, name);
    assert_int_equal(rename(fixture->lean.response.artifacts[0].path, path), 0);
}

static void imports_are_seen_through_imports(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_prepare(&fixture, fake_toolchain_era(i));
        scratch_write(&fixture.lean.scratch, "lib/keep", "");
        assert_int_equal(lwb_strvec_append(&fixture.lean.search_path,
                                           scratch_path(&fixture.lean.scratch, "lib")),
                         0);
        lean_session_open(&fixture.lean);
        check(&fixture, "A.lean", "--! provides deep\n", true);
        keep_artifact(&fixture, "A");
        check(&fixture, "B.lean", "import A\n", true);
        keep_artifact(&fixture, "B");
        check(&fixture, "C.lean", "import B\n--! requires deep\n", false);
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
        /* A changes; B's own file need not, and still C is no longer right. */
        check(&fixture, "A.lean", "--! provides other\n", true);
        keep_artifact(&fixture, "A");
        check(&fixture, "C.lean", "import B\n--! requires deep\n", false);
        fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
        lean_session_finish(&fixture.lean);
    }
}

/* ---- folders --------------------------------------------------------------------------------- */

static size_t count_entries(const char *folder)
{
    DIR *dir = opendir(folder);
    size_t count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count;
}

static void nothing_is_left_in_the_scratch_folder(void **state)
{
    struct fake_session fixture;
    size_t before;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    before = count_entries(fixture.lean.own_folder);
    for (int i = 0; i < 3; i++)
        check(&fixture, "A.lean", "--! provides x\n", true);
    assert_int_equal(count_entries(fixture.lean.own_folder), before + 1);
    lwb_host_lean.close(fixture.lean.session);
    fixture.lean.session = NULL;
    assert_int_equal(count_entries(fixture.lean.own_folder), before);
    lean_session_finish(&fixture.lean);
}

static void the_bytes_that_were_given_are_checked(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    scratch_write(&fixture.lean.scratch, "p/A.lean", "--! error by now it is wrong\n");
    check(&fixture, "A.lean", "def x := 1\n", false);
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
    lean_session_finish(&fixture.lean);
}

static void files_beside_a_module_can_be_read(void **state)
{
    static const char source[] = "include_str \"../data/x.txt\"\n"
                                 "--! reads data/x.txt\n--! reads Deep/../data/x.txt\n"
                                 "--! reads Deep/Beside.txt\n--! reads Deep/A.lean\n";
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    scratch_write(&fixture.lean.scratch, "p/data/x.txt", "x");
    scratch_write(&fixture.lean.scratch, "p/Deep/Beside.txt", "x");
    scratch_write(&fixture.lean.scratch, "p/Deep/A.lean", "--! error not these bytes\n");
    check(&fixture, "Deep/A.lean", source, false);
    assert_string_equal(lean_session_text(&fixture.lean), "");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
    /* Nothing in the source says so: it is found out by what happens. */
    scratch_write(&fixture.lean.scratch, "p/data/y", "y");
    check(&fixture, "Deep/A.lean", "--! reads data/y\n", true);
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
    assert_int_equal(fixture.lean.response.n_artifacts, 1);
    /* What lies outside the project is found by the same paths. */
    scratch_write(&fixture.lean.scratch, "beside", "b");
    for (int i = 0; i < 2; i++) {
        check(&fixture, "Deep/A.lean",
              i ? "/- IO.FS -/ --! reads ../beside\n" : "--! reads ../beside\n", false);
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
    }
    check(&fixture, "Deep/A.lean", "--! where\n--! reads data/z\n", false);
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    assert_string_equal(lean_session_text(&fixture.lean),
                        "open '" LWB_DIAGNOSTIC_ROOT "' as a workspace\n"
                        "A.lean:2:0: error: no such file: data/z\n");
    /* Nor does such a module go to a worker, whose document has another place. */
    assert_int_equal(lean_session_check(&fixture.lean, "include_str \"data/x.txt\"\n"), LWB_OK);
    assert_true(fixture.lean.response.fresh);
    lean_session_finish(&fixture.lean);
}

/* ".." goes by folders and not by names: out of the folder that the link leads to. */
static void a_link_to_the_project_is_left_where_it_leads(void **state)
{
    struct fake_session fixture;
    struct lean_session *lean = &fixture.lean;

    (void)state;
    fake_session_prepare(&fixture, "2021-11");
    scratch_write(&lean->scratch, "far/away/p/keep", "");
    scratch_write(&lean->scratch, "far/away/beside", "b");
    (void)snprintf(lean->source_root, sizeof(lean->source_root), "%s/link", lean->scratch.dir);
    assert_int_equal(symlink("far/away/p", lean->source_root), 0);
    lean_session_open(lean);
    check(&fixture, "A.lean", "--! where\n--! reads ../beside\n", false);
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
    assert_string_equal(lean_session_text(lean), "open '" LWB_DIAGNOSTIC_ROOT "' as a workspace\n");
    lean_session_finish(lean);
}

/* ---- processes ------------------------------------------------------------------------------- */

static void a_deadline_ends_the_process(void **state)
{
    struct lwb_check_request request = { .module = "A",
                                         .file = "A.lean",
                                         .source = lwb_bytes_text("--! hang\n"),
                                         .isolation = LWB_ISOLATION_FRESH,
                                         .deadline_ms = 50 };
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    assert_int_equal(lean_session_check_as(&fixture.lean, &request), LWB_OK);
    fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_TIME, true);
    lean_session_finish(&fixture.lean);
}

static void someone_who_holds_the_pipes_is_not_waited_for(void **state)
{
    struct fake_session fixture;
    uint64_t start = lwb_clock_ms();

    (void)state;
    fake_session_open(&fixture, "2021-11");
    check(&fixture, "A.lean", "--! orphan\n--! error x\n", false);
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    assert_true(lwb_clock_ms() - start < 4000); /* it lives for 5 s */
    lean_session_finish(&fixture.lean);
}

static void a_flood_of_stderr_does_not_block(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    check(&fixture, "A.lean", "--! flood 4096\n--! stderr the last words\n--! exit 1\n", false);
    fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_NO_MESSAGE, true);
    assert_non_null(strstr(fixture.lean.response.detail, "the last words"));
    lean_session_finish(&fixture.lean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_means_without_history),
        cmocka_unit_test(an_artifact_is_whole_and_has_its_digest),
        cmocka_unit_test(a_module_of_the_module_system_has_parts),
        cmocka_unit_test(an_artifact_without_all_its_parts_is_no_verdict),
        cmocka_unit_test(half_an_artifact_is_no_verdict),
        cmocka_unit_test(a_rejected_module_has_no_artifact),
        cmocka_unit_test(imports_are_seen_through_imports),
        cmocka_unit_test(nothing_is_left_in_the_scratch_folder),
        cmocka_unit_test(the_bytes_that_were_given_are_checked),
        cmocka_unit_test(files_beside_a_module_can_be_read),
        cmocka_unit_test(a_link_to_the_project_is_left_where_it_leads),
        cmocka_unit_test(a_deadline_ends_the_process),
        cmocka_unit_test(someone_who_holds_the_pipes_is_not_waited_for),
        cmocka_unit_test(a_flood_of_stderr_does_not_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
