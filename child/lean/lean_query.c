#include "child/lean/lean_query.h"

#include <ctype.h>

#include "lwbuild/base/utf8.h"

/* ---- elaborate ------------------------------------------------------------------------------ */

/* One word that cannot end the line or begin another command. */
static bool is_name(const char *text)
{
    if (!*text || !lwb_utf8_is_valid(lwb_bytes_text(text)))
        return false;
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || strchr("()[]{}:;,\"#@-/=", *text))
            return false;
    return true;
}

int lwb_lean_query_elaborate(struct lwb_buf *out, struct lwb_bytes header,
                             const struct lwb_elaborate_request *request, struct lwb_error *err)
{
    uint64_t heartbeats = request->heartbeats;

    if (request->namespace_context && !is_name(request->namespace_context))
        return lwb_fail(err, LWB_ERR_USAGE, "not a name: \"%s\"", request->namespace_context);
    /* Of a check a fresh process would read the file; a question has only the worker. */
    if (!lwb_lean_document_can_travel(request->source))
        return lwb_fail(err, LWB_ERR_FORMAT, "the text is not UTF-8 without control characters");
    lwb_buf_append_bytes(out, header);
    if (heartbeats > LWB_LEAN_HEARTBEATS_MAX)
        heartbeats = LWB_LEAN_HEARTBEATS_MAX;
    if (heartbeats)
        lwb_buf_format(out, " set_option maxHeartbeats %llu", (unsigned long long)heartbeats);
    if (request->namespace_context)
        lwb_buf_format(out, " namespace %s", request->namespace_context);
    lwb_buf_append_char(out, '\n');
    lwb_buf_append_bytes(out, request->source);
    return lwb_buf_ok(out) ? LWB_OK : lwb_fail_memory(err);
}

/* ---- kernel check ---------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Behind a comment of either kind that starts at `at`, documentation included; else `at`. */
static size_t skip_comment(struct lwb_bytes text, size_t at)
{
    int depth = 0;

    if (at + 1 < text.len && text.ptr[at] == '-' && text.ptr[at + 1] == '-') {
        while (at < text.len && text.ptr[at] != '\n')
            at++;
        return at;
    }
    if (at + 1 >= text.len || text.ptr[at] != '/' || text.ptr[at + 1] != '-')
        return at;
    do {
        if (at + 1 >= text.len)
            return text.len;
        if (text.ptr[at] == '/' && text.ptr[at + 1] == '-') {
            depth++;
            at += 2;
        } else if (text.ptr[at] == '-' && text.ptr[at + 1] == '/') {
            depth--;
            at += 2;
        } else {
            at++;
        }
    } while (depth > 0);
    return at;
}

/* Behind "@[...]", brackets counted; else `at`. */
static size_t skip_attributes(struct lwb_bytes text, size_t at)
{
    int depth = 0;

    if (at + 1 >= text.len || text.ptr[at] != '@' || text.ptr[at + 1] != '[')
        return at;
    for (at++; at < text.len; at++) {
        if (text.ptr[at] == '[')
            depth++;
        else if (text.ptr[at] == ']' && --depth == 0)
            return at + 1;
    }
    return at;
}

static size_t skip_to_word(struct lwb_bytes text, size_t at)
{
    size_t before;

    do {
        before = at;
        while (at < text.len && is_space(text.ptr[at]))
            at++;
        at = skip_comment(text, at);
        at = skip_attributes(text, at);
    } while (at != before);
    return at;
}

static bool is_one_of(struct lwb_bytes word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (lwb_bytes_is(word, words[i]))
            return true;
    return false;
}

bool lwb_lean_query_is_declaration(struct lwb_bytes source)
{
    static const char *const modifiers[] = { "private",       "protected", "public",
                                             "noncomputable", "unsafe",    "partial",
                                             "scoped",        "local",     "nonrec" };
    static const char *const kinds[] = { "theorem",   "lemma", "def",    "abbrev",   "instance",
                                         "example",   "axiom", "opaque", "constant", "inductive",
                                         "structure", "class", "mutual" };
    size_t at = 0;

    for (;;) {
        size_t start = skip_to_word(source, at);
        struct lwb_bytes word;

        for (at = start; at < source.len && islower((unsigned char)source.ptr[at]);)
            at++;
        word = lwb_bytes(source.ptr + start, at - start);
        if (!is_one_of(word, modifiers, LWB_COUNT(modifiers)))
            return is_one_of(word, kinds, LWB_COUNT(kinds));
    }
}

/* Lean's parser begins all its messages with what it met or would have liked to meet. */
static bool is_parse_error(struct lwb_bytes text)
{
    static const char *const starts[] = { "expected ", "unexpected ", "unterminated ",
                                          "invalid UTF-8", "missing end of character" };

    for (size_t i = 0; i < LWB_COUNT(starts); i++)
        if (lwb_bytes_start_with(text, starts[i]))
            return true;
    return false;
}

enum lwb_kernel_status lwb_lean_query_kernel_status(struct lwb_bytes source,
                                                    const struct lwb_lean_messages *messages)
{
    bool has_sorry = false;
    bool has_error = false;

    if (!lwb_lean_query_is_declaration(source))
        return LWB_KERNEL_UNSUPPORTED;
    if (lwb_bytes_contain(source, "skipKernelTC")) /* the option that leaves the kernel out */
        return LWB_KERNEL_UNAVAILABLE;
    for (size_t i = 0; i < messages->count; i++) {
        const struct lwb_diagnostic *message = &messages->items[i];

        if (message->severity == LWB_SEVERITY_ERROR && is_parse_error(message->message))
            return LWB_KERNEL_UNAVAILABLE;
        has_error = has_error || message->severity == LWB_SEVERITY_ERROR;
        has_sorry = has_sorry || lwb_bytes_is(message->code, "hasSorry");
    }
    if (has_error)
        return LWB_KERNEL_REJECTED;
    return has_sorry ? LWB_KERNEL_UNAVAILABLE : LWB_KERNEL_CHECKED;
}

/* ---- declarations ---------------------------------------------------------------------------- */

bool lwb_lean_query_is_supported(const struct lwb_strvec *imports)
{
    for (size_t i = 0; imports && i < imports->count; i++) {
        const char *space = strrchr(imports->items[i], ' ');
        const char *name = space ? space + 1 : imports->items[i];

        if (strcmp(name, "Lean") == 0 || strncmp(name, "Lean.Elab", 9) == 0 ||
            strncmp(name, "Lean.Meta", 9) == 0)
            return true;
    }
    return false;
}

static void append_escaped(struct lwb_buf *out, char c)
{
    if (c == '"' || c == '\\')
        lwb_buf_append_char(out, '\\');
    lwb_buf_append_char(out, c);
}

/* "A.«b c».1" as its components with tabs between them: no dot or quote is left to interpret. */
static void append_components(struct lwb_buf *out, const char *name)
{
    bool quoted = false;

    for (const char *at = name; *at; at++) {
        if (strncmp(at, "\xc2\xab", 2) == 0 || strncmp(at, "\xc2\xbb", 2) == 0) {
            quoted = at[1] == '\xab';
            at++;
        } else if (*at == '.' && !quoted) {
            lwb_buf_append_text(out, "\\t");
        } else {
            append_escaped(out, *at);
        }
    }
}

static int check_printable(const char *text, struct lwb_error *err)
{
    if (!lwb_utf8_is_valid(lwb_bytes_text(text)))
        return lwb_fail(err, LWB_ERR_USAGE, "a name that is not UTF-8");
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ')
            return lwb_fail(err, LWB_ERR_USAGE, "a name with a control character");
    return LWB_OK;
}

/* Written with words that all versions from 2021 on know, and nothing opened. */
static const char kinds_program[] =
    "#eval (do\n"
    "  let env ← Lean.getEnv\n"
    "  let kind : Lean.Name → String := fun n => match env.find? n with\n"
    "    | some (Lean.ConstantInfo.axiomInfo _) => \"axiom\"\n"
    "    | some (Lean.ConstantInfo.defnInfo _) => \"definition\"\n"
    "    | some (Lean.ConstantInfo.thmInfo _) => \"theorem\"\n"
    "    | some (Lean.ConstantInfo.opaqueInfo _) => \"opaque\"\n"
    "    | some (Lean.ConstantInfo.quotInfo _) => \"quotient\"\n"
    "    | some (Lean.ConstantInfo.inductInfo _) => \"inductive\"\n"
    "    | some (Lean.ConstantInfo.ctorInfo _) => \"constructor\"\n"
    "    | some (Lean.ConstantInfo.recInfo _) => \"recursor\"\n"
    "    | none => \"\"\n"
    "  let part : Lean.Name → String → Lean.Name := fun n c => match c.toNat? with\n"
    "    | some k => Lean.Name.mkNum n k\n"
    "    | none => Lean.Name.mkStr n c\n"
    "  for line in names.splitOn \"\\n\" do\n"
    "    let n := (line.splitOn \"\\t\").foldl part Lean.Name.anonymous\n"
    "    IO.println (\"=\" ++ kind n) : Lean.MetaM Unit)\n";

int lwb_lean_query_kinds(struct lwb_buf *out, struct lwb_bytes header,
                         const struct lwb_strvec *names, struct lwb_error *err)
{
    static const char asks_names[] = "names.splitOn";
    const char *split = strstr(kinds_program, asks_names);

    lwb_buf_append_bytes(out, header);
    lwb_buf_append_char(out, '\n');
    lwb_buf_append(out, kinds_program, (size_t)(split - kinds_program));
    lwb_buf_append_char(out, '"');
    for (size_t i = 0; i < names->count; i++) {
        if (check_printable(names->items[i], err) < 0)
            return err->code;
        if (i > 0)
            lwb_buf_append_text(out, "\\n");
        append_components(out, names->items[i]);
    }
    lwb_buf_append_char(out, '"');
    lwb_buf_append_text(out, split + sizeof("names") - 1);
    return lwb_buf_ok(out) ? LWB_OK : lwb_fail_memory(err);
}

int lwb_lean_query_names(struct lwb_buf *out, struct lwb_bytes header, const char *prefix,
                         struct lwb_error *err)
{
    if (check_printable(prefix, err) < 0)
        return err->code;
    lwb_buf_append_bytes(out, header);
    lwb_buf_append_text(
        out, "\n#eval (do\n"
             "  let env ← Lean.getEnv\n"
             "  let add : Array String → Lean.Name → Lean.ConstantInfo → Array String :=\n"
             "    fun all n _ =>\n"
             "      let text := toString n\n"
             "      if n.isInternal || !String.isPrefixOf \"");
    for (const char *at = prefix; *at; at++)
        append_escaped(out, *at);
    lwb_buf_append_text(
        out, "\" text then all else all.push (\"=\" ++ text)\n"
             "  let all := env.constants.fold add #[]\n"
             "  IO.println (String.intercalate \"\\n\" all.toList) : Lean.MetaM Unit)\n");
    return lwb_buf_ok(out) ? LWB_OK : lwb_fail_memory(err);
}

/* Lines that begin with "="; whatever else the session prints is not an answer. */
static int read_lines(struct lwb_strvec *lines, struct lwb_bytes text)
{
    while (text.len > 0) {
        const char *newline = memchr(text.ptr, '\n', text.len);
        size_t len = newline ? (size_t)(newline - text.ptr) : text.len;

        if (len > 0 && text.ptr[0] == '=' &&
            lwb_strvec_append_len(lines, text.ptr + 1, len - 1) < 0)
            return -1;
        len += newline ? 1 : 0;
        text = lwb_bytes(text.ptr + len, text.len - len);
    }
    return 0;
}

int lwb_lean_query_read(struct lwb_strvec *lines, const struct lwb_lean_messages *messages,
                        struct lwb_error *err)
{
    for (size_t i = 0; i < messages->count; i++) {
        const struct lwb_diagnostic *message = &messages->items[i];

        if (message->severity == LWB_SEVERITY_ERROR)
            return lwb_fail(err, LWB_ERR_UNSUPPORTED, "Lean cannot look this up here: %.*s",
                            (int)lwb_utf8_cut(message->message, 300), message->message.ptr);
        if (message->severity == LWB_SEVERITY_INFORMATION &&
            read_lines(lines, message->message) < 0)
            return lwb_fail_memory(err);
    }
    return LWB_OK;
}
