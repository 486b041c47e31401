#include "lwbuild/driver/cmd_cache.h"

#include <inttypes.h>
#include <stdio.h>

#include "cache/cache_trim.h"
#include "lwbuild/driver/world.h"

static double mib(uint64_t bytes)
{
    return (double)bytes / (1024 * 1024);
}

static int trim(struct lwb_world *world, const struct lwb_options *options, struct lwb_error *err)
{
    struct lwb_trim_result result;
    int rc = lwb_cache_trim(world->cache, options->max_size_mib * 1024 * 1024, &result, err);

    if (rc < 0)
        return rc;
    printf("removed %" PRIu64 " results and %" PRIu64 " objects, %.1f MiB; %.1f MiB are left%s\n",
           result.entries, result.objects, mib(result.bytes), mib(result.left),
           result.in_use ? " (other runs are using the cache: what they may need stayed)" : "");
    return LWB_OK;
}

static int clear(struct lwb_world *world, struct lwb_error *err)
{
    struct lwb_trim_result result;
    int rc = lwb_cache_clear(world->cache, &result, err);

    if (rc < 0)
        return rc;
    printf("removed %" PRIu64 " results and %" PRIu64 " objects, %.1f MiB\n", result.entries,
           result.objects, mib(result.bytes));
    return LWB_OK;
}

/* Returns 1 when something was found. */
static int verify(struct lwb_world *world, struct lwb_error *err)
{
    struct lwb_verify_result result;
    int rc = lwb_cache_verify(world->cache, &result, err);

    if (rc < 0)
        return rc;
    printf("%" PRIu64 " results and %" PRIu64 " objects are in order\n",
           result.entries - result.bad_entries, result.objects - result.bad_objects);
    if (result.bad_entries || result.bad_objects)
        printf("removed %" PRIu64 " damaged results and %" PRIu64 " damaged objects\n",
               result.bad_entries, result.bad_objects);
    if (result.replaced)
        printf("the database was damaged: it was set aside and a new one begun\n");
    return result.bad_entries || result.bad_objects || result.replaced;
}

int lwb_cmd_cache(const struct lwb_options *options)
{
    LWB_AUTO(lwb_world_close) struct lwb_world world = { 0 };
    struct lwb_error err;
    int rc = lwb_world_open_cache(&world, options, &err);

    if (rc == LWB_OK && options->command == LWB_CMD_CACHE_TRIM)
        rc = trim(&world, options, &err);
    else if (rc == LWB_OK && options->command == LWB_CMD_CACHE_CLEAR)
        rc = clear(&world, &err);
    else if (rc == LWB_OK)
        rc = verify(&world, &err);
    if (rc >= 0)
        return rc ? LWB_EXIT_REJECTED : LWB_EXIT_ACCEPTED;
    fprintf(stderr, "lwbuild: error: %s\n", err.text);
    return lwb_world_exit_code(&err);
}
