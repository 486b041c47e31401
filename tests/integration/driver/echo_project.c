#include "tests/support/test.h"

#include "tests/integration/driver/echo_project.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lwbuild/base/file.h"

int echo_project_setup(void **state)
{
    struct echo_project *project = calloc(1, sizeof(*project));

    assert_non_null(project);
    scratch_make(&project->scratch);
    scratch_write(&project->scratch, "build/.keep", "");
    *state = project;
    return 0;
}

int echo_project_teardown(void **state)
{
    struct echo_project *project = *state;

    scratch_remove(&project->scratch);
    free(project);
    return 0;
}

void echo_project_write(struct echo_project *project, const char *name, const char *content)
{
    char below[512];

    (void)snprintf(below, sizeof(below), "src/%s", name);
    scratch_write(&project->scratch, below, content);
}

int64_t echo_project_date(struct echo_project *project, const char *name)
{
    struct lwb_file_stat st;
    struct lwb_error err;

    assert_int_equal(lwb_file_stat(&st, scratch_path(&project->scratch, name), &err), 1);
    return st.mtime_ns;
}

/* ctime cannot be set: wait for the clock to move on, by the file system's own word. */
void echo_project_let_age(struct echo_project *project, const char *name)
{
    const char *path = scratch_path(&project->scratch, name);
    struct lwb_file_stat st;
    struct lwb_error err;
    int64_t now;

    assert_int_equal(lwb_file_stat(&st, path, &err), 1);
    do
        assert_int_equal(lwb_file_now(&now, project->scratch.dir, &err), LWB_OK);
    while (lwb_file_stat_is_racy(&st, now));
}

/* Start `lwbuild <argv[1]> ...` in src/ with the echo host behind it. */
static void start(struct program_handle *handle, struct echo_project *project,
                  const char *const *argv)
{
    char child[1100];
    const char *environment[] = { child, "MAKEFLAGS=", NULL };

    (void)snprintf(child, sizeof(child), "LWBUILD_CHILD=%s",
                   *project->child ? project->child : LWB_ECHO_CHILD);
    program_start(handle,
                  &(struct program){ argv, environment, scratch_path(&project->scratch, "src") });
}

void echo_project_start(struct program_handle *handle, struct echo_project *project,
                        const char *const *words)
{
    const char *argv[64] = { LWB_PROGRAM, "check",   "--host",
                             "echo",      "--cache", scratch_path(&project->scratch, "cache") };
    size_t n = 6;

    while (*words)
        argv[n++] = *words++;
    start(handle, project, argv);
}

void echo_project_command(struct program_run *run, struct echo_project *project,
                          const char *command, const char *const *words)
{
    const char *argv[64] = { LWB_PROGRAM };
    struct program_handle handle;
    char first[32];
    size_t n = 1;
    size_t len = strcspn(command, " ");

    (void)snprintf(first, sizeof(first), "%.*s", (int)len, command);
    argv[n++] = first;
    if (command[len])
        argv[n++] = command + len + 1;
    argv[n++] = "--cache";
    argv[n++] = scratch_path(&project->scratch, "cache");
    while (*words)
        argv[n++] = *words++;
    start(&handle, project, argv);
    program_wait(run, &handle);
}

void echo_project_check(struct program_run *run, struct echo_project *project, ...)
{
    struct program_handle handle;
    const char *words[48];
    va_list list;
    size_t n = 0;

    va_start(list, project);
    while ((words[n] = va_arg(list, const char *)))
        n++;
    va_end(list);
    echo_project_start(&handle, project, words);
    program_wait(run, &handle);
}

long echo_project_total(const struct program_run *run, const char *name)
{
    const char *summary = strstr(lwb_buf_text(&run->out), "\"type\":\"summary\"");
    char key[64];
    const char *at;

    (void)snprintf(key, sizeof(key), "\"%s\":", name);
    at = summary ? strstr(summary, key) : NULL;
    if (at)
        return strtol(at + strlen(key), NULL, 10);
    fail_msg("no \"%s\" in a summary line; stdout: %s; stderr: %s", name, lwb_buf_text(&run->out),
             lwb_buf_text(&run->err));
    return -1;
}

void echo_assert_run(const struct program_run *run, int code, const char *file, int line)
{
    if (run->exit_code == code)
        return;
    print_error("exit %d, expected %d; stdout: %s; stderr: %s\n", run->exit_code, code,
                lwb_buf_text(&run->out), lwb_buf_text(&run->err));
    _fail(file, line);
}

void echo_assert_says(const struct lwb_buf *buf, const char *text, const char *file, int line)
{
    if (strstr(lwb_buf_text(buf), text))
        return;
    print_error("'%s' is not in: %s\n", text, lwb_buf_text(buf));
    _fail(file, line);
}
