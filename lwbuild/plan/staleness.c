#include "lwbuild/plan/plan_internal.h"

#include <unistd.h>

#include "lwbuild/base/path.h"
#include "lwbuild/plan/lake_trace.h"
#include "lwbuild/plan/module_name.h"
#include "lwbuild/plan/tree_stamp.h"

/*
 * Packages are inputs as they are: lwbuild does not build them. An .olean whose
 * source has changed since would make a check of something that is not there
 * any more, so where Lake's trace can tell, it must not say so (lake_trace.h).
 * Where it cannot, the content of the .olean is what counts, and all there is.
 *
 * Sources of path dependencies are edited at any time and looked at each time.
 * Those of fetched packages change with the revision that is checked out; what
 * somebody edits in them by hand is seen when something else changes.
 */
enum { MAX_TRACE = 64 * 1024 * 1024 };

int lwb_plan_stamp_package(struct lwb_plan *plan, size_t entry, struct lwb_tree_stamp *out,
                           struct lwb_hasher *hasher, struct lwb_error *err)
{
    const struct lwb_project *project = &plan->project;
    size_t package = lwb_plan_package_of(plan, entry);
    const char *head = package == SIZE_MAX ? "" : project->heads.items[package];
    bool edited = package != SIZE_MAX && !*head;
    struct lwb_file_stat st;
    int rc = lwb_tree_stamp(out, plan->search.items[entry],
                            edited ? project->sources.items[package] : NULL,
                            lwb_plan_is_tree(plan, entry), &plan->witnesses, err);

    if (rc < 0)
        return rc;
    lwb_hasher_text(hasher, 'p', plan->search.items[entry]);
    lwb_hasher_digest(hasher, 's', &out->stats);
    rc = *head ? lwb_file_stat(&st, head, err) : 0;
    if (rc <= 0)
        return rc;
    lwb_hasher_field(hasher, 'h', lwb_bytes(&st, sizeof(st)));
    return lwb_witnesses_add(&plan->witnesses, LWB_WITNESS_FILE, head, &st, err);
}

/* 1 when the file was read; one that is not there, or not readable, is not looked at. */
static int read_if_there(struct lwb_buf *out, const char *path)
{
    struct lwb_error ignored;

    return access(path, R_OK) == 0 && lwb_file_read(out, path, NULL, &ignored) == LWB_OK;
}

int lwb_plan_check_source(struct lwb_plan *plan, uint32_t external, struct lwb_error *err)
{
    const struct lwb_external *module = &plan->externals[external];
    size_t package = lwb_plan_package_of(plan, module->entry);
    LWB_AUTO(lwb_buf_release) struct lwb_buf trace_path = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf trace = LWB_BUF(MAX_TRACE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf source = LWB_BUF(LWB_MAX_SOURCE);
    size_t root_len;

    if (package == SIZE_MAX)
        return LWB_OK;
    lwb_buf_format(&trace_path, "%s/", plan->built.items[module->entry]);
    lwb_module_name_to_path(&trace_path, lwb_names_text(&plan->names, module->name));
    lwb_buf_append_text(&trace_path, ".trace");
    lwb_buf_append_text(&path, plan->project.sources.items[package]);
    lwb_buf_append_char(&path, '/');
    root_len = path.len;
    lwb_module_name_to_path(&path, lwb_names_text(&plan->names, module->name));
    lwb_buf_append_text(&path, ".lean");
    if (!lwb_buf_ok(&trace_path) || !lwb_buf_ok(&path))
        return lwb_fail_memory(err);
    if (!read_if_there(&trace, trace_path.ptr) || !read_if_there(&source, path.ptr) ||
        lwb_lake_trace_judge(lwb_buf_bytes(&trace), path.ptr + root_len, lwb_buf_bytes(&source)) !=
            LWB_TRACE_STALE)
        return LWB_OK;
    return lwb_fail(err, LWB_ERR_STALE_IMPORT,
                    "%s was built from another source than %s is now: build its package again (%s)",
                    lwb_names_text(&plan->names, module->name), path.ptr, module->path);
}
