#include "tests/support/test.h"

#include "lwbuild/plan/toolchain.h"
#include "tests/support/plain_digests.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/buf.h"

/* Toolchains here are folders with a shell script for `lean`, which counts its runs. */

struct fixture {
    struct scratch scratch;
    struct plain_digests digests;
    char home[300];
    char elan_home[300];
    char variable[400]; /* one more variable of a test's choice */
    char path[600];
    const char *environment[5];
    char project[300];
    struct lwb_toolchain_request request;
    struct lwb_toolchain toolchain;
    struct lwb_error err;
};

static int setup(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;

    *f = (struct fixture){ 0 };
    scratch_make(&f->scratch);
    plain_digests_init(&f->digests);
    (void)snprintf(f->home, sizeof(f->home), "HOME=%s", f->scratch.dir);
    (void)snprintf(f->path, sizeof(f->path), "PATH=%s", scratch_path(&f->scratch, "nothing"));
    (void)snprintf(f->project, sizeof(f->project), "%s", scratch_path(&f->scratch, "p/q"));
    f->environment[0] = f->home;
    f->environment[1] = f->path;
    scratch_write(&f->scratch, "p/q/A.lean", "");
    f->request.project = f->project;
    f->request.environment = f->environment;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    lwb_toolchain_release(&f->toolchain);
    plain_digests_release(&f->digests);
    scratch_remove(&f->scratch);
    return 0;
}

static void set_variable(struct fixture *f, const char *name, const char *value)
{
    (void)snprintf(f->variable, sizeof(f->variable), "%s=%s", name, value);
    f->environment[2] = f->variable;
}

/* <folder>/bin/lean says `says`, whatever it is asked, and <folder>/lib/lean exists. */
static void make_toolchain(struct fixture *f, const char *folder, const char *says)
{
    char name[300];
    char script[1000];

    (void)snprintf(name, sizeof(name), "%s/lib/lean/libleanshared.so", folder);
    scratch_write(&f->scratch, name, folder);
    (void)snprintf(name, sizeof(name), "%s/bin/lean", folder);
    (void)snprintf(script, sizeof(script), "#!/bin/sh\necho run >> %s/runs\necho '%s'\n",
                   f->scratch.dir, says);
    scratch_write(&f->scratch, name, script);
    assert_int_equal(chmod(scratch_path(&f->scratch, name), 0755), 0);
}

#define ELAN ".elan/toolchains/"
#define VERSION_9 "Lean (version 4.9.0, x86_64-unknown-linux-gnu, commit 8f9843a4a5fe, Release)"
#define VERSION_12                                                                                 \
    "Lean (version 4.12.0-rc1, commit dc2533473114eb8656439ff2b9335209784aa640, Release)"

static void find(struct fixture *f)
{
    int rc;

    lwb_toolchain_release(&f->toolchain);
    rc = lwb_toolchain_find(&f->toolchain, &f->request, &f->digests.source, &f->err);
    if (rc < 0)
        print_error("%s\n", f->err.text);
    assert_int_equal(rc, LWB_OK);
}

static void fail_to_find(struct fixture *f, const char *text)
{
    int rc = lwb_toolchain_find(&f->toolchain, &f->request, &f->digests.source, &f->err);

    assert_int_equal(rc, LWB_ERR_NO_TOOLCHAIN);
    if (!strstr(f->err.text, text))
        print_error("%s\n", f->err.text);
    assert_non_null(strstr(f->err.text, text));
}

static void assert_prefix(struct fixture *f, const char *folder)
{
    assert_string_equal(f->toolchain.prefix, scratch_path(&f->scratch, folder));
}

static unsigned count_runs(const struct fixture *f)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(10000);
    struct lwb_error err;

    if (lwb_file_read(&text, scratch_path(&f->scratch, "runs"), NULL, &err) < 0)
        return 0;
    return (unsigned)text.len / 4;
}

static void a_folder_may_be_given(void **state)
{
    struct fixture *f = *state;
    char given[300];

    make_toolchain(f, "mine", VERSION_9);
    (void)snprintf(given, sizeof(given), "%s", scratch_path(&f->scratch, "mine"));
    f->request.given = given;
    find(f);
    assert_prefix(f, "mine");
    assert_string_equal(f->toolchain.origin, "--toolchain");
    assert_string_equal(f->toolchain.version, "4.9.0");
    assert_string_equal(f->toolchain.githash, "8f9843a4a5fe");
    assert_int_equal(f->toolchain.minor, 9);
    assert_string_equal(f->toolchain.date, "");
    assert_int_equal(f->toolchain.files.count, 4); /* lean, one library, two folders */
}

static void names_are_completed_as_elan_completes_them(void **state)
{
    static const struct {
        const char *name;
        const char *folder;
    } cases[] = {
        { "leanprover/lean4:v4.9.0", ELAN "leanprover--lean4---v4.9.0" },
        { "v4.9.0", ELAN "leanprover--lean4---v4.9.0" },
        { "4.9.0", ELAN "leanprover--lean4---v4.9.0" },
        { "leanprover/lean4:nightly-2024-01-01",
          ELAN "leanprover--lean4-nightly---nightly-2024-01-01" },
        { "nightly-2024-01-01", ELAN "leanprover--lean4-nightly---nightly-2024-01-01" },
        { "me/fork:tag", ELAN "me--fork---tag" },
        { "linked", ELAN "linked" },
        { "stable", ELAN "leanprover--lean4---v4.10.0" },
        { "leanprover/lean4:beta", ELAN "leanprover--lean4---v4.11.0-rc2" },
        { "nightly", ELAN "leanprover--lean4-nightly---nightly-2024-11-09" },
    };
    /* Enough of them that no order in which a folder is listed ends with the newest by luck. */
    static const char *const nightlies[] = {
        ELAN "leanprover--lean4-nightly---nightly-2024-01-01",
        ELAN "leanprover--lean4-nightly---nightly-2024-11-09",
        ELAN "leanprover--lean4-nightly---nightly-2024-02-28",
        ELAN "leanprover--lean4-nightly---nightly-2023-12-31",
        ELAN "leanprover--lean4-nightly---nightly-2024-09-30",
        ELAN "leanprover--lean4-nightly---nightly-2022-11-30",
    };
    struct fixture *f = *state;

    make_toolchain(f, ELAN "leanprover--lean4---v4.9.0", VERSION_9);
    make_toolchain(f, ELAN "leanprover--lean4---v4.10.0", VERSION_9);
    make_toolchain(f, ELAN "leanprover--lean4---v4.11.0-rc2", VERSION_9);
    make_toolchain(f, ELAN "leanprover--lean4---v4.12.0-mine", VERSION_9);
    for (size_t i = 0; i < LWB_COUNT(nightlies); i++)
        make_toolchain(f, nightlies[i], VERSION_9);
    make_toolchain(f, ELAN "me--fork---tag", VERSION_9);
    make_toolchain(f, ELAN "linked", VERSION_9);
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        print_message("%s\n", cases[i].name);
        f->request.given = cases[i].name;
        find(f);
        assert_prefix(f, cases[i].folder);
        assert_string_equal(f->toolchain.name, cases[i].name);
    }
}

static void the_first_word_counts(void **state)
{
    struct fixture *f = *state;
    char text[400];

    make_toolchain(f, ELAN "one", VERSION_9);
    make_toolchain(f, ELAN "two", VERSION_9);
    make_toolchain(f, ELAN "three", VERSION_9);
    make_toolchain(f, ELAN "four", VERSION_9);
    make_toolchain(f, "five", VERSION_9);
    make_toolchain(f, "six", VERSION_9);
    (void)snprintf(f->path, sizeof(f->path), "PATH=relative:%s:%s",
                   scratch_path(&f->scratch, "nothing"), scratch_path(&f->scratch, "six/bin"));
    find(f);
    assert_prefix(f, "six");
    assert_string_equal(f->toolchain.origin, "PATH");

    scratch_write(&f->scratch, ".elan/settings.toml", "default_toolchain = \"one\"\n");
    find(f);
    assert_prefix(f, ELAN "one");

    scratch_write(&f->scratch, "p/leanpkg.toml", "[package]\nlean_version = \"two\"\n");
    find(f);
    assert_prefix(f, ELAN "two");

    scratch_write(&f->scratch, "p/lean-toolchain", "\n  three \nrest\n");
    find(f);
    assert_prefix(f, ELAN "three");
    assert_string_equal(f->toolchain.origin, scratch_path(&f->scratch, "p/lean-toolchain"));

    (void)snprintf(text, sizeof(text),
                   "default_toolchain = \"one\"\n[overrides]\n\"%s\" = \"four\"\n",
                   scratch_path(&f->scratch, "p/q"));
    scratch_write(&f->scratch, ".elan/settings.toml", text);
    find(f);
    assert_prefix(f, ELAN "four");

    set_variable(f, "ELAN_TOOLCHAIN", "two");
    find(f);
    assert_prefix(f, ELAN "two");

    set_variable(f, "LEAN_SYSROOT", scratch_path(&f->scratch, "five"));
    find(f);
    assert_prefix(f, "five");

    f->request.given = "one";
    find(f);
    assert_prefix(f, ELAN "one");
}

static void elan_home_may_be_elsewhere(void **state)
{
    struct fixture *f = *state;

    make_toolchain(f, "elan/toolchains/one", VERSION_9);
    set_variable(f, "ELAN_HOME", scratch_path(&f->scratch, "elan"));
    f->request.given = "one";
    find(f);
    assert_prefix(f, "elan/toolchains/one");
}

/* As elan sees it, which goes upwards from there. */
static void a_project_is_where_its_link_leads(void **state)
{
    struct fixture *f = *state;
    char target[300];

    make_toolchain(f, ELAN "one", VERSION_9);
    scratch_write(&f->scratch, "elsewhere/lean-toolchain", "one\n");
    scratch_write(&f->scratch, "elsewhere/deep/A.lean", "");
    (void)snprintf(target, sizeof(target), "%s", scratch_path(&f->scratch, "elsewhere/deep"));
    assert_int_equal(symlink(target, scratch_path(&f->scratch, "link")), 0);
    (void)snprintf(f->project, sizeof(f->project), "%s", scratch_path(&f->scratch, "link"));
    find(f);
    assert_prefix(f, ELAN "one");
    assert_string_equal(f->toolchain.origin, scratch_path(&f->scratch, "elsewhere/lean-toolchain"));
}

/* It would be another one in every folder. */
static void a_relative_folder_in_path_is_passed_over(void **state)
{
    struct fixture *f = *state;
    char before[4096];

    make_toolchain(f, "six", VERSION_9);
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(f->scratch.dir), 0);
    (void)snprintf(f->path, sizeof(f->path), "PATH=six/bin:");
    fail_to_find(f, "no Lean toolchain");
    assert_int_equal(chdir(before), 0);
}

static void a_toolchain_file_may_name_a_folder(void **state)
{
    struct fixture *f = *state;

    make_toolchain(f, "p/build/stage1", VERSION_9);
    scratch_write(&f->scratch, "p/lean-toolchain", "./build/stage1\n");
    find(f);
    assert_prefix(f, "p/build/stage1");
    scratch_write(&f->scratch, "p/lean-toolchain", "build/stage1\n");
    find(f);
    assert_prefix(f, "p/build/stage1");
}

static void what_is_named_and_missing_is_not_passed_over(void **state)
{
    struct fixture *f = *state;

    make_toolchain(f, ELAN "one", VERSION_9);
    scratch_write(&f->scratch, ".elan/settings.toml", "default_toolchain = \"one\"\n");
    scratch_write(&f->scratch, "p/lean-toolchain", "leanprover/lean4:v4.9.0\n");
    fail_to_find(f, "p/lean-toolchain: Lean toolchain leanprover/lean4:v4.9.0 is not installed: "
                    "run elan toolchain install leanprover/lean4:v4.9.0");
    scratch_write(&f->scratch, "p/lean-toolchain", "\n");
    fail_to_find(f, "lean-toolchain: names no toolchain");
    set_variable(f, "LEAN_SYSROOT", scratch_path(&f->scratch, "nothing"));
    fail_to_find(f, "LEAN_SYSROOT: there is no bin/lean in ");
    f->request.given = "/nonexistent";
    fail_to_find(f, "--toolchain: there is no bin/lean in /nonexistent");
}

/* A file that was saved as something else, or with a comment, must not become a command to copy. */
static void a_name_that_can_be_none_is_told_so(void **state)
{
    static const struct {
        const char *content;
        const char *complaint;
    } cases[] = {
        { "\xef\xbb\xbfv4.9.0\n", "lean-toolchain: \"???v4.9.0\" is no name of a toolchain" },
        { "v4.9.0 # the old one\n",
          "lean-toolchain: \"v4.9.0 # the old one\" is no name of a toolchain" },
        { "\033[31mred\r\n", "lean-toolchain: \"?[31mred\" is no name of a toolchain" },
    };
    struct fixture *f = *state;

    make_toolchain(f, ELAN "leanprover--lean4---v4.9.0", VERSION_9);
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        scratch_write(&f->scratch, "p/lean-toolchain", cases[i].content);
        fail_to_find(f, cases[i].complaint);
    }
    scratch_write(&f->scratch, "p/lean-toolchain", "\r\n \tleanprover/lean4:v4.9.0 \t\r\nmore\r\n");
    find(f);
    assert_prefix(f, ELAN "leanprover--lean4---v4.9.0");
}

static void without_elan_it_says_where_elan_is(void **state)
{
    struct fixture *f = *state;

    scratch_write(&f->scratch, "p/lean-toolchain", "v4.9.0\n");
    fail_to_find(f, "p/lean-toolchain: Lean toolchain v4.9.0 is not installed, nor is elan, which "
                    "installs it: see https://lean-lang.org/install");
}

static void without_any_lean_one_line_says_how_to_get_one(void **state)
{
    struct fixture *f = *state;

    fail_to_find(f, "no Lean toolchain: no lean-toolchain file, no default of elan, no lean in "
                    "PATH; to install Lean, see https://lean-lang.org/install");
}

static void the_proxies_of_elan_are_not_run(void **state)
{
    struct fixture *f = *state;

    make_toolchain(f, "proxies", VERSION_9);
    scratch_write(&f->scratch, "proxies/bin/elan", "");
    (void)snprintf(f->path, sizeof(f->path), "PATH=%s", scratch_path(&f->scratch, "proxies/bin"));
    fail_to_find(f, "no Lean toolchain");
    assert_int_equal(count_runs(f), 0);
}

/* Nor when somebody names the folder that they are in. */
static void a_folder_of_proxies_is_no_toolchain(void **state)
{
    struct fixture *f = *state;
    char given[300];

    make_toolchain(f, ".elan", VERSION_9);
    scratch_write(&f->scratch, "links/bin/elan-init", "");
    assert_int_equal(symlink("elan-init", scratch_path(&f->scratch, "links/bin/lean")), 0);
    scratch_write(&f->scratch, ".elan/bin/elan", "");
    scratch_write(&f->scratch, "p/lean-toolchain", "../links\n");
    fail_to_find(f, "links/bin/lean is a proxy of elan and no Lean: name one of elan's toolchains");
    set_variable(f, "LEAN_SYSROOT", scratch_path(&f->scratch, ".elan"));
    fail_to_find(f, "LEAN_SYSROOT: ");
    fail_to_find(f, "/.elan/bin/lean is a proxy of elan and no Lean");
    (void)snprintf(given, sizeof(given), "%s", scratch_path(&f->scratch, ".elan"));
    f->request.given = given;
    fail_to_find(f, "--toolchain: ");
    assert_int_equal(count_runs(f), 0);
}

static void a_wrapper_in_path_is_asked_for_its_prefix(void **state)
{
    struct fixture *f = *state;

    make_toolchain(f, "real", VERSION_9);
    make_toolchain(f, "wrapper", scratch_path(&f->scratch, "real"));
    assert_int_equal(unlink(scratch_path(&f->scratch, "wrapper/lib/lean/libleanshared.so")), 0);
    assert_int_equal(rmdir(scratch_path(&f->scratch, "wrapper/lib/lean")), 0);
    (void)snprintf(f->path, sizeof(f->path), "PATH=%s", scratch_path(&f->scratch, "wrapper/bin"));
    find(f);
    assert_prefix(f, "real");
}

static void headers_spare_a_run_of_lean(void **state)
{
    struct fixture *f = *state;

    make_toolchain(f, ELAN "one", "unused");
    f->request.given = "one";
    scratch_write(&f->scratch, ELAN "one/include/lean/version.h",
                  "#define LEAN_VERSION_MAJOR 4\n#define LEAN_VERSION_STRING \"4.22.0-rc3\"\n");
    scratch_write(&f->scratch, ELAN "one/include/lean/githash.h",
                  "#define LEAN_GITHASH \"0123456789012345678901234567890123456789\"\n");
    find(f);
    assert_string_equal(f->toolchain.version, "4.22.0-rc3");
    assert_string_equal(f->toolchain.githash, "0123456789012345678901234567890123456789");
    assert_int_equal(f->toolchain.minor, 22);
    scratch_write(&f->scratch, ELAN "one/include/lean/version.h",
                  "#define LEAN_VERSION_MAJOR 4\n#define LEAN_VERSION_MINOR 0\n"
                  "#define LEAN_VERSION_PATCH 0\n#define LEAN_VERSION_IS_RELEASE 0\n"
                  "#define LEAN_SPECIAL_VERSION_DESC \"nightly-2022-05-06\"\n");
    find(f);
    assert_string_equal(f->toolchain.version, "4.0.0-nightly-2022-05-06");
    assert_string_equal(f->toolchain.date, "2022-05-06");
    assert_int_equal(count_runs(f), 0);
}

static void lean_is_asked_once_per_content(void **state)
{
    struct fixture *f = *state;

    make_toolchain(f, ELAN "one", VERSION_12);
    f->request.given = "one";
    /* What a build of 2021 installed: it does not know. */
    scratch_write(&f->scratch, ELAN "one/include/lean/version.h",
                  "#define LEAN_VERSION_MAJOR 4\n#define LEAN_VERSION_IS_RELEASE 0\n"
                  "#define LEAN_SPECIAL_VERSION_DESC \"\"\n");
    scratch_write(&f->scratch, ELAN "one/include/lean/githash.h", "");
    find(f);
    find(f);
    assert_string_equal(f->toolchain.version, "4.12.0-rc1");
    assert_int_equal(count_runs(f), 1);
    make_toolchain(f, ELAN "one", VERSION_9);
    find(f);
    assert_string_equal(f->toolchain.version, "4.9.0");
    assert_int_equal(count_runs(f), 2);
}

static void a_nightly_has_its_date_from_its_folder_if_need_be(void **state)
{
    struct fixture *f = *state;

    make_toolchain(f, ELAN "leanprover--lean4-nightly---nightly-2021-11-30",
                   "Lean (version 4.0.0, commit 9a81ae556a03, Release)");
    f->request.given = "nightly-2021-11-30";
    find(f);
    assert_string_equal(f->toolchain.version, "4.0.0");
    assert_string_equal(f->toolchain.date, "2021-11-30");
}

static void what_is_no_lean_is_refused(void **state)
{
    struct fixture *f = *state;

    f->request.given = "one";
    make_toolchain(f, ELAN "one", "Lean (version 3.51.1, commit abc, Release)");
    fail_to_find(f, "is Lean 3.51.1, lwbuild needs Lean 4");
    make_toolchain(f, ELAN "one", "GNU bash");
    fail_to_find(f, "says 'GNU bash', which no Lean 4 says");
    scratch_write(&f->scratch, ELAN "one/bin/lean", "#!/bin/sh\nexit 3\n");
    fail_to_find(f, "cannot run ");
    assert_int_equal(chmod(scratch_path(&f->scratch, ELAN "one/bin/lean"), 0755), 0);
    fail_to_find(f, "lean --version failed");
}

static void the_identity_is_the_content_of_what_runs(void **state)
{
    struct fixture *f = *state;
    struct lwb_digest first;

    make_toolchain(f, ELAN "one", VERSION_9);
    make_toolchain(f, ELAN "two", VERSION_9);
    scratch_write(&f->scratch, ELAN "two/lib/lean/libleanshared.so", ELAN "one");
    f->request.given = "one";
    find(f);
    first = f->toolchain.identity;
    f->request.given = "two";
    find(f);
    assert_memory_equal(&first, &f->toolchain.identity, sizeof(first));
    scratch_write(&f->scratch, ELAN "two/lib/lean/libInit_shared.so", "x");
    find(f);
    assert_memory_not_equal(&first, &f->toolchain.identity, sizeof(first));
    assert_int_equal(unlink(scratch_path(&f->scratch, ELAN "two/lib/lean/libInit_shared.so")), 0);
    scratch_write(&f->scratch, ELAN "two/lib/lean/libleanshared.so", "y");
    find(f);
    assert_memory_not_equal(&first, &f->toolchain.identity, sizeof(first));
}

/* So that a run is not answered from memory when one appears. */
static void the_folders_of_the_libraries_are_looked_at(void **state)
{
    struct fixture *f = *state;
    const char *lib = scratch_path(&f->scratch, ELAN "one/lib");
    const char *lean = scratch_path(&f->scratch, ELAN "one/lib/lean");
    unsigned seen = 0;

    make_toolchain(f, ELAN "one", VERSION_9);
    f->request.given = "one";
    find(f);
    for (size_t i = 0; i < f->toolchain.files.count; i++)
        seen += strcmp(f->toolchain.files.items[i], lib) == 0 ||
                strcmp(f->toolchain.files.items[i], lean) == 0;
    assert_int_equal(seen, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_may_be_given),
        TEST(names_are_completed_as_elan_completes_them),
        TEST(the_first_word_counts),
        TEST(elan_home_may_be_elsewhere),
        TEST(a_project_is_where_its_link_leads),
        TEST(a_relative_folder_in_path_is_passed_over),
        TEST(a_toolchain_file_may_name_a_folder),
        TEST(what_is_named_and_missing_is_not_passed_over),
        TEST(a_name_that_can_be_none_is_told_so),
        TEST(without_elan_it_says_where_elan_is),
        TEST(without_any_lean_one_line_says_how_to_get_one),
        TEST(the_proxies_of_elan_are_not_run),
        TEST(a_folder_of_proxies_is_no_toolchain),
        TEST(a_wrapper_in_path_is_asked_for_its_prefix),
        TEST(headers_spare_a_run_of_lean),
        TEST(lean_is_asked_once_per_content),
        TEST(a_nightly_has_its_date_from_its_folder_if_need_be),
        TEST(what_is_no_lean_is_refused),
        TEST(the_identity_is_the_content_of_what_runs),
        TEST(the_folders_of_the_libraries_are_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
