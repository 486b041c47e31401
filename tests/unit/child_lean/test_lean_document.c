#include "tests/support/test.h"

#include "child/lean/lean_document.h"

/* A session's imports from a list that ends with NULL. */
static struct lwb_strvec imports_of(const char *const *names)
{
    struct lwb_strvec imports = { 0 };

    for (; *names; names++)
        assert_int_equal(lwb_strvec_append(&imports, *names), 0);
    return imports;
}

static void a_header_is_one_line(void **state)
{
    static const struct {
        bool module_system, prelude;
        const char *imports[4];
        const char *text;
    } cases[] = {
        { false, false, { NULL }, "" },
        { false, true, { NULL }, "prelude" },
        { false, false, { "Lean", NULL }, "import Lean" },
        { false, true, { "A.B", "C", NULL }, "prelude import A.B import C" },
        { false, false, { "runtime A", NULL }, "import runtime A" },
        { true, false, { NULL }, "module" },
        { true,
          true,
          { "public A", "public meta all B", "all all.public", NULL },
          "module prelude public import A public meta import all B import all all.public" },
        { false, false, { "«a b».C", "«all x»", NULL }, "import «a b».C import «all x»" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_strvec_release) struct lwb_strvec imports = imports_of(cases[i].imports);
        LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
        const struct lwb_lean_session_header header = {
            .imports = &imports,
            .prelude = cases[i].prelude,
            .module_system = cases[i].module_system,
        };
        struct lwb_lean_split split;
        struct lwb_error err;

        lwb_lean_document_header(&out, &header);
        assert_string_equal(lwb_buf_text(&out), cases[i].text);
        /* And it is a spelling of itself. */
        assert_int_equal(lwb_lean_document_split(&split, &header, lwb_buf_bytes(&out), &err), 1);
        assert_int_equal(split.end, out.len);
    }
}

static void only_the_same_header_matches(void **state)
{
    static const char *const names[] = { "A", "B.C", NULL };
    static const struct {
        const char *source;
        int same;
    } cases[] = {
        { "import A\nimport B.C\n", 1 },
        { "-- x\nimport A import B.C", 1 },
        { "/- import Z -/ import /- y -/ A\n\n\nimport B.C\ntheorem", 1 },
        { "import A\n", 0 },
        { "import B.C\nimport A\n", 0 },
        { "import A\nimport B.C\nimport D\n", 0 },
        { "import A\nimport B.CD\n", 0 },
        { "import A\nimport B\n.C\n", 0 },
        { "prelude\nimport A\nimport B.C\n", 0 },
        { "module\nimport A\nimport B.C\n", 0 },
        { "public import A\nimport B.C\n", 0 },
        { "import A\nimport\n", 0 },
        { "", 0 },
    };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec imports = imports_of(names);
    const struct lwb_lean_session_header header = { .imports = &imports };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct lwb_lean_split split;
        struct lwb_error err;

        assert_int_equal(
            lwb_lean_document_split(&split, &header, lwb_bytes_text(cases[i].source), &err),
            cases[i].same);
    }
}

static void bodies_keep_their_places(void **state)
{
    static const char *const names[] = { "A", "B", NULL };
    static const struct {
        const char *source;
        const char *document; /* NULL: there is none */
    } cases[] = {
        { "import A import B\nx\n", "import A import B\nx\n" },
        { "import A import B x", "import A import B x" },
        { "import A\nimport B\nx\n", "import A import B\n        \nx\n" },
        { "import A\nimport B x\n", "import A import B\n         x\n" },
        { "import A\nimport B -- why\n x\n", "import A import B\n         -- why\n x\n" },
        { "import A  import B\n\n  x", "import A import B\n\n  x" },
        { "import  A import B /-\n-/ x", "import A import B /-\n-/ x" },
        { "import  A import B x", NULL },
        { "import  A import B", "import A import B" },
        { "-- ⟨\n\nimport A\n/- é -/ import B x\n", "import A import B\n\n\n                 x\n" },
        { "import A\nimport B\n\xff", NULL },
        { "import A\r\nimport B\r\nx\r\n", "import A import B\n        \r\nx\r\n" },
        { "import A\n\rimport B\nx\n", NULL },
    };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec imports = imports_of(names);
    const struct lwb_lean_session_header header = { .imports = &imports };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
        struct lwb_bytes source = lwb_bytes_text(cases[i].source);
        struct lwb_lean_split split;
        struct lwb_error err;

        assert_int_equal(lwb_lean_document_split(&split, &header, source, &err), 1);
        assert_int_equal(
            lwb_lean_document_append(&out, lwb_bytes_text("import A import B"), source, &split),
            cases[i].document != NULL);
        if (cases[i].document)
            assert_string_equal(lwb_buf_text(&out), cases[i].document);
    }
}

static void what_json_cannot_carry_has_no_document(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
    const struct lwb_lean_split split = { 0, 0 };

    (void)state;
    assert_int_equal(lwb_lean_document_append(&out, lwb_bytes("", 0), lwb_bytes("a\0b", 3), &split),
                     0);
    assert_int_equal(
        lwb_lean_document_append(&out, lwb_bytes("", 0), lwb_bytes_text("#lang lean4"), &split), 0);
    assert_int_equal(
        lwb_lean_document_append(&out, lwb_bytes("", 0), lwb_bytes_text("\xEF\xBB\xBFx"), &split),
        0);
    assert_int_equal(lwb_lean_document_append(&out, lwb_bytes("", 0), lwb_bytes("", 0), &split), 1);
    assert_int_equal(out.len, 0);
}

static void columns_count_code_points(void **state)
{
    static const struct {
        int64_t line, units, points;
    } cases[] = {
        { 0, 0, 0 }, { 0, 1, 1 }, { 1, 1, 1 }, { 1, 3, 2 },  { 1, 4, 3 },
        { 1, 9, 4 }, { 2, 5, 0 }, { 3, 1, 1 }, { 99, 7, 7 }, { -1, 7, 7 },
    };
    LWB_AUTO(lwb_lean_lines_release) struct lwb_lean_lines lines = { 0 };

    (void)state;
    assert_int_equal(lwb_lean_lines_init(&lines, lwb_bytes_text("abc\né𝔸∧x\n\nend")), 0);
    assert_int_equal(lines.count, 4);
    for (size_t i = 0; i < LWB_COUNT(cases); i++)
        assert_int_equal(lwb_lean_lines_column(&lines, cases[i].line, cases[i].units),
                         cases[i].points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_one_line),
        cmocka_unit_test(only_the_same_header_matches),
        cmocka_unit_test(bodies_keep_their_places),
        cmocka_unit_test(what_json_cannot_carry_has_no_document),
        cmocka_unit_test(columns_count_code_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
