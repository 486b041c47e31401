#include "tests/support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lwbuild/base/proc_tree.h"
#include "lwbuild/worker/group_memory.h"
#include "tests/support/pool_fixture.h"

/*
 * The memory budget under a random load: sessions of very different sizes, many
 * wanted at once, some of them warm. However it comes, all children together
 * never pass the budget by more than the largest session, which nobody can know
 * before it is open.
 */
enum { MIB = 1 << 20, LARGEST_MIB = 40, BUDGET_MIB = 96, WORKERS = 6, STEPS = 80 };

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245 + 12345;
    return *state >> 16 & 0x7fff;
}

static uint64_t memory_of_children(void)
{
    pid_t pids[64];
    size_t n = lwb_proc_children(getpid(), pids, 64);
    uint64_t total = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t bytes;

        if (lwb_group_memory(pids[i], &bytes) == 0) /* else it has just gone */
            total += bytes;
    }
    return total;
}

static void open_large_pool(struct pool_fixture *fixture)
{
    fixture->scenario = "large";
    fixture->config.max_workers = WORKERS;
    fixture->config.max_total_memory = (uint64_t)BUDGET_MIB * MIB;
    fixture->config.worker.memory_sample_ms = 5;
    pool_fixture_open(fixture);
}

static void seek_mib(struct pool_fixture *fixture, unsigned who, unsigned mib)
{
    char key[16];

    (void)snprintf(key, sizeof(key), "%u", mib);
    seek(fixture, who, key);
}

/* What the largest session takes, with all that a process of this build has besides. */
static uint64_t measure_largest(struct pool_fixture *fixture)
{
    uint64_t bytes;

    seek_mib(fixture, 0, LARGEST_MIB);
    wait_granted(fixture, 0);
    bytes = memory_of_children();
    assert_true(bytes >= (uint64_t)LARGEST_MIB * MIB);
    give_back(fixture, 0);
    return bytes;
}

/* Asks again for whoever has nothing, and takes back from whoever has a session. */
static void take_turn(struct pool_fixture *fixture, unsigned *seed)
{
    unsigned who = next_random(seed) % SEEKERS;
    struct seeker *seeker = &fixture->seekers[who];

    if (seeker->lease)
        give_back(fixture, who);
    else if (!seeker->ticket || seeker->calls)
        seek_mib(fixture, who, next_random(seed) % 8 * (LARGEST_MIB - 5) / 7 + 5);
}

static void note_most(uint64_t *most)
{
    uint64_t now = memory_of_children();

    *most = now > *most ? now : *most;
}

static void run_load(struct pool_fixture *fixture, unsigned seed, uint64_t *most)
{
    for (unsigned step = 0; step < STEPS; step++) {
        take_turn(fixture, &seed);
        for (unsigned turn = 0; turn < 4; turn++) {
            (void)uv_run(&fixture->base.loop, UV_RUN_NOWAIT);
            note_most(most);
        }
        if (step % 4 == 0)
            pool_fixture_pass_ms(fixture, 10);
    }
}

static void the_budget_holds_whatever_is_wanted(void **state)
{
    const uint64_t budget = (uint64_t)BUDGET_MIB * MIB;
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;
    uint64_t largest, most = 0;

    open_large_pool(fixture);
    largest = measure_largest(fixture);
    run_load(fixture, 7, &most);
    lwb_pool_snapshot(fixture->pool, &snapshot);
    print_message("at most %" PRIu64 " MiB, %" PRIu64 " sessions opened, %" PRIu64 " warm\n",
                  most / MIB, snapshot.cold_grants, snapshot.warm_grants);
    assert_true(most > budget); /* else nothing was asked of it */
    assert_true(most <= budget + largest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(the_budget_holds_whatever_is_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
