#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/json.h"
#include "lwbuild/session/capability_build.h"
#include "tests/support/fault.h"
#include "tests/support/scratch.h"

/*
 * Building a capability while each allocation in turn is missing: a manifest, or
 * an error, and nothing is left. A script stands for CMake.
 */

static struct scratch scratch;

static void write_cmake(const char *text)
{
    scratch_write(&scratch, "cmake", text);
    assert_int_equal(chmod(scratch_path(&scratch, "cmake"), 0700), 0);
}

static int build_once(struct lwb_error *err)
{
    struct lwb_capability_project project = LWB_CAPABILITY_PROJECT_DEFAULTS;
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec commands = { 0 };
    LWB_AUTO(lwb_free_text) char *manifest = NULL;
    int rc;

    if (lwb_strvec_append(&commands, "f=lib_f"))
        return lwb_fail_memory(err);
    project.root = scratch.dir;
    project.library = "Lib";
    project.folder = scratch_path(&scratch, "out");
    project.commands = &commands;
    project.cmake = scratch_path(&scratch, "cmake");
    rc = lwb_capability_build(&manifest, &project, err);
    assert_int_equal(rc == LWB_OK, manifest != NULL);
    return rc;
}

/* Returns how many allocations there were. */
static long sweep(int expected)
{
    struct lwb_error err = { .code = LWB_OK };
    long n = 0;
    int rc;

    fault_begin();
    do {
        fault_arm(n++);
        rc = build_once(&err);
        assert_true(rc == expected || rc == LWB_ERR_MEMORY || rc == LWB_ERR_CAPABILITY_BUILD);
        assert_int_equal(fault_live_blocks(), 0);
    } while (fault_disarm());
    assert_int_equal(rc, expected);
    fault_end();
    return n;
}

static void a_build_gets_by_or_says_so(void **state)
{
    (void)state;
    write_cmake("#!/bin/sh\necho built\n");
    assert_true(sweep(LWB_OK) > 20);
}

static void a_failure_gets_by_or_says_so(void **state)
{
    (void)state;
    write_cmake("#!/bin/sh\necho 'A.lean:1:0: error: no'\n"
                "echo '{\"code\":\"lean-failed\",\"message\":\"m\",\"hint\":\"h\"}' >failure.json\n"
                "exit 1\n");
    assert_true(sweep(LWB_ERR_CAPABILITY_BUILD) > 20);
}

static int setup(void **state)
{
    (void)state;
    lwb_json_init();
    scratch_make(&scratch);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(&scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_build_gets_by_or_says_so),
        cmocka_unit_test(a_failure_gets_by_or_says_so),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
