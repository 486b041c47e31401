/*
 * A `lean` that answers what a real one answered. The toolchain's file "replay"
 * names a folder of transcripts: CASE.worker.jsonl, CASE.cli.txt. The case is
 * the stem of the file that is checked.
 *
 * As a worker it wants the document that was recorded, byte by byte, and ends
 * with exit code 70 when it gets another: then the host no longer sends what
 * was tried on a real Lean. What the host calls a document and a request, the
 * recording calls by other names; only these are put in.
 */
#include <stdio.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/json.h"
#include "lwbuild/base/path.h"
#include "tests/support/lean_frames.h"

enum { TEXT_MAX = 16 * 1024 * 1024, EXIT_OTHER_TRAFFIC = 70 };

static void die(const char *text)
{
    (void)fprintf(stderr, "replay_lean: %s\n", text);
    exit(EXIT_OTHER_TRAFFIC);
}

static void read_file(struct lwb_buf *out, const char *path)
{
    struct lwb_error err;

    if (lwb_file_read(out, path, NULL, &err) < 0)
        die(err.text);
}

/* <folder named by the toolchain>/<case><suffix> */
static void read_recording(struct lwb_buf *out, const char *program, const char *file,
                           const char *suffix)
{
    LWB_AUTO(lwb_free_text) char *bin = lwb_path_dirname(program);
    LWB_AUTO(lwb_free_text) char *prefix = lwb_path_dirname(bin);
    LWB_AUTO(lwb_free_text) char *list = lwb_path_join(prefix, "replay");
    LWB_AUTO(lwb_buf_release) struct lwb_buf folder = LWB_BUF(4096);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    const char *name = lwb_path_basename(file);

    read_file(&folder, list);
    lwb_buf_format(&path, "%s/%.*s%s", lwb_buf_text(&folder), (int)(strlen(name) - strlen(".lean")),
                   name, suffix);
    read_file(out, lwb_buf_text(&path));
}

/* ---- command line -------------------------------------------------------------------------- */

/* Nothing but a root: marker, base address 0, address of the root, an object with one field. */
static void write_olean(const char *path)
{
    static const char bytes[] = "oleanfile!!!!!!!\0\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0"
                                "\0\0\0\0\x10\0\1\0\1\0\0\0\0\0\0";
    struct lwb_error err;

    if (lwb_file_write(path, lwb_bytes(bytes, sizeof(bytes)), 0600, &err) < 0)
        die(err.text);
}

/* "exit N\n--- stdout\n...--- stderr\n..." */
static int replay_command(const char *program, const char *olean, const char *file)
{
    static const char stdout_mark[] = "--- stdout\n", stderr_mark[] = "--- stderr\n";
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(TEXT_MAX);
    const char *out, *err;
    int code;

    read_recording(&text, program, file, ".cli.txt");
    out = strstr(lwb_buf_text(&text), stdout_mark);
    err = out ? strstr(out, stderr_mark) : NULL;
    if (!err)
        die("not a recording");
    out += sizeof(stdout_mark) - 1;
    (void)fwrite(out, 1, (size_t)(err - out), stdout);
    (void)fprintf(stderr, "%s", err + sizeof(stderr_mark) - 1);
    code = (int)strtol(lwb_buf_text(&text) + strlen("exit "), NULL, 10);
    if (code == 0)
        write_olean(olean);
    return code;
}

/* ---- worker ---------------------------------------------------------------------------------- */

static cJSON *parse(struct lwb_bytes text)
{
    struct lwb_error err;
    cJSON *json;

    if (lwb_json_parse(&json, text, &err) < 0)
        die(err.text);
    return json;
}

static const char *member_text(const cJSON *json, const char *a, const char *b, const char *c)
{
    json = lwb_json_find(json, a);
    json = b && json ? lwb_json_find(json, b) : json;
    json = c && json ? lwb_json_find(json, c) : json;
    return lwb_json_text(json);
}

/* The text of a didOpen or didChange; NULL for other messages. */
static const char *document_of(const cJSON *message)
{
    const char *method = member_text(message, "method", NULL, NULL);
    const cJSON *changes;

    if (!method || strncmp(method, "textDocument/did", 16) != 0)
        return NULL;
    if (strcmp(method, "textDocument/didOpen") == 0)
        return member_text(message, "params", "textDocument", "text");
    changes = lwb_json_find(lwb_json_find(message, "params"), "contentChanges");
    return changes ? member_text(changes->child, "text", NULL, NULL) : NULL;
}

static struct {
    char uri[4096]; /* of the document */
    double id;      /* of the last request */
} host;

static void listen_to(const cJSON *message)
{
    const char *uri = member_text(message, "params", "textDocument", "uri");
    const cJSON *id = lwb_json_find(message, "id");

    if (uri)
        (void)snprintf(host.uri, sizeof(host.uri), "%s", uri);
    if (id)
        host.id = id->valuedouble;
}

/* In the host's words: it must not matter to anyone what the names were. */
static void translate(cJSON *message)
{
    const cJSON *params = lwb_json_find(message, "params");
    const cJSON *document = params ? lwb_json_find(params, "textDocument") : NULL;
    const cJSON *uri = params ? lwb_json_find(document ? document : params, "uri") : NULL;
    cJSON *id = (cJSON *)lwb_json_find(message, "id");

    if (uri)
        (void)cJSON_SetValuestring((cJSON *)uri, host.uri);
    if (id)
        (void)cJSON_SetNumberValue(id, host.id);
}

static void expect_same(const cJSON *got, const cJSON *recorded)
{
    const char *got_method = member_text(got, "method", NULL, NULL);
    const char *method = member_text(recorded, "method", NULL, NULL);
    const char *got_text = document_of(got);
    const char *text = document_of(recorded);

    if (!got_method || !method || strcmp(got_method, method) != 0)
        die("another message than was recorded");
    if ((text == NULL) != (got_text == NULL) || (text && strcmp(text, got_text) != 0))
        die("another document than was recorded");
    listen_to(got);
}

static void say(cJSON *message)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(TEXT_MAX);
    struct lwb_error err;

    translate(message);
    if (lwb_json_print(&body, message, &err) < 0)
        die(err.text);
    lean_send_frame(lwb_buf_bytes(&body));
}

/* What the recorded process wrote to stderr: before its answers, as nobody knows when. */
static void complain_first(const char *recording)
{
    const char *last = strrchr(recording, '{');
    LWB_AUTO(lwb_json_free) cJSON *end = last ? parse(lwb_bytes_text(last)) : NULL;
    const char *text = end ? member_text(end, "stderr", NULL, NULL) : NULL;

    (void)fprintf(stderr, "%s", text ? text : "");
}

/* One recorded line; returns false when the host has gone. */
static bool replay_line(struct lwb_bytes line, struct lwb_buf *frame, const cJSON *held)
{
    LWB_AUTO(lwb_json_free) cJSON *record = parse(line);
    cJSON *message = (cJSON *)lwb_json_find(record, "msg");
    const char *direction = member_text(record, "dir", NULL, NULL);

    if (!direction || !message)
        return true;
    if (strcmp(direction, "from") == 0) {
        say(message);
        return true;
    }
    if (held) {
        expect_same(held, message);
        return true;
    }
    if (!lean_read_frame(frame))
        return false;
    {
        LWB_AUTO(lwb_json_free) cJSON *got = parse(lwb_buf_bytes(frame));

        expect_same(got, message);
    }
    return true;
}

static struct lwb_bytes take_line(const char **rest)
{
    size_t len = strcspn(*rest, "\n");
    struct lwb_bytes line = lwb_bytes(*rest, len);

    *rest += len + ((*rest)[len] == '\n' ? 1 : 0);
    return line;
}

static int replay_worker(const char *program)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf recording = LWB_BUF(TEXT_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf frame = LWB_BUF(TEXT_MAX);
    LWB_AUTO(lwb_json_free) cJSON *first = NULL;
    LWB_AUTO(lwb_json_free) cJSON *second = NULL;
    const char *rest;
    size_t number;

    /* The second message says which case this is. */
    if (!lean_read_frame(&frame))
        return 1;
    first = parse(lwb_buf_bytes(&frame));
    if (!lean_read_frame(&frame))
        return 1;
    second = parse(lwb_buf_bytes(&frame));
    read_recording(&recording, program,
                   member_text(second, "params", "textDocument", "uri") ?: "none.lean",
                   ".worker.jsonl");
    complain_first(lwb_buf_text(&recording));
    rest = lwb_buf_text(&recording);
    for (number = 0; *rest; number++) {
        const cJSON *held = number == 0 ? first : (number == 1 ? second : NULL);

        if (!replay_line(take_line(&rest), &frame, held))
            return 0;
    }
    return lean_read_frame(&frame) ? EXIT_OTHER_TRAFFIC : 0;
}

int main(int argc, char **argv)
{
    const char *olean = NULL;

    if (argc > 1 && strcmp(argv[1], "--worker") == 0)
        return replay_worker(argv[0]);
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "-o") == 0)
            olean = argv[i + 1];
    if (!olean)
        die("no -o: who asks could not know whether Lean came to the end");
    return replay_command(argv[0], olean, argv[argc - 1]);
}
