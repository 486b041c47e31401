#include "lwbuild/base/utf8.h"

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* What may follow a first byte (Unicode 15, table 3-7): how many bytes, and which second one. */
struct form {
    unsigned char first, last; /* of the first byte */
    unsigned char len;         /* of the character */
    unsigned char lowest,
        highest; /* second byte: no overlong forms, surrogates or beyond U+10FFFF */
};

static const struct form forms[] = {
    { 0xC2, 0xDF, 2, 0x80, 0xBF }, { 0xE0, 0xE0, 3, 0xA0, 0xBF }, { 0xE1, 0xEC, 3, 0x80, 0xBF },
    { 0xED, 0xED, 3, 0x80, 0x9F }, { 0xEE, 0xEF, 3, 0x80, 0xBF }, { 0xF0, 0xF0, 4, 0x90, 0xBF },
    { 0xF1, 0xF3, 4, 0x80, 0xBF }, { 0xF4, 0xF4, 4, 0x80, 0x8F },
};

static bool has_form(const struct form *form, const unsigned char *s, size_t len)
{
    if (len < form->len || s[1] < form->lowest || s[1] > form->highest)
        return false;
    for (size_t i = 2; i < form->len; i++)
        if (!is_tail(s[i]))
            return false;
    return true;
}

/* Length of the valid character at the start of text, 0 if there is none. */
static size_t char_len(const unsigned char *s, size_t len)
{
    if (s[0] < 0x80)
        return 1;
    for (size_t i = 0; i < LWB_COUNT(forms); i++)
        if (s[0] >= forms[i].first && s[0] <= forms[i].last)
            return has_form(&forms[i], s, len) ? forms[i].len : 0;
    return 0;
}

/* Bytes from the start that are ASCII, counted eight at a time: most texts are nothing else. */
static size_t ascii_prefix(const unsigned char *s, size_t len)
{
    size_t at = 0;
    uint64_t word;

    for (; len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, s + at, sizeof(word));
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < len && s[at] < 0x80)
        at++;
    return at;
}

size_t lwb_utf8_valid_prefix(struct lwb_bytes text)
{
    const unsigned char *s = (const unsigned char *)text.ptr;
    size_t at = 0;

    while (at < text.len) {
        size_t step =
            s[at] < 0x80 ? ascii_prefix(s + at, text.len - at) : char_len(s + at, text.len - at);

        if (!step)
            return at;
        at += step;
    }
    return at;
}

void lwb_utf8_append_repaired(struct lwb_buf *buf, struct lwb_bytes text)
{
    while (text.len) {
        size_t good = lwb_utf8_valid_prefix(text);

        lwb_buf_append(buf, text.ptr, good);
        if (good == text.len)
            return;
        lwb_buf_append_text(buf, "\xEF\xBF\xBD");
        text = lwb_bytes(text.ptr + good + 1, text.len - good - 1);
    }
}

size_t lwb_utf8_cut(struct lwb_bytes text, size_t max)
{
    size_t cut = max;

    if (text.len <= max)
        return text.len;
    while (cut > 0 && cut + 4 > max && is_tail((unsigned char)text.ptr[cut]))
        cut--;
    return cut;
}
