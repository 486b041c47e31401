#include "tests/support/test.h"

#include <stdio.h>

#include "tests/support/cache_fixture.h"

enum { IMPORTS = 3, COUNT = IMPORTS + 3 };

static const char subject[] = "project\nA.B";

static void make_components(struct lwb_cache_component components[COUNT])
{
    static const char *const names[COUNT] = { "source",     "toolchain",   "import Init",
                                              "import A.C", "import Data", "option x" };

    for (uint32_t i = 0; i < COUNT; i++)
        components[i] = (struct lwb_cache_component){ names[i], cache_key(i) };
}

/* What is said about key `n`, as "<why> <text>". */
static const char *explain(struct lwb_cache *cache, uint32_t n,
                           const struct lwb_cache_component *components, size_t count)
{
    static const char *const words[] = {
        [LWB_WHY_NEVER_SEEN] = "never",
        [LWB_WHY_DIFFERS] = "differs",
        [LWB_WHY_EVICTED] = "evicted",
        [LWB_WHY_UNKNOWN] = "unknown",
    };
    static char answer[1000];
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(900);
    struct lwb_digest key = cache_key(n);
    enum lwb_cache_why why;
    struct lwb_error err;

    if (lwb_cache_explain(cache, lwb_bytes_text(subject), &key, components, count, &why, &text,
                          &err) < 0)
        fail_msg("%s", err.text);
    (void)snprintf(answer, sizeof(answer), "%s%s%s", words[why], text.len ? " " : "",
                   lwb_buf_text(&text));
    return answer;
}

static void store(struct lwb_cache *cache, uint32_t n, const struct lwb_cache_component *components,
                  size_t count)
{
    struct lwb_digest key = cache_key(n);
    struct lwb_error err;

    assert_int_equal(
        lwb_cache_store_components(cache, lwb_bytes_text(subject), &key, components, count, &err),
        LWB_OK);
}

static void the_first_difference_is_named(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_cache_component components[COUNT];
    struct lwb_error err;
    char expected[100];

    make_components(components);
    assert_string_equal(explain(cache, 1, components, COUNT), "never");
    store(cache, 1, components, COUNT);
    for (int committed = 0; committed < 2; committed++) {
        assert_string_equal(explain(cache, 1, components, COUNT), "unknown");
        assert_string_equal(explain(cache, 2, components, COUNT), "unknown");
        for (size_t i = 0; i < COUNT; i++) {
            struct lwb_digest kept = components[i].value;

            components[i].value = cache_key(99);
            (void)snprintf(expected, sizeof(expected), "differs %s", components[i].name);
            assert_string_equal(explain(cache, 2, components, COUNT), expected);
            components[i].value = kept;
        }
        components[3].value = cache_key(99);
        components[4].value = cache_key(98);
        assert_string_equal(explain(cache, 2, components, COUNT), "differs import A.C");
        make_components(components);
        assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    }
    lwb_cache_close(cache);
}

static void what_came_and_went_is_named(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_cache_component components[COUNT];

    make_components(components);
    store(cache, 1, components, COUNT - 1);
    assert_string_equal(explain(cache, 2, components, COUNT), "differs option x (new)");
    store(cache, 1, components, COUNT);
    assert_string_equal(explain(cache, 2, components, COUNT - 1), "differs option x (gone)");
    components[4] = components[5]; /* without import Data */
    assert_string_equal(explain(cache, 2, components, COUNT - 1), "differs import Data (gone)");
    make_components(components);
    components[4].name = "import Other";
    assert_string_equal(explain(cache, 2, components, COUNT), "differs import Other (new)");
    lwb_cache_close(cache);
}

static void another_order_is_no_difference(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_cache_component components[COUNT];
    struct lwb_cache_component reversed[COUNT];

    make_components(components);
    for (size_t i = 0; i < COUNT; i++)
        reversed[i] = components[COUNT - 1 - i];
    store(cache, 1, components, COUNT);
    assert_string_equal(explain(cache, 2, reversed, COUNT), "unknown");
    reversed[0].value = cache_key(99);
    assert_string_equal(explain(cache, 2, reversed, COUNT), "differs option x");
    lwb_cache_close(cache);
}

static void import_sets_are_stored_once(void **state)
{
    enum { IMPORT_COUNT = 500, SUBJECTS = 100 };
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_cache_component components[IMPORT_COUNT + 1];
    static char names[IMPORT_COUNT][40];
    struct lwb_file_stat st;
    struct lwb_error err;
    char path[400];

    components[0] = (struct lwb_cache_component){ "source", cache_key(0) };
    for (uint32_t i = 0; i < IMPORT_COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "import Some.Long.Name.Number%u", i);
        components[i + 1] = (struct lwb_cache_component){ names[i], cache_key(i) };
    }
    for (uint32_t i = 0; i < SUBJECTS; i++) {
        char name[20];
        struct lwb_digest key = cache_key(i);

        (void)snprintf(name, sizeof(name), "M%u", i);
        components[0].value = cache_key(i);
        assert_int_equal(lwb_cache_store_components(cache, lwb_bytes_text(name), &key, components,
                                                    IMPORT_COUNT + 1, &err),
                         LWB_OK);
    }
    lwb_cache_close(cache);
    (void)snprintf(path, sizeof(path), "%s/cache.db", fixture->dir);
    assert_int_equal(lwb_file_stat(&st, path, &err), 1);
    assert_true(st.size < 300 * 1024); /* one set is 35 KB, a hundred would be 3.5 MB */
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(the_first_difference_is_named),
        CACHE_TEST(what_came_and_went_is_named),
        CACHE_TEST(another_order_is_no_difference),
        CACHE_TEST(import_sets_are_stored_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
