#include "child/kernel/ndjson.h"

#include <stdarg.h>

#include "lwbuild/base/utf8.h"

/*
 * Strict JSON tokens within one line: numbers are natural and canonical,
 * strings are UTF-8 with whole surrogate pairs, keys stand once.
 */
static bool set_state(struct kn_reader *r, enum kn_read state, const char *format, va_list args)
    LWB_PRINTF(3, 0);

static bool set_state(struct kn_reader *r, enum kn_read state, const char *format, va_list args)
{
    if (r->state == KN_READ_FINE) {
        r->state = state;
        r->cause = state == KN_READ_UNKNOWN ? LWB_KERNEL_CAUSE_UNKNOWN : LWB_KERNEL_CAUSE_NONE;
        (void)vsnprintf(r->text, sizeof(r->text), format, args);
    }
    return false;
}

bool kn_malformed(struct kn_reader *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)set_state(r, KN_READ_MALFORMED, format, args);
    va_end(args);
    return false;
}

bool kn_unknown(struct kn_reader *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)set_state(r, KN_READ_UNKNOWN, format, args);
    va_end(args);
    return false;
}

bool kn_read_no_memory(struct kn_reader *r)
{
    (void)kn_out_of_memory(r->ctx);
    return kn_read_fault(r);
}

bool kn_read_fault(struct kn_reader *r)
{
    if (r->state == KN_READ_FINE) {
        (void)kn_unknown(r, "%s", r->ctx->reason);
        r->cause = r->ctx->cause;
    }
    return false;
}

/* Tokens -------------------------------------------------------------------------------------- */

/* The next byte that is no blank; '\n' stands for the end of the line. */
static inline char next(struct kn_reader *r)
{
    while (r->at < r->line_end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
    return r->at < r->line_end ? *r->at : '\n';
}

bool kn_expect(struct kn_reader *r, char c)
{
    if (r->at < r->line_end && *r->at == c) {
        r->at++;
        return true;
    }
    if (next(r) != c)
        return kn_malformed(r, "expected '%c'", c);
    r->at++;
    return true;
}

bool kn_peek(struct kn_reader *r, char c)
{
    return next(r) == c;
}

bool kn_read_u64(struct kn_reader *r, uint64_t *out)
{
    char c = next(r);
    uint64_t value = 0;
    const char *start = r->at;

    if (c < '0' || c > '9')
        return kn_malformed(r, "expected a number");
    for (; r->at < r->line_end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*r->at - '0'), &value))
            return kn_unknown(r, "a number beyond 64 bits");
    }
    if (c == '0' && r->at - start > 1)
        return kn_malformed(r, "a number with a leading zero");
    if (r->at < r->line_end && (*r->at == '.' || *r->at == 'e' || *r->at == 'E'))
        return kn_malformed(r, "a number that is not a natural number");
    *out = value;
    return true;
}

static bool read_word(struct kn_reader *r, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(r->line_end - r->at) < n || memcmp(r->at, word, n) != 0)
        return kn_malformed(r, "expected %s", word);
    r->at += n;
    return true;
}

bool kn_read_bool(struct kn_reader *r, bool *out)
{
    *out = next(r) == 't';
    return read_word(r, *out ? "true" : "false");
}

static bool read_hex4(struct kn_reader *r, uint32_t *out)
{
    int i;

    *out = 0;
    for (i = 0; i < 4; i++) {
        char c = r->at < r->line_end ? *r->at++ : '\n';
        uint32_t digit;

        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            digit = (uint32_t)((c | 32) - 'a' + 10);
        else
            return kn_malformed(r, "a broken \\u escape");
        *out = *out << 4 | digit;
    }
    return true;
}

static void append_utf8(struct lwb_buf *out, uint32_t c)
{
    if (c < 0x80) {
        lwb_buf_append_char(out, (char)c);
    } else if (c < 0x800) {
        lwb_buf_append_char(out, (char)(0xc0 | c >> 6));
        lwb_buf_append_char(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        lwb_buf_append_char(out, (char)(0xe0 | c >> 12));
        lwb_buf_append_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        lwb_buf_append_char(out, (char)(0x80 | (c & 0x3f)));
    } else {
        lwb_buf_append_char(out, (char)(0xf0 | c >> 18));
        lwb_buf_append_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        lwb_buf_append_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        lwb_buf_append_char(out, (char)(0x80 | (c & 0x3f)));
    }
}

static bool read_unicode_escape(struct kn_reader *r)
{
    uint32_t c, low;

    if (!read_hex4(r, &c))
        return false;
    if (c >= 0xd800 && c < 0xdc00) {
        if (r->line_end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
            return kn_malformed(r, "half of a surrogate pair");
        r->at += 2;
        if (!read_hex4(r, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return kn_malformed(r, "half of a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
    } else if (c >= 0xdc00 && c < 0xe000) {
        return kn_malformed(r, "half of a surrogate pair");
    }
    append_utf8(&r->scratch, c);
    return true;
}

static bool read_escape(struct kn_reader *r)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = r->at < r->line_end ? *r->at++ : '\n';
    const char *p = c ? strchr(from, c) : NULL;

    if (c == 'u')
        return read_unicode_escape(r);
    if (!p)
        return kn_malformed(r, "an unknown escape in a string");
    lwb_buf_append_char(&r->scratch, to[p - from]);
    return true;
}

/* A string with escapes, decoded into r->scratch; `start` is behind its quote. */
static bool read_escaped(struct kn_reader *r, const char *start, struct lwb_bytes *out)
{
    lwb_buf_clear(&r->scratch);
    r->at = start;
    for (;;) {
        const char *plain = r->at;

        while (r->at < r->line_end && *r->at != '"' && *r->at != '\\' &&
               (unsigned char)*r->at >= ' ')
            r->at++;
        lwb_buf_append(&r->scratch, plain, (size_t)(r->at - plain));
        if (r->at == r->line_end || (unsigned char)*r->at < ' ')
            return kn_malformed(r, "a string that does not end");
        if (*r->at++ == '"')
            break;
        if (!read_escape(r))
            return false;
    }
    if (!lwb_buf_ok(&r->scratch))
        return kn_read_no_memory(r);
    *out = lwb_bytes(r->scratch.ptr ? r->scratch.ptr : "", r->scratch.len);
    return true;
}

/* Bytes that mean nothing in a string, for as long as there are whole words of the line. */
static inline void skip_plain(struct kn_reader *r)
{
    for (; r->line_end - r->at >= KN_WORD; r->at += KN_WORD) {
        const uint64_t stops = kn_text_stops(kn_load(r->at));

        if (stops) {
            r->at += __builtin_ctzll(stops) / 8;
            return;
        }
    }
}

bool kn_read_string(struct kn_reader *r, struct lwb_bytes *out)
{
    const char *start;
    unsigned char high = 0;

    if (!kn_expect(r, '"'))
        return false;
    start = r->at;
    for (;; r->at++) {
        unsigned char c;

        skip_plain(r);
        c = r->at < r->line_end ? (unsigned char)*r->at : '\n';

        high |= c;
        if (c == '"')
            break;
        if (c == '\\') {
            if (!read_escaped(r, start, out))
                return false;
            return lwb_utf8_is_valid(*out) ? true : kn_malformed(r, "a string is not UTF-8");
        }
        if (c < ' ')
            return kn_malformed(r, "a string that does not end");
    }
    *out = lwb_bytes(start, (size_t)(r->at - start));
    r->at++;
    if (high >= 0x80 && !lwb_utf8_is_valid(*out))
        return kn_malformed(r, "a string is not UTF-8");
    return true;
}

static int next_member(struct kn_reader *r, bool *first, char open, char close)
{
    char c;

    if (*first && !kn_expect(r, open))
        return -1;
    c = next(r);
    if (c == close) {
        r->at++;
        return 0;
    }
    if (!*first && !kn_expect(r, ','))
        return -1;
    if (!*first && kn_peek(r, close)) {
        (void)kn_malformed(r, "a comma with nothing behind it");
        return -1;
    }
    *first = false;
    return 1;
}

int kn_next_item(struct kn_reader *r, bool *first)
{
    return next_member(r, first, '[', ']');
}

/* A key as all known ones are: short, plain, and with the colon right behind it. */
static inline bool read_plain_key(struct kn_reader *r, struct lwb_bytes *key)
{
    const char *at = r->at + 1;
    uint64_t stops;
    size_t n;

    if (r->line_end - at < 3 * KN_WORD || at[-1] != '"')
        return false;
    stops = kn_text_stops(kn_load(at));
    n = 0;
    if (!stops) {
        stops = kn_text_stops(kn_load(at + KN_WORD));
        n = KN_WORD;
    }
    if (!stops)
        return false;
    n += (size_t)__builtin_ctzll(stops) / 8;
    if (at[n] != '"' || at[n + 1] != ':')
        return false;
    *key = lwb_bytes(at, n);
    r->at = at + n + 2;
    return true;
}

int kn_next_key(struct kn_reader *r, bool *first, struct lwb_bytes *key)
{
    int more = next_member(r, first, '{', '}');

    if (more == 1 && !read_plain_key(r, key) && (!kn_read_string(r, key) || !kn_expect(r, ':')))
        return -1;
    return more;
}

int kn_which_key(struct kn_reader *r, struct lwb_bytes key, const char *const *keys, int n,
                 uint32_t *seen)
{
    /* Sorted, as the exporter's are: it will be the one behind the last. */
    int i = *seen ? 32 - __builtin_clz(*seen) : 0;
    int left;

    for (left = n; left > 0 && key.len > 0; left--, i++) {
        i = i < n ? i : 0;
        if (key.ptr[0] != keys[i][0] || !lwb_bytes_is(key, keys[i]))
            continue;
        if (*seen & UINT32_C(1) << i) {
            (void)kn_malformed(r, "the key \"%s\" stands there twice", keys[i]);
            return -1;
        }
        *seen |= UINT32_C(1) << i;
        return i;
    }
    (void)kn_unknown(r, "an unknown key \"%.*s\"", (int)(key.len < 40 ? key.len : 40), key.ptr);
    return -1;
}

bool kn_require(struct kn_reader *r, uint32_t seen, uint32_t needed, const char *what)
{
    return (seen & needed) == needed ? true : kn_malformed(r, "%s lacks a member", what);
}

/* Any JSON value; nesting is limited since nothing that nests deeper is ever needed. */
static bool skip(struct kn_reader *r, int depth)
{
    struct lwb_bytes text = { 0 };
    bool first = true, flag;
    char c = next(r);
    int more;

    if (depth > 200)
        return kn_unknown(r, "data nested too deeply");
    if (c == '{' || c == '[') {
        while ((more = c == '{' ? kn_next_key(r, &first, &text) : kn_next_item(r, &first)) == 1) {
            if (!skip(r, depth + 1))
                return false;
        }
        return more == 0;
    }
    if (c == '"')
        return kn_read_string(r, &text);
    if (c == 't' || c == 'f')
        return kn_read_bool(r, &flag);
    if (c == 'n')
        return read_word(r, "null");
    if (c == '-')
        r->at++;
    if (next(r) < '0' || next(r) > '9')
        return kn_malformed(r, "expected a value");
    while (r->at < r->line_end && *r->at && strchr("+-.eE0123456789", *r->at))
        r->at++;
    return true;
}

bool kn_skip_value(struct kn_reader *r)
{
    return skip(r, 0);
}
