#include "lwbuild/base/utf8.h"

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Length of the valid character at the start of text, 0 if there is none. */
static size_t char_len(const unsigned char *s, size_t len)
{
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF)
        return len >= 2 && is_tail(s[1]) ? 2 : 0;
    if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        if (len < 3 || !is_tail(s[1]) || !is_tail(s[2]))
            return 0;
        if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))
            return 0;
        return 3;
    }
    if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        if (len < 4 || !is_tail(s[1]) || !is_tail(s[2]) || !is_tail(s[3]))
            return 0;
        if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
            return 0;
        return 4;
    }
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
