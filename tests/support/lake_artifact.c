#include "tests/support/test.h"

#include "tests/support/lake_artifact.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/lake_trace.h"
#include "tests/support/fake_olean.h"

enum { NAME_SIZE = 64, CONTENT_MAX = 1024 * 1024 };

static void write_below(const char *dir, const char *name, struct lwb_bytes content)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(dir, name);
    LWB_AUTO(lwb_free_text) char *folder = path ? lwb_path_dirname(path) : NULL;
    struct lwb_error err;

    assert_non_null(folder);
    assert_int_equal(lwb_file_make_dirs(folder, 0777, &err), LWB_OK);
    assert_int_equal(lwb_file_write(path, content, 0444, &err), LWB_OK);
}

/* Into the cache; its name goes to `name`, what the trace says to the end of `outputs`. */
static void put(const struct lake_artifact *module, const char *extension, struct lwb_bytes content,
                char name[NAME_SIZE], struct lwb_buf *outputs)
{
    LWB_AUTO(lwb_free_text) char *artifacts = lwb_path_join(module->cache, "artifacts");
    bool decimal = module->notation == LAKE_DECIMAL;
    uint64_t hash = lwb_lake_file_hash(content);
    char text[NAME_SIZE / 2];

    assert_non_null(artifacts);
    (void)snprintf(text, sizeof(text), decimal ? "%" PRIu64 : "%016" PRIx64, hash);
    (void)snprintf(name, NAME_SIZE, "%s.%s", text, extension);
    write_below(artifacts, name, content);
    lwb_buf_format(outputs, "\"%s\"", decimal ? text : name);
}

static void append_olean(struct lwb_buf *out, const struct lake_artifact *module)
{
    const struct fake_olean olean = {
        .layout = LWB_OLEAN_D,
        .imports = module->imports,
        .extra = module->payload,
    };

    fake_olean_append(out, &olean);
    assert_true(lwb_buf_ok(out));
}

static void put_parts(const struct lake_artifact *module, struct lwb_buf *outputs)
{
    static const char *const parts[] = { "olean.server", "olean.private" };
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(CONTENT_MAX);
    char name[NAME_SIZE];

    for (size_t i = 0; module->module_system && i < 2; i++) {
        lwb_buf_clear(&content);
        lwb_buf_format(&content, "olean %s of %s: %s", parts[i], module->stem,
                       module->payload ? module->payload : "");
        lwb_buf_append_text(outputs, ", ");
        put(module, parts[i], lwb_buf_bytes(&content), name, outputs);
    }
    lwb_buf_append_text(outputs, "]");
    if (module->module_system) {
        lwb_buf_append_text(outputs, ",\n  \"r\": ");
        put(module, "ir", lwb_bytes_text("code"), name, outputs);
    }
}

static void write_trace(const struct lake_artifact *module, const struct lwb_buf *outputs)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(CONTENT_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);

    if (module->notation == LAKE_DECIMAL)
        lwb_buf_append_text(&text, "{\"depHash\": \"10246413537216134913\",\n \"inputs\": [],\n");
    else
        lwb_buf_append_text(&text, "{\"synthetic\": true,\n \"schemaVersion\": \"2025-09-10\",\n"
                                   " \"depHash\": \"8e32dd8c4ed5e1c1\",\n \"inputs\": [],\n");
    lwb_buf_format(&text, " \"outputs\": {%s},\n \"log\": []}", lwb_buf_text(outputs));
    lwb_buf_format(&name, "%s.trace", module->stem);
    write_below(module->lib, lwb_buf_text(&name), lwb_buf_bytes(&text));
    lwb_buf_clear(&name);
    lwb_buf_format(&name, "%s.ilean", module->stem);
    write_below(module->lib, lwb_buf_text(&name), lwb_bytes_text("{}"));
}

const char *lake_artifact_build(const struct lake_artifact *module)
{
    static char names[8][NAME_SIZE];
    static size_t next;
    LWB_AUTO(lwb_buf_release) struct lwb_buf outputs = LWB_BUF(CONTENT_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(CONTENT_MAX);
    char *name = names[next++ % LWB_COUNT(names)];
    char ignored[NAME_SIZE];

    append_olean(&content, module);
    lwb_buf_append_text(&outputs, "\"o\": [");
    put(module, "olean", lwb_buf_bytes(&content), name, &outputs);
    put_parts(module, &outputs);
    lwb_buf_append_text(&outputs, ",\n  \"i\": ");
    put(module, "ilean", lwb_bytes_text("{}"), ignored, &outputs);
    lwb_buf_append_text(&outputs, ",\n  \"c\": ");
    put(module, "c", lwb_bytes_text("/* */\n"), ignored, &outputs);
    assert_true(lwb_buf_ok(&outputs));
    write_trace(module, &outputs);
    return name;
}
