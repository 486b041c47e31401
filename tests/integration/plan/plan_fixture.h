#pragma once

#include "lwbuild/plan/plan.h"
#include "tests/support/plain_digests.h"
#include "tests/support/scratch.h"

/* A scratch folder with sources, and plans made of it. */
struct plan_fixture {
    struct scratch scratch;
    struct plain_digests digests;
    struct lwb_plan_config config;
    struct lwb_strvec targets;
    struct lwb_strvec source_roots;
    struct lwb_strvec import_paths;
    struct lwb_strvec options;
    struct lwb_plan *plan;
    struct lwb_error err;
};

/* Host "echo", cwd = the scratch folder; nothing listed. */
void plan_fixture_init(struct plan_fixture *fixture);
void plan_fixture_release(struct plan_fixture *fixture);

/* cmocka set-up and tear-down: *state is the fixture. */
int plan_fixture_setup(void **state);
int plan_fixture_teardown(void **state);

void plan_fixture_target(struct plan_fixture *fixture, const char *target);

/* Make the plan, which must work; the former one is gone. */
void plan_fixture_make(struct plan_fixture *fixture);

/* Make the plan, which must fail with `code` and a text that holds `text`. */
void plan_fixture_fail(struct plan_fixture *fixture, enum lwb_code code, const char *text);

/* "A B C": names in plan order; valid until the next call. */
const char *plan_fixture_order(struct plan_fixture *fixture);

/* The module of that name, which must exist. */
size_t plan_fixture_find(struct plan_fixture *fixture, const char *name);

/* Key of a module when each module's artifact is made from its own key and `salt`. */
struct lwb_digest plan_fixture_key(struct plan_fixture *fixture, const char *name);
