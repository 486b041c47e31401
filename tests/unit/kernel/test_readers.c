#include "tests/support/test.h"

#include "child/kernel/ndjson.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"

/*
 * Two readers read one format: the fast one takes lines that are spelled as the
 * exporter spells them, the general one all others. A blank behind the first
 * brace of a line changes nothing but who reads it. So a text and the same text
 * with blanks must be read to the same nodes, names and declarations, or be
 * refused at the same line with the same words: also when bytes of it were
 * changed.
 */
struct reading {
    struct kn_budget budget;
    struct kn_store lasting;
    struct kn_env env;
    struct kn_ctx ctx;
    struct kn_reader reader;
    bool fine;
};

static struct reading *read_input(const struct kn_input *input)
{
    struct reading *r = lwb_alloc(sizeof(*r));

    assert_non_null(r);
    assert_true(kn_env_init(&r->env, &r->budget));
    assert_true(kn_ctx_init(&r->ctx, &r->budget, &r->lasting, NULL));
    r->ctx.env = &r->env;
    r->fine = kn_read_export(&r->reader, &r->ctx, input);
    return r;
}

static struct reading *read_text(struct lwb_bytes text)
{
    return read_input(&(struct kn_input){ .text = text, .bytes = text.len });
}

static void free_reading(struct reading *r)
{
    kn_reader_release(&r->reader);
    kn_store_release(&r->lasting, r->ctx.chunks, &r->budget);
    kn_ctx_release(&r->ctx);
    kn_env_release(&r->env);
    lwb_free(r);
}

static bool same_node(const struct kn_node *a, const struct kn_node *b)
{
    return a->kind == b->kind && a->a == b->a && a->b == b->b && a->loose == b->loose &&
           a->locals == b->locals && a->has_param == b->has_param;
}

static bool same_nodes(const struct reading *x, const struct reading *y)
{
    uint32_t i;

    if (x->lasting.count != y->lasting.count)
        return false;
    for (i = 0; i < x->lasting.count; i++) {
        if (!same_node(kn_at(&x->ctx, i), kn_at(&y->ctx, i)))
            return false;
    }
    return true;
}

static bool same_names(const struct kn_names *x, const struct kn_names *y)
{
    size_t i;

    if (x->n_parts != y->n_parts || x->n_texts != y->n_texts)
        return false;
    for (i = 0; i < x->n_parts; i++) {
        if (x->parts[i].parent != y->parts[i].parent || x->parts[i].part != y->parts[i].part)
            return false;
    }
    for (i = 0; i < x->n_texts; i++) {
        if (!lwb_bytes_equal(x->texts[i], y->texts[i]))
            return false;
    }
    return true;
}

static bool same_decls(const struct kn_env *x, const struct kn_env *y)
{
    size_t i;

    if (x->n_items != y->n_items || x->n_decls != y->n_decls)
        return false;
    for (i = 0; i < x->n_decls; i++) {
        const struct kn_decl *a = &x->decls[i], *b = &y->decls[i];

        if (a->name != b->name || a->kind != b->kind || a->item != b->item || a->type != b->type ||
            a->body != b->body || a->n_levels != b->n_levels || a->hint != b->hint)
            return false;
    }
    return true;
}

static bool same_reading(const struct reading *x, const struct reading *y)
{
    if (x->fine != y->fine || x->reader.state != y->reader.state ||
        x->reader.line != y->reader.line || strcmp(x->reader.text, y->reader.text) != 0) {
        print_message("line %u: \"%s\", but line %u: \"%s\"\n", x->reader.line, x->reader.text,
                      y->reader.line, y->reader.text);
        return false;
    }
    return same_nodes(x, y) && same_names(&x->env.names, &y->env.names) &&
           same_decls(&x->env, &y->env);
}

/* The fast reader stops some way before the end, where blank lines are for the general one. */
static void append_tail(struct lwb_buf *out)
{
    int i;

    for (i = 0; i < 2000; i++)
        lwb_buf_append_char(out, '\n');
}

static void append_with_blanks(struct lwb_buf *out, struct lwb_bytes text)
{
    size_t i;

    for (i = 0; i < text.len; i++) {
        lwb_buf_append_char(out, text.ptr[i]);
        if (text.ptr[i] == '{' && (i == 0 || text.ptr[i - 1] == '\n'))
            lwb_buf_append_char(out, ' ');
    }
}

/* Both read it (true) or both refuse it, in the same way. */
static bool check_alike(struct lwb_bytes text)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf blanks = LWB_BUF(1 << 26);
    struct reading *fast, *general;
    bool fine;

    append_with_blanks(&blanks, text);
    assert_true(lwb_buf_ok(&blanks));
    fast = read_text(text);
    general = read_text(lwb_buf_bytes(&blanks));
    fine = fast->fine;
    assert_true(same_reading(fast, general));
    free_reading(fast);
    free_reading(general);
    return fine;
}

static void read_file(struct lwb_buf *out, const char *name)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    struct lwb_error err;

    lwb_buf_format(&path, "%s/tests/data/kernel/accept/%s", LWB_SOURCE_DIR, name);
    assert_int_equal(lwb_file_read(out, lwb_buf_text(&path), NULL, &err), LWB_OK);
    append_tail(out);
}

static const char *const files[] = { "small.ndjson", "basic.ndjson", "division.ndjson" };

static void whole_files_are_read_alike(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LWB_COUNT(files); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 26);

        read_file(&file, files[i]);
        assert_true(check_alike(lwb_buf_bytes(&file)));
    }
}

/* What the fast reader knows is no beginning either: the first line names the format. */
static void a_file_without_its_first_line_is_refused(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LWB_COUNT(files); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 26);
        struct reading *r;

        read_file(&file, files[i]);
        lwb_buf_consume(&file, strcspn(file.ptr, "\n") + 1);
        r = read_text(lwb_buf_bytes(&file));
        assert_false(r->fine);
        assert_int_equal(r->reader.state, KN_READ_MALFORMED);
        assert_int_equal(r->reader.line, 1);
        assert_non_null(strstr(r->reader.text, "the first line is not a meta record"));
        free_reading(r);
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* One byte replaced, left out, or put in: bytes that mean something more often than others. */
static void change(struct lwb_buf *out, struct lwb_bytes text, uint32_t *seed)
{
    static const char bytes[] = "0123456789\"\\{}[],: \n\r\t\x01\x80\xc3\x7f-.eapplm";
    const size_t at = next_random(seed) % text.len;
    const char byte = bytes[next_random(seed) % (sizeof(bytes) - 1)];
    const uint32_t what = next_random(seed) % 3;

    lwb_buf_append(out, text.ptr, at);
    if (what != 0)
        lwb_buf_append_char(out, byte);
    lwb_buf_append(out, text.ptr + at + (what != 2), text.len - at - (what != 2));
    append_tail(out);
}

/* A text in pieces of random sizes up to `most`. */
struct pieces {
    struct lwb_bytes left;
    uint32_t seed;
    size_t most;
    bool fails; /* instead of ending */
};

static ptrdiff_t next_piece(void *ctx, char *out, size_t size)
{
    struct pieces *p = ctx;
    size_t n = 1 + next_random(&p->seed) % p->most;

    n = n < size ? n : size;
    n = n < p->left.len ? n : p->left.len;
    if (n == 0)
        return p->fails ? -1 : 0;
    memcpy(out, p->left.ptr, n);
    p->left = lwb_bytes(p->left.ptr + n, p->left.len - n);
    return (ptrdiff_t)n;
}

static struct reading *read_pieces(struct pieces *pieces)
{
    const struct lwb_kernel_source source = { .read = next_piece, .ctx = pieces };

    return read_input(&(struct kn_input){ .more = &source });
}

static void check_pieces(struct lwb_bytes text, size_t most)
{
    struct pieces pieces = { .left = text, .seed = (uint32_t)text.len, .most = most };
    struct reading *whole = read_text(text), *in_pieces = read_pieces(&pieces);

    assert_true(same_reading(whole, in_pieces));
    free_reading(whole);
    free_reading(in_pieces);
}

/* Of a file that is larger than the window, and one with a line that is. */
static void pieces_of_any_size_are_read_alike(void **state)
{
    static const size_t sizes[] = { 1, 7, 100, 5000, 100000, 1 << 30 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 26);
    LWB_AUTO(lwb_buf_release) struct lwb_buf changed = LWB_BUF(1 << 26);
    uint32_t seed = 20220101;
    size_t i;

    (void)state;
    read_file(&file, "division.ndjson");
    lwb_buf_append_text(&file, "{\"in\":1000000,\"str\":{\"pre\":0,\"str\":\"");
    for (i = 0; i < 500000; i++)
        lwb_buf_append_char(&file, (char)('a' + i % 26));
    lwb_buf_append_text(&file, "\"}}\n{\"in\":1000001,\"str\":{\"pre\":1000000,\"str\":\"b\"}}");
    for (i = 0; i < LWB_COUNT(sizes); i++) {
        check_pieces(lwb_buf_bytes(&file), sizes[i]);
        lwb_buf_clear(&changed);
        change(&changed, lwb_buf_bytes(&file), &seed);
        check_pieces(lwb_buf_bytes(&changed), sizes[i]);
    }
}

static void a_file_that_cannot_be_read_is_not_decided(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 26);
    struct pieces pieces = { .seed = 1, .most = 100, .fails = true };
    struct reading *r;

    (void)state;
    read_file(&file, "small.ndjson");
    pieces.left = lwb_buf_bytes(&file);
    r = read_pieces(&pieces);
    assert_false(r->fine);
    assert_int_equal(r->reader.state, KN_READ_UNKNOWN);
    assert_string_equal(r->reader.text, "the file cannot be read");
    free_reading(r);
}

static void changed_files_are_read_alike(void **state)
{
    enum { CHANGES = 2500, BYTES = 9000 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 26);
    uint32_t seed = 20211130;
    struct lwb_bytes piece;
    int i, refused = 0;

    (void)state;
    read_file(&file, "small.ndjson");
    piece = lwb_bytes(file.ptr, strcspn(file.ptr + BYTES, "\n") + BYTES + 1);
    for (i = 0; i < CHANGES; i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf changed = LWB_BUF(1 << 26);

        change(&changed, piece, &seed);
        refused += !check_alike(lwb_buf_bytes(&changed));
    }
    /* Most changes break something; some, as in a name, do not. */
    assert_in_range(refused, CHANGES / 2, CHANGES - 10);
}

/* Numbers of every length, around every boundary of what is read at once. */
static void numbers_of_all_lengths_are_read_alike(void **state)
{
    static const char *const numbers[] = {
        "0",
        "00",
        "7",
        "07",
        "12",
        "123456",
        "1234567",
        "12345678",
        "123456789",
        "0123456789",
        "99999999",
        "100000000",
        "999999999",
        "1000000000",
        "4294967295",
        "4294967296",
        "18446744073709551615",
        "18446744073709551616",
        "",
        "-1",
        "1x",
    };
    size_t i;

    (void)state;
    for (i = 0; i < LWB_COUNT(numbers); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1 << 20);

        lwb_buf_append_text(&text, "{\"meta\":{\"format\":{\"version\":\"3.1.0\"}}}\n"
                                   "{\"in\":1,\"str\":{\"pre\":0,\"str\":\"a\"}}\n");
        lwb_buf_format(&text, "{\"in\":%s,\"num\":{\"i\":5,\"pre\":1}}\n", numbers[i]);
        lwb_buf_format(&text, "{\"in\":2000,\"num\":{\"i\":%s,\"pre\":1}}\n", numbers[i]);
        lwb_buf_format(&text, "{\"bvar\":%s,\"ie\":0}\n", numbers[i]);
        lwb_buf_format(&text, "{\"bvar\":3,\"ie\":%s}\n", numbers[i]);
        append_tail(&text);
        (void)check_alike(lwb_buf_bytes(&text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files_are_read_alike),
        cmocka_unit_test(a_file_without_its_first_line_is_refused),
        cmocka_unit_test(changed_files_are_read_alike),
        cmocka_unit_test(pieces_of_any_size_are_read_alike),
        cmocka_unit_test(a_file_that_cannot_be_read_is_not_decided),
        cmocka_unit_test(numbers_of_all_lengths_are_read_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
