#include "lwbuild/driver/depfile.h"

#include <string.h>

static bool is_printable_path(const char *path)
{
    return *path && strpbrk(path, "'&\";*<>^|\\\n\r\t") == NULL;
}

static void append_escaped(struct lwb_buf *out, const char *path)
{
    for (; *path; path++) {
        if (*path == ' ' || *path == '#')
            lwb_buf_append_char(out, '\\');
        else if (*path == '$')
            lwb_buf_append_char(out, '$');
        lwb_buf_append_char(out, *path);
    }
}

static void append_prerequisite(struct lwb_buf *out, const char *path)
{
    lwb_buf_append_text(out, " \\\n  ");
    append_escaped(out, path);
}

void lwb_depfile_print(struct lwb_buf *out, const char *target, const struct lwb_strvec *paths,
                       size_t *left_out)
{
    *left_out = 0;
    append_escaped(out, target);
    lwb_buf_append_char(out, ':');
    for (size_t i = 0; i < paths->count; i++) {
        if (strcmp(paths->items[i], "/") == 0)
            continue;
        if (!is_printable_path(paths->items[i])) {
            ++*left_out;
            continue;
        }
        append_prerequisite(out, paths->items[i]);
    }
    if (*left_out) {
        append_prerequisite(out, target);
        lwb_buf_append_text(out, ".always");
    }
    lwb_buf_append_char(out, '\n');
}
