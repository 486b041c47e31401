#include "tests/support/test.h"

#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"

void scratch_make(struct scratch *scratch)
{
    const char *temporary = getenv("TMPDIR");

    (void)snprintf(scratch->dir, sizeof(scratch->dir), "%s/lwb-test-XXXXXX",
                   temporary && *temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(scratch->dir));
}

void scratch_remove(struct scratch *scratch)
{
    struct lwb_error err;

    assert_int_equal(lwb_file_remove_tree(scratch->dir, &err), LWB_OK);
}

int scratch_setup(void **state)
{
    static struct scratch scratch;

    scratch_make(&scratch);
    *state = &scratch;
    return 0;
}

int scratch_teardown(void **state)
{
    scratch_remove(*state);
    return 0;
}

const char *scratch_path(const struct scratch *scratch, const char *name)
{
    static char paths[32][1024];
    static unsigned next;
    char *path = paths[next++ % 32];

    assert_true(snprintf(path, sizeof(paths[0]), "%s/%s", scratch->dir, name) <
                (int)sizeof(paths[0]));
    return path;
}

void scratch_write(const struct scratch *scratch, const char *name, const char *content)
{
    const char *path = scratch_path(scratch, name);
    LWB_AUTO(lwb_free_text) char *dir = lwb_path_dirname(path);
    struct lwb_error err;

    assert_non_null(dir);
    assert_int_equal(lwb_file_make_dirs(dir, 0777, &err), LWB_OK);
    assert_int_equal(lwb_file_write(path, lwb_bytes_text(content), 0666, &err), LWB_OK);
}

void scratch_prefer_memory(void)
{
    if (access("/dev/shm", W_OK | X_OK) == 0)
        assert_int_equal(setenv("TMPDIR", "/dev/shm", 1), 0);
}
