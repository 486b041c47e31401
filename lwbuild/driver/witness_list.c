#include "lwbuild/driver/witness_list.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

enum { RECORD_FOLDER = 'D', RECORD_FILE = 'F', RECORD_ABSENT = 'A', RECORD_OUTPUT = 'O' };

struct record {
    uint32_t kind;
    uint32_t text_len; /* without the NUL; the text follows, padded to 8 bytes */
    struct lwb_file_stat stat;
};

void lwb_witness_list_add(struct lwb_witness_list *list, enum lwb_seen kind, const char *path,
                          const struct lwb_file_stat *st)
{
    char *copy = lwb_path_normalise(path);

    if (!copy || lwb_grow(&list->items, &list->cap, list->count, sizeof(*list->items))) {
        lwb_free(copy);
        list->failed = true;
        return;
    }
    list->items[list->count++] =
        (struct lwb_witness_item){ copy, kind, st ? *st : (struct lwb_file_stat){ 0 } };
}

void lwb_witness_list_release(struct lwb_witness_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        lwb_free(list->items[i].path);
    lwb_free(list->items);
    *list = (struct lwb_witness_list){ 0 };
}

bool lwb_witness_list_is_racy(const struct lwb_witness_list *list, int64_t now_ns)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == LWB_SEEN_FILE &&
            lwb_file_stat_is_racy(&list->items[i].stat, now_ns))
            return true;
    return false;
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

static void append_record(struct lwb_buf *out, uint32_t kind, const struct lwb_file_stat *st,
                          const char *text, size_t len)
{
    struct record record = { .kind = kind, .text_len = (uint32_t)len };
    static const char padding[8];

    if (st)
        record.stat = *st;
    lwb_buf_append(out, &record, sizeof(record));
    lwb_buf_append(out, text, len);
    lwb_buf_append(out, padding, 8 - len % 8);
}

int lwb_witness_list_encode(struct lwb_buf *out, struct lwb_witness_list *list)
{
    static const uint32_t kinds[] = {
        [LWB_SEEN_FILE] = RECORD_FILE,
        [LWB_SEEN_ABSENT] = RECORD_ABSENT,
        [LWB_SEEN_OUTPUT] = RECORD_OUTPUT,
    };
    const struct lwb_witness_item *last = NULL;

    if (list->failed)
        return -1;
    if (list->count)
        qsort(list->items, list->count, sizeof(*list->items), compare_items);
    for (size_t i = 0; i < list->count; i++) {
        const struct lwb_witness_item *item = &list->items[i];
        size_t folder = folder_len(item->path);

        if (last && compare_items(last, item) == 0)
            continue;
        if (!last || folder != folder_len(last->path) ||
            memcmp(item->path, last->path, folder) != 0)
            append_record(out, RECORD_FOLDER, NULL, item->path, folder ? folder : 1);
        append_record(out, kinds[item->kind], &item->stat, item->path + folder + 1,
                      strlen(item->path + folder + 1));
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
    if (cursor->record.text_len > 1u << 20 ||
        text_room < (cursor->record.text_len / 8 + 1) * (size_t)8 ||
        cursor->text[cursor->record.text_len] != '\0')
        return -1;
    text_room = sizeof(cursor->record) + (cursor->record.text_len / 8 + 1) * (size_t)8;
    cursor->rest = lwb_bytes(cursor->rest.ptr + text_room, cursor->rest.len - text_room);
    return 1;
}

static bool still_holds(int folder, const struct cursor *cursor)
{
    struct lwb_file_stat now;
    struct stat st;
    bool there = folder >= 0 && fstatat(folder, *cursor->text ? cursor->text : ".", &st, 0) == 0;

    if (cursor->record.kind == RECORD_ABSENT)
        return !there;
    if (!there)
        return false;
    lwb_file_stat_from(&now, &st);
    if (cursor->record.kind == RECORD_OUTPUT)
        return now.size == cursor->record.stat.size;
    return cursor->record.kind == RECORD_FILE && lwb_file_stat_equal(&now, &cursor->record.stat);
}

bool lwb_witness_list_holds(struct lwb_bytes encoded)
{
    struct cursor cursor = { .rest = encoded };
    bool holds = true;
    int folder = -1;
    int more = 0;

    while (holds && (more = next_record(&cursor)) == 1) {
        if (cursor.record.kind != RECORD_FOLDER) {
            holds = still_holds(folder, &cursor);
            continue;
        }
        if (folder >= 0)
            close(folder);
        /* A folder that is gone is fine for what must be absent. */
        folder = open(cursor.text, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (folder >= 0)
        close(folder);
    return holds && more == 0;
}
