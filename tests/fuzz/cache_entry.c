#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/cache_entry.h"
#include "lwbuild/base/alloc.h"

/* Any bytes: refused, or an entry that encodes to the same bytes again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf again = LWB_BUF(LWB_CACHE_ENTRY_MAX);
    struct lwb_cache_artifact *artifacts = NULL;
    struct lwb_cache_entry entry;
    struct lwb_error err;
    size_t cap = 0;

    if (lwb_cache_entry_decode(&entry, &artifacts, &cap, lwb_bytes(data, size), &err) == LWB_OK) {
        lwb_cache_entry_encode(&again, &entry);
        assert(lwb_bytes_equal(lwb_buf_bytes(&again), lwb_bytes(data, size)));
    }
    lwb_free(artifacts);
    return 0;
}
