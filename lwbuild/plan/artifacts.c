#include "lwbuild/plan/plan_internal.h"

#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/lake_outputs.h"
#include "lwbuild/plan/lake_trace.h"
#include "lwbuild/plan/module_name.h"
#include "lwbuild/plan/tree_stamp.h"

/*
 * What a tree of links (lake_tree.h) leads to. Lake takes an artifact by its name
 * for what the trace says; here it must have that content too. To find that out
 * all of it is read, so it is remembered by how the file looks.
 */
enum { MAX_TRACE = 64 * 1024 * 1024, LINK_MAX = 8192 };
#define MAX_ARTIFACT ((size_t)4 * 1024 * 1024 * 1024)

int lwb_plan_follow_link(const struct lwb_plan *plan, size_t entry, const char *path,
                         struct lwb_buf *buf, const char **out, struct lwb_error *err)
{
    char target[LINK_MAX];
    ssize_t len;

    *out = path;
    if (!lwb_plan_is_tree(plan, entry))
        return LWB_OK;
    len = readlink(path, target, sizeof(target));
    if (len < 0 || (size_t)len == sizeof(target))
        return LWB_OK; /* whoever opens it will say so */
    lwb_buf_clear(buf);
    lwb_buf_append(buf, target, (size_t)len);
    if (!lwb_buf_ok(buf))
        return lwb_fail_memory(err);
    *out = buf->ptr;
    return LWB_OK;
}

/* ---- is it what it is called? --------------------------------------------------------------- */

/* Whether it is in a folder of artifacts, and which hash its name then has. */
static bool is_artifact(const struct lwb_plan *plan, const char *path, uint64_t *hash)
{
    const char *name = lwb_path_basename(path);

    for (size_t i = 0; i < plan->artifacts.count; i++) {
        size_t len = strlen(plan->artifacts.items[i]);

        if (strncmp(path, plan->artifacts.items[i], len) == 0 && path + len + 1 == name)
            return lwb_lake_artifact_hash(name, hash);
    }
    return false;
}

static int fail_damaged(const struct lwb_plan *plan, uint32_t external, const char *path,
                        struct lwb_error *err)
{
    return lwb_fail(err, LWB_ERR_MISSING_IMPORT,
                    "%s: %s, where Lake's artifact cache keeps it, does not have the content "
                    "that its name says: remove that file and run `lake build` again",
                    lwb_names_text(&plan->names, plan->externals[external].name), path);
}

static int compare_content(struct lwb_plan *plan, uint32_t external, const char *path,
                           uint64_t hash, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(MAX_ARTIFACT);
    int rc = lwb_file_read(&content, path, NULL, err);

    if (rc < 0)
        return rc;
    return lwb_lake_file_hash(lwb_buf_bytes(&content)) == hash
               ? LWB_OK
               : fail_damaged(plan, external, path, err);
}

/* The closure's hasher is in use. */
static int question(struct lwb_digest *out, const char *path, const struct lwb_file_stat *st,
                    struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();

    if (!hasher)
        return lwb_fail_memory(err);
    lwb_hasher_text(hasher, 'S', "lake artifact 1");
    lwb_hasher_text(hasher, 'p', path);
    lwb_hasher_field(hasher, 's', lwb_bytes(st, sizeof(*st)));
    *out = lwb_hasher_end(hasher);
    return LWB_OK;
}

static bool is_settled(const struct lwb_plan *plan, const struct lwb_file_stat *st)
{
    const struct lwb_digest_source *digests = &plan->digests;
    struct lwb_tree_stamp stamp = {
        .newest_ns = st->mtime_ns > st->ctime_ns ? st->mtime_ns : st->ctime_ns,
    };

    return lwb_tree_stamp_is_settled(&stamp, digests->now_s ? digests->now_s(digests->ctx)
                                                            : lwb_clock_wall_s());
}

static int check_content(struct lwb_plan *plan, uint32_t external, const char *path, uint64_t hash,
                         const struct lwb_file_stat *st, struct lwb_error *err)
{
    const struct lwb_digest_source *digests = &plan->digests;
    struct lwb_digest asked;
    struct lwb_digest answer;
    int rc = question(&asked, path, st, err);

    if (rc < 0)
        return rc;
    if (digests->recall && !digests->by_content &&
        digests->recall(digests->ctx, &asked, &answer) > 0)
        return LWB_OK;
    rc = compare_content(plan, external, path, hash, err);
    if (rc == LWB_OK && digests->remember && is_settled(plan, st))
        digests->remember(digests->ctx, &asked, &asked);
    return rc;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int lwb_plan_digest_import(struct lwb_plan *plan, uint32_t external, const char *path,
                           struct lwb_digest *content, struct lwb_file_stat *st,
                           struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf buf = LWB_BUF(LWB_PATH_MAX);
    uint64_t hash = 0;
    bool artifact;
    int rc = lwb_plan_follow_link(plan, plan->externals[external].entry, path, &buf, &path, err);

    if (rc < 0)
        return rc;
    artifact = is_artifact(plan, path, &hash);
    if (artifact && is_folder(path))
        return fail_damaged(plan, external, path, err);
    rc = plan->digests.file(plan->digests.ctx, path, content, st, err);
    if (rc > 0 && artifact && check_content(plan, external, path, hash, st, err) < 0)
        return err->code;
    return rc;
}

/* ---- missing -------------------------------------------------------------------------------- */

static void append_folders(struct lwb_buf *out, const struct lwb_strvec *folders)
{
    for (size_t i = 0; i < folders->count; i++)
        lwb_buf_format(out, "%s%s", i ? ", " : "", folders->items[i]);
}

static void append_hint(const struct lwb_plan *plan, const char *trace_path, struct lwb_buf *out)
{
    static const char restore[] =
        "build the package again with LAKE_RESTORE_ARTIFACTS=true (Lean 4.31 and later) or "
        "restoreAllArtifacts = true in its lakefile";
    LWB_AUTO(lwb_buf_release) struct lwb_buf trace = LWB_BUF(MAX_TRACE);
    struct lwb_lake_outputs outputs;
    struct lwb_error ignored;

    lwb_buf_append_text(out, ": Lake has built it, but keeps it in its artifact cache only; ");
    if (lwb_file_read(&trace, trace_path, NULL, &ignored) < 0 ||
        lwb_lake_outputs_read(&outputs, lwb_buf_bytes(&trace), &ignored) <= 0) {
        lwb_buf_format(out, "which artifact it is cannot be read in %s: %s", trace_path, restore);
    } else if (plan->artifacts.count) {
        lwb_buf_format(out, "there is no %s in ", outputs.names[LWB_LAKE_OLEAN]);
        append_folders(out, &plan->artifacts);
        lwb_buf_append_text(out, ": run `lake build` again, and set LAKE_CACHE_DIR as for Lake");
    } else {
        lwb_buf_format(out,
                       "that cache is not where lwbuild looks: set LAKE_CACHE_DIR as for "
                       "Lake, or %s",
                       restore);
    }
}

void lwb_plan_append_missing_hint(const struct lwb_plan *plan, uint32_t name, struct lwb_buf *out)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);

    for (size_t i = 0; i < plan->project.search.count; i++) {
        lwb_buf_clear(&path);
        lwb_buf_format(&path, "%s/", plan->project.search.items[i]);
        lwb_module_name_to_path(&path, lwb_names_text(&plan->names, name));
        lwb_buf_append_text(&path, ".trace");
        if (lwb_buf_ok(&path) && access(path.ptr, F_OK) == 0) {
            append_hint(plan, path.ptr, out);
            return;
        }
    }
}
