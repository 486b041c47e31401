#include "tests/support/test.h"

#include "lwbuild/session/session_config.h"

/* R26, L34: whatever can change an answer changes the key, and the copy is the same world. */

static char *words[] = { "A", "B", NULL };
static char *swapped[] = { "B", "A", NULL };
static const struct lwb_strvec list = { words, 2, 0 };
static const struct lwb_strvec other = { swapped, 2, 0 };

static struct lwb_session_config world(void)
{
    return (struct lwb_session_config){
        .open = {
            .host = "lean",
            .project_root = "/p",
            .package = "p",
            .library = "L",
            .source_root = "/p/s",
            .toolchain = "/t",
            .toolchain_version = "4.9.0",
            .imports = &list,
            .options = &list,
            .search_path = &list,
            .plugins = &list,
            .capability = "/c.so",
            .scratch = "/tmp",
        },
        .toolchain_id = "id",
        .policy_class = "default",
        .metadata = "{}",
    };
}

static struct lwb_digest key_of(const struct lwb_session_config *config)
{
    struct lwb_digest key;
    struct lwb_error err;

    assert_int_equal(LWB_OK, lwb_session_key(&key, config, &err));
    return key;
}

static void expect_other_key(const struct lwb_session_config *changed)
{
    const struct lwb_session_config original = world();
    const struct lwb_digest a = key_of(&original);
    const struct lwb_digest b = key_of(changed);

    assert_int_not_equal(0, lwb_digest_compare(&a, &b));
}

#define CHANGED(member, value)                                                                     \
    do {                                                                                           \
        struct lwb_session_config config = world();                                                \
        config.member = (value);                                                                   \
        expect_other_key(&config);                                                                 \
    } while (0)

static void every_member_is_in_the_key(void **state)
{
    (void)state;
    CHANGED(open.host, "kernel");
    CHANGED(open.project_root, "/q");
    CHANGED(open.package, "q");
    CHANGED(open.library, NULL);
    CHANGED(open.source_root, "/p");
    CHANGED(open.toolchain, "/u");
    CHANGED(open.toolchain_version, "4.9.1");
    CHANGED(open.imports, &other);
    CHANGED(open.options, &other);
    CHANGED(open.search_path, &other);
    CHANGED(open.plugins, NULL);
    CHANGED(open.capability, "/d.so");
    CHANGED(open.prelude, true);
    CHANGED(open.module_system, true);
    CHANGED(open.threads, 2);
    CHANGED(open.max_memory, 1);
    CHANGED(closure.bytes[31], 1);
    CHANGED(toolchain_id, "");
    CHANGED(policy_class, "mine");
    CHANGED(metadata, NULL);
}

static void the_scratch_folder_is_not(void **state)
{
    struct lwb_session_config config = world();
    const struct lwb_digest before = key_of(&config);
    struct lwb_digest after;

    (void)state;
    config.open.scratch = "/elsewhere";
    after = key_of(&config);
    assert_int_equal(0, lwb_digest_compare(&before, &after));
}

static void a_copy_has_the_same_key(void **state)
{
    const struct lwb_session_config config = world();
    LWB_AUTO(lwb_session_config_destroy) struct lwb_session_config *copy = NULL;
    struct lwb_digest a = key_of(&config);
    struct lwb_digest b;
    struct lwb_error err;

    (void)state;
    assert_int_equal(LWB_OK, lwb_session_config_copy(&copy, &config, &err));
    b = key_of(copy);
    assert_int_equal(0, lwb_digest_compare(&a, &b));
    assert_string_equal("/tmp", copy->open.scratch);
    assert_ptr_not_equal(config.open.host, copy->open.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_in_the_key),
        cmocka_unit_test(the_scratch_folder_is_not),
        cmocka_unit_test(a_copy_has_the_same_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
