#include "lwbuild/driver/witness_list.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/driver/witness_record.h"

/*
 * The no-op path spends its time here: one open per folder and one stat per
 * name. A folder is only read when its date is not the one that is known.
 */

struct cursor {
    struct lwb_bytes rest;
    struct lwb_witness_record record;
    const char *folder; /* in which it lies */
    const char *text;
    struct lwb_listing listing; /* of LWB_RECORD_LISTED */
};

/* 1 and the next record, 0 at the end, -1 when the bytes are no records. */
static int next_record(struct cursor *cursor)
{
    size_t len;

    if (!cursor->rest.len)
        return 0;
    if (cursor->rest.len < sizeof(cursor->record))
        return -1;
    memcpy(&cursor->record, cursor->rest.ptr, sizeof(cursor->record));
    cursor->text = cursor->rest.ptr + sizeof(cursor->record);
    len = lwb_witness_record_len(&cursor->record);
    if (cursor->rest.len < len || cursor->text[cursor->record.text_len] != '\0')
        return -1;
    if (cursor->record.kind == LWB_RECORD_LISTED)
        memcpy(&cursor->listing, cursor->rest.ptr + len - sizeof(cursor->listing),
               sizeof(cursor->listing));
    cursor->rest = lwb_bytes(cursor->rest.ptr + len, cursor->rest.len - len);
    return 1;
}

/* ---- one record ---------------------------------------------------------------------------- */

/* Where `name` leads from the open folder that it lies in. */
static const char *name_of(const struct cursor *cursor)
{
    return *cursor->text ? cursor->text : ".";
}

static bool note_redated(struct lwb_witness_changes *changes, const struct cursor *cursor,
                         size_t record, const struct lwb_file_stat *now)
{
    char *path = lwb_path_join(cursor->folder, cursor->text);

    if (!path || lwb_grow(&changes->folders, &changes->cap_folders, changes->n_folders,
                          sizeof(*changes->folders))) {
        lwb_free(path);
        return false;
    }
    changes->folders[changes->n_folders++] =
        (struct lwb_redated_folder){ .path = path, .record = record, .stat = *now };
    return true;
}

static bool folder_holds(int parent, const struct cursor *cursor, size_t record,
                         const struct lwb_file_stat *now, struct lwb_witness_changes *changes)
{
    enum lwb_listing_change change;

    if (lwb_file_stat_equal(now, &cursor->record.stat))
        return true;
    change = lwb_listing_compare(&cursor->listing, parent, name_of(cursor));
    if (change == LWB_LISTING_SAME)
        return note_redated(changes, cursor, record, now);
    /* That a package was built meanwhile shows in the files of it that were read. */
    if (changes->during_run && cursor->listing.of == LWB_LISTING_OF_IMAGES)
        return true;
    changes->new_folders |=
        change == LWB_LISTING_FOLDERS_DIFFER || cursor->listing.of == LWB_LISTING_OF_ALL;
    return changes->during_run &&
           (change != LWB_LISTING_FILES_DIFFER || cursor->listing.of == LWB_LISTING_OF_ALL);
}

static bool still_holds(int folder, const struct cursor *cursor, size_t record,
                        struct lwb_witness_changes *changes)
{
    struct lwb_file_stat now;
    struct stat st;
    bool there = folder >= 0 && fstatat(folder, name_of(cursor), &st, 0) == 0;

    if (cursor->record.kind == LWB_RECORD_ABSENT)
        return !there;
    if (!there)
        return false;
    lwb_file_stat_from(&now, &st);
    switch (cursor->record.kind) {
    case LWB_RECORD_PROBED:
        return true;
    case LWB_RECORD_OUTPUT:
        return now.size == cursor->record.stat.size;
    case LWB_RECORD_LISTED:
        return folder_holds(folder, cursor, record, &now, changes);
    case LWB_RECORD_FILE:
    case LWB_RECORD_SOURCE:
        return lwb_file_stat_equal(&now, &cursor->record.stat);
    default:
        return false;
    }
}

static bool list_changed(struct lwb_witness_changes *changes, const struct cursor *cursor,
                         size_t record)
{
    if (cursor->record.kind != LWB_RECORD_SOURCE || changes->count >= changes->max ||
        lwb_grow(&changes->items, &changes->cap, changes->count, sizeof(*changes->items)))
        return false;
    changes->items[changes->count++] = (struct lwb_changed_source){
        .module = cursor->record.module,
        .record = record,
    };
    return true;
}

static bool compare_record(int folder, const struct cursor *cursor, size_t record,
                           struct lwb_witness_changes *changes)
{
    if (still_holds(folder, cursor, record, changes) || list_changed(changes, cursor, record))
        return true;
    lwb_free(changes->other);
    changes->other = lwb_path_join(cursor->folder, cursor->text);
    return false;
}

/* ---- many ---------------------------------------------------------------------------------- */

bool lwb_witness_part_holds(struct lwb_bytes encoded, size_t from, size_t to,
                            struct lwb_witness_changes *changes)
{
    struct cursor cursor = { .rest = lwb_bytes(encoded.ptr + from, to - from), .folder = "/" };
    bool holds = true;
    int folder = -1;
    int more = 0;

    while (holds) {
        size_t record = to - cursor.rest.len;

        more = next_record(&cursor);
        if (more != 1)
            break;
        if (cursor.record.kind != LWB_RECORD_FOLDER) {
            holds = compare_record(folder, &cursor, record, changes);
            continue;
        }
        if (folder >= 0)
            close(folder);
        /* A folder that is gone is fine for what must be absent. */
        cursor.folder = cursor.text;
        folder = open(cursor.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (folder >= 0)
        close(folder);
    return holds && more == 0;
}

void lwb_witness_list_renew(char *encoded, size_t record, const struct lwb_file_stat *st)
{
    memcpy(encoded + record + offsetof(struct lwb_witness_record, stat), st, sizeof(*st));
}

void lwb_witness_list_redate(char *encoded, const struct lwb_witness_changes *changes,
                             int64_t now_ns)
{
    for (size_t i = 0; i < changes->n_folders; i++)
        if (!lwb_file_stat_is_racy(&changes->folders[i].stat, now_ns))
            lwb_witness_list_renew(encoded, changes->folders[i].record, &changes->folders[i].stat);
}

void lwb_witness_changes_release(struct lwb_witness_changes *changes)
{
    for (size_t i = 0; i < changes->n_folders; i++)
        lwb_free(changes->folders[i].path);
    lwb_free(changes->items);
    lwb_free(changes->folders);
    lwb_free(changes->other);
    *changes = (struct lwb_witness_changes){ 0 };
}
