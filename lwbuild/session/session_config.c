#include "lwbuild/session/session_config.h"

#include "lwbuild/base/alloc.h"

/* ---- key ---------------------------------------------------------------------------------- */

/* Absent and empty are different. */
static void hash_text(struct lwb_hasher *hasher, const char *text)
{
    if (text)
        lwb_hasher_text(hasher, 't', text);
    else
        lwb_hasher_text(hasher, 'n', "");
}

static void hash_list(struct lwb_hasher *hasher, const struct lwb_strvec *list)
{
    size_t count = list ? list->count : 0;

    lwb_hasher_u64(hasher, 'l', count);
    for (size_t i = 0; i < count; i++)
        lwb_hasher_text(hasher, 't', list->items[i]);
}

int lwb_session_key(struct lwb_digest *out, const struct lwb_session_config *config,
                    struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();
    const struct lwb_open_request *open = &config->open;

    if (!hasher)
        return lwb_fail_memory(err);
    lwb_hasher_text(hasher, 's', "lwbuild session 1");
    hash_text(hasher, open->host);
    hash_text(hasher, open->project_root);
    hash_text(hasher, open->package);
    hash_text(hasher, open->library);
    hash_text(hasher, open->source_root);
    hash_text(hasher, open->toolchain);
    hash_text(hasher, open->toolchain_version);
    hash_list(hasher, open->imports);
    hash_list(hasher, open->options);
    hash_list(hasher, open->search_path);
    hash_list(hasher, open->plugins);
    hash_text(hasher, open->capability);
    lwb_hasher_u64(hasher, 'b', open->prelude);
    lwb_hasher_u64(hasher, 'b', open->module_system);
    lwb_hasher_u64(hasher, 'u', open->threads);
    lwb_hasher_u64(hasher, 'u', open->max_memory);
    lwb_hasher_digest(hasher, 'd', &config->closure);
    hash_text(hasher, config->toolchain_id);
    hash_text(hasher, config->policy_class);
    hash_text(hasher, config->metadata);
    *out = lwb_hasher_end(hasher);
    return LWB_OK;
}

/* ---- copy ----------------------------------------------------------------------------------- */

/* Visit every text and every list: the one place that knows them all. */
struct members {
    const char **texts[12];
    const struct lwb_strvec **lists[4];
};

static struct members members_of(struct lwb_session_config *config)
{
    struct lwb_open_request *open = &config->open;

    return (struct members){
        .texts = { &open->host, &open->project_root, &open->package, &open->library,
                   &open->source_root, &open->toolchain, &open->toolchain_version,
                   &open->capability, &open->scratch, &config->toolchain_id, &config->policy_class,
                   &config->metadata },
        .lists = { &open->imports, &open->options, &open->search_path, &open->plugins },
    };
}

static int copy_list(const struct lwb_strvec **slot, const struct lwb_strvec *from)
{
    struct lwb_strvec *copy = lwb_alloc(sizeof(*copy));

    *slot = copy;
    return copy && (!from || !lwb_strvec_copy(copy, from)) ? 0 : -1;
}

int lwb_session_config_copy(struct lwb_session_config **out,
                            const struct lwb_session_config *config, struct lwb_error *err)
{
    LWB_AUTO(lwb_session_config_destroy)
    struct lwb_session_config *copy = lwb_alloc(sizeof(*copy));
    struct lwb_session_config source = *config;
    struct members from = members_of(&source);
    struct members to;
    bool ok = true;

    if (!copy)
        return lwb_fail_memory(err);
    *copy = *config;
    to = members_of(copy);
    for (size_t i = 0; i < LWB_COUNT(to.texts); i++) {
        *to.texts[i] = *from.texts[i] ? lwb_strdup(*from.texts[i]) : NULL;
        ok = ok && (*to.texts[i] || !*from.texts[i]);
    }
    for (size_t i = 0; i < LWB_COUNT(to.lists); i++)
        ok = copy_list(to.lists[i], *from.lists[i]) == 0 && ok;
    if (!ok)
        return lwb_fail_memory(err);
    *out = LWB_TAKE(copy);
    return LWB_OK;
}

void lwb_session_config_destroy(struct lwb_session_config *config)
{
    struct members own;

    if (!config)
        return;
    own = members_of(config);
    for (size_t i = 0; i < LWB_COUNT(own.texts); i++)
        lwb_free((void *)*own.texts[i]);
    for (size_t i = 0; i < LWB_COUNT(own.lists); i++) {
        struct lwb_strvec *list = (struct lwb_strvec *)*own.lists[i];

        if (list)
            lwb_strvec_release(list);
        lwb_free(list);
    }
    lwb_free(config);
}
