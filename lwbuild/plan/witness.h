#pragma once

#include "lwbuild/plan/names.h"
#include "lwbuild/plan/plan.h"

/* What was looked at outside of the modules themselves, each path once, in order of arrival. */
struct lwb_witness_entry {
    struct lwb_file_stat stat; /* zero for LWB_WITNESS_ABSENT */
    enum lwb_witness kind;
    uint32_t listing; /* number of LWB_WITNESS_FOLDER */
};

struct lwb_witnesses {
    struct lwb_names paths;
    struct lwb_witness_entry *entries; /* by number of the path */
    size_t cap;
    struct lwb_listing *listings;
    size_t n_listings;
    size_t cap_listings;
};

void lwb_witnesses_release(struct lwb_witnesses *set);
LWB_DEFINE_AUTO(struct lwb_witnesses, lwb_witnesses_release);

/* `st` may be NULL for absent paths. The first word about a path counts, but for probes. */
int lwb_witnesses_add(struct lwb_witnesses *set, enum lwb_witness kind, const char *path,
                      const struct lwb_file_stat *st, struct lwb_error *err);

/* `st` is from before the folder was read. */
int lwb_witnesses_add_folder(struct lwb_witnesses *set, const char *path,
                             const struct lwb_file_stat *st, const struct lwb_listing *listing,
                             struct lwb_error *err);

/* stat(2) with a memory: 1 if there is something at `path`, 0 if not; noted either way. */
int lwb_witnesses_probe(struct lwb_witnesses *set, const char *path, struct lwb_error *err);

/* lwb_file_read with a memory. Returns 1, or 0 when there is no such file. */
int lwb_witnesses_read(struct lwb_witnesses *set, struct lwb_buf *out, const char *path,
                       struct lwb_error *err);
