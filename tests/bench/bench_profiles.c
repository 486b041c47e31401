/*
 * How often is an import repeated that was there before? Requests whose imports
 * are drawn at random (some are frequent, most are rare) go through a pool that
 * may hold a third of all sessions; counted is what it opened, beside the fewest
 * that any choice of what to end can do with when the requests are served in
 * the order in which they came (Belady: end what is wanted again last).
 *
 *   bench_profiles [requests (2000) [seed (1)]]
 *
 * One JSON line for each number of requests that wait at the same time: with one
 * nobody can know what comes; those that wait are known, and so a pool can do
 * with less than the optimum of the order. The child is fake-child.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/pool/pool.h"
#include "tests/bench/bench.h"

enum { PROFILES = 12, WORKERS = 4, MAX_REQUESTS = 1000 * 1000 };

struct client {
    struct workload *load;
    struct lwb_lease *lease;
};

struct workload {
    uv_loop_t loop;
    struct lwb_pool *pool;
    const unsigned *profiles; /* of each request */
    size_t n_requests;
    size_t asked;
    size_t done;
};

/* ---- requests ------------------------------------------------------------------------------ */

static unsigned next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*seed >> 33);
}

/* Profile k with a share of 1/(k+1): a few that everybody imports, and a long tail. */
static unsigned *draw_profiles(size_t n, uint64_t seed)
{
    unsigned *profiles = lwb_alloc_array(n, sizeof(*profiles));
    unsigned shares[PROFILES];
    unsigned sum = 0;

    if (!profiles)
        bench_die("no memory");
    for (unsigned k = 0; k < PROFILES; k++)
        shares[k] = sum += 27720 / (k + 1);
    for (size_t i = 0; i < n; i++) {
        unsigned at = next_random(&seed) % sum;

        while (at >= shares[profiles[i]])
            profiles[i]++;
    }
    return profiles;
}

static size_t next_use(const unsigned *profiles, size_t n, size_t from, unsigned profile)
{
    while (from < n && profiles[from] != profile)
        from++;
    return from;
}

static unsigned wanted_last(const unsigned *held, const unsigned *profiles, size_t n, size_t now)
{
    unsigned last = 0;

    for (unsigned i = 1; i < WORKERS; i++)
        if (next_use(profiles, n, now, held[i]) > next_use(profiles, n, now, held[last]))
            last = i;
    return last;
}

static size_t optimum(const unsigned *profiles, size_t n)
{
    unsigned held[WORKERS];
    unsigned n_held = 0;
    size_t imports = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned k = 0;

        while (k < n_held && held[k] != profiles[i])
            k++;
        if (k < n_held)
            continue;
        imports++;
        held[n_held < WORKERS ? n_held++ : wanted_last(held, profiles, n, i)] = profiles[i];
    }
    return imports;
}

/* ---- the pool ------------------------------------------------------------------------------ */

static void ask(struct client *client);

static void on_checked(void *ctx, const struct lwb_check_response *response,
                       const struct lwb_error *err)
{
    struct client *client = ctx;

    if (!response)
        bench_die("%s", err->text);
    lwb_lease_return(LWB_TAKE(client->lease));
    client->load->done++;
    ask(client);
}

static void on_granted(void *ctx, struct lwb_lease *lease)
{
    const struct lwb_check_request request = { .module = "echo", .file = "A.lean" };
    struct client *client = ctx;
    struct lwb_error err;

    client->lease = lease;
    if (lwb_lease_check(lease, &request, NULL, 0, on_checked, client, &err) < 0)
        bench_die("%s", err.text);
}

static void on_failed(void *ctx, const struct lwb_error *err)
{
    (void)ctx;
    bench_die("%s", err->text);
}

static void ask(struct client *client)
{
    struct workload *load = client->load;
    const struct lwb_pool_waiter waiter = { on_granted, on_failed, client };
    struct lwb_session_config config = { .open = { .host = "fake" } };
    struct lwb_error err;
    char key[16];

    if (load->asked == load->n_requests)
        return;
    (void)snprintf(key, sizeof(key), "P%u", load->profiles[load->asked++]);
    config.open.package = key;
    if (lwb_pool_acquire(NULL, load->pool, &config, &waiter, &err) < 0)
        bench_die("%s", err.text);
}

static void on_shut_down(void *ctx)
{
    *(bool *)ctx = true;
}

/* All requests, so many at a time; returns how many sessions were opened. */
static uint64_t run(struct workload *load, size_t at_once)
{
    struct lwb_pool_config config = { .worker = LWB_WORKER_CONFIG_DEFAULTS,
                                      .max_workers = WORKERS };
    struct client *clients = lwb_alloc_array(at_once, sizeof(*clients));
    struct lwb_pool_snapshot snapshot;
    bool shut_down = false;
    struct lwb_error err;

    config.worker.executable = FAKE_CHILD;
    if (!clients || uv_loop_init(&load->loop) < 0 ||
        lwb_pool_create(&load->pool, &load->loop, &config, &err) < 0)
        bench_die("no pool");
    for (size_t i = 0; i < at_once; i++) {
        clients[i].load = load;
        ask(&clients[i]);
    }
    while (load->done < load->n_requests)
        (void)uv_run(&load->loop, UV_RUN_ONCE);
    lwb_pool_snapshot(load->pool, &snapshot);
    lwb_pool_shutdown(load->pool, on_shut_down, &shut_down);
    while (!shut_down)
        (void)uv_run(&load->loop, UV_RUN_ONCE);
    lwb_pool_destroy(load->pool);
    if (uv_loop_close(&load->loop) != 0)
        bench_die("handles are left");
    lwb_free(clients);
    return snapshot.cold_grants;
}

int main(int argc, char **argv)
{
    static const size_t at_once[] = { 1, 16, 64, 256, MAX_REQUESTS };
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
    uint64_t seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    unsigned *profiles;

    if (n < 1 || n > MAX_REQUESTS)
        bench_die("usage: bench_profiles [requests [seed]]");
    (void)signal(SIGPIPE, SIG_IGN);
    profiles = draw_profiles(n, seed);
    for (size_t i = 0; i < LWB_COUNT(at_once); i++) {
        struct workload load = { .profiles = profiles, .n_requests = n };
        size_t waiting = at_once[i] < n ? at_once[i] : n;
        uint64_t imports = run(&load, waiting);

        printf("{\"name\":\"imports, %zu requests at once\",\"n\":%zu,\"profiles\":%d,"
               "\"workers\":%d,\"imports\":%llu,\"optimum_in_order\":%zu,\"ratio\":%.3f}\n",
               waiting, n, PROFILES, WORKERS, (unsigned long long)imports, optimum(profiles, n),
               (double)imports / (double)optimum(profiles, n));
        (void)fflush(stdout);
    }
    lwb_free(profiles);
    return 0;
}
