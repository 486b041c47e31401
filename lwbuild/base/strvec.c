#include "lwbuild/base/strvec.h"

#include "lwbuild/base/alloc.h"

void lwb_strvec_release(struct lwb_strvec *vec)
{
    for (size_t i = 0; i < vec->count; i++)
        lwb_free(vec->items[i]);
    lwb_free(vec->items);
    *vec = (struct lwb_strvec){ 0 };
}

int lwb_strvec_append_take(struct lwb_strvec *vec, char *text)
{
    /* One more than needed, for the NULL at the end. */
    if (!text || lwb_grow(&vec->items, &vec->cap, vec->count + 1, sizeof(*vec->items))) {
        lwb_free(text);
        return -1;
    }
    vec->items[vec->count++] = text;
    vec->items[vec->count] = NULL;
    return 0;
}

int lwb_strvec_append_len(struct lwb_strvec *vec, const char *text, size_t len)
{
    return lwb_strvec_append_take(vec, lwb_strndup(text, len));
}

int lwb_strvec_append(struct lwb_strvec *vec, const char *text)
{
    return lwb_strvec_append_take(vec, lwb_strdup(text));
}

int lwb_strvec_copy(struct lwb_strvec *to, const struct lwb_strvec *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (lwb_strvec_append(to, from->items[i]))
            return -1;
    return 0;
}
