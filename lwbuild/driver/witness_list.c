#include "lwbuild/driver/witness_list.h"

#include <stdlib.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/driver/witness_record.h"

static void add(struct lwb_witness_list *list, const char *path,
                const struct lwb_witness_item *item)
{
    char *copy = lwb_path_normalise(path);

    if (!copy || lwb_grow(&list->items, &list->cap, list->count, sizeof(*list->items))) {
        lwb_free(copy);
        list->failed = true;
        return;
    }
    list->items[list->count] = *item;
    list->items[list->count++].path = copy;
}

void lwb_witness_list_add(struct lwb_witness_list *list, enum lwb_seen kind, const char *path,
                          const struct lwb_file_stat *st)
{
    add(list, path,
        &(struct lwb_witness_item){ .kind = kind, .stat = st ? *st : (struct lwb_file_stat){ 0 } });
}

void lwb_witness_list_add_source(struct lwb_witness_list *list, const char *path,
                                 const struct lwb_file_stat *st, uint32_t module)
{
    add(list, path,
        &(struct lwb_witness_item){ .kind = LWB_SEEN_SOURCE, .module = module, .stat = *st });
}

void lwb_witness_list_add_folder(struct lwb_witness_list *list, const char *path,
                                 const struct lwb_file_stat *st, const struct lwb_listing *listing)
{
    add(list, path,
        &(struct lwb_witness_item){ .kind = LWB_SEEN_FOLDER, .listing = *listing, .stat = *st });
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
    struct lwb_witness_record record = { .kind = kind, .text_len = (uint16_t)len };
    static const char padding[8];

    if (item) {
        record.module = item->module;
        record.stat = item->stat;
    }
    lwb_buf_append(out, &record, sizeof(record));
    lwb_buf_append(out, text, len);
    lwb_buf_append(out, padding, 8 - len % 8);
    if (kind == LWB_RECORD_LISTED)
        lwb_buf_append(out, &item->listing, sizeof(item->listing));
}

static bool is_said(const struct lwb_witness_item *last, const struct lwb_witness_item *item)
{
    return compare_items(last, item) == 0 &&
           memcmp(&last->listing, &item->listing, sizeof(item->listing)) == 0;
}

static bool is_in_folder_of(const struct lwb_witness_item *last, const char *path, size_t folder)
{
    return folder_len(last->path) == folder && memcmp(path, last->path, folder) == 0;
}

/* Whether there is more to go by than a date that looks like nothing. */
static bool can_be_told_anew(const struct lwb_witness_item *item)
{
    return item->kind == LWB_SEEN_SOURCE ||
           (item->kind == LWB_SEEN_FOLDER && item->listing.of != LWB_LISTING_OF_ALL);
}

/* Sources and folders that cannot be relied on look like nothing; other files spoil the list. */
static int distrust_racy(struct lwb_witness_list *list, int64_t now_ns)
{
    for (size_t i = 0; i < list->count; i++) {
        struct lwb_witness_item *item = &list->items[i];

        if (item->kind > LWB_SEEN_FOLDER || !lwb_file_stat_is_racy(&item->stat, now_ns))
            continue;
        if (!can_be_told_anew(item))
            return -1;
        item->stat = (struct lwb_file_stat){ 0 };
    }
    return 0;
}

int lwb_witness_list_encode(struct lwb_buf *out, struct lwb_witness_list *list, int64_t now_ns)
{
    static const uint16_t kinds[] = {
        [LWB_SEEN_SOURCE] = LWB_RECORD_SOURCE, [LWB_SEEN_FILE] = LWB_RECORD_FILE,
        [LWB_SEEN_FOLDER] = LWB_RECORD_LISTED, [LWB_SEEN_PROBED] = LWB_RECORD_PROBED,
        [LWB_SEEN_ABSENT] = LWB_RECORD_ABSENT, [LWB_SEEN_OUTPUT] = LWB_RECORD_OUTPUT,
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
            append_record(out, LWB_RECORD_FOLDER, NULL, item->path, folder ? folder : 1);
        append_record(out, kinds[item->kind], item, name, strlen(name));
        last = item;
    }
    return lwb_buf_ok(out) ? 0 : -1;
}
