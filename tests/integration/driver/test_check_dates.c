#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "tests/integration/driver/echo_project.h"

/*
 * The dates of outputs (outputs.h), as build tools compare them: what an edit leaves
 * is later than the outputs of a run that has not seen it, and nothing else is. Edits
 * come as close to the runs as they can; nothing waits for a clock.
 */

static const char *const words[] = { "--stamp",          "../build/stamp", "--depfile",
                                     "../build/stamp.d", "A.lean",         NULL };

/* By each of the ways in which editors and programs put a new content in place. */
static void edit(struct echo_project *project, const char *name, int number)
{
    const char *path = scratch_path(&project->scratch, name);
    char text[50];
    struct lwb_error err;
    int fd;

    (void)snprintf(text, sizeof(text), "def a := %d\n", number);
    if (number % 3 == 0) {
        scratch_write(&project->scratch, name, text); /* by a temporary file and a rename */
        return;
    }
    if (number % 3 == 1)
        (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(lwb_file_write_fd(fd, lwb_bytes_text(text), &err), LWB_OK);
    assert_int_equal(close(fd), 0);
}

static void check(struct echo_project *project)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct program_handle handle;

    echo_project_start(&handle, project, words);
    program_wait(&run, &handle);
    ASSERT_RUN(run, 0);
}

/* So that the next run has nothing to do but to look, once, by its snapshot. */
static void settle(struct echo_project *project)
{
    echo_project_let_age(project, "src/A.lean");
    check(project); /* its snapshot may have found the source too new */
    check(project);
}

/* Than all that the build tool knows as its outputs, and than its start (Ninja since 1.12). */
static void an_edit_right_after_a_check_is_later_than_its_outputs(void **state)
{
    static const char *const modes[] = { "restat", "touch" };
    static const char *const outputs[] = { "build/stamp", "build/stamp.d", "build/stamp.snapshot",
                                           "build/stamp.snapshot.keys" };
    struct echo_project *project = *state;
    struct lwb_error err;
    int64_t last = 0;
    int64_t start;
    int64_t later;

    for (int i = 0; i < 60; i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };
        const char *mode = modes[i / 3 % 2];

        if (i % 3 != 1) /* every third run has nothing to do */
            edit(project, "src/A.lean", i);
        assert_int_equal(lwb_file_now(&start, project->scratch.dir, &err), LWB_OK);
        echo_project_check(&run, project, "--stamp", "../build/stamp", "--depfile",
                           "../build/stamp.d", "--stamp-mode", mode, "A.lean", NULL);
        edit(project, "src/B.lean", i);
        ASSERT_RUN(run, 0);
        later = echo_project_date(project, "src/B.lean");
        assert_true(later > start);
        assert_true(later > echo_project_date(project, outputs[0]));
        for (size_t k = 1; k < LWB_COUNT(outputs); k++) /* none is newer, none is left behind */
            assert_true(echo_project_date(project, outputs[k]) ==
                        echo_project_date(project, outputs[0]));
        if (strcmp(mode, "touch") == 0) /* Ninja up to 1.11: none has kept its date */
            assert_true(echo_project_date(project, outputs[0]) > last);
        last = echo_project_date(project, outputs[0]);
    }
}

/*
 * A run that has nothing to do takes less than a tick of old clocks. What was made just before it
 * is not later than its outputs, or the build tool would run it again.
 */
static void what_is_made_right_before_a_check_is_not_later_than_its_outputs(void **state)
{
    struct echo_project *project = *state;
    int64_t last = 0;

    edit(project, "src/A.lean", 0);
    settle(project);
    for (int i = 0; i < 300; i++) {
        int64_t date;

        edit(project, "src/B.lean", i);
        check(project);
        edit(project, "src/C.lean", i);
        date = echo_project_date(project, "build/stamp");
        assert_true(echo_project_date(project, "src/B.lean") <= date);
        assert_true(echo_project_date(project, "src/C.lean") > date);
        assert_true(date > last);
        last = date;
    }
}

static void wait_until(uint64_t clock_ns)
{
    while (lwb_clock_ns() < clock_ns)
        ;
}

static void read_stamp(struct lwb_buf *out, struct echo_project *project)
{
    const char *path = scratch_path(&project->scratch, "build/stamp");
    struct lwb_error err;

    lwb_buf_clear(out);
    assert_int_equal(lwb_file_read(out, path, NULL, &err), LWB_OK);
}

/*
 * To a build tool the check is up to date. Then a run now has nothing to say but
 * what that one said.
 */
static void expect_seen(struct echo_project *project)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf said = LWB_BUF(4096);
    LWB_AUTO(lwb_buf_release) struct lwb_buf says = LWB_BUF(4096);

    read_stamp(&said, project);
    check(project);
    read_stamp(&says, project);
    assert_string_equal(lwb_buf_text(&said), lwb_buf_text(&says));
}

/* Of a settled project, in ns: as long as it takes here and now. */
static uint64_t measure_check(struct echo_project *project)
{
    uint64_t start;

    settle(project);
    start = lwb_clock_ns();
    check(project);
    return lwb_clock_ns() - start;
}

/*
 * But by a rename: what was written before the run and is put in place behind its
 * look has an old date. Some edits come just before a run, some just behind it, the
 * others at moments all over the time that one takes.
 */
static void an_edit_at_any_moment_is_seen_or_later_than_the_outputs(void **state)
{
    enum { BEFORE = 2, BEHIND = 5, EVERY = 8 };
    struct echo_project *project = *state;
    uint64_t whole;
    int seen = 0;
    int later = 0;

    edit(project, "src/A.lean", 0);
    whole = measure_check(project);
    for (int i = 1; i <= 150; i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };
        struct program_handle handle;
        int number = i / 2 * 3 + 1 + i % 2;
        uint64_t moment;

        if (i % 4)
            settle(project); /* else the edit of the round before is checked meanwhile */
        if (i % EVERY == BEFORE)
            edit(project, "src/A.lean", number);
        moment = lwb_clock_ns() + (uint64_t)i * 1299709 % (whole + whole / 2);
        echo_project_start(&handle, project, words);
        if (i % EVERY != BEFORE && i % EVERY != BEHIND) {
            wait_until(moment);
            edit(project, "src/A.lean", number);
        }
        program_wait(&run, &handle);
        if (i % EVERY == BEHIND)
            edit(project, "src/A.lean", number);
        if (run.exit_code != 0)
            continue; /* the build tool runs it again */
        if (echo_project_date(project, "src/A.lean") > echo_project_date(project, "build/stamp")) {
            later++;
            continue;
        }
        expect_seen(project);
        seen++;
    }
    assert_true(seen > 0 && later > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(an_edit_right_after_a_check_is_later_than_its_outputs),
        IN_A_PROJECT(what_is_made_right_before_a_check_is_not_later_than_its_outputs),
        IN_A_PROJECT(an_edit_at_any_moment_is_seen_or_later_than_the_outputs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
