#include "child/kernel/ndjson.h"

#include "lwbuild/base/alloc.h"

/*
 * What the file's numbers stand for. They come in any order and with gaps, but
 * an exporter counts, so nearly all are near one another.
 */
static uint32_t get(const struct kn_index *index, uint64_t i)
{
    if (i < index->dense.n && index->dense.values1[i])
        return index->dense.values1[i] - 1;
    return index->sparse.count ? kn_map_get(&index->sparse, i) : KN_UNKNOWN;
}

static bool grow_dense(struct kn_index *index, uint64_t i)
{
    const size_t before = index->dense.n;
    size_t n = before ? before : 1024;
    uint32_t *more;

    while (n <= i)
        n *= 2;
    more = lwb_realloc(index->dense.values1, n * sizeof(*more));
    if (!more)
        return false;
    memset(more + before, 0, (n - before) * sizeof(*more));
    index->dense = (struct kn_dense){ more, n };
    return kn_charge(index->sparse.budget, (n - before) * sizeof(*more));
}

/* Numbers close to those seen so far go into an array, outliers into a map. */
bool kn_index_set(struct kn_reader *r, struct kn_index *index, uint64_t i, uint32_t value,
                  const char *what)
{
    if (get(index, i) != KN_UNKNOWN)
        return kn_malformed(r, "%s %llu is defined twice", what, (unsigned long long)i);
    if (i >= index->dense.n && i < 4 * (uint64_t)index->dense.n + 4096 && !grow_dense(index, i))
        return kn_read_no_memory(r);
    if (i < index->dense.n)
        index->dense.values1[i] = value + 1;
    else if (!kn_map_put(&index->sparse, i, value))
        return kn_read_no_memory(r);
    return true;
}

static bool read_ref(struct kn_reader *r, const struct kn_index *index, uint32_t *out,
                     const char *what)
{
    uint64_t i;

    if (!kn_read_u64(r, &i))
        return false;
    *out = get(index, i);
    if (*out == KN_UNKNOWN)
        return kn_malformed(r, "%s %llu is not defined", what, (unsigned long long)i);
    return true;
}

bool kn_read_name(struct kn_reader *r, kn_name *out)
{
    return read_ref(r, &r->names, out, "name");
}

bool kn_read_expr(struct kn_reader *r, kn_ref *out)
{
    return read_ref(r, &r->exprs, out, "expression");
}

bool kn_read_level(struct kn_reader *r, kn_ref *out)
{
    return read_ref(r, &r->levels, out, "level");
}

bool kn_read_list(struct kn_reader *r, const struct kn_index *index, const char *what)
{
    bool first = true;
    int more;

    r->n_list = 0;
    while ((more = kn_next_item(r, &first)) == 1) {
        if (lwb_grow(&r->list, &r->cap_list, r->n_list, sizeof(*r->list)) < 0)
            return kn_read_no_memory(r);
        if (!read_ref(r, index, &r->list[r->n_list], what))
            return false;
        r->n_list++;
    }
    return more == 0;
}

bool kn_read_names(struct kn_reader *r, const kn_name **out, uint32_t *n)
{
    kn_name *names;

    if (!kn_read_list(r, &r->names, "name"))
        return false;
    names = kn_arena_take(&r->env->arena, (r->n_list + 1) * sizeof(*names));
    if (!names)
        return kn_read_no_memory(r);
    if (r->n_list)
        memcpy(names, r->list, r->n_list * sizeof(*names));
    *out = names;
    *n = (uint32_t)r->n_list;
    return true;
}

void kn_index_release(struct kn_index *index)
{
    kn_give(index->sparse.budget, index->dense.values1, index->dense.n * sizeof(uint32_t));
    kn_map_release(&index->sparse);
}
