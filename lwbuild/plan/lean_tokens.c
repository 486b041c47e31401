#include "lwbuild/plan/lean_tokens.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/lean_header.h"
#include "lwbuild/base/utf8.h"

struct reader {
    const char *text;
    size_t len;
    size_t at;
    unsigned line;
    bool fresh;   /* no token on this line yet */
    size_t start; /* of the line */
    struct lwb_tokens *out;
    struct lwb_error *err;
};

static int fail(const struct reader *reader, unsigned line, const char *what)
{
    return lwb_fail(reader->err, LWB_ERR_FORMAT, "line %u: %s", line, what);
}

static char peek(const struct reader *reader, size_t ahead)
{
    return reader->at + ahead < reader->len ? reader->text[reader->at + ahead] : '\0';
}

static bool stands(const struct reader *reader, const char *word)
{
    size_t len = strlen(word);

    return reader->len - reader->at >= len && memcmp(reader->text + reader->at, word, len) == 0;
}

static struct lwb_bytes rest(const struct reader *reader)
{
    return lwb_bytes(reader->text + reader->at, reader->len - reader->at);
}

/* One character further; lines are counted here and nowhere else. */
static void advance(struct reader *reader)
{
    if (reader->text[reader->at++] == '\n') {
        reader->line++;
        reader->start = reader->at;
        reader->fresh = true;
    }
}

/* ---- space and comments ---- */

static int skip_comment(struct reader *reader)
{
    unsigned line = reader->line;
    unsigned depth = 0;

    while (reader->at < reader->len) {
        if (stands(reader, "/-")) {
            depth++;
            advance(reader);
        } else if (stands(reader, "-/")) {
            depth--;
            advance(reader);
        }
        advance(reader);
        if (!depth)
            return LWB_OK;
    }
    return fail(reader, line, "unterminated comment");
}

static int skip_space(struct reader *reader)
{
    while (reader->at < reader->len) {
        char c = peek(reader, 0);
        int rc = LWB_OK;

        if (stands(reader, "--"))
            while (reader->at < reader->len && peek(reader, 0) != '\n')
                reader->at++;
        else if (stands(reader, "/-"))
            rc = skip_comment(reader);
        else if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            advance(reader);
        else
            return LWB_OK;
        if (rc < 0)
            return rc;
    }
    return LWB_OK;
}

/* ---- tokens ---- */

static int add(struct reader *reader, enum lwb_token_kind kind, size_t start, unsigned line,
               struct lwb_bytes text)
{
    struct lwb_tokens *out = reader->out;
    char *copy = lwb_arena_strndup(&out->arena, text.len ? text.ptr : "", text.len);

    if (!copy || lwb_grow(&out->items, &out->cap, out->count, sizeof(*out->items)))
        return lwb_fail_memory(reader->err);
    out->items[out->count++] = (struct lwb_token){
        .kind = kind,
        .text = copy,
        .line = line,
        .starts_line = reader->fresh,
        .at_margin = start == reader->start,
    };
    reader->fresh = false;
    return LWB_OK;
}

/* The token is the next `len` bytes, which hold no newline. */
static int add_plain(struct reader *reader, enum lwb_token_kind kind, size_t len)
{
    size_t start = reader->at;

    reader->at += len;
    return add(reader, kind, start, reader->line, lwb_bytes(reader->text + start, len));
}

static char escape_of(char c)
{
    static const char codes[] = "nrt\\\"'";
    static const char values[] = "\n\r\t\\\"'";
    const char *at = c ? strchr(codes, c) : NULL;

    return at ? values[at - codes] : '\0';
}

/* Behind a backslash. Escapes by number do not occur in what lwbuild has to understand. */
static int read_escape(struct reader *reader, struct lwb_buf *text)
{
    char value = escape_of(peek(reader, 0));

    if (value) {
        lwb_buf_append_char(text, value);
        advance(reader);
        return LWB_OK;
    }
    if (peek(reader, 0) != '\n' && peek(reader, 0) != '\r')
        return fail(reader, reader->line, "this escape in a string is not understood");
    while (peek(reader, 0) && strchr(" \t\r\n", peek(reader, 0)))
        advance(reader);
    return LWB_OK;
}

static int read_string(struct reader *reader)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1024 * 1024);
    struct reader before = *reader;
    int rc = LWB_OK;

    reader->at++;
    while (rc == LWB_OK && peek(reader, 0) != '"') {
        if (reader->at == reader->len)
            return fail(reader, before.line, "a string is not closed");
        if (peek(reader, 0) == '\\') {
            advance(reader);
            rc = read_escape(reader, &text);
        } else {
            lwb_buf_append_char(&text, peek(reader, 0));
            advance(reader);
        }
    }
    if (rc < 0)
        return rc;
    reader->at++;
    if (!lwb_buf_ok(&text))
        return lwb_fail_memory(reader->err);
    /* Where it started decides about the line, not where it ended. */
    before.at = reader->at;
    rc = add(&before, LWB_TOKEN_STRING, 0, before.line, lwb_buf_bytes(&text));
    if (rc == LWB_OK)
        before.out->items[before.out->count - 1].at_margin = false;
    reader->fresh = false;
    return rc;
}

/* Brackets and arrows are letters to the header's scanner, which takes all beyond ASCII. */
static bool is_sign(const struct reader *reader)
{
    static const char *const signs[] = { "⟨", "⟩", "←", "→", "↦", "λ", "×", "∘", "▸", "‹", "›" };

    for (size_t i = 0; i < LWB_COUNT(signs); i++)
        if (stands(reader, signs[i]))
            return true;
    return false;
}

static size_t name_len(struct reader *reader)
{
    struct reader inner = *reader;
    size_t whole;

    if (is_sign(reader))
        return 0;
    whole = lwb_lean_name_len(rest(reader));
    if (peek(reader, 0) == '\xC2')
        return whole;
    for (size_t len = 1; len < whole; len++) {
        inner.at = reader->at + len;
        if (is_sign(&inner))
            return len;
    }
    return whole;
}

/* `A.B, ``A.B, and globs `A.* `A.+ */
static int read_quoted(struct reader *reader)
{
    size_t start = reader->at;
    size_t ticks = peek(reader, 1) == '`' ? 2 : 1;
    size_t len;

    reader->at += ticks;
    len = name_len(reader);
    if (!len) {
        reader->at = start;
        return add_plain(reader, LWB_TOKEN_SYMBOL, 1);
    }
    reader->at += len;
    if (stands(reader, ".*") || stands(reader, ".+"))
        reader->at += 2;
    return add(reader, LWB_TOKEN_QUOTED, start, reader->line,
               lwb_bytes(reader->text + start + ticks, reader->at - start - ticks));
}

/* 'x' and '\n' must not be taken for the start of something else: '"'. */
static size_t char_literal_len(const struct reader *reader)
{
    size_t len = 1;

    if (peek(reader, 0) != '\'')
        return 0;
    len += peek(reader, 1) == '\\' ? 2 : 1;
    while (((unsigned char)peek(reader, len) & 0xC0) == 0x80)
        len++;
    return peek(reader, len) == '\'' ? len + 1 : 0;
}

/* Signs that are one token; others are one character each. */
static size_t symbol_len(const struct reader *reader)
{
    static const char *const signs[] = { ":=", "#[", "@[", "++" };
    size_t len = char_literal_len(reader);

    if (len)
        return len;
    for (size_t i = 0; i < LWB_COUNT(signs); i++)
        if (stands(reader, signs[i]))
            return 2;
    len = 1;
    while (((unsigned char)peek(reader, len) & 0xC0) == 0x80)
        len++;
    return len;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int read_token(struct reader *reader)
{
    char c = peek(reader, 0);
    size_t len = 0;

    if (c == '"')
        return read_string(reader);
    if (c == '`')
        return read_quoted(reader);
    if (is_digit(c)) {
        while (is_digit(peek(reader, len)))
            len++;
        return add_plain(reader, LWB_TOKEN_NUMBER, len);
    }
    if (c == '.') {
        reader->at++;
        len = name_len(reader);
        reader->at--;
        if (len)
            return add_plain(reader, LWB_TOKEN_NAME, len + 1);
    }
    len = name_len(reader);
    return len ? add_plain(reader, LWB_TOKEN_NAME, len)
               : add_plain(reader, LWB_TOKEN_SYMBOL, symbol_len(reader));
}

int lwb_tokens_read(struct lwb_tokens *out, struct lwb_bytes text, struct lwb_error *err)
{
    LWB_AUTO(lwb_tokens_release) struct lwb_tokens tokens = { 0 };
    struct reader reader = {
        .text = text.ptr,
        .len = text.len,
        .line = 1,
        .fresh = true,
        .out = &tokens,
        .err = err,
    };
    int rc = LWB_OK;

    if (!lwb_utf8_is_valid(text) || (text.len && memchr(text.ptr, '\0', text.len)))
        return fail(&reader, 1, "the file is not valid UTF-8, or has a NUL in it");
    while (rc == LWB_OK) {
        rc = skip_space(&reader);
        if (rc < 0 || reader.at == reader.len)
            break;
        rc = read_token(&reader);
    }
    if (rc == LWB_OK)
        rc = add(&reader, LWB_TOKEN_END, reader.start, reader.line, lwb_bytes("", 0));
    if (rc == LWB_OK) {
        tokens.items[tokens.count - 1].starts_line = true;
        tokens.items[tokens.count - 1].at_margin = true;
        *out = LWB_TAKE(tokens);
    }
    return rc;
}

void lwb_tokens_release(struct lwb_tokens *tokens)
{
    lwb_arena_release(&tokens->arena);
    lwb_free(tokens->items);
    *tokens = (struct lwb_tokens){ 0 };
}
