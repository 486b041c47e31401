#include "lwbuild/plan/plan_internal.h"

#include <errno.h>
#include <fts.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

struct lwb_closures {
    struct lwb_digest *entries; /* by entry of the search path: all .olean files below it */
    bool *known;
};

void lwb_closures_destroy(struct lwb_closures *closures)
{
    if (!closures)
        return;
    lwb_free(closures->entries);
    lwb_free(closures->known);
    lwb_free(closures);
}
LWB_DEFINE_AUTO_PTR(struct lwb_closures, lwb_closures_destroy);

static int prepare(struct lwb_plan *plan, struct lwb_error *err)
{
    LWB_AUTO(lwb_closures_destroy) struct lwb_closures *closures = NULL;

    if (plan->closures)
        return LWB_OK;
    closures = lwb_alloc(sizeof(*closures));
    if (!closures)
        return lwb_fail_memory(err);
    closures->entries = lwb_alloc_array(plan->search.count, sizeof(*closures->entries));
    closures->known = lwb_alloc_array(plan->search.count, sizeof(*closures->known));
    if (!closures->entries || !closures->known)
        return lwb_fail_memory(err);
    plan->closures = LWB_TAKE(closures);
    return LWB_OK;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int digest_file(struct lwb_plan *plan, const char *dir, const char *path,
                       struct lwb_error *err)
{
    struct lwb_digest content;
    struct lwb_file_stat st;
    int rc = plan->digests.file(plan->digests.ctx, path, &content, &st, err);

    if (rc <= 0)
        return rc;
    lwb_hasher_text(plan->hasher, 'f', path + strlen(dir));
    lwb_hasher_digest(plan->hasher, 'c', &content);
    return lwb_witnesses_add(&plan->witnesses, LWB_WITNESS_FILE, path, &st, err);
}

static int digest_tree(struct lwb_plan *plan, const char *dir, struct lwb_error *err)
{
    char *roots[] = { (char *)dir, NULL };
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    FTSENT *entry;
    int rc = LWB_OK;

    if (!walk)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot list %s", dir);
    while (rc == LWB_OK && (entry = fts_read(walk)) != NULL) {
        struct lwb_file_stat st;

        if (entry->fts_info == FTS_D) {
            lwb_file_stat_from(&st, entry->fts_statp);
            rc = lwb_witnesses_add(&plan->witnesses, LWB_WITNESS_FOLDER, entry->fts_path, &st, err);
        } else if (entry->fts_info == FTS_F && strstr(entry->fts_name, ".olean")) {
            rc = digest_file(plan, dir, entry->fts_path, err);
        }
    }
    fts_close(walk);
    return rc;
}

int lwb_plan_external_closure(struct lwb_plan *plan, uint32_t external, struct lwb_digest *out,
                              struct lwb_error *err)
{
    const struct lwb_external *module = &plan->externals[external];
    int rc = prepare(plan, err);

    if (rc == LWB_OK && !plan->closures->known[module->entry]) {
        rc = digest_tree(plan, plan->search.items[module->entry], err);
        plan->closures->entries[module->entry] = lwb_hasher_end(plan->hasher);
        plan->closures->known[module->entry] = rc == LWB_OK;
    }
    if (rc == LWB_OK)
        *out = plan->closures->entries[module->entry];
    return rc;
}
