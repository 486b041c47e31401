#include "tests/support/test.h"

#include <stdbool.h>
#include <string.h>

#include "lwbuild/base/checksum.h"

static unsigned char name[LWB_CHECKSUM_NAME];

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = (unsigned char)(i + 1);
    return 0;
}

static bool equal(struct lwb_checksum a, struct lwb_checksum b)
{
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

/* The value is stored in files: it must stay what it is. */
static void a_checksum_never_changes(void **state)
{
    static const unsigned char expected[16] = { 0xab, 0xbd, 0xb6, 0x4e, 0x4f, 0x0e, 0x98, 0x4c,
                                                0x5c, 0xb5, 0x4f, 0xcc, 0x5d, 0x33, 0xc0, 0x68 };

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_memory_equal(lwb_checksum_of(name, "abc", 3).bytes, expected, sizeof(expected));
}

static void every_bit_and_every_byte_counts(void **state)
{
    unsigned char zeros[70] = { 0 };
    struct lwb_checksum seen[71];

    (void)state;
    for (size_t len = 0; len <= sizeof(zeros); len++) { /* zeros of another length, too */
        seen[len] = lwb_checksum_of(name, zeros, len);
        for (size_t other = 0; other < len; other++)
            assert_false(equal(seen[len], seen[other]));
    }
    for (size_t bit = 0; bit < 8 * sizeof(zeros); bit++) {
        zeros[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_false(equal(lwb_checksum_of(name, zeros, sizeof(zeros)), seen[70]));
        zeros[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

static void another_name_is_another_checksum(void **state)
{
    struct lwb_checksum before = lwb_checksum_of(name, "abc", 3);

    (void)state;
    for (size_t i = 0; i < sizeof(name); i++) {
        name[i] = (unsigned char)~name[i];
        assert_false(equal(lwb_checksum_of(name, "abc", 3), before));
        name[i] = (unsigned char)~name[i];
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checksum_never_changes),
        cmocka_unit_test(every_bit_and_every_byte_counts),
        cmocka_unit_test(another_name_is_another_checksum),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
