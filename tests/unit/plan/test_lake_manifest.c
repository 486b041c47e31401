#include "tests/support/test.h"

#include "lwbuild/plan/lake_manifest.h"

static const struct {
    const char *text;
    const char *meaning;
} good[] = {
    { "{\"version\":2,\"packages\":[{\"name\":\"std\",\"url\":\"u\",\"rev\":\"r\"}]}", "-; std" },
    { "{\"version\":4,\"packagesDir\":\"lake-packages\",\"packages\":[{\"git\":{\"url\":\"u\","
      "\"subDir?\":\"s\",\"rev\":\"r\",\"name\":\"std\",\"inputRev?\":null}},"
      "{\"path\":{\"name\":\"b\",\"dir\":\"./../b\"}}]}",
      "lake-packages; std/s; b at ./../b" },
    { "{\"version\":6,\"packagesDir\":\"lake-packages\",\"packages\":[{\"git\":{\"url\":\"u\","
      "\"subDir?\":null,\"rev\":\"r\",\"opts\":{},\"name\":\"proofwidgets\",\"inherited\":true}}],"
      "\"name\":\"x\"}",
      "lake-packages; proofwidgets" },
    { "{\"version\":7,\"packagesDir\":\".lake/"
      "packages\",\"packages\":[{\"url\":\"u\",\"type\":\"git\","
      "\"subDir\":null,\"rev\":\"r\",\"name\":\"std\",\"manifestFile\":\"m\",\"inherited\":false},"
      "{\"type\":\"path\",\"name\":\"b\",\"dir\":\"b\"}],\"name\":\"x\",\"lakeDir\":\".lake\"}",
      ".lake/packages; std; b at b" },
    { "{\"version\":\"1.1.0\",\"packagesDir\":\".lake/packages\",\"packages\":[{\"url\":\"u\","
      "\"type\":\"git\",\"subDir\":\"lean\",\"scope\":\"leanprover\",\"rev\":\"r\",\"name\":"
      "\"«doc-gen4»\",\"configFile\":\"lakefile.toml\"}]}",
      ".lake/packages; doc-gen4/lean" },
    { "{}", "-" },
};

static const struct {
    const char *text;
    const char *message;
} bad[] = {
    { "[]", "" },
    { "{", "" },
    { "{\"packages\":{}}", "packages is not an array" },
    { "{\"packages\":[{}]}", "a package without a name" },
    { "{\"packages\":[1]}", "a package without a name" },
    { "{\"packages\":[{\"type\":\"svn\",\"name\":\"a\"}]}", "package a is of type svn" },
    { "{\"packages\":[{\"type\":\"path\",\"name\":\"a\"}]}", "package a has no dir" },
    { "{\"packages\":[{\"name\":\"..\"}]}", "'..' cannot be the name of a package" },
    { "{\"packages\":[{\"name\":\"a/b\"}]}", "'a/b' cannot be the name of a package" },
};

static void manifests_of_all_years_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(good); i++) {
        LWB_AUTO(lwb_lake_manifest_release) struct lwb_lake_manifest manifest = { 0 };
        LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1000);
        struct lwb_error err;

        assert_int_equal(lwb_lake_manifest_read(&manifest, lwb_bytes_text(good[i].text), &err),
                         LWB_OK);
        lwb_buf_append_text(&text, manifest.packages_dir ? manifest.packages_dir : "-");
        for (size_t k = 0; k < manifest.n_packages; k++) {
            const struct lwb_lake_package *package = &manifest.packages[k];

            lwb_buf_format(&text, "; %s%s%s%s%s", package->name, *package->sub_dir ? "/" : "",
                           package->sub_dir, package->dir ? " at " : "",
                           package->dir ? package->dir : "");
        }
        assert_string_equal(lwb_buf_text(&text), good[i].meaning);
    }
}

static void a_bad_manifest_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(bad); i++) {
        struct lwb_lake_manifest manifest = { 0 };
        struct lwb_error err;

        assert_int_equal(lwb_lake_manifest_read(&manifest, lwb_bytes_text(bad[i].text), &err),
                         LWB_ERR_LAKEFILE);
        assert_int_equal(strncmp(err.text, bad[i].message, strlen(bad[i].message)), 0);
        assert_null(manifest.packages);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifests_of_all_years_are_read),
        cmocka_unit_test(a_bad_manifest_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
