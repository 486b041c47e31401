#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "child/lean/lean_message.h"
#include "lwbuild/base/utf8.h"

/*
 * What a command line of Lean may print, as text and as JSON lines. Printed
 * again as Lean prints, the text has the same bytes; that is the promise of
 * lwb_lean_messages_add_text. (Numbers are written in one way only, and end
 * positions are not printed, so texts with other numbers or such are let be.)
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(struct lwb_buf *out, const struct lwb_diagnostic *message)
{
    if (message->line >= 0)
        lwb_buf_format(out, "A:%lld:%lld: %s: ", (long long)message->line,
                       (long long)message->column, lwb_severity_name(message->severity));
    lwb_buf_append_bytes(out, message->message);
    if (message->message.len == 0 || message->message.ptr[message->message.len - 1] != '\n')
        lwb_buf_append_char(out, '\n');
}

static bool has_other_numbers(struct lwb_bytes text)
{
    for (size_t i = 0; i + 2 < text.len; i++)
        if (text.ptr[i] == ':' && text.ptr[i + 1] == '0' && text.ptr[i + 2] != ':')
            return true;
    return memchr(text.ptr, '-', text.len) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages text = { 0 };
    LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages json = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1024 * 1024);
    struct lwb_bytes bytes = lwb_bytes(data, size);
    struct lwb_error err;

    if (size < 1 || size > 32 * 1024)
        return 0;
    if (lwb_lean_messages_add_json(&json, bytes, &err) < 0 ||
        lwb_lean_messages_add_text(&text, bytes, "A", true, &err) < 0)
        abort();
    if (data[size - 1] != '\n' || !lwb_utf8_is_valid(bytes) || has_other_numbers(bytes) ||
        memchr(data, '\0', size))
        return 0;
    for (size_t i = 0; i < text.count; i++)
        print(&out, &text.items[i]);
    if (!lwb_bytes_equal(lwb_buf_bytes(&out), bytes))
        abort();
    return 0;
}
