#include "lwbuild/plan/toml_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "lwbuild/base/alloc.h"

/* Strings, numbers, booleans, dates. */

enum { MAX_STRING = 1024 * 1024 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ---- strings ---- */

static void append_utf8(struct lwb_buf *out, uint32_t c)
{
    if (c < 0x80) {
        lwb_buf_append_char(out, (char)c);
        return;
    }
    if (c < 0x800) {
        lwb_buf_append_char(out, (char)(0xC0 | c >> 6));
    } else {
        if (c < 0x10000) {
            lwb_buf_append_char(out, (char)(0xE0 | c >> 12));
        } else {
            lwb_buf_append_char(out, (char)(0xF0 | c >> 18));
            lwb_buf_append_char(out, (char)(0x80 | (c >> 12 & 0x3F)));
        }
        lwb_buf_append_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
    }
    lwb_buf_append_char(out, (char)(0x80 | (c & 0x3F)));
}

static int read_unicode(struct lwb_toml_reader *reader, struct lwb_buf *out, unsigned digits)
{
    uint32_t c = 0;

    for (unsigned i = 0; i < digits; i++) {
        int value = hex_value(lwb_toml_peek(reader, i));

        if (value < 0)
            return lwb_toml_fail(reader, "a Unicode escape has %u hexadecimal digits", digits);
        c = c << 4 | (uint32_t)value;
    }
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return lwb_toml_fail(reader, "U+%04X cannot be in a string", c);
    reader->at += digits;
    append_utf8(out, c);
    return LWB_OK;
}

/* A backslash at the end of a line swallows all space up to the next character. */
static bool skip_folded_space(struct lwb_toml_reader *reader)
{
    size_t at = reader->at;
    unsigned lines = 0;

    while (at < reader->len && strchr(" \t\r\n", reader->text[at]))
        lines += reader->text[at++] == '\n';
    if (!lines)
        return false;
    reader->at = at;
    reader->line += lines;
    return true;
}

static int read_escape(struct lwb_toml_reader *reader, struct lwb_buf *out, bool multi_line)
{
    static const char codes[] = "btnfr\"\\";
    static const char values[] = "\b\t\n\f\r\"\\";
    char c = lwb_toml_peek(reader, 0);
    const char *code = c ? strchr(codes, c) : NULL;

    if (multi_line && skip_folded_space(reader))
        return LWB_OK;
    reader->at++;
    if (code)
        lwb_buf_append_char(out, values[code - codes]);
    else if (c == 'u' || c == 'U')
        return read_unicode(reader, out, c == 'u' ? 4 : 8);
    else
        return lwb_toml_fail(reader, "unknown escape in a string");
    return LWB_OK;
}

static int read_char(struct lwb_toml_reader *reader, struct lwb_buf *out, bool multi_line)
{
    char c = reader->text[reader->at];

    if (c == '\r' && lwb_toml_peek(reader, 1) == '\n') {
        reader->at++;
        c = '\n';
    }
    if (c == '\n' && !multi_line)
        return lwb_toml_fail(reader, "a string ends on the line where it starts");
    if (((unsigned char)c < 0x20 && c != '\t' && c != '\n') || c == 0x7F)
        return lwb_toml_fail(reader, "control character in a string");
    reader->line += c == '\n';
    reader->at++;
    lwb_buf_append_char(out, c);
    return LWB_OK;
}

/* At the closing delimiter of a multi-line string up to two more quotes belong to the string. */
static bool take_end(struct lwb_toml_reader *reader, struct lwb_buf *out, const char *quotes,
                     bool multi_line)
{
    if (!lwb_toml_take(reader, quotes))
        return false;
    for (int i = 0; multi_line && i < 2 && lwb_toml_peek(reader, 0) == quotes[0]; i++) {
        reader->at++;
        lwb_buf_append_char(out, quotes[0]);
    }
    return true;
}

static int read_body(struct lwb_toml_reader *reader, struct lwb_buf *out, const char *quotes)
{
    bool multi_line = quotes[1] != '\0';
    int rc = LWB_OK;

    if (multi_line && lwb_toml_peek(reader, 0) == '\r' && lwb_toml_peek(reader, 1) == '\n')
        reader->at++;
    if (multi_line && lwb_toml_peek(reader, 0) == '\n') {
        reader->at++;
        reader->line++;
    }
    while (rc == LWB_OK) {
        if (reader->at == reader->len)
            return lwb_toml_fail(reader, "a string is not closed");
        if (take_end(reader, out, quotes, multi_line))
            return LWB_OK;
        if (quotes[0] == '"' && lwb_toml_take(reader, "\\"))
            rc = read_escape(reader, out, multi_line);
        else
            rc = read_char(reader, out, multi_line);
    }
    return rc;
}

int lwb_toml_read_string(struct lwb_toml_reader *reader, bool multi_line, const char **out)
{
    static const char *const forms[] = { "\"\"\"", "'''", "\"", "'" };
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MAX_STRING);
    size_t form = multi_line ? 0 : 2;
    int rc;

    while (form < LWB_COUNT(forms) && !lwb_toml_take(reader, forms[form]))
        form++;
    if (form == LWB_COUNT(forms))
        return lwb_toml_fail(reader, "expected a string");
    rc = read_body(reader, &text, forms[form]);
    if (rc < 0)
        return rc;
    *out =
        lwb_buf_ok(&text) ? lwb_arena_strndup(reader->arena, lwb_buf_text(&text), text.len) : NULL;
    return *out ? LWB_OK : lwb_fail_memory(reader->err);
}

/* ---- words: everything that is neither quoted nor bracketed ---- */

static struct lwb_bytes take_word(struct lwb_toml_reader *reader)
{
    size_t start = reader->at;

    while (reader->at < reader->len && !strchr(" \t\r\n,]}#=", reader->text[reader->at]))
        reader->at++;
    /* A date and a time may be separated by one blank. */
    if (reader->at - start == 10 && reader->text[start + 4] == '-' &&
        lwb_toml_peek(reader, 0) == ' ' && is_digit(lwb_toml_peek(reader, 1)) &&
        is_digit(lwb_toml_peek(reader, 2)) && lwb_toml_peek(reader, 3) == ':') {
        reader->at++;
        while (reader->at < reader->len && !strchr(" \t\r\n,]}#=", reader->text[reader->at]))
            reader->at++;
    }
    return lwb_bytes(reader->text + start, reader->at - start);
}

/* `form`: 0 a digit; others stand for themselves. The length it matches, or 0. */
static size_t match(struct lwb_bytes word, const char *form)
{
    size_t len = strlen(form);

    if (word.len < len)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (form[i] == '0' ? !is_digit(word.ptr[i]) : word.ptr[i] != form[i])
            return 0;
    return len;
}

static struct lwb_bytes behind(struct lwb_bytes word, size_t len)
{
    return lwb_bytes(word.ptr + len, word.len - len);
}

/* "07:32:00.999" with an offset behind it when there was a date. */
static bool is_time(struct lwb_bytes word, bool with_offset)
{
    size_t len = match(word, "00:00:00");

    if (!len)
        return false;
    word = behind(word, len);
    if (match(word, ".0")) {
        word = behind(word, 1);
        while (word.len && is_digit(word.ptr[0]))
            word = behind(word, 1);
    }
    if (with_offset && word.len == 1 && (word.ptr[0] == 'Z' || word.ptr[0] == 'z'))
        return true;
    if (with_offset && word.len == 6 && (match(word, "+00:00") || match(word, "-00:00")))
        return true;
    return word.len == 0;
}

static bool is_date(struct lwb_bytes word)
{
    size_t len = match(word, "0000-00-00");

    if (!len)
        return is_time(word, false);
    word = behind(word, len);
    return word.len == 0 || (strchr("Tt ", word.ptr[0]) && is_time(behind(word, 1), true));
}

/* Digits without their underscores, which stand between digits only. */
static bool strip_underscores(struct lwb_bytes word, struct lwb_buf *out)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] != '_') {
            lwb_buf_append_char(out, word.ptr[i]);
            continue;
        }
        if (i == 0 || i + 1 == word.len || hex_value(word.ptr[i - 1]) < 0 ||
            hex_value(word.ptr[i + 1]) < 0)
            return false;
    }
    return lwb_buf_ok(out);
}

static bool parse_integer(const char *digits, int base, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(digits, &end, base);
    return *digits && !*end && !errno;
}

static bool parse_prefixed(const char *text, int64_t *out)
{
    int base = text[1] == 'x' ? 16 : text[1] == 'o' ? 8 : 2;

    /* strtoll takes signs and spaces, TOML does not here. */
    return hex_value(text[2]) >= 0 && parse_integer(text + 2, base, out);
}

static size_t count_digits(const char *text)
{
    size_t n = 0;

    while (is_digit(text[n]))
        n++;
    return n;
}

/* Integer and float share a start: sign, digits without leading zero. */
static bool parse_decimal(const char *text, struct lwb_toml *out)
{
    const char *digits = text + (*text == '+' || *text == '-');
    size_t n = count_digits(digits);
    const char *rest = digits + n;
    size_t fraction = 0;

    if (!n || (n > 1 && digits[0] == '0'))
        return false;
    if (!*rest) {
        out->type = LWB_TOML_INTEGER;
        return parse_integer(text, 10, &out->integer);
    }
    if (*rest == '.') {
        fraction = count_digits(rest + 1);
        if (!fraction)
            return false;
        rest += 1 + fraction;
    }
    if (*rest == 'e' || *rest == 'E') {
        rest += 1 + (rest[1] == '+' || rest[1] == '-');
        n = count_digits(rest);
        rest += n;
        if (!n)
            return false;
    }
    out->type = LWB_TOML_FLOAT;
    out->number = strtod(text, NULL);
    return !*rest;
}

static bool parse_number(struct lwb_bytes word, struct lwb_toml *out)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(100);
    const char *plain;

    if (!strip_underscores(word, &text))
        return false;
    plain = lwb_buf_text(&text);
    if (plain[0] == '0' && plain[1] && strchr("xob", plain[1])) {
        out->type = LWB_TOML_INTEGER;
        return word.len > 2 && word.ptr[2] != '_' && parse_prefixed(plain, &out->integer);
    }
    if (strcmp(plain + (*plain == '+' || *plain == '-'), "inf") == 0 ||
        strcmp(plain + (*plain == '+' || *plain == '-'), "nan") == 0) {
        out->type = LWB_TOML_FLOAT;
        out->number = strtod(plain, NULL);
        return true;
    }
    return parse_decimal(plain, out);
}

int lwb_toml_read_scalar(struct lwb_toml_reader *reader, struct lwb_toml *out)
{
    struct lwb_bytes word = take_word(reader);

    if (lwb_bytes_is(word, "true") || lwb_bytes_is(word, "false")) {
        out->type = LWB_TOML_BOOL;
        out->boolean = word.ptr[0] == 't';
        return LWB_OK;
    }
    if (is_date(word)) {
        out->type = LWB_TOML_DATE;
        out->text = lwb_arena_strndup(reader->arena, word.ptr, word.len);
        return out->text ? LWB_OK : lwb_fail_memory(reader->err);
    }
    if (parse_number(word, out))
        return LWB_OK;
    if (!word.len)
        return lwb_toml_fail(reader, "expected a value");
    return lwb_toml_fail(reader, "'%.*s' is not a value", (int)(word.len < 80 ? word.len : 80),
                         word.ptr);
}
