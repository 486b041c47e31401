#include <assert.h>
#include <stdint.h>

#include "lwbuild/plan/lake_manifest.h"
#include "lwbuild/plan/lakefile.h"

/*
 * Any bytes as lakefile.toml, lakefile.lean and lake-manifest.json: read, or
 * refused with LWB_ERR_LAKEFILE and nothing left behind.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lakefile(int rc, struct lwb_lakefile *file)
{
    assert(rc == LWB_OK || rc == LWB_ERR_LAKEFILE);
    assert((rc == LWB_OK) == (file->name != NULL));
    for (size_t i = 0; i < file->n_targets; i++)
        assert(file->targets[i].roots.count && file->targets[i].globs.count);
    lwb_lakefile_release(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lwb_bytes text = lwb_bytes(size ? (const char *)data : "", size);
    struct lwb_lakefile file = { 0 };
    struct lwb_lake_manifest manifest = { 0 };
    struct lwb_error err;
    int rc;

    check_lakefile(lwb_lakefile_read_toml(&file, text, &err), &file);
    check_lakefile(lwb_lakefile_read_lean(&file, text, &err), &file);
    rc = lwb_lake_manifest_read(&manifest, text, &err);
    assert(rc == LWB_OK || rc == LWB_ERR_LAKEFILE);
    lwb_lake_manifest_release(&manifest);
    return 0;
}
