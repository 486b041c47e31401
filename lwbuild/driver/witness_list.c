#include "lwbuild/driver/witness_list.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

enum {
    RECORD_FOLDER = 'D',
    RECORD_SOURCE = 'S',
    RECORD_FILE = 'F',
    RECORD_LISTED = 'L',
    RECORD_PROBED = 'P',
    RECORD_ABSENT = 'A',
    RECORD_OUTPUT = 'O',
};

struct record {
    uint16_t kind;
    uint16_t text_len; /* without the NUL; the text follows, padded to 8 bytes */
    uint32_t module;
    struct lwb_file_stat stat;
};

static void add(struct lwb_witness_list *list, enum lwb_seen kind, const char *path,
                const struct lwb_file_stat *st, uint32_t module)
{
    char *copy = lwb_path_normalise(path);

    if (!copy || lwb_grow(&list->items, &list->cap, list->count, sizeof(*list->items))) {
        lwb_free(copy);
        list->failed = true;
        return;
    }
    list->items[list->count++] = (struct lwb_witness_item){
        .path = copy,
        .kind = kind,
        .module = module,
        .stat = st ? *st : (struct lwb_file_stat){ 0 },
    };
}

void lwb_witness_list_add(struct lwb_witness_list *list, enum lwb_seen kind, const char *path,
                          const struct lwb_file_stat *st)
{
    add(list, kind, path, st, 0);
}

void lwb_witness_list_add_source(struct lwb_witness_list *list, const char *path,
                                 const struct lwb_file_stat *st, uint32_t module)
{
    add(list, LWB_SEEN_SOURCE, path, st, module);
}

void lwb_witness_list_release(struct lwb_witness_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        lwb_free(list->items[i].path);
    lwb_free(list->items);
    *list = (struct lwb_witness_list){ 0 };
}

/* ---- writing ------------------------------------------------------------------------------- */

static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) : 0;
}

/* By folder first, so that a folder is opened once for all that lies in it. */
static int compare_items(const void *a, const void *b)
{
    const struct lwb_witness_item *x = a, *y = b;
    struct lwb_bytes folder_x = lwb_bytes(x->path, folder_len(x->path));
    struct lwb_bytes folder_y = lwb_bytes(y->path, folder_len(y->path));
    int order = lwb_bytes_compare(folder_x, folder_y);

    if (!order)
        order = strcmp(x->path, y->path);
    return order ? order : (int)x->kind - (int)y->kind;
}

static void append_record(struct lwb_buf *out, uint16_t kind, const struct lwb_witness_item *item,
                          const char *text, size_t len)
{
    struct record record = { .kind = kind, .text_len = (uint16_t)len };
    static const char padding[8];

    if (item) {
        record.module = item->module;
        record.stat = item->stat;
    }
    lwb_buf_append(out, &record, sizeof(record));
    lwb_buf_append(out, text, len);
    lwb_buf_append(out, padding, 8 - len % 8);
}

static bool is_said(const struct lwb_witness_item *last, const struct lwb_witness_item *item)
{
    return compare_items(last, item) == 0;
}

static bool is_in_folder_of(const struct lwb_witness_item *last, const char *path, size_t folder)
{
    return folder_len(last->path) == folder && memcmp(path, last->path, folder) == 0;
}

/* Sources that cannot be relied on look like nothing; other files spoil the list. */
static int distrust_racy(struct lwb_witness_list *list, int64_t now_ns)
{
    for (size_t i = 0; i < list->count; i++) {
        struct lwb_witness_item *item = &list->items[i];

        if (item->kind > LWB_SEEN_FOLDER || !lwb_file_stat_is_racy(&item->stat, now_ns))
            continue;
        if (item->kind != LWB_SEEN_SOURCE)
            return -1;
        item->stat = (struct lwb_file_stat){ 0 };
    }
    return 0;
}

int lwb_witness_list_encode(struct lwb_buf *out, struct lwb_witness_list *list, int64_t now_ns)
{
    static const uint16_t kinds[] = {
        [LWB_SEEN_SOURCE] = RECORD_SOURCE, [LWB_SEEN_FILE] = RECORD_FILE,
        [LWB_SEEN_FOLDER] = RECORD_LISTED, [LWB_SEEN_PROBED] = RECORD_PROBED,
        [LWB_SEEN_ABSENT] = RECORD_ABSENT, [LWB_SEEN_OUTPUT] = RECORD_OUTPUT,
    };
    const struct lwb_witness_item *last = NULL;

    if (list->failed)
        return -1;
    if (list->count)
        qsort(list->items, list->count, sizeof(*list->items), compare_items);
    if (distrust_racy(list, now_ns))
        return -1;
    for (size_t i = 0; i < list->count; i++) {
        const struct lwb_witness_item *item = &list->items[i];
        size_t folder = folder_len(item->path);
        const char *name = item->path + folder + 1;

        if (strlen(item->path) > UINT16_MAX)
            return -1;
        if (last && is_said(last, item))
            continue;
        if (!last || !is_in_folder_of(last, item->path, folder))
            append_record(out, RECORD_FOLDER, NULL, item->path, folder ? folder : 1);
        append_record(out, kinds[item->kind], item, name, strlen(name));
        last = item;
    }
    return lwb_buf_ok(out) ? 0 : -1;
}

/* ---- checking ------------------------------------------------------------------------------ */

struct cursor {
    struct lwb_bytes rest;
    struct record record;
    const char *text;
};

/* 1 and the next record, 0 at the end, -1 when the bytes are no records. */
static int next_record(struct cursor *cursor)
{
    size_t text_room;

    if (!cursor->rest.len)
        return 0;
    if (cursor->rest.len < sizeof(cursor->record))
        return -1;
    memcpy(&cursor->record, cursor->rest.ptr, sizeof(cursor->record));
    cursor->text = cursor->rest.ptr + sizeof(cursor->record);
    text_room = cursor->rest.len - sizeof(cursor->record);
    if (text_room < (cursor->record.text_len / 8 + 1) * (size_t)8 ||
        cursor->text[cursor->record.text_len] != '\0')
        return -1;
    text_room = sizeof(cursor->record) + (cursor->record.text_len / 8 + 1) * (size_t)8;
    cursor->rest = lwb_bytes(cursor->rest.ptr + text_room, cursor->rest.len - text_room);
    return 1;
}

static bool still_holds(int folder, const struct cursor *cursor, bool folders_may_change)
{
    struct lwb_file_stat now;
    struct stat st;
    bool there = folder >= 0 && fstatat(folder, *cursor->text ? cursor->text : ".", &st, 0) == 0;

    if (cursor->record.kind == RECORD_ABSENT)
        return !there;
    if (!there)
        return false;
    lwb_file_stat_from(&now, &st);
    switch (cursor->record.kind) {
    case RECORD_PROBED:
        return true;
    case RECORD_OUTPUT:
        return now.size == cursor->record.stat.size;
    case RECORD_LISTED:
        return folders_may_change || lwb_file_stat_equal(&now, &cursor->record.stat);
    case RECORD_FILE:
    case RECORD_SOURCE:
        return lwb_file_stat_equal(&now, &cursor->record.stat);
    default:
        return false;
    }
}

static bool list_changed(struct lwb_witness_changes *changes, const struct cursor *cursor,
                         size_t record)
{
    if (cursor->record.kind != RECORD_SOURCE || changes->count >= changes->max ||
        lwb_grow(&changes->items, &changes->cap, changes->count, sizeof(*changes->items)))
        return false;
    changes->items[changes->count++] = (struct lwb_changed_source){
        .module = cursor->record.module,
        .record = record,
    };
    return true;
}

static bool compare_record(int folder, const char *folder_name, const struct cursor *cursor,
                           size_t record, struct lwb_witness_changes *changes)
{
    if (still_holds(folder, cursor, changes->folders_may_change) ||
        list_changed(changes, cursor, record))
        return true;
    lwb_free(changes->other);
    changes->other = lwb_path_join(folder_name, cursor->text);
    return false;
}

bool lwb_witness_list_holds(struct lwb_bytes encoded, struct lwb_witness_changes *changes)
{
    struct cursor cursor = { .rest = encoded };
    const char *folder_name = "/";
    bool holds = true;
    int folder = -1;
    int more = 0;

    while (holds) {
        size_t record = encoded.len - cursor.rest.len;

        more = next_record(&cursor);
        if (more != 1)
            break;
        if (cursor.record.kind != RECORD_FOLDER) {
            holds = compare_record(folder, folder_name, &cursor, record, changes);
            continue;
        }
        if (folder >= 0)
            close(folder);
        /* A folder that is gone is fine for what must be absent. */
        folder_name = cursor.text;
        folder = open(folder_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (folder >= 0)
        close(folder);
    return holds && more == 0;
}

void lwb_witness_list_renew(char *encoded, const struct lwb_changed_source *source,
                            const struct lwb_file_stat *st)
{
    memcpy(encoded + source->record + offsetof(struct record, stat), st, sizeof(*st));
}

void lwb_witness_changes_release(struct lwb_witness_changes *changes)
{
    lwb_free(changes->items);
    lwb_free(changes->other);
    *changes = (struct lwb_witness_changes){ 0 };
}
