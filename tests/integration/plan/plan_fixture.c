#include "tests/support/test.h"

#include "tests/integration/plan/plan_fixture.h"

#include <string.h>

#include "lwbuild/base/alloc.h"

void plan_fixture_init(struct plan_fixture *fixture)
{
    *fixture = (struct plan_fixture){ 0 };
    scratch_make(&fixture->scratch);
    plain_digests_init(&fixture->digests);
    fixture->config = (struct lwb_plan_config){
        .cwd = fixture->scratch.dir,
        .host = "echo",
        .targets = &fixture->targets,
        .source_roots = &fixture->source_roots,
        .import_paths = &fixture->import_paths,
        .options = &fixture->options,
    };
}

void plan_fixture_release(struct plan_fixture *fixture)
{
    lwb_plan_destroy(fixture->plan);
    lwb_strvec_release(&fixture->targets);
    lwb_strvec_release(&fixture->source_roots);
    lwb_strvec_release(&fixture->import_paths);
    lwb_strvec_release(&fixture->options);
    plain_digests_release(&fixture->digests);
    scratch_remove(&fixture->scratch);
}

int plan_fixture_setup(void **state)
{
    static struct plan_fixture fixture;

    plan_fixture_init(&fixture);
    *state = &fixture;
    return 0;
}

int plan_fixture_teardown(void **state)
{
    plan_fixture_release(*state);
    return 0;
}

void plan_fixture_target(struct plan_fixture *fixture, const char *target)
{
    assert_int_equal(lwb_strvec_append(&fixture->targets, target), 0);
}

void plan_fixture_make(struct plan_fixture *fixture)
{
    int rc;

    lwb_plan_destroy(fixture->plan);
    fixture->plan = NULL;
    rc = lwb_plan_create(&fixture->plan, &fixture->config, &fixture->digests.source, &fixture->err);
    if (rc < 0)
        print_error("%s\n", fixture->err.text);
    assert_int_equal(rc, LWB_OK);
}

void plan_fixture_fail(struct plan_fixture *fixture, enum lwb_code code, const char *text)
{
    struct lwb_plan *plan = NULL;
    int rc = lwb_plan_create(&plan, &fixture->config, &fixture->digests.source, &fixture->err);

    assert_null(plan);
    if (rc == LWB_OK || rc != (int)code || !strstr(fixture->err.text, text))
        print_error("%d: %s\nwanted: %s\n", rc, rc < 0 ? fixture->err.text : "", text);
    assert_int_equal(rc, code);
    assert_non_null(strstr(fixture->err.text, text));
}

const char *plan_fixture_order(struct plan_fixture *fixture)
{
    static char order[4096];

    order[0] = '\0';
    for (size_t i = 0; i < lwb_plan_module_count(fixture->plan); i++) {
        size_t len = strlen(order);

        (void)snprintf(order + len, sizeof(order) - len, "%s%s", i ? " " : "",
                       lwb_plan_module(fixture->plan, i)->name);
    }
    return order;
}

size_t plan_fixture_find(struct plan_fixture *fixture, const char *name)
{
    for (size_t i = 0; i < lwb_plan_module_count(fixture->plan); i++)
        if (strcmp(lwb_plan_module(fixture->plan, i)->name, name) == 0)
            return i;
    fail_msg("no module %s", name);
    return 0;
}

struct lwb_digest plan_fixture_key(struct plan_fixture *fixture, const char *name)
{
    size_t count = lwb_plan_module_count(fixture->plan);
    LWB_AUTO(lwb_free) void *memory = lwb_alloc_array(count, sizeof(struct lwb_digest));
    struct lwb_digest *artifacts = memory;
    const struct lwb_key_context context = { .host_digest = "00", .artifacts = artifacts };
    size_t wanted = plan_fixture_find(fixture, name);
    struct lwb_digest key = { 0 };

    /* The artifact of a module is its key: what is compiled differs when an input does. */
    for (size_t i = 0; i <= wanted; i++) {
        assert_int_equal(lwb_plan_key(&key, fixture->plan, i, &context, NULL, NULL, &fixture->err),
                         LWB_OK);
        artifacts[i] = key;
    }
    return key;
}
