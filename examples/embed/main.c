/*
 * A program that hands work to child processes and survives whatever they do. Every call waits for
 * its end (lwbuild/pool/blocking.h); a program with a libuv loop of its own would use
 * lwbuild/pool/pool.h in the same way.
 *
 * usage: embed [<lwbuild-child> [<jobs.so>]]
 */
#include <inttypes.h>
#include <stdio.h>

#include <lwbuild/base/json.h>
#include <lwbuild/lwbuild.h>

#include "steps.h"

struct step {
    int (*run)(struct lwb_blocking *client, struct lwb_lease *lease, struct lwb_error *err);
};

/* One lease per step: it is given back whatever has become of its child. */
static int run_step(struct lwb_blocking *client, const struct lwb_session_config *world,
                    const struct step *step, struct lwb_error *err)
{
    struct lwb_lease *lease;
    int rc = lwb_blocking_acquire(client, world, NULL, &lease, err);

    if (rc < 0)
        return rc;
    rc = step->run(client, lease, err);
    lwb_blocking_return(client, lease);
    return rc;
}

/* Two children at once: one crashes, the other one does not notice. */
static int run_beside_a_crash(struct lwb_blocking *client, const struct lwb_session_config *world,
                              struct lwb_error *err)
{
    static const struct step crash = { survive_a_crash };
    struct lwb_lease *steady;
    int rc = lwb_blocking_acquire(client, world, NULL, &steady, err);

    if (rc < 0)
        return rc;
    rc = run_step(client, world, &crash, err);
    if (rc == LWB_OK)
        rc = run_sum(client, steady, err);
    lwb_blocking_return(client, steady);
    return rc;
}

static void show_snapshot(struct lwb_blocking *client)
{
    struct lwb_pool_snapshot snapshot;

    lwb_pool_snapshot(lwb_blocking_pool(client), &snapshot);
    printf("pool: %u of %u workers, %" PRIu64 " children started, %" PRIu64 " requests, %" PRIu64
           " rows, %" PRIu64 " warm and %" PRIu64 " cold grants\n",
           snapshot.workers, snapshot.max_workers, snapshot.sum.starts, snapshot.sum.requests,
           snapshot.sum.rows, snapshot.warm_grants, snapshot.cold_grants);
}

static int run_all(struct lwb_blocking *client, const struct lwb_session_config *world,
                   struct lwb_error *err)
{
    static const struct step steps[] = {
        { run_sum },
        { run_primes },
        { cancel_what_never_ends },
    };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (run_step(client, world, &steps[i], err) < 0)
            return err->code;
    if (run_beside_a_crash(client, world, err) < 0)
        return err->code;
    show_snapshot(client);
    return LWB_OK;
}

int main(int argc, char **argv)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec environment = { 0 };
    LWB_AUTO(lwb_blocking_close) struct lwb_blocking *client = NULL;
    struct lwb_pool_config config = { .worker = LWB_WORKER_CONFIG_DEFAULTS, .max_workers = 2 };
    struct lwb_session_config world = {
        .open = { .host = "capability", .capability = argc > 2 ? argv[2] : EMBED_JOBS },
    };
    struct lwb_error err;

    lwb_json_init();
    config.worker.executable = argc > 1 ? argv[1] : EMBED_CHILD;
    config.worker.environment = &environment;
    if (lwb_worker_environment(&environment, &err) < 0 ||
        lwb_blocking_open(&client, &config, &err) < 0 || run_all(client, &world, &err) < 0) {
        fprintf(stderr, "embed: %s\n", err.text);
        return 1;
    }
    return 0;
}
