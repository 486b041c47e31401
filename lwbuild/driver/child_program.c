#include "lwbuild/driver/child_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/worker/child_path.h"

enum { MAX_ANSWER = 64 * 1024 };

int lwb_child_program_find(char **out, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *found = NULL;

    if (lwb_child_path_find(&found, NULL, NULL, err) < 0)
        return err->code;
    *out = *found == '/' ? LWB_TAKE(found) : realpath(found, NULL);
    return *out ? LWB_OK : lwb_fail_memory(err);
}

static int ask(struct lwb_buf *answer, const char *child, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf command = LWB_BUF(LWB_PATH_MAX);
    FILE *pipe;
    int status;

    /* The path is quoted for the shell: every ' becomes '\''. */
    lwb_buf_append_text(&command, "exec '");
    for (const char *c = child; *c; c++) {
        if (*c == '\'')
            lwb_buf_append_text(&command, "'\\''");
        else
            lwb_buf_append_char(&command, *c);
    }
    lwb_buf_append_text(&command, "' --version");
    if (!lwb_buf_ok(&command))
        return lwb_fail_memory(err);
    pipe = popen(lwb_buf_text(&command), "re"); /* NOLINT: quoted above */
    if (!pipe)
        return lwb_fail_errno(err, LWB_ERR_SPAWN, "cannot start %s", child);
    for (;;) {
        char *room = lwb_buf_reserve(answer, 1024);
        size_t got = room ? fread(room, 1, 1024, pipe) : 0;

        if (got == 0)
            break;
        answer->len += got;
        answer->ptr[answer->len] = '\0';
    }
    status = pclose(pipe);
    if (status != 0 || !lwb_buf_ok(answer))
        return lwb_fail(err, LWB_ERR_HANDSHAKE, "%s --version failed (status %d)", child, status);
    return LWB_OK;
}

/* Lines "host <kind> <digest>". */
static int find_host(struct lwb_digest *out, const char *text, const char *host)
{
    size_t len = strlen(host);

    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *kind = strncmp(line, "host ", 5) == 0 ? line + 5 : "";

        if (strncmp(kind, host, len) == 0 && kind[len] == ' ')
            return lwb_digest_parse(out, lwb_bytes(kind + len + 1, strcspn(kind + len + 1, " \n")));
    }
    return -1;
}

static int question_for(struct lwb_digest *out, const char *child, const char *host,
                        const struct lwb_digest_source *digests, struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();
    struct lwb_digest content;
    int rc;

    if (!hasher)
        return lwb_fail_memory(err);
    rc = digests->file(digests->ctx, child, &content, NULL, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return lwb_fail(err, LWB_ERR_CHILD_NOT_FOUND, "%s does not exist", child);
    lwb_hasher_text(hasher, 'q', "host digest");
    lwb_hasher_digest(hasher, 'c', &content);
    lwb_hasher_text(hasher, 'h', host);
    *out = lwb_hasher_end(hasher);
    return LWB_OK;
}

int lwb_child_program_host_digest(char hex[LWB_DIGEST_HEX + 1], const char *child, const char *host,
                                  const struct lwb_digest_source *digests, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf answer = LWB_BUF(MAX_ANSWER);
    struct lwb_digest question, digest;
    int rc = question_for(&question, child, host, digests, err);

    if (rc < 0)
        return rc;
    if (!digests->recall || digests->recall(digests->ctx, &question, &digest) != 1) {
        rc = ask(&answer, child, err);
        if (rc < 0)
            return rc;
        if (find_host(&digest, lwb_buf_text(&answer), host))
            return lwb_fail(err, LWB_ERR_UNSUPPORTED, "%s has no host '%s'", child, host);
        if (digests->remember)
            digests->remember(digests->ctx, &question, &digest);
    }
    lwb_digest_hex(&digest, hex);
    return LWB_OK;
}
