#include "tests/support/test.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/driver/version.h"
#include "tests/integration/driver/echo_project.h"

/* The other commands, and what becomes of a cache whose objects are touched. */

static void write_pair(struct echo_project *project)
{
    echo_project_write(project, "A.lean", "def a := 1\n-- echo: warn 1:0 look\n");
    echo_project_write(project, "B.lean", "import A\ndef b := 1\n");
}

static void check_pair(struct echo_project *project)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    echo_project_check(&run, project, "B.lean", NULL);
    ASSERT_RUN(run, 0);
}

static void replay_prints_the_same_and_checks_nothing(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run early = { 0 };
    LWB_AUTO(program_run_release) struct program_run checked = { 0 };
    LWB_AUTO(program_run_release) struct program_run replayed = { 0 };
    const char *words[] = { "--host", "echo", "B.lean", NULL };

    write_pair(project);
    echo_project_command(&early, project, "replay", words);
    ASSERT_RUN(early, 4);
    ASSERT_SAYS(early.err, "it is not in the cache");
    echo_project_check(&checked, project, "B.lean", NULL);
    ASSERT_RUN(checked, 0);
    assert_string_equal(lwb_buf_text(&checked.out), "A.lean:1:0: warning: look\n");
    echo_project_command(&replayed, project, "replay", words);
    ASSERT_RUN(replayed, 0);
    assert_string_equal(lwb_buf_text(&replayed.out), lwb_buf_text(&checked.out));
}

static void plan_says_what_waits_for_what(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run before = { 0 };
    LWB_AUTO(program_run_release) struct program_run after = { 0 };
    LWB_AUTO(program_run_release) struct program_run json = { 0 };
    const char *text[] = { "--host", "echo", "B.lean", NULL };
    const char *as_json[] = { "--host", "echo", "--format", "json", "B.lean", NULL };

    write_pair(project);
    echo_project_command(&before, project, "plan", text);
    ASSERT_RUN(before, 0);
    ASSERT_SAYS(before.out, "A (imported): check, key ");
    ASSERT_SAYS(before.out, "B: waits for A\n");
    check_pair(project);
    echo_project_command(&after, project, "plan", text);
    ASSERT_SAYS(after.out, "B: cached, key ");
    echo_project_command(&json, project, "plan", as_json);
    ASSERT_SAYS(json.out, "\"type\":\"batch\"");
    ASSERT_SAYS(json.out, "\"module\":\"B\"");
    ASSERT_SAYS(json.out, "\"imports\":[\"A\"]");
}

static void stats_count_what_happened(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run stats = { 0 };
    LWB_AUTO(program_run_release) struct program_run zero = { 0 };
    LWB_AUTO(program_run_release) struct program_run zeroed = { 0 };
    const char *tsv[] = { "--format", "tsv", NULL };
    const char *set_back[] = { "--zero", NULL };

    write_pair(project);
    check_pair(project);
    check_pair(project);
    echo_project_command(&stats, project, "--stats", tsv);
    ASSERT_RUN(stats, 0);
    ASSERT_SAYS(stats.out, "runs\t2\n");
    ASSERT_SAYS(stats.out, "modules\t4\n");
    ASSERT_SAYS(stats.out, "hits\t2\n");
    ASSERT_SAYS(stats.out, "misses\t2\n");
    ASSERT_SAYS(stats.out, "stored\t2\n");
    echo_project_command(&zero, project, "--stats", set_back);
    ASSERT_RUN(zero, 0);
    echo_project_command(&zeroed, project, "--stats", tsv);
    ASSERT_SAYS(zeroed.out, "modules\t0\n");
}

static void clearing_forgets_results_and_snapshots(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run clear = { 0 };
    LWB_AUTO(program_run_release) struct program_run again = { 0 };
    const char *none[] = { NULL };

    write_pair(project);
    check_pair(project);
    echo_project_command(&clear, project, "cache clear", none);
    ASSERT_RUN(clear, 0);
    ASSERT_SAYS(clear.out, "removed 2 results");
    echo_project_check(&again, project, "--format", "json", "B.lean", NULL);
    assert_int_equal(echo_project_total(&again, "checked"), 2);
}

static int visited;

static int remove_object(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)at;
    if (type == FTW_F && strstr(path, "/objects/")) {
        visited++;
        return unlink(path);
    }
    return 0;
}

static int damage_object(const char *path, const struct stat *st, int type, struct FTW *at)
{
    FILE *file;

    (void)st;
    (void)at;
    if (type != FTW_F || !strstr(path, "/objects/"))
        return 0;
    visited++;
    assert_int_equal(chmod(path, 0644), 0);
    file = fopen(path, "r+"); /* the size stays: stat alone does not tell */
    assert_non_null(file);
    assert_true(fputs("?", file) >= 0);
    return fclose(file);
}

static void walk_cache(struct echo_project *project,
                       int (*visit)(const char *, const struct stat *, int, struct FTW *))
{
    visited = 0;
    assert_int_equal(nftw(scratch_path(&project->scratch, "cache"), visit, 16, FTW_PHYS), 0);
    assert_true(visited > 0);
}

static void a_result_without_its_object_is_a_miss(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    write_pair(project);
    check_pair(project);
    walk_cache(project, remove_object);
    echo_project_write(project, "B.lean", "import A\ndef b := 2\n");
    echo_project_check(&run, project, "--format", "json", "B.lean", NULL);
    ASSERT_RUN(run, 0);
    assert_int_equal(echo_project_total(&run, "checked"), 2);
}

static void an_object_over_which_a_worker_died_is_looked_at_and_condemned(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run died = { 0 };
    LWB_AUTO(program_run_release) struct program_run mended = { 0 };

    write_pair(project);
    check_pair(project);
    walk_cache(project, damage_object);
    echo_project_write(project, "B.lean", "import A\n-- echo: crash\n");
    echo_project_check(&died, project, "B.lean", NULL);
    ASSERT_RUN(died, 4);
    ASSERT_SAYS(died.err, "the cached olean of A is damaged");
    echo_project_write(project, "B.lean", "import A\n");
    echo_project_check(&mended, project, "--format", "json", "B.lean", NULL);
    ASSERT_RUN(mended, 0);
    assert_int_equal(echo_project_total(&mended, "checked"), 2);
}

static void verify_finds_what_a_disk_did(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run good = { 0 };
    LWB_AUTO(program_run_release) struct program_run bad = { 0 };
    const char *none[] = { NULL };

    write_pair(project);
    check_pair(project);
    echo_project_command(&good, project, "cache verify", none);
    ASSERT_RUN(good, 0);
    walk_cache(project, damage_object);
    echo_project_command(&bad, project, "cache verify", none);
    ASSERT_RUN(bad, 1);
    ASSERT_SAYS(bad.out, "damaged");
}

static void help_and_version_are_words_for_people(void **state)
{
    static const struct {
        const char *word, *says;
    } cases[] = {
        { "--version", "lwbuild " LWB_VERSION "\n" },
        { "--help", "Usage:\n  lwbuild check " },
        { "-h", "Usage:\n  lwbuild check " },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        const char *const argv[] = { LWB_PROGRAM, cases[i].word, NULL };
        const struct program program = { .argv = argv };
        LWB_AUTO(program_run_release) struct program_run run = { 0 };

        program_run(&run, &program);
        ASSERT_RUN(run, 0);
        ASSERT_SAYS(run.out, cases[i].says);
        assert_int_equal(run.err.len, 0);
    }
}

static void doctor_says_what_is_there(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    const char *json[] = { "--format", "json", NULL };

    echo_project_write(project, "A.lean", "");
    echo_project_command(&run, project, "doctor", json);
    ASSERT_RUN(run, 0);
    ASSERT_SAYS(run.out, "\"code\":\"child-found\"");
    ASSERT_SAYS(run.out, "\"code\":\"cache-found\"");
    ASSERT_SAYS(run.out, "\"code\":\"toolchain-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(replay_prints_the_same_and_checks_nothing),
        IN_A_PROJECT(plan_says_what_waits_for_what),
        IN_A_PROJECT(stats_count_what_happened),
        IN_A_PROJECT(clearing_forgets_results_and_snapshots),
        IN_A_PROJECT(a_result_without_its_object_is_a_miss),
        IN_A_PROJECT(an_object_over_which_a_worker_died_is_looked_at_and_condemned),
        IN_A_PROJECT(verify_finds_what_a_disk_did),
        IN_A_PROJECT(help_and_version_are_words_for_people),
        IN_A_PROJECT(doctor_says_what_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
