#include "lwbuild/plan/witness.h"

#include <errno.h>

#include "lwbuild/base/alloc.h"

void lwb_witnesses_release(struct lwb_witnesses *set)
{
    lwb_names_release(&set->paths);
    lwb_free(set->entries);
    lwb_free(set->listings);
    *set = (struct lwb_witnesses){ 0 };
}

int lwb_witnesses_add(struct lwb_witnesses *set, enum lwb_witness kind, const char *path,
                      const struct lwb_file_stat *st, struct lwb_error *err)
{
    size_t before = set->paths.count;
    uint32_t number;

    if (lwb_grow(&set->entries, &set->cap, before, sizeof(*set->entries)))
        return lwb_fail_memory(err);
    number = lwb_names_intern(&set->paths, lwb_bytes_text(path));
    if (number == LWB_NAME_NONE)
        return lwb_fail_memory(err);
    /* Whoever asks for more than that a file is there has the last word. */
    if (number == before ||
        (set->entries[number].kind == LWB_WITNESS_PROBED && kind == LWB_WITNESS_FILE)) {
        set->entries[number] = (struct lwb_witness_entry){ .kind = kind };
        if (st)
            set->entries[number].stat = *st;
    }
    return LWB_OK;
}

/* What counts for one who lists a folder need not be all that counts for another. */
static void unite_listings(struct lwb_listing *listing, const struct lwb_listing *another)
{
    if (listing->of != another->of)
        listing->of = LWB_LISTING_OF_ALL;
}

int lwb_witnesses_add_folder(struct lwb_witnesses *set, const char *path,
                             const struct lwb_file_stat *st, const struct lwb_listing *listing,
                             struct lwb_error *err)
{
    uint32_t number = lwb_names_find(&set->paths, lwb_bytes_text(path));
    int rc;

    if (number != LWB_NAME_NONE && set->entries[number].kind == LWB_WITNESS_FOLDER) {
        unite_listings(&set->listings[set->entries[number].listing], listing);
        return LWB_OK;
    }
    if (lwb_grow(&set->listings, &set->cap_listings, set->n_listings, sizeof(*set->listings)))
        return lwb_fail_memory(err);
    rc = lwb_witnesses_add(set, LWB_WITNESS_FOLDER, path, st, err);
    if (rc < 0)
        return rc;
    number = lwb_names_find(&set->paths, lwb_bytes_text(path));
    set->entries[number].listing = (uint32_t)set->n_listings;
    set->listings[set->n_listings++] = *listing;
    return LWB_OK;
}

int lwb_witnesses_probe(struct lwb_witnesses *set, const char *path, struct lwb_error *err)
{
    struct stat st;
    struct lwb_file_stat found;
    int rc;

    if (stat(path, &st) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot stat %s", path);
        return lwb_witnesses_add(set, LWB_WITNESS_ABSENT, path, NULL, err);
    }
    lwb_file_stat_from(&found, &st);
    /* That a folder is there is all that was asked: what is in it is not looked at here. */
    if (S_ISDIR(st.st_mode))
        return 1;
    rc = lwb_witnesses_add(set, LWB_WITNESS_PROBED, path, &found, err);
    return rc < 0 ? rc : 1;
}

int lwb_witnesses_read(struct lwb_witnesses *set, struct lwb_buf *out, const char *path,
                       struct lwb_error *err)
{
    struct lwb_file_stat st;
    int rc = lwb_file_read(out, path, &st, err);

    if (rc < 0 && (err->sys == ENOENT || err->sys == ENOTDIR))
        return lwb_witnesses_add(set, LWB_WITNESS_ABSENT, path, NULL, err);
    if (rc < 0)
        return rc;
    rc = lwb_witnesses_add(set, LWB_WITNESS_FILE, path, &st, err);
    return rc < 0 ? rc : 1;
}
