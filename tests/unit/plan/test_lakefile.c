#include "tests/support/test.h"

#include "lwbuild/plan/lakefile.h"

/* A lakefile as one text: what the planner takes from it. */
static void describe_texts(struct lwb_buf *out, const char *name, const struct lwb_strvec *texts)
{
    if (!texts->count)
        return;
    lwb_buf_format(out, " %s=", name);
    for (size_t i = 0; i < texts->count; i++)
        lwb_buf_format(out, "%s%s", i ? "," : "", texts->items[i]);
}

static void describe(struct lwb_buf *out, const struct lwb_lakefile *file)
{
    lwb_buf_format(out, "%s in %s", file->name, file->src_dir);
    if (file->packages_dir)
        lwb_buf_format(out, " packages=%s", file->packages_dir);
    describe_texts(out, "options", &file->settings.options);
    describe_texts(out, "plugins", &file->settings.plugins);
    for (size_t i = 0; i < file->n_targets; i++) {
        const struct lwb_lake_target *target = &file->targets[i];

        lwb_buf_format(out, "; %s%s %s in %s", target->is_default ? "*" : "",
                       target->executable ? "exe" : "lib", target->name, target->src_dir);
        describe_texts(out, "roots", &target->roots);
        describe_texts(out, "globs", &target->globs);
        describe_texts(out, "options", &target->settings.options);
        describe_texts(out, "plugins", &target->settings.plugins);
    }
    for (size_t i = 0; i < file->n_requires; i++)
        lwb_buf_format(out, "; needs %s%s%s", file->requires[i].name,
                       file->requires[i].path ? " at " : "",
                       file->requires[i].path ? file->requires[i].path : "");
}

struct lakefile_case {
    const char *text;
    const char *meaning; /* or how the error starts */
};

static const struct lakefile_case good_toml[] = {
    { "name = \"a\"", "a in ." },
    { "name = \"a\"\nversion = \"0.1.0\"\nkeywords = [\"x\"]\nsrcDir = \"src\"\n"
      "packagesDir = \"deps\"\nbuildDir = \"out\"\n",
      "a in src packages=deps" },
    { "name = \"a\"\ndefaultTargets = [\"B\"]\n[[lean_lib]]\nname = \"A\"\n[[lean_lib]]\nname = "
      "\"B\"",
      "a in .; lib A in . roots=A globs=A; *lib B in . roots=B globs=B" },
    { "name = \"a\"\ndefaultTargets = [\"@a/B:shared\"]\n[[lean_lib]]\nname = \"B\"",
      "a in .; *lib B in . roots=B globs=B" },
    { "name = \"a\"\n[[lean_lib]]\nname = \"A\"\nsrcDir = \"s\"\nroots = [\"A.X\", \"«b-c»\"]\n"
      "globs = [\"A.+\", \"B.*\", \"C\"]",
      "a in .; lib A in s roots=A.X,«b-c» globs=A.+,B.*,C" },
    { "name = \"a\"\n[[lean_lib]]\nname = \"foo-bar\"",
      "a in .; lib foo-bar in . roots=«foo-bar» globs=«foo-bar»" },
    { "name = \"a\"\n[[lean_exe]]\nname = \"tool\"\nroot = \"Main\"\nsupportInterpreter = true",
      "a in .; exe tool in . roots=Main globs=Main" },
    { "name = \"a\"\n[leanOptions]\nautoImplicit = false\npp.unicode.fun = true\nmaxRecDepth = 10\n"
      "weak.linter.x = true\ns = \"t\"",
      "a in . "
      "options=autoImplicit=false,pp.unicode.fun=true,maxRecDepth=10,weak.linter.x=true,s=t" },
    { "name = \"a\"\nleanOptions = [{ name = \"x.y\", value = true }]", "a in . options=x.y=true" },
    { "name = \"a\"\nmoreLeanArgs = [\"-DwarningAsError=true\", \"-D\", \"x=1\", "
      "\"--plugin=p.so\", "
      "\"-q\", \"-j4\"]",
      "a in . options=warningAsError=true,x=1 plugins=p.so" },
    { "name = \"a\"\nweakLeanArgs = [\"-Dx=1\"]\nplugins = []", "a in . options=x=1" },
    { "name = \"a\"\n[[lean_lib]]\nname = \"A\"\nleanOptions = { autoImplicit = true }\n"
      "precompileModules = true",
      "a in .; lib A in . roots=A globs=A options=autoImplicit=true" },
    { "name = \"a\"\n[[require]]\nname = \"m\"\ngit = \"u\"\nrev = \"r\"\n[[require]]\nname = "
      "\"n\"\n"
      "path = \"../n\"\n[[require]]\nname = \"o\"\nscope = \"s\"",
      "a in .; needs m; needs n at ../n; needs o" },
};

static const struct lakefile_case bad_toml[] = {
    { "", "line 1: the package has no name" },
    { "name = 1", "line 1: name is an integer, not a string" },
    { "name = \"a\"\nx = [", "line 2: expected" },
    { "name = \"a\"\n\nleanOption = { autoImplicit = false }",
      "line 3: lwbuild does not know leanOption, and it could change what Lean says" },
    { "name = \"a\"\n[[lean_lib]]\nname = \"A\"\nroot = \"B\"",
      "line 4: lwbuild does not know root" },
    { "name = \"a\"\n[[lean_lib]]\nsrcDir = \"A\"", "line 2: a lean_lib without a name" },
    { "name = \"a\"\n[lean_lib]\nname = \"A\"",
      "line 2: lean_lib is a table, not an array of tables" },
    { "name = \"a\"\nleanOptions = 1",
      "line 2: leanOptions is an integer, not a table of options" },
    { "name = \"a\"\nleanOptions = { x = 1.5 }", "line 2: option x is a float" },
    { "name = \"a\"\nleanOptions = { x = -1 }", "line 2: option x is an integer" },
    { "name = \"a\"\nleanOptions = [{ name = \"x\" }]", "line 2: an option is { name" },
    { "name = \"a\"\nmoreLeanArgs = [\"-T100\"]", "line 2: lwbuild cannot pass '-T100' to lean" },
    { "name = \"a\"\nmoreLeanArgs = [\"-DautoImplicit\"]",
      "line 2: lwbuild cannot pass '-DautoImplicit'" },
    { "name = \"a\"\nmoreLeanArgs = \"-Dx=1\"", "line 2: moreLeanArgs is a string, not an array" },
    { "name = \"a\"\nplugins = [\"p\"]", "line 2: lwbuild does not know plugins" },
    { "name = \"a\"\n[[require]]\ngit = \"u\"", "line 2: a require without a name" },
    { "name = \"a\"\n[[lean_lib]]\nname = \"a/b\"", "'a/b' cannot be the name of a module" },
};

#define HEAD "import Lake\nopen Lake DSL\n\n"

static const struct lakefile_case good_lean[] = {
    { HEAD "package a\n\nlean_lib A\n", "a in .; lib A in . roots=A globs=A" },
    { HEAD "package «a-b» where\n  srcDir := \"src\"\n  version := v!\"0.1.0\"\n\n"
           "@[default_target]\nlean_lib A where\n  roots := #[`A.X, `B]\n",
      "a-b in src; *lib A in . roots=A.X,B globs=A.X,B" },
    { HEAD
      "package a {\n  srcDir := \"x\" / \"y\", moreLeanArgs := #[\"-Dx=1\"]\n}\nlean_lib A { }",
      "a in x/y options=x=1; lib A in . roots=A globs=A" },
    { HEAD
      "package a where\n  leanOptions := #[⟨`autoImplicit, false⟩,\n    ⟨`pp.unicode.fun, true⟩, "
      "{ name := `x, value := \"y\" },\n    ⟨`n, .ofNat 3⟩]\nlean_lib A",
      "a in . options=autoImplicit=false,pp.unicode.fun=true,x=y,n=3; lib A in . roots=A globs=A" },
    { HEAD "abbrev opts : Array LeanOption := #[\n  ⟨`autoImplicit, false⟩\n]\n\n"
           "def more : Array LeanOption := opts ++ #[⟨`x, true⟩]\n"
           "package a where\n  leanOptions := more\nlean_lib A where\n  leanOptions := opts",
      "a in . options=autoImplicit=false,x=true; lib A in . roots=A globs=A "
      "options=autoImplicit=false" },
    { HEAD
      "package a\nlean_lib A where\n  globs := #[.submodules `A, .andSubmodules `B, .one `C, `D, "
      "Glob.submodules `E, `F.*, `G.+]\n  srcDir := \".\" / \"s\"",
      "a in .; lib A in ./s roots=A globs=A.+,B.*,C,D,E.+,F.*,G.+" },
    { HEAD "package a\nlean_lib A where globs := .andSubmodules `A\n",
      "a in .; lib A in . roots=A globs=A.*" },
    { HEAD
      "package a\nlean_exe tool where\n  root := `Main\n  supportInterpreter := true\nlean_lib A",
      "a in .; exe tool in . roots=Main globs=Main; lib A in . roots=A globs=A" },
    { HEAD "package a\nrequire mathlib from git\n  \"https://x/mathlib4\" @ \"v4\"\n"
           "require std from \"..\" / \"std\"\nrequire n from git \"u\"@\"r\" / \"sub\" with "
           "NameMap.empty\nrequire \"scope\" / \"batteries\" @ git \"main\"\nlean_lib A",
      "a in .; lib A in . roots=A globs=A; needs mathlib; needs std at ../std; needs n; needs "
      "batteries" },
    { HEAD "meta if get_config? env = some \"dev\" then\nrequire «doc-gen4» from git\n  \"u\" @ "
           "\"main\"\n"
           "package a\nlean_lib A",
      "a in .; lib A in . roots=A globs=A; needs doc-gen4" },
    { HEAD
      "meta if get_config? env = some \"dev\" then require d from git \"u\"\npackage a\nlean_lib A",
      "a in .; lib A in . roots=A globs=A" },
    { HEAD "package a where\n  extraDepTargets := #[`x]\n  moreLinkArgs := #[\n    \"-L/usr\", "
           "s!\"{x}\"] ++ (if a then #[] else b)\n  preferReleaseBuild := get_config? x |>.isNone\n"
           "lean_lib A",
      "a in .; lib A in . roots=A globs=A" },
    { HEAD
      "-- package no\n/- package no /- nested -/ -/\n/-- doc -/\npackage a -- where\nlean_lib A\n"
      "/-! end -/",
      "a in .; lib A in . roots=A globs=A" },
    { HEAD
      "package a\nlean_lib A\n\nscript hello (args) do\n  IO.println \"lean_lib no \\\" where\"\n"
      "  if args.length > 1 then\n    return '\"'.toNat\n  return 0\n\n"
      "target x pkg : FilePath := do\n  let y := pkg.dir / \"c\"\n  buildO y\n"
      "extern_lib libx pkg := do\n  pure ()\n\n@[test_driver]\nlean_exe t { root := `T }\n"
      "set_option autoImplicit true\n#eval 1\nprivate def helper (x : Nat) : Nat :=\n  x\n",
      "a in .; lib A in . roots=A globs=A; exe t in . roots=T globs=T" },
    { HEAD "package a { dependencies := #[{ name := `b, src := Source.path (\"..\" / \"b\") }] }",
      "a in .; lib A in . roots=A globs=A" },
    { HEAD "package «my-pkg» where\n  -- add package configuration options here\n",
      "my-pkg in .; lib MyPkg in . roots=MyPkg globs=MyPkg" },
    { HEAD "package a where\n  defaultTargets := #[`B]\nlean_lib A\nlean_lib B",
      "a in .; lib A in . roots=A globs=A; *lib B in . roots=B globs=B" },
    { "import Lake\r\nopen Lake DSL\r\npackage a\r\nlean_lib A where\r\n  roots := #[`B]\r\n",
      "a in .; lib A in . roots=B globs=B" },
    { HEAD "@[default_target] lean_lib A\npackage a where plugins := #[]",
      "a in .; *lib A in . roots=A globs=A" },
};

static const struct lakefile_case bad_lean[] = {
    { "", "line 1: no package is declared" },
    { HEAD "package a where\n  leanOptions := #[⟨`autoImplicit, flag⟩]",
      "line 5: lwbuild cannot tell what 'flag' stands for without running the lakefile" },
    { HEAD "package a where\n  leanOptions := if x then #[] else #[]",
      "line 5: lwbuild cannot tell what 'if' stands for" },
    { HEAD "def o := #[⟨`x, true⟩]\npackage a where\n  leanOptions := o.map f",
      "line 6: lwbuild cannot tell what 'o.map' stands for" },
    { HEAD "def o := #[⟨`x, true⟩]\npackage a where\n  leanOptions := o |>.map f",
      "line 6: lwbuild does not understand '|'" },
    { HEAD "def o := #[⟨`x, true⟩].map f\npackage a where\n  leanOptions := o",
      "line 4: lwbuild cannot tell what '.map' stands for" },
    { HEAD "def o := o\npackage a where\n  leanOptions := o",
      "line 4: lwbuild cannot tell what 'o'" },
    { HEAD "package a where\n  leanOption := #[]",
      "line 5: lwbuild does not know leanOption, and it could change what Lean says" },
    { HEAD "package a where\n  moreLeanArgs := #[\"-T1\"]",
      "line 5: lwbuild cannot pass '-T1' to lean" },
    { HEAD "package a where\n  plugins := #[`p]", "line 5: lwbuild does not know plugins" },
    { HEAD "package a\nlean_lib A where\n  roots := #[\"A\"]", "line 6: a value is not a name" },
    { HEAD "package a\nlean_lib A where\n  leanOptions := #[⟨`x⟩]",
      "line 6: a value is not an option" },
    { HEAD "package a\npackage b", "line 5: a second 'package'" },
    { HEAD "package a\nmy_lib A", "line 5: lwbuild does not understand 'my_lib'" },
    { HEAD "script s do\n  return 0\nmy_lib A where\n  leanOptions := #[]",
      "line 6: lwbuild does not understand 'my_lib'" },
    { HEAD "package a\nmacro \"x\" : command => `(lean_lib A)",
      "line 5: lwbuild does not understand 'macro'" },
    { HEAD "package a\nmeta if x then lean_lib A else lean_lib B",
      "line 5: lwbuild cannot decide the condition around 'lean_lib'" },
    { HEAD "package a\nmeta if x then\nlean_lib A",
      "line 5: lwbuild cannot decide the condition behind 'meta'" },
    { HEAD "def package : PackageConfig := { name := \"a\" }",
      "line 4: packages are declared without 'def'" },
    { HEAD "package a where\n  srcDir := 3", "line 5: srcDir is not a string" },
    { HEAD "package a { srcDir := \"x\"", "line 4: lwbuild does not understand 'the end'" },
    { HEAD "package 3", "line 4: expected a name, not '3'" },
    { HEAD "package a /- x", "line 4: unterminated comment" },
    { HEAD "package a where\n  srcDir := \"x", "line 5: a string is not closed" },
    { HEAD "package a where\n  srcDir := \"\\x41\"",
      "line 5: this escape in a string is not understood" },
    { "package \xFF", "line 1: the file is not valid UTF-8" },
};

typedef int read_fn(struct lwb_lakefile *out, struct lwb_bytes text, struct lwb_error *err);

static void check_good(read_fn *read, const struct lakefile_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        LWB_AUTO(lwb_lakefile_release) struct lwb_lakefile file = { 0 };
        LWB_AUTO(lwb_buf_release) struct lwb_buf meaning = LWB_BUF(10000);
        struct lwb_error err;
        int rc = read(&file, lwb_bytes_text(cases[i].text), &err);

        if (rc < 0)
            print_error("%s\n%s\n", cases[i].text, err.text);
        assert_int_equal(rc, LWB_OK);
        describe(&meaning, &file);
        assert_string_equal(lwb_buf_text(&meaning), cases[i].meaning);
    }
}

static void check_bad(read_fn *read, const struct lakefile_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct lwb_lakefile file = { 0 };
        struct lwb_error err;
        int rc = read(&file, lwb_bytes_text(cases[i].text), &err);

        if (rc == LWB_OK)
            print_error("accepted: %s\n", cases[i].text);
        assert_int_equal(rc, LWB_ERR_LAKEFILE);
        if (strncmp(err.text, cases[i].meaning, strlen(cases[i].meaning)) != 0)
            print_error("%s\nsays:   %s\nwanted: %s\n", cases[i].text, err.text, cases[i].meaning);
        assert_int_equal(strncmp(err.text, cases[i].meaning, strlen(cases[i].meaning)), 0);
        assert_null(file.name);
    }
}

static void lakefile_toml_is_read(void **state)
{
    (void)state;
    check_good(lwb_lakefile_read_toml, good_toml, LWB_COUNT(good_toml));
}

static void what_toml_could_mean_is_not_skipped(void **state)
{
    (void)state;
    check_bad(lwb_lakefile_read_toml, bad_toml, LWB_COUNT(bad_toml));
}

static void lakefile_lean_is_read_where_it_declares(void **state)
{
    (void)state;
    check_good(lwb_lakefile_read_lean, good_lean, LWB_COUNT(good_lean));
}

static void what_lean_could_compute_is_not_skipped(void **state)
{
    (void)state;
    check_bad(lwb_lakefile_read_lean, bad_lean, LWB_COUNT(bad_lean));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lakefile_toml_is_read),
        cmocka_unit_test(what_toml_could_mean_is_not_skipped),
        cmocka_unit_test(lakefile_lean_is_read_where_it_declares),
        cmocka_unit_test(what_lean_could_compute_is_not_skipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
