#include "tests/support/test.h"

#include "tests/integration/plan/plan_fixture.h"

#include <string.h>

static struct lwb_digest key_of(struct plan_fixture *f, const char *name)
{
    plan_fixture_make(f);
    return plan_fixture_key(f, name);
}

static void assert_same(const struct lwb_digest *a, const struct lwb_digest *b)
{
    assert_int_equal(lwb_digest_compare(a, b), 0);
}

static void assert_other(const struct lwb_digest *a, const struct lwb_digest *b)
{
    assert_int_not_equal(lwb_digest_compare(a, b), 0);
}

/* The chain of rule T2: A changes, the artifact of B does not, C must be checked again. */
static void an_equal_artifact_does_not_hide_a_change_behind_it(void **state)
{
    struct plan_fixture *f = *state;
    struct lwb_digest artifacts[3] = { { { 1 } }, { { 2 } }, { { 3 } } };
    const struct lwb_key_context context = { .host_digest = "00", .artifacts = artifacts };
    struct lwb_digest before;
    struct lwb_digest after;
    size_t c;

    scratch_write(&f->scratch, "A.lean", "");
    scratch_write(&f->scratch, "B.lean", "import A\n");
    scratch_write(&f->scratch, "C.lean", "import B\n");
    plan_fixture_target(f, "C.lean");
    plan_fixture_make(f);
    c = plan_fixture_find(f, "C");
    assert_int_equal(lwb_plan_key(&before, f->plan, c, &context, NULL, NULL, &f->err), LWB_OK);
    artifacts[plan_fixture_find(f, "A")].bytes[5] = 7;
    lwb_plan_forget(f->plan, plan_fixture_find(f, "A"));
    assert_int_equal(lwb_plan_key(&after, f->plan, c, &context, NULL, NULL, &f->err), LWB_OK);
    assert_other(&before, &after);
}

static void a_direct_artifact_that_changed_is_noticed_without_being_told(void **state)
{
    struct plan_fixture *f = *state;
    struct lwb_digest artifacts[2] = { { { 1 } }, { { 2 } } };
    const struct lwb_key_context context = { .host_digest = "00", .artifacts = artifacts };
    struct lwb_digest before;
    struct lwb_digest after;

    scratch_write(&f->scratch, "A.lean", "");
    scratch_write(&f->scratch, "B.lean", "import A\n");
    plan_fixture_target(f, "B.lean");
    plan_fixture_make(f);
    assert_int_equal(lwb_plan_key(&before, f->plan, 1, &context, NULL, NULL, &f->err), LWB_OK);
    artifacts[0].bytes[0] = 9;
    assert_int_equal(lwb_plan_key(&after, f->plan, 1, &context, NULL, NULL, &f->err), LWB_OK);
    assert_other(&before, &after);
}

static void a_foreign_olean_is_in_the_key_by_content(void **state)
{
    struct plan_fixture *f = *state;
    struct lwb_digest first;
    struct lwb_digest second;
    struct lwb_digest third;

    scratch_write(&f->scratch, "lib/Lib/A.olean", "one");
    scratch_write(&f->scratch, "X.lean", "import Lib.A\n");
    assert_int_equal(lwb_strvec_append(&f->import_paths, "lib"), 0);
    plan_fixture_target(f, "X.lean");
    first = key_of(f, "X");
    scratch_write(&f->scratch, "lib/Lib/A.olean", "two");
    second = key_of(f, "X");
    scratch_write(&f->scratch, "lib/Lib/A.olean", "one");
    third = key_of(f, "X");
    assert_other(&first, &second);
    assert_same(&first, &third);
}

struct components {
    char names[2000];
    unsigned count;
};

static void note_component(void *ctx, const char *name, const struct lwb_digest *value)
{
    struct components *components = ctx;
    size_t len = strlen(components->names);

    (void)value;
    (void)snprintf(components->names + len, sizeof(components->names) - len, "%s|", name);
    components->count++;
}

static void components_name_what_a_key_is_made_of(void **state)
{
    struct plan_fixture *f = *state;
    const struct lwb_digest input = { { 1 } };
    const struct lwb_digest artifacts[2] = { { { 1 } }, { { 2 } } };
    const struct lwb_key_context context = {
        .host_digest = "00",
        .inputs = &input,
        .n_inputs = 1,
        .artifacts = artifacts,
    };
    struct components components = { "", 0 };
    struct lwb_digest with;
    struct lwb_digest without;

    scratch_write(&f->scratch, "A.lean", "");
    scratch_write(&f->scratch, "B.lean", "import A\n");
    assert_int_equal(lwb_strvec_append(&f->options, "autoImplicit=false"), 0);
    plan_fixture_target(f, "B.lean");
    plan_fixture_make(f);
    assert_int_equal(lwb_plan_key(&without, f->plan, 1, &context, NULL, NULL, &f->err), LWB_OK);
    assert_int_equal(
        lwb_plan_key(&with, f->plan, 1, &context, note_component, &components, &f->err), LWB_OK);
    assert_same(&with, &without);
    assert_string_equal(components.names, "host|package|option autoImplicit|input 1|module name|"
                                          "source|import Init|import A|");
}

static void a_long_chain_of_imports_needs_no_deep_stack(void **state)
{
    enum { LENGTH = 5000 };
    struct plan_fixture *f = *state;
    struct lwb_digest key;
    char name[32];
    char text[64];

    for (int i = 0; i < LENGTH; i++) {
        (void)snprintf(name, sizeof(name), "M%d.lean", i);
        text[0] = '\0';
        if (i)
            (void)snprintf(text, sizeof(text), "import M%d\n", i - 1);
        scratch_write(&f->scratch, name, text);
    }
    (void)snprintf(name, sizeof(name), "M%d.lean", LENGTH - 1);
    plan_fixture_target(f, name);
    plan_fixture_make(f);
    assert_int_equal(lwb_plan_module_count(f->plan), LENGTH);
    key = plan_fixture_key(f, "M4999");
    (void)key;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plan_fixture_setup, plan_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_equal_artifact_does_not_hide_a_change_behind_it),
        TEST(a_direct_artifact_that_changed_is_noticed_without_being_told),
        TEST(a_foreign_olean_is_in_the_key_by_content),
        TEST(components_name_what_a_key_is_made_of),
        TEST(a_long_chain_of_imports_needs_no_deep_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
