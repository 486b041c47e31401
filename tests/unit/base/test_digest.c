#include "tests/support/test.h"

#include "lwbuild/base/digest.h"
#include "tests/support/scratch.h"

static void known_answer(void **state)
{
    struct lwb_digest digest;
    struct lwb_error err;
    char hex[LWB_DIGEST_HEX + 1];

    (void)state;
    assert_int_equal(lwb_digest_bytes(&digest, lwb_bytes_text("abc"), &err), LWB_OK);
    lwb_digest_hex(&digest, hex);
    /* FIPS 180-4, example for SHA-256 */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hex_is_read_back_and_nothing_else_is(void **state)
{
    const char *good = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const char *upper = "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    struct lwb_digest digest;
    char hex[LWB_DIGEST_HEX + 1];

    (void)state;
    assert_int_equal(lwb_digest_parse(&digest, lwb_bytes_text(good)), 0);
    lwb_digest_hex(&digest, hex);
    assert_string_equal(hex, good);
    assert_int_equal(lwb_digest_parse(&digest, lwb_bytes_text(upper)), -1);
    assert_int_equal(lwb_digest_parse(&digest, lwb_bytes(good, 63)), -1);
}

static struct lwb_digest of_two(const char *a, const char *b)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();

    assert_non_null(hasher);
    lwb_hasher_text(hasher, 't', a);
    lwb_hasher_text(hasher, 't', b);
    return lwb_hasher_end(hasher);
}

static void field_boundaries_count(void **state)
{
    struct lwb_digest x = of_two("ab", "c");
    struct lwb_digest y = of_two("a", "bc");

    (void)state;
    assert_int_not_equal(lwb_digest_compare(&x, &y), 0);
}

static void a_hasher_starts_anew_after_its_end(void **state)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();
    struct lwb_digest first, second;

    (void)state;
    lwb_hasher_u64(hasher, 'n', 7);
    first = lwb_hasher_end(hasher);
    lwb_hasher_u64(hasher, 'n', 7);
    second = lwb_hasher_end(hasher);
    assert_int_equal(lwb_digest_compare(&first, &second), 0);
}

static void a_file_has_the_digest_of_its_bytes(void **state)
{
    struct lwb_digest of_file, of_bytes;
    struct scratch scratch;
    struct lwb_error err;

    (void)state;
    scratch_make(&scratch);
    scratch_write(&scratch, "f", "content");
    assert_int_equal(lwb_digest_file(&of_file, scratch_path(&scratch, "f"), &err), LWB_OK);
    assert_int_equal(lwb_digest_bytes(&of_bytes, lwb_bytes_text("content"), &err), LWB_OK);
    assert_int_equal(lwb_digest_compare(&of_file, &of_bytes), 0);
    assert_int_equal(lwb_digest_file(&of_file, scratch_path(&scratch, "none"), &err),
                     LWB_ERR_SYSTEM);
    assert_non_null(strstr(err.text, "none"));
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answer),
        cmocka_unit_test(hex_is_read_back_and_nothing_else_is),
        cmocka_unit_test(field_boundaries_count),
        cmocka_unit_test(a_hasher_starts_anew_after_its_end),
        cmocka_unit_test(a_file_has_the_digest_of_its_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
