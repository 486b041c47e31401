#include "lwbuild/plan/lakefile.h"

#include <ctype.h>
#include <string.h>

/*
 * Word by word and line by line, comments and strings included: what Lean's
 * grammar makes of a text is not known here, and a word too many costs a question
 * where one too few could cost a wrong answer.
 */

static bool is_part_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '?' || c == '!' || c == '\'';
}

static bool is_one_of(struct lwb_bytes word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (lwb_bytes_is(word, words[i]))
            return true;
    return false;
}

static bool ends_with(struct lwb_bytes word, const char *end)
{
    size_t len = strlen(end);

    return word.len >= len && memcmp(word.ptr + word.len - len, end, len) == 0;
}

/* What runs while the file is read, wherever it stands. */
static bool runs_at_once(struct lwb_bytes word)
{
    static const char *const words[] = {
        "include_str", "initialize", "implemented_by", "builtin_initialize", "extern",
        "simproc",     "eval"
    };

    return lwb_bytes_start_with(word, "run_") || lwb_bytes_start_with(word, "unsafe") ||
           lwb_bytes_start_with(word, "elab_") || ends_with(word, "elab") ||
           lwb_bytes_contain(word, "Elab") || is_one_of(word, words, LWB_COUNT(words));
}

/* What looks at the world, when it runs. */
static bool looks_around(struct lwb_bytes word)
{
    static const char *const words[] = { "IO",         "BaseIO",   "EIO",     "FS",
                                         "pathExists", "isDir",    "readDir", "walkDir",
                                         "getEnv",     "metadata", "readFile" };

    return is_one_of(word, words, LWB_COUNT(words));
}

/* Commands whose body lake runs later, or never: not for what the file comes to. */
static bool is_for_later(struct lwb_bytes line)
{
    static const char *const commands[] = { "script ",       "post_update ",  "target ",
                                            "extern_lib ",   "module_facet ", "library_facet ",
                                            "package_facet " };

    for (size_t i = 0; i < LWB_COUNT(commands); i++)
        if (lwb_bytes_start_with(line, commands[i]))
            return true;
    return false;
}

static struct lwb_bytes take_line(struct lwb_bytes *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    struct lwb_bytes line = lwb_bytes(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
    size_t taken = line.len + (end != NULL);

    *rest = lwb_bytes(rest->ptr + taken, rest->len - taken);
    return line;
}

/* 1 and the next word of the line, 0 at its end. */
static int take_word(struct lwb_bytes *rest, struct lwb_bytes *word)
{
    size_t start = 0;
    size_t end;

    while (start < rest->len && !is_part_of_word(rest->ptr[start]))
        start++;
    for (end = start; end < rest->len && is_part_of_word(rest->ptr[end]);)
        end++;
    *word = lwb_bytes(rest->ptr + start, end - start);
    *rest = lwb_bytes(rest->ptr + end, rest->len - end);
    return word->len > 0;
}

int lwb_lakefile_stands_alone(struct lwb_bytes text, struct lwb_error *err)
{
    bool later = false;

    for (unsigned number = 1; text.len; number++) {
        struct lwb_bytes line = take_line(&text);
        struct lwb_bytes word;

        if (line.len && !isspace((unsigned char)line.ptr[0]))
            later = is_for_later(line);
        while (take_word(&line, &word))
            if (runs_at_once(word) || (!later && looks_around(word)))
                return lwb_lakefile_fail(err, number,
                                         "%.*s: lake runs a copy of the file, which cannot look at "
                                         "what is around it",
                                         (int)word.len, word.ptr);
    }
    return LWB_OK;
}
