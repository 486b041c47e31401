#include "lwbuild/plan/toolchain_internal.h"

#include <stdio.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/lean_command.h"

/*
 * Which Lean it is. Installations of recent years say so in their C headers;
 * older ones are asked once per content of their binaries.
 */
enum { MAX_HEADER = 1024 * 1024 };

/* ---- headers ---- */

/* The value behind `#define name`, without quotes; "" when there is none. */
static struct lwb_bytes defined(const char *header, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = header; (at = strstr(at, "#define ")) != NULL;) {
        const char *value;

        at += strlen("#define ");
        if (strncmp(at, name, len) != 0 || at[len] != ' ')
            continue;
        value = at + len + strspn(at + len, " \"");
        return lwb_bytes(value, strcspn(value, "\"\r\n"));
    }
    return lwb_bytes("", 0);
}

static int read_header(const struct lwb_toolchain *toolchain, const char *name,
                       struct lwb_buf *text, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(toolchain->prefix, name);

    if (!path)
        return lwb_fail_memory(err);
    if (access(path, F_OK) != 0)
        return 0;
    return lwb_file_read(text, path, NULL, err) < 0 ? (int)err->code : 1;
}

static char *version_from(const char *header)
{
    struct lwb_bytes whole = defined(header, "LEAN_VERSION_STRING");
    struct lwb_bytes special = defined(header, "LEAN_SPECIAL_VERSION_DESC");
    struct lwb_bytes major = defined(header, "LEAN_VERSION_MAJOR");
    struct lwb_bytes minor = defined(header, "LEAN_VERSION_MINOR");
    struct lwb_bytes patch = defined(header, "LEAN_VERSION_PATCH");
    LWB_AUTO(lwb_buf_release) struct lwb_buf version = LWB_BUF(200);

    if (whole.len)
        return lwb_strndup(whole.ptr, whole.len);
    /* Neither a release nor a name of its own: the header does not know, lean may. */
    if (!major.len ||
        (!special.len && !lwb_bytes_is(defined(header, "LEAN_VERSION_IS_RELEASE"), "1")))
        return NULL;
    lwb_buf_format(&version, "%.*s.%.*s.%.*s", (int)major.len, major.ptr, (int)minor.len, minor.ptr,
                   (int)patch.len, patch.ptr);
    if (special.len)
        lwb_buf_format(&version, "-%.*s", (int)special.len, special.ptr);
    return lwb_buf_take(&version);
}

/* 1 when the headers say it all. */
static int ask_headers(struct lwb_toolchain *out, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf version = LWB_BUF(MAX_HEADER);
    LWB_AUTO(lwb_buf_release) struct lwb_buf githash = LWB_BUF(MAX_HEADER);
    struct lwb_bytes hash;
    int rc = read_header(out, "include/lean/version.h", &version, err);

    if (rc > 0)
        rc = read_header(out, "include/lean/githash.h", &githash, err);
    if (rc <= 0)
        return rc;
    hash = defined(lwb_buf_text(&githash), "LEAN_GITHASH");
    out->version = version_from(lwb_buf_text(&version));
    if (!out->version)
        return 0;
    out->githash = lwb_strndup(hash.ptr, hash.len);
    return out->githash ? 1 : lwb_fail_memory(err);
}

/* ---- lean itself ---- */

/* "Lean (version 4.9.0, x86_64-unknown-linux-gnu, commit 8f98..., Release)": parts by ", ". */
static int parse_line(struct lwb_toolchain *out, const char *line, struct lwb_error *err)
{
    static const char start[] = "Lean (version ";
    const char *commit = strstr(line, ", commit ");

    if (strncmp(line, start, sizeof(start) - 1) != 0)
        return lwb_fail(err, LWB_ERR_NO_TOOLCHAIN,
                        "%s/bin/lean --version says '%.*s', which no Lean 4 says", out->prefix,
                        (int)strcspn(line, "\n"), line);
    line += sizeof(start) - 1;
    commit = commit ? commit + strlen(", commit ") : "";
    out->version = lwb_strndup(line, strcspn(line, ",)\n"));
    out->githash = lwb_strndup(commit, strcspn(commit, ",)\n"));
    return out->version && out->githash ? LWB_OK : lwb_fail_memory(err);
}

/* Remembered answers are digests, so a short text is kept in the bytes of one. */
static bool pack(struct lwb_digest *out, const char *text)
{
    size_t len = strlen(text);

    *out = (struct lwb_digest){ 0 };
    if (len >= sizeof(out->bytes))
        return false;
    memcpy(out->bytes, text, len);
    return true;
}

static char *unpack(const struct lwb_digest *packed)
{
    return packed->bytes[sizeof(packed->bytes) - 1] ? NULL
                                                    : lwb_strdup((const char *)packed->bytes);
}

static int make_question(struct lwb_digest *out, const struct lwb_toolchain *toolchain,
                         const char *what, struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();

    if (!hasher)
        return lwb_fail_memory(err);
    lwb_hasher_text(hasher, 'q', what);
    lwb_hasher_digest(hasher, 't', &toolchain->identity);
    *out = lwb_hasher_end(hasher);
    return LWB_OK;
}

static int ask_memory(struct lwb_toolchain *out, const struct lwb_digest_source *digests,
                      const struct lwb_digest *version, const struct lwb_digest *githash,
                      struct lwb_error *err)
{
    struct lwb_digest packed;

    if (!digests->recall || digests->recall(digests->ctx, version, &packed) <= 0)
        return 0;
    out->version = unpack(&packed);
    if (digests->recall(digests->ctx, githash, &packed) <= 0)
        packed = (struct lwb_digest){ 0 };
    out->githash = unpack(&packed);
    return out->version && out->githash ? 1 : lwb_fail_memory(err);
}

static void remember(const struct lwb_toolchain *toolchain, const struct lwb_digest_source *digests,
                     const struct lwb_digest *version, const struct lwb_digest *githash)
{
    struct lwb_digest packed_version;
    struct lwb_digest packed_githash;

    if (!digests->remember || !pack(&packed_version, toolchain->version))
        return;
    /* 40 digits do not fit; the first 31 tell commits apart as well. */
    toolchain->githash[strlen(toolchain->githash) > 31 ? 31 : strlen(toolchain->githash)] = '\0';
    if (!pack(&packed_githash, toolchain->githash))
        return;
    digests->remember(digests->ctx, githash, &packed_githash);
    digests->remember(digests->ctx, version, &packed_version);
}

static int ask_lean(struct lwb_toolchain *out, const struct lwb_digest_source *digests,
                    struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *lean = lwb_path_join(out->prefix, "bin/lean");
    LWB_AUTO(lwb_buf_release) struct lwb_buf answer = LWB_BUF(64 * 1024);
    struct lwb_digest version;
    struct lwb_digest githash;
    int rc = lean ? make_question(&version, out, "lean version 1", err) : lwb_fail_memory(err);

    if (rc == LWB_OK)
        rc = make_question(&githash, out, "lean githash 1", err);
    if (rc == LWB_OK)
        rc = ask_memory(out, digests, &version, &githash, err);
    if (rc != 0)
        return rc < 0 ? rc : LWB_OK;
    rc = lwb_lean_ask(&answer, lean, "--version", err);
    if (rc < 0) {
        err->code = LWB_ERR_NO_TOOLCHAIN;
        return err->code;
    }
    rc = parse_line(out, lwb_buf_text(&answer), err);
    if (rc == LWB_OK)
        remember(out, digests, &version, &githash);
    return rc;
}

/* ---- the parts of a version ---- */

/* "...nightly-2021-11-29..." -> "2021-11-29" */
static bool take_date(char date[11], const char *text)
{
    for (const char *at = text; (at = strstr(at, "nightly-")) != NULL;) {
        int end = 0;

        at += strlen("nightly-");
        (void)sscanf(at, "%*4u-%*2u-%*2u%n", &end);
        if (end != 10)
            continue;
        memcpy(date, at, 10);
        date[10] = '\0';
        return true;
    }
    return false;
}

/* Take "4.9.0-rc1" or "4.0.0-nightly-2021-11-29" apart. */
static void parse_version(struct lwb_toolchain *out)
{
    (void)sscanf(out->version, "%9u.%9u.%9u", &out->major, &out->minor, &out->patch);
    out->date[0] = '\0';
    /* A nightly that does not know its date is in the folder that elan named after it. */
    if (!take_date(out->date, out->version))
        (void)take_date(out->date, lwb_path_basename(out->prefix));
}

int lwb_toolchain_read_version(struct lwb_toolchain *out, const struct lwb_digest_source *digests,
                               struct lwb_error *err)
{
    int rc = ask_headers(out, err);

    if (rc == 0)
        rc = ask_lean(out, digests, err);
    if (rc < 0)
        return rc;
    parse_version(out);
    if (out->major != 4)
        return lwb_fail(err, LWB_ERR_NO_TOOLCHAIN, "%s: %s is Lean %s, lwbuild needs Lean 4",
                        out->origin, out->prefix, out->version);
    return LWB_OK;
}
