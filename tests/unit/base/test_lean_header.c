#include "tests/support/test.h"

#include "lwbuild/base/lean_header.h"

/* Imports as "public A|B", then the offset of the body, then the problem. */
struct header_case {
    const char *source;
    const char *imports;
    const char *body; /* how the body starts */
    const char *problem;
    bool module_system;
    bool prelude;
};

#define BOM "\xEF\xBB\xBF"

static const struct header_case cases[] = {
    { "", "", "", NULL, false, false },
    { "def x := 1", "", "def", NULL, false, false },
    { "import A", "A", "", NULL, false, false },
    { "import A.B.C\nimport D\n\ndef x", "A.B.C|D", "def", NULL, false, false },
    { "import A import B", "A|B", "", NULL, false, false },
    { "prelude\nimport A\n", "A", "", NULL, false, true },
    { "prelude", "", "", NULL, false, true },
    { "module\nprelude\nimport A\n", "A", "", NULL, true, true },
    { "module\npublic import A\nimport all B\npublic meta import C\nmeta import D",
      "public A|all B|public meta C|meta D", "", NULL, true, false },
    { "module\npublic meta import all C", "public meta all C", "", NULL, true, false },
    { "module public import A", "public A", "", NULL, true, false },
    { "module -- a\n/- b -/ import A", "A", "", NULL, true, false },
    { "module\n\npublic section\n", "", "public section", NULL, true, false },
    { "module\nimport A\npublic def x := 1", "A", "public def", NULL, true, false },
    { "module\nimport A\nmeta def x := 1", "A", "meta def", NULL, true, false },
    { "public import A", "public A", "", NULL, false, false },
    { "import runtime A\nimport B", "runtime A|B", "", NULL, false, false },
    { "import runtime\nimport B", "runtime|B", "", NULL, false, false },
    { "import all\nimport B", "all|B", "", NULL, false, false },
    { "import all.B", "all.B", "", NULL, false, false },
    { "import allOf", "allOf", "", NULL, false, false },

    /* comments */
    { "-- first\nimport A -- second\n-- third\nimport B --", "A|B", "", NULL, false, false },
    { "/- a -/ import /- b -/ A /- c -/ x", "A", "x", NULL, false, false },
    { "/- a /- b -/ c -/ import A", "A", "", NULL, false, false },
    { "/- /- /- -/ -/ -/ import A", "A", "", NULL, false, false },
    { "/- \"-/\" -/ import A", "", "\" -/ import A", NULL, false, false },
    { "/-/ import A -/ import B", "B", "", NULL, false, false },
    { "/-/- x -/ import B", "B", "", NULL, false, false },
    { "/- a --/ import A", "A", "", NULL, false, false },
    { "/---/ import A", "", "/---/", NULL, false, false },
    { "/-- doc -/ import A", "", "/-- doc", NULL, false, false },
    { "/-! doc -/ import A", "", "/-! doc", NULL, false, false },
    { "import A\n/-! doc -/\nimport B", "A", "/-! doc", NULL, false, false },
    { "import A\n/-- doc -/ def x", "A", "/-- doc", NULL, false, false },
    { "import A\n-- import B\n", "A", "", NULL, false, false },
    { "import A\n/- import B -/ def", "A", "def", NULL, false, false },
    { "/- never closed import A", "", "", "unterminated comment", false, false },
    { "import A /- never closed", "A", "", "unterminated comment", false, false },
    { "/- /- -/ import A", "", "", "unterminated comment", false, false },
    { "/-", "", "", "unterminated comment", false, false },
    { "/", "", "/", NULL, false, false },
    { "-", "", "-", NULL, false, false },
    { "--", "", "", NULL, false, false },

    /* space */
    { "import A\r\nimport B\r\n\r\ndef", "A|B", "def", NULL, false, false },
    { "-- a\r\nimport A", "A", "", NULL, false, false },
    { "\n\n  import\n  A\n", "A", "", NULL, false, false },
    { "import\tA", "", "\tA", "tabs are not allowed", false, false },
    { "\timport A", "", "\timport", "tabs are not allowed", false, false },
    { "import A\n\tdef", "A", "\tdef", "tabs are not allowed", false, false },
    { "import A -- a\ttab is fine here\nimport B", "A|B", "", NULL, false, false },
    { "import A\fimport B", "A", "\f", NULL, false, false },

    /* names */
    { "import «a b».C", "«a b».C", "", NULL, false, false },
    { "import A.«b.c»", "A.«b.c»", "", NULL, false, false },
    { "import «A»", "«A»", "", NULL, false, false },
    { "import A.«never closed", "A", ".«", NULL, false, false },
    { "import «never closed", "", "«never", "expected a module name", false, false },
    { "import «»", "", "«»", "expected a module name", false, false },
    { "import A.", "A", ".", NULL, false, false },
    { "import A..B", "A", "..B", NULL, false, false },
    { "import A.1", "A", ".1", NULL, false, false },
    { "import A .B", "A", ".B", NULL, false, false },
    { "import A.B'.C!.D?", "A.B'.C!.D?", "", NULL, false, false },
    { "import αβ.Ω₁", "αβ.Ω₁", "", NULL, false, false },
    { "import _a._1", "_a._1", "", NULL, false, false },
    { "import 1", "", "1", "expected a module name", false, false },
    { "import", "", "", "expected a module name", false, false },
    { "import\n\nimport A", "import", "A", NULL, false, false },
    { "import .A", "", ".A", "expected a module name", false, false },
    { "import \"A\"", "", "\"A\"", "expected a module name", false, false },

    /* words that only look like keywords */
    { "importA", "", "importA", NULL, false, false },
    { "import.A", "", "import.A", NULL, false, false },
    { "import' A", "", "import' A", NULL, false, false },
    { "preludes\nimport A", "", "preludes", NULL, false, false },
    { "moduleX", "", "moduleX", NULL, false, false },
    { "importα A", "", "importα", NULL, false, false },
    { "prelude import A prelude", "A", "prelude", NULL, false, true },
    { "import A module", "A", "module", NULL, false, false },
    { "prelude module", "", "module", NULL, false, true },
    /* What the command line takes away, and what a Lean might skip. */
    { "#lang lean4\nimport A", "A", "", NULL, false, false },
    { "#lang lean4\r\n/- a -/ prelude\nimport A\n\ndef", "A", "def", NULL, false, true },
    { "#lang\tlean4\nmodule\npublic import A", "public A", "", NULL, true, false },
    { "#lang lean4 import A", "", "", NULL, false, false },
    { "\n#lang lean4\nimport A", "", "#lang", NULL, false, false },
    { BOM "import A\ndef", "A", "def", NULL, false, false },
    { BOM "#lang lean4\nimport A", "A", "", NULL, false, false },
    { "import A; import B", "A", ";", NULL, false, false },
    { "import A, B", "A", ",", NULL, false, false },
};

static void describe(struct lwb_buf *out, const struct lwb_lean_header *header)
{
    lwb_buf_append_text(out, "");
    for (size_t i = 0; i < header->n_imports; i++) {
        lwb_buf_append_text(out, i ? "|" : "");
        lwb_buf_append_text(out, lwb_import_flags_text(header->imports[i].flags));
        lwb_buf_append_bytes(out, header->imports[i].name);
    }
}

static void headers_are_read_as_lean_reads_them(void **state)
{
    LWB_AUTO(lwb_lean_header_release) struct lwb_lean_header header = { 0 };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        const struct header_case *c = &cases[i];
        LWB_AUTO(lwb_buf_release) struct lwb_buf imports = LWB_BUF(1000);
        struct lwb_error err;

        print_message("case %zu: %s\n", i, c->source);
        assert_int_equal(lwb_lean_header_parse(&header, lwb_bytes_text(c->source), &err), LWB_OK);
        describe(&imports, &header);
        assert_string_equal(lwb_buf_text(&imports), c->imports);
        assert_int_equal(strncmp(c->source + header.body, c->body, strlen(c->body)), 0);
        if (!*c->body)
            assert_int_equal(header.body, strlen(c->source));
        if (c->problem)
            assert_string_equal(header.problem, c->problem);
        else
            assert_null(header.problem);
        assert_int_equal(header.module_system, c->module_system);
        assert_int_equal(header.prelude, c->prelude);
    }
}

static void a_header_never_reads_past_its_end(void **state)
{
    LWB_AUTO(lwb_lean_header_release) struct lwb_lean_header header = { 0 };
    struct lwb_error err;

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        size_t len = strlen(cases[i].source);

        /* Exact allocations, so that a sanitizer sees one byte too many. */
        for (size_t cut = 0; cut <= len; cut++) {
            char *exact = test_malloc(cut ? cut : 1);

            memcpy(exact, cases[i].source, cut);
            assert_int_equal(lwb_lean_header_parse(&header, lwb_bytes(exact, cut), &err), LWB_OK);
            assert_true(header.end <= header.body || header.problem);
            assert_true(header.body <= cut);
            test_free(exact);
        }
    }
}

static void the_end_is_behind_the_last_token(void **state)
{
    LWB_AUTO(lwb_lean_header_release) struct lwb_lean_header header = { 0 };
    const char *source = "import A -- a\nimport B  -- b\n\ntheorem x";
    struct lwb_error err;

    (void)state;
    assert_int_equal(lwb_lean_header_parse(&header, lwb_bytes_text(source), &err), LWB_OK);
    assert_int_equal(header.end, strstr(source, "B") + 1 - source);
    assert_int_equal(header.body, strstr(source, "theorem") - source);
    assert_int_equal(lwb_lean_line(lwb_bytes_text(source), header.body), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read_as_lean_reads_them),
        cmocka_unit_test(a_header_never_reads_past_its_end),
        cmocka_unit_test(the_end_is_behind_the_last_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
