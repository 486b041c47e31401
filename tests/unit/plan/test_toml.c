#include "tests/support/test.h"

#include "lwbuild/plan/toml.h"

#include <inttypes.h>

/* A tree as one line: {a=1,b=[true,"x"]}. */
static void describe(struct lwb_buf *out, const struct lwb_toml *value)
{
    switch (value->type) {
    case LWB_TOML_STRING:
        lwb_buf_format(out, "\"%s\"", value->text);
        break;
    case LWB_TOML_INTEGER:
        lwb_buf_format(out, "%" PRId64, value->integer);
        break;
    case LWB_TOML_FLOAT:
        lwb_buf_format(out, "%gf", value->number);
        break;
    case LWB_TOML_BOOL:
        lwb_buf_append_text(out, value->boolean ? "true" : "false");
        break;
    case LWB_TOML_DATE:
        lwb_buf_format(out, "@%s", value->text);
        break;
    case LWB_TOML_ARRAY:
    case LWB_TOML_TABLE:
        lwb_buf_append_char(out, value->type == LWB_TOML_ARRAY ? '[' : '{');
        for (const struct lwb_toml *child = value->first; child; child = child->next) {
            if (child != value->first)
                lwb_buf_append_char(out, ',');
            if (child->key)
                lwb_buf_format(out, "%s=", child->key);
            describe(out, child);
        }
        lwb_buf_append_char(out, value->type == LWB_TOML_ARRAY ? ']' : '}');
        break;
    }
}

static const struct {
    const char *text;
    const char *tree;
} good[] = {
    { "", "{}" },
    { "\xEF\xBB\xBF"
      "a = 1",
      "{a=1}" },
    { "# c\n\n  # d\r\n", "{}" },
    { "a = 1 # c", "{a=1}" },
    { "a=1\r\nb=2\r\n", "{a=1,b=2}" },
    { "bare_key-1 = true\n\"quoted k\" = false\n'x.y' = 1",
      "{bare_key-1=true,quoted k=false,x.y=1}" },
    { "1234 = 1", "{1234=1}" },
    { "a.b.c = 1\na.b.d = 2\na . e = 3", "{a={b={c=1,d=2},e=3}}" },
    { "[a]\nb=1\n[a.c]\nd=2\n[e]", "{a={b=1,c={d=2}},e={}}" },
    { "[a.b]\nx=1\n[a]\ny=2", "{a={b={x=1},y=2}}" },
    { "[[a]]\nx=1\n[[a]]\n[a.b]\ny=2\n[[a.c]]", "{a=[{x=1},{b={y=2},c=[{}]}]}" },
    { "[ a . \"b c\" ]\nx=1", "{a={b c={x=1}}}" },
    { "a = []\nb = [1,2,]\nc = [ # x\n 1 # y\n , [2], {z=3} ]", "{a=[],b=[1,2],c=[1,[2],{z=3}]}" },
    { "a = {}\nb = { c = 1, d.e = 2, f = { g = 3 } }", "{a={},b={c=1,d={e=2},f={g=3}}}" },
    { "a = \"b\\t\\n\\\\\\\"\\u00e9\\U0001F600\"", "{a=\"b\t\n\\\"é😀\"}" },
    { "a = 'C:\\x'\nb = ''", "{a=\"C:\\x\",b=\"\"}" },
    { "a = \"\"\"\nx\ny\\\n   z\"\"\"", "{a=\"x\nyz\"}" },
    { "a = \"\"\"\"x\"\"\"\"\"", "{a=\"\"x\"\"\"}" },
    { "a = '''\r\nx\\y\r\nz'''", "{a=\"x\\y\nz\"}" },
    { "a = \"\"\"x \\\r\n\r\n  y\"\"\"\nb=1", "{a=\"x y\",b=1}" },
    { "a=0\nb=+1\nc=-17\nd=1_000\ne=0xDEAD_beef\nf=0o755\ng=0b1010",
      "{a=0,b=1,c=-17,d=1000,e=3735928559,f=493,g=10}" },
    { "a=9223372036854775807\nb=-9223372036854775808",
      "{a=9223372036854775807,b=-9223372036854775808}" },
    { "a=1.5\nb=-0.01\nc=5e+2\nd=1e6\ne=6.626E-34\nf=inf\ng=-inf\nh=1_0.0_1",
      "{a=1.5f,b=-0.01f,c=500f,d=1e+06f,e=6.626e-34f,f=inff,g=-inff,h=10.01f}" },
    { "a=1979-05-27T07:32:00Z\nb=1979-05-27 07:32:00.999-07:00\nc=1979-05-27\nd=07:32:00",
      "{a=@1979-05-27T07:32:00Z,b=@1979-05-27 07:32:00.999-07:00,c=@1979-05-27,d=@07:32:00}" },
    { "a=1979-05-27 # c", "{a=@1979-05-27}" },
    { "[a]\n[a.b]\n[[a.c]]\n[a.c.d]", "{a={b={},c=[{d={}}]}}" },
};

static const struct {
    const char *text;
    const char *message;
} bad[] = {
    { "a", "line 1: expected '=' behind the key a" },
    { "a =", "line 1: expected a value" },
    { "= 1", "line 1: expected a key" },
    { "a = 1 b = 2", "line 1: something is left over at the end of the line" },
    { "\n\na = 1\na = 2", "line 4: a is already defined in line 3" },
    { "a = 1\na.b = 2", "line 2: a is already defined in line 1" },
    { "a = 1\n[a]", "line 2: a is already defined in line 1" },
    { "[a]\n[a]", "line 2: a is already defined in line 1" },
    { "[a]\nb = 1\n[a.b]", "line 3: b is already defined in line 2" },
    { "a = {}\n[a.b]", "line 2: a is already defined in line 1" },
    { "a = {}\na.b = 1", "line 2: a is already defined in line 1" },
    { "a = { b.c = 1, b = 2 }", "line 1: b is already defined in line 1" },
    { "a = []\n[[a]]", "line 2: a is already defined in line 1" },
    { "[[a]]\n[a]", "line 2: a is already defined in line 1" },
    { "[a]\n[[a]]", "line 2: a is already defined in line 1" },
    { "[a.b]\nx=1\n[a]\nb.y=2", "line 4: b is already defined in line 1" },
    { "a.b = 1\n[a]", "line 2: a is already defined in line 1" },
    { "[a", "line 1: a table header is not closed" },
    { "[[a]", "line 1: a table header is not closed" },
    { "[]", "line 1: expected a key" },
    { "[a] b = 1", "line 1: something is left over at the end of the line" },
    { "a = \"x", "line 1: a string is not closed" },
    { "a = \"x\ny\"", "line 1: a string ends on the line where it starts" },
    { "a = '''x\n", "line 2: a string is not closed" },
    { "a = \"\\x\"", "line 1: unknown escape in a string" },
    { "a = \"\\u12\"", "line 1: a Unicode escape has 4 hexadecimal digits" },
    { "a = \"\\uD800\"", "line 1: U+D800 cannot be in a string" },
    { "a = \"\\u0000\"", "line 1: U+0000 cannot be in a string" },
    { "a = \"\x01\"", "line 1: control character in a string" },
    { "# \x01", "line 1: control character in a comment" },
    { "\"\"\"a\"\"\" = 1", "line 1: expected '=' behind the key " },
    { "a = [1 2]", "line 1: expected ',' or ']' in an array" },
    { "a = [1", "line 1: expected ',' or ']' in an array" },
    { "a = [,]", "line 1: expected a value" },
    { "a = { b = 1, }", "line 1: expected a key" },
    { "a = { b = 1\n}", "line 1: expected ',' or '}' in an inline table" },
    { "a = 01", "line 1: '01' is not a value" },
    { "a = 1__0", "line 1: '1__0' is not a value" },
    { "a = _1", "line 1: '_1' is not a value" },
    { "a = 1_", "line 1: '1_' is not a value" },
    { "a = 0x", "line 1: '0x' is not a value" },
    { "a = 0x-1", "line 1: '0x-1' is not a value" },
    { "a = +0x1", "line 1: '+0x1' is not a value" },
    { "a = 1.", "line 1: '1.' is not a value" },
    { "a = .5", "line 1: '.5' is not a value" },
    { "a = 1e", "line 1: '1e' is not a value" },
    { "a = 9223372036854775808", "line 1: '9223372036854775808' is not a value" },
    { "a = True", "line 1: 'True' is not a value" },
    { "a = 1979-5-27", "line 1: '1979-5-27' is not a value" },
    { "a = 07:32", "line 1: '07:32' is not a value" },
    { "a = \xFF", "line 1: the file is not valid UTF-8, or has a NUL in it" },
    { "a\rb = 1", "line 1: expected '=' behind the key a" },
};

static void toml_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(good); i++) {
        LWB_AUTO(lwb_toml_release) struct lwb_toml_document document = { 0 };
        LWB_AUTO(lwb_buf_release) struct lwb_buf tree = LWB_BUF(10000);
        struct lwb_error err;
        int rc = lwb_toml_parse(&document, lwb_bytes_text(good[i].text), &err);

        if (rc < 0)
            print_error("%s: %s\n", good[i].text, err.text);
        assert_int_equal(rc, LWB_OK);
        describe(&tree, document.root);
        assert_string_equal(lwb_buf_text(&tree), good[i].tree);
    }
}

static void what_is_not_toml_is_refused_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(bad); i++) {
        struct lwb_toml_document document = { 0 };
        struct lwb_error err;
        int rc = lwb_toml_parse(&document, lwb_bytes_text(bad[i].text), &err);

        if (rc == LWB_OK)
            print_error("accepted: %s\n", bad[i].text);
        assert_int_equal(rc, LWB_ERR_FORMAT);
        assert_string_equal(err.text, bad[i].message);
        assert_null(document.root);
    }
}

static void values_know_their_line(void **state)
{
    LWB_AUTO(lwb_toml_release) struct lwb_toml_document document = { 0 };
    struct lwb_error err;
    const struct lwb_toml *array;

    (void)state;
    assert_int_equal(
        lwb_toml_parse(&document, lwb_bytes_text("a = '''\n\n'''\nb = [\n 1,\n 2\n]\n[c]\n"), &err),
        LWB_OK);
    assert_int_equal(lwb_toml_get(document.root, "a")->line, 1);
    array = lwb_toml_get(document.root, "b");
    assert_int_equal(array->line, 4);
    assert_int_equal(array->last->line, 6);
    assert_int_equal(lwb_toml_get(document.root, "c")->line, 8);
    assert_null(lwb_toml_get(document.root, "d"));
}

static void nesting_has_a_limit(void **state)
{
    struct lwb_toml_document document = { 0 };
    struct lwb_error err;
    char text[300] = "a = ";

    (void)state;
    memset(text + 4, '[', 200);
    assert_int_equal(lwb_toml_parse(&document, lwb_bytes_text(text), &err), LWB_ERR_FORMAT);
    assert_string_equal(err.text, "line 1: nested deeper than 64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toml_is_read),
        cmocka_unit_test(what_is_not_toml_is_refused_with_its_line),
        cmocka_unit_test(values_know_their_line),
        cmocka_unit_test(nesting_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
