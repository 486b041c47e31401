#include "tests/support/test.h"

#include "tests/integration/driver/rest_project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "lwbuild/base/tick.h"

void rest_run_release(struct rest_run *run)
{
    program_run_release(&run->run);
    lwb_buf_release(&run->trace);
}

const char *const *rest_targets(const struct echo_project *project)
{
    static char names[32][16];
    static const char *list[33];
    static const char *const folder[] = { ".", NULL };
    size_t count = 0;

    if (project->by_folder)
        return folder;
    for (int first = 'A'; first <= 'R'; first++) {
        for (int i = -1; i < 20 && count < 32; i++) {
            char below[32];

            (void)snprintf(names[count], sizeof(names[count]), i < 0 ? "%c.lean" : "%c%02d.lean",
                           first, i);
            (void)snprintf(below, sizeof(below), "src/%s", names[count]);
            if (access(scratch_path(&project->scratch, below), F_OK) == 0) {
                list[count] = names[count];
                count++;
            }
        }
    }
    list[count] = NULL;
    return list;
}

void rest_check_with(struct rest_run *run, struct echo_project *project, const char *stamp,
                     const char *extra)
{
    const char *const *target = rest_targets(project);
    const char *trace = scratch_path(&project->scratch, "trace");
    LWB_AUTO(lwb_buf_release) struct lwb_buf stamp_path = LWB_BUF(256);
    LWB_AUTO(lwb_buf_release) struct lwb_buf depfile = LWB_BUF(256);
    const char *words[40] = { "--stamp", NULL, "--depfile", NULL };
    struct program_handle handle;
    struct lwb_error err;

    lwb_buf_format(&stamp_path, "../build/%s", stamp);
    lwb_buf_format(&depfile, "../build/%s.d", stamp);
    words[1] = lwb_buf_text(&stamp_path);
    words[3] = lwb_buf_text(&depfile);
    for (size_t i = extra ? 5 : 4; *target; i++)
        words[i] = *target++;
    if (extra)
        words[4] = extra;
    *run = (struct rest_run){ .trace = LWB_BUF(1 << 22) };
    (void)unlink(trace);
    assert_int_equal(setenv("LWBUILD_TRACE", trace, 1), 0);
    echo_project_start(&handle, project, words);
    assert_int_equal(unsetenv("LWBUILD_TRACE"), 0);
    program_wait(&run->run, &handle);
    assert_int_equal(lwb_file_read(&run->trace, trace, NULL, &err), LWB_OK);
}

void rest_check(struct rest_run *run, struct echo_project *project, const char *stamp)
{
    rest_check_with(run, project, stamp, NULL);
}

size_t rest_events(const struct rest_run *run, const char *name)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(256);
    const char *at = lwb_buf_text(&run->trace);
    size_t count = 0;

    lwb_buf_format(&text, "\"event\":\"%s\"", name);
    while ((at = strstr(at, lwb_buf_text(&text))) != NULL) {
        count++;
        at++;
    }
    return count;
}

size_t rest_looked_at(const struct rest_run *run)
{
    return rest_events(run, "cache_hit") + rest_events(run, "cache_miss");
}

/* By the file system's own word: what was written by now is old. */
void rest_wait_for_the_clock(struct echo_project *project)
{
    struct lwb_file_stat st = { 0 };
    struct lwb_error err;
    int64_t now;

    assert_int_equal(lwb_file_now(&st.mtime_ns, project->scratch.dir, &err), LWB_OK);
    do
        assert_int_equal(lwb_file_now(&now, project->scratch.dir, &err), LWB_OK);
    while (lwb_file_stat_is_racy(&st, now) || lwb_file_stat_is_racy(&st, lwb_tick_now(NULL)));
}

void rest_edit(struct echo_project *project, const char *name, const char *content)
{
    echo_project_write(project, name, content);
    rest_wait_for_the_clock(project);
}

/* C imports B imports A; twelve others import nobody. */
void rest_make_project(struct echo_project *project)
{
    echo_project_write(project, "A.lean", "def a := 1\n");
    echo_project_write(project, "B.lean", "import A\ndef b := 1\n");
    echo_project_write(project, "C.lean", "import B\ndef c := 1\n");
    for (int i = 0; i < OTHERS; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "M%02d.lean", i);
        echo_project_write(project, name, "def m := 1\n");
    }
    rest_wait_for_the_clock(project);
    EXPECT(project, 0, ALL, ALL);
    EXPECT(project, 0, 0, 0);
}

/* What a run without a snapshot says; `same` is what one with it said. */
static void compare_with_whole(struct echo_project *project, const struct rest_run *same)
{
    LWB_AUTO(rest_run_release) struct rest_run whole = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf stamp = LWB_BUF(4096);
    LWB_AUTO(lwb_buf_release) struct lwb_buf whole_stamp = LWB_BUF(4096);
    struct lwb_error err;

    (void)unlink(scratch_path(&project->scratch, "build/whole.snapshot"));
    rest_check(&whole, project, "whole");
    if (whole.run.exit_code != same->run.exit_code ||
        strcmp(lwb_buf_text(&whole.run.out), lwb_buf_text(&same->run.out)) != 0)
        fail_msg("exit %d, and without a snapshot %d; stdout: %s, and without: %s; stderr: %s, and "
                 "without: %s",
                 same->run.exit_code, whole.run.exit_code, lwb_buf_text(&same->run.out),
                 lwb_buf_text(&whole.run.out), lwb_buf_text(&same->run.err),
                 lwb_buf_text(&whole.run.err));
    if (same->run.exit_code != 0)
        return;
    assert_int_equal(
        lwb_file_read(&stamp, scratch_path(&project->scratch, "build/stamp"), NULL, &err), LWB_OK);
    assert_int_equal(
        lwb_file_read(&whole_stamp, scratch_path(&project->scratch, "build/whole"), NULL, &err),
        LWB_OK);
    assert_string_equal(lwb_buf_text(&stamp), lwb_buf_text(&whole_stamp));
}

/* Returns how many modules were looked at. */
size_t rest_compare(struct echo_project *project)
{
    LWB_AUTO(rest_run_release) struct rest_run traced = { 0 };

    rest_check(&traced, project, "stamp");
    assert_true(traced.run.exit_code == 0 || traced.run.exit_code == 1 ||
                traced.run.exit_code == 3);
    compare_with_whole(project, &traced);
    return rest_looked_at(&traced);
}

/* Looked at with one more word, in the same way each time. */
size_t rest_looked_at_with(struct echo_project *project, const char *extra)
{
    LWB_AUTO(rest_run_release) struct rest_run traced = { 0 };

    rest_check_with(&traced, project, "stamp", extra);
    ASSERT_RUN(traced.run, 0);
    return rest_looked_at(&traced);
}

void rest_expect(struct echo_project *project, int code, size_t n_looked_at, size_t n_checked,
                 int line)
{
    LWB_AUTO(rest_run_release) struct rest_run traced = { 0 };
    size_t checked;

    rest_check(&traced, project, "stamp");
    checked = rest_events(&traced, "module_checked");
    if (traced.run.exit_code != code || rest_looked_at(&traced) != n_looked_at ||
        checked != n_checked)
        fail_msg("line %d: exit %d, %zu looked at, %zu checked; expected %d, %zu, %zu; stderr: %s",
                 line, traced.run.exit_code, rest_looked_at(&traced), checked, code, n_looked_at,
                 n_checked, lwb_buf_text(&traced.run.err));
}
