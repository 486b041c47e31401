#include "tests/support/pool_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/test.h"
#include "lwbuild/base/clock.h"

int pool_fixture_setup(void **state)
{
    struct pool_fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture_init(&fixture->base);
    fixture->scenario = "normal";
    fixture->host = "fake";
    fixture->config = (struct lwb_pool_config){
        .worker = fixture->base.config,
        .max_workers = 2,
    };
    *state = fixture;
    return 0;
}

static void on_shut_down(void *ctx)
{
    ((struct pool_fixture *)ctx)->shut_down++;
}

void pool_fixture_shut_down(struct pool_fixture *fixture)
{
    lwb_pool_shutdown(fixture->pool, on_shut_down, fixture);
    assert_int_equal(0, fixture->shut_down);
    run_until(&fixture->base, &fixture->shut_down, 1);
}

int pool_fixture_teardown(void **state)
{
    struct pool_fixture *fixture = *state;

    if (!fixture->shut_down)
        pool_fixture_shut_down(fixture);
    for (unsigned i = 0; i < SEEKERS; i++)
        if (fixture->seekers[i].lease)
            give_back(fixture, i);
    lwb_pool_destroy(fixture->pool);
    fixture_release(&fixture->base);
    free(fixture);
    return 0;
}

void pool_fixture_open(struct pool_fixture *fixture)
{
    struct lwb_error err;

    if (fixture->scenario)
        assert_int_equal(0, lwb_strvec_append(&fixture->base.arguments, fixture->scenario));
    fixture->config.worker.arguments = &fixture->base.arguments;
    assert_int_equal(LWB_OK,
                     lwb_pool_create(&fixture->pool, &fixture->base.loop, &fixture->config, &err));
}

void pool_fixture_pass_ms(struct pool_fixture *fixture, uint64_t ms)
{
    uint64_t end = lwb_clock_ms() + ms;

    while (lwb_clock_ms() < end)
        (void)uv_run(&fixture->base.loop, UV_RUN_NOWAIT);
}

static void on_granted(void *ctx, struct lwb_lease *lease)
{
    struct seeker *seeker = ctx;

    seeker->lease = lease;
    seeker->calls++;
}

static void on_failed(void *ctx, const struct lwb_error *err)
{
    struct seeker *seeker = ctx;

    seeker->failed = *err;
    seeker->calls++;
}

int try_seek(struct pool_fixture *fixture, unsigned who, const char *key, struct lwb_error *err)
{
    struct seeker *seeker = &fixture->seekers[who];
    const struct lwb_session_config config = {
        .open = { .host = fixture->host, .package = key, .scratch = fixture->scratch },
        .metadata = fixture->metadata,
    };
    const struct lwb_pool_waiter waiter = { on_granted, on_failed, seeker };

    *seeker = (struct seeker){ 0 };
    return lwb_pool_acquire(&seeker->ticket, fixture->pool, &config, &waiter, err);
}

void seek(struct pool_fixture *fixture, unsigned who, const char *key)
{
    struct lwb_error err = { 0 };

    if (try_seek(fixture, who, key, &err) < 0)
        fail_msg("refused: %s", err.text);
    assert_int_equal(0, fixture->seekers[who].calls); /* never from inside the call */
}

void wait_granted(struct pool_fixture *fixture, unsigned who)
{
    run_until(&fixture->base, &fixture->seekers[who].calls, 1);
    if (!fixture->seekers[who].lease)
        fail_msg("no lease: %s", fixture->seekers[who].failed.text);
}

void give_back(struct pool_fixture *fixture, unsigned who)
{
    lwb_lease_return(fixture->seekers[who].lease);
    fixture->seekers[who].lease = NULL;
}

static void on_checked(void *ctx, const struct lwb_check_response *response,
                       const struct lwb_error *err)
{
    struct seeker *seeker = ctx;

    assert_true((response == NULL) == (err != NULL));
    seeker->done = err ? *err : (struct lwb_error){ 0 };
    seeker->done_calls++;
}

static int try_check_source(struct pool_fixture *fixture, unsigned who, const char *name,
                            const char *source, uint64_t timeout_ms, struct lwb_error *err)
{
    struct seeker *seeker = &fixture->seekers[who];
    const struct lwb_check_request request = {
        .module = name,
        .file = "A.lean",
        .source = lwb_bytes_text(source),
    };

    seeker->done_calls = 0;
    return lwb_lease_check(seeker->lease, &request, NULL, timeout_ms, on_checked, seeker, err);
}

int try_check(struct pool_fixture *fixture, unsigned who, const char *name, uint64_t timeout_ms,
              struct lwb_error *err)
{
    return try_check_source(fixture, who, name, "{\"n\":1}", timeout_ms, err);
}

enum lwb_code check_n(struct pool_fixture *fixture, unsigned who, const char *name, unsigned n)
{
    struct lwb_error err = { 0 };
    char source[32];

    (void)snprintf(source, sizeof(source), "{\"n\":%u}", n);
    if (try_check_source(fixture, who, name, source, 0, &err) < 0)
        fail_msg("refused: %s", err.text);
    run_until(&fixture->base, &fixture->seekers[who].done_calls, 1);
    return fixture->seekers[who].done.code;
}

void begin_check(struct pool_fixture *fixture, unsigned who, const char *name, uint64_t timeout_ms)
{
    struct lwb_error err = { 0 };

    if (try_check(fixture, who, name, timeout_ms, &err) < 0)
        fail_msg("refused: %s", err.text);
}

enum lwb_code check(struct pool_fixture *fixture, unsigned who, const char *name)
{
    begin_check(fixture, who, name, 0);
    run_until(&fixture->base, &fixture->seekers[who].done_calls, 1);
    return fixture->seekers[who].done.code;
}

unsigned count_entries(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    unsigned count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}
