#include "tests/support/test.h"

#include "lwbuild/plan/olean.h"
#include "tests/support/fake_olean.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"

static const enum lwb_olean_layout layouts[] = { LWB_OLEAN_A, LWB_OLEAN_B, LWB_OLEAN_C,
                                                 LWB_OLEAN_D };

static struct scratch scratch;

static int setup(void **state)
{
    (void)state;
    scratch_make(&scratch);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(&scratch);
    return 0;
}

static void write_bytes(struct lwb_bytes bytes)
{
    struct lwb_error err;

    assert_int_equal(lwb_file_write(scratch_path(&scratch, "x.olean"), bytes, 0666, &err), LWB_OK);
}

static int read_file(struct lwb_olean *olean)
{
    struct lwb_error err;
    int rc = lwb_olean_read(olean, scratch_path(&scratch, "x.olean"), &err);

    assert_true(rc >= 0);
    return rc;
}

/* Imports as "A.B C". */
static void assert_imports(const struct lwb_olean *olean, const char *expected)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(100000);
    const char *name = lwb_buf_text(&olean->imports);

    assert_true(olean->understood);
    lwb_buf_append_text(&text, "");
    for (size_t i = 0; i < olean->n_imports; i++) {
        lwb_buf_format(&text, "%s%s", i ? " " : "", name);
        name += strlen(name) + 1;
    }
    assert_string_equal(lwb_buf_text(&text), expected);
}

static void imports_are_read_in_all_layouts(void **state)
{
    static const char *const imports[] = { "", "Init", "Init Lean.Data.Name A.B.C",
                                           "Mathlib.Ω.x' é" };
    LWB_AUTO(lwb_olean_release) struct lwb_olean olean = LWB_OLEAN;

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(layouts); i++) {
        for (size_t k = 0; k < LWB_COUNT(imports); k++) {
            const struct fake_olean fake = { .layout = layouts[i], .imports = imports[k] };

            fake_olean_write(scratch_path(&scratch, "x.olean"), &fake);
            assert_int_equal(read_file(&olean), 1);
            assert_int_equal(olean.header.layout, layouts[i]);
            assert_imports(&olean, imports[k]);
        }
    }
}

static void components_that_are_no_identifiers_get_guillemets(void **state)
{
    LWB_AUTO(lwb_olean_release) struct lwb_olean olean = LWB_OLEAN;
    const struct fake_olean fake = { .layout = LWB_OLEAN_D, .imports = "a-b.C" };

    (void)state;
    fake_olean_write(scratch_path(&scratch, "x.olean"), &fake);
    assert_int_equal(read_file(&olean), 1);
    assert_imports(&olean, "«a-b».C");
}

static void headers_tell_who_made_a_file(void **state)
{
    LWB_AUTO(lwb_olean_release) struct lwb_olean olean = LWB_OLEAN;
    const struct fake_olean fake = {
        .layout = LWB_OLEAN_D,
        .imports = "",
        .version = "4.21.0-rc1",
        .githash = "0123456789012345678901234567890123456789",
    };

    (void)state;
    fake_olean_write(scratch_path(&scratch, "x.olean"), &fake);
    assert_int_equal(read_file(&olean), 1);
    assert_string_equal(olean.header.version, "4.21.0-rc1");
    assert_string_equal(olean.header.githash, "0123456789012345678901234567890123456789");
}

static void what_is_not_understood_is_no_error(void **state)
{
    LWB_AUTO(lwb_olean_release) struct lwb_olean olean = LWB_OLEAN;
    const struct fake_olean unknown = { .layout = LWB_OLEAN_UNKNOWN, .imports = "A" };
    struct lwb_error err;

    (void)state;
    assert_int_equal(read_file(&olean), 0);
    fake_olean_write(scratch_path(&scratch, "x.olean"), &unknown);
    assert_int_equal(read_file(&olean), 1);
    assert_false(olean.understood);
    write_bytes(lwb_bytes_text("not an olean"));
    assert_int_equal(read_file(&olean), 1);
    assert_false(olean.understood);
    write_bytes(lwb_bytes_text(""));
    assert_int_equal(read_file(&olean), 1);
    assert_false(olean.understood);
    assert_int_equal(lwb_olean_read(&olean, scratch.dir, &err), 1);
    assert_false(olean.understood);
}

static void a_name_that_leads_out_of_the_folder_is_not_understood(void **state)
{
    static const char *const names[] = { "a/b", "A.../x" };
    LWB_AUTO(lwb_olean_release) struct lwb_olean olean = LWB_OLEAN;

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(names); i++) {
        const struct fake_olean fake = { .layout = LWB_OLEAN_D, .imports = names[i] };

        fake_olean_write(scratch_path(&scratch, "x.olean"), &fake);
        assert_int_equal(read_file(&olean), 1);
        assert_false(olean.understood);
    }
}

static void a_file_that_was_cut_is_read_safely(void **state)
{
    LWB_AUTO(lwb_olean_release) struct lwb_olean olean = LWB_OLEAN;
    const struct fake_olean fake = { .layout = LWB_OLEAN_D, .imports = "Init A.B" };
    LWB_AUTO(lwb_buf_release) struct lwb_buf bytes = LWB_BUF(100000);

    (void)state;
    fake_olean_append(&bytes, &fake);
    for (size_t len = 0; len < bytes.len; len += 3) {
        write_bytes(lwb_bytes(bytes.ptr, len));
        assert_int_equal(read_file(&olean), 1);
        assert_false(olean.understood);
    }
}

/* Any byte may be wrong: then the imports are others or not understood, and nothing breaks. */
static void a_damaged_file_is_read_safely(void **state)
{
    LWB_AUTO(lwb_olean_release) struct lwb_olean olean = LWB_OLEAN;
    static const unsigned char values[] = { 0x00, 0x01, 0x7F, 0x80, 0xFF };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(layouts); i++) {
        const struct fake_olean fake = { .layout = layouts[i], .imports = "Init A.B" };
        LWB_AUTO(lwb_buf_release) struct lwb_buf bytes = LWB_BUF(100000);

        fake_olean_append(&bytes, &fake);
        for (size_t at = 0; at < bytes.len; at++) {
            char before = bytes.ptr[at];

            bytes.ptr[at] = (char)values[at % LWB_COUNT(values)];
            write_bytes(lwb_buf_bytes(&bytes));
            assert_int_equal(read_file(&olean), 1);
            bytes.ptr[at] = before;
        }
    }
}

/* ---- a real toolchain, where there is one ---- */

static unsigned n_read;
static unsigned n_bad;

static int read_real(const char *path, const struct stat *st, int type, struct FTW *at)
{
    LWB_AUTO(lwb_olean_release) struct lwb_olean olean = LWB_OLEAN;
    struct lwb_error err;

    (void)st;
    (void)at;
    if (type != FTW_F || !lwb_path_has_suffix(path, ".olean"))
        return 0;
    n_read++;
    if (lwb_olean_read(&olean, path, &err) != 1 || !olean.understood) {
        print_error("not understood: %s\n", path);
        n_bad++;
    }
    return 0;
}

static void all_files_of_a_real_lean_are_understood(void **state)
{
    const char *home = getenv("HOME");
    LWB_AUTO(lwb_free_text)
    char *toolchains = home ? lwb_path_join(home, ".elan/toolchains") : NULL;

    (void)state;
    n_read = n_bad = 0;
    if (!toolchains || access(toolchains, R_OK) != 0) {
        skip();
        return;
    }
    (void)nftw(toolchains, read_real, 16, FTW_PHYS);
    if (!n_read)
        skip();
    print_message("%u files\n", n_read);
    assert_int_equal(n_bad, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(imports_are_read_in_all_layouts),
        TEST(components_that_are_no_identifiers_get_guillemets),
        TEST(headers_tell_who_made_a_file),
        TEST(what_is_not_understood_is_no_error),
        TEST(a_name_that_leads_out_of_the_folder_is_not_understood),
        TEST(a_file_that_was_cut_is_read_safely),
        TEST(a_damaged_file_is_read_safely),
        TEST(all_files_of_a_real_lean_are_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
