#include "tests/support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/fault.h"
#include "tests/support/pool_fixture.h"

/*
 * A whole life of a pool - start, open, check with rows, return, shut down -
 * again and again; each time another allocation, or another descriptor, is
 * missing. Every attempt ends in a result or in an error, and nothing is left.
 * libuv allocates for itself and is not part of it.
 */

/* Returns whether all went well; no step may hang, crash or leave anything behind. */
static bool live_once(struct pool_fixture *fixture)
{
    struct lwb_error err = { 0 };
    bool ok = false;

    if (lwb_pool_create(&fixture->pool, &fixture->base.loop, &fixture->config, &err) < 0)
        return false;
    if (try_seek(fixture, 0, "A", &err) == LWB_OK) {
        run_until(&fixture->base, &fixture->seekers[0].calls, 1);
        if (fixture->seekers[0].lease) {
            ok = try_check(fixture, 0, "rows", 0, &err) == LWB_OK;
            if (ok) {
                run_until(&fixture->base, &fixture->seekers[0].done_calls, 1);
                ok = fixture->seekers[0].done.code == LWB_OK;
            }
            give_back(fixture, 0);
        }
    }
    pool_fixture_shut_down(fixture);
    lwb_pool_destroy(fixture->pool);
    fixture->pool = NULL;
    fixture->shut_down = 0;
    return ok;
}

static int setup(void **state)
{
    struct pool_fixture *fixture;

    (void)pool_fixture_setup(state);
    fixture = *state;
    assert_int_equal(0, lwb_strvec_append(&fixture->base.arguments, "normal"));
    fixture->config.worker.arguments = &fixture->base.arguments;
    assert_true(live_once(fixture)); /* what libuv keeps for good is there from here on */
    return 0;
}

static int teardown(void **state)
{
    struct pool_fixture *fixture = *state;

    fixture_release(&fixture->base);
    free(fixture);
    return 0;
}

static void every_allocation_fails_once(void **state)
{
    struct pool_fixture *fixture = *state;
    unsigned failures = 0;
    long n = 0;

    fault_begin();
    do {
        fault_arm(n++);
        failures += !live_once(fixture);
        assert_int_equal(0, child_processes());
    } while (fault_disarm());
    assert_int_equal(0, fault_live_blocks());
    fault_end();
    assert_true(n > 30);
    assert_true(failures > 20);
    assert_true(live_once(fixture));
}

enum { FEW = 128 };
static void every_descriptor_is_missing_once(void **state)
{
    struct pool_fixture *fixture = *state;
    unsigned failures = 0;
    unsigned left = 0;
    bool ok = false;
    const struct rlimit few = { FEW, FEW };

    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &few));
    for (left = 0; !ok && left < 32; left++) {
        int taken[FEW];
        unsigned count = 0;

        while (count < FEW && (taken[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
            count++;
        for (unsigned i = 0; i < left && count; i++)
            close(taken[--count]);
        ok = live_once(fixture);
        failures += !ok;
        while (count)
            close(taken[--count]);
        assert_int_equal(0, child_processes());
    }
    assert_true(ok);
    assert_true(failures >= 6); /* three pipes and what libuv needs to spawn */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_allocation_fails_once, setup, teardown),
        cmocka_unit_test_setup_teardown(every_descriptor_is_missing_once, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
