#include "child/capability_library.h"

#include <assert.h>
#include <dlfcn.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/path.h"

static const char *const kind_names[] = {
    [LWB_CAPABILITY_COMMAND] = "command",
    [LWB_CAPABILITY_STREAM] = "stream",
    [LWB_CAPABILITY_METADATA] = "metadata",
    [LWB_CAPABILITY_DOCTOR] = "doctor",
};

const char *lwb_capability_kind_name(enum lwb_capability_kind kind)
{
    return kind_names[kind];
}

void lwb_capability_library_unload(struct lwb_capability_library *library)
{
    if (library->handle)
        (void)dlclose(library->handle);
    *library = (struct lwb_capability_library){ 0 };
}

const struct lwb_capability_export *
lwb_capability_library_find(const struct lwb_capability_library *library,
                            enum lwb_capability_kind kind, const char *name)
{
    const struct lwb_capability *table = library->table;

    for (size_t i = 0; i < table->n_exports; i++)
        if (table->exports[i].kind == kind && strcmp(table->exports[i].name, name) == 0)
            return &table->exports[i];
    return NULL;
}

/* ---- looking it over ------------------------------------------------------------------------- */

static void list(struct lwb_buf *out, const char *kind, const char *name)
{
    lwb_buf_format(out, "%s%s %s", out->len ? ", " : "", kind, name);
}

static int fail_missing(const char *path, const struct lwb_buf *missing, struct lwb_error *err)
{
    if (!missing->len)
        return LWB_OK;
    return lwb_fail(err, LWB_ERR_SETUP, "%s lacks %s", lwb_path_basename(path),
                    lwb_buf_text(missing));
}

static int find_symbols(void *handle, const char *path, void **abi, void **get,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf missing = LWB_BUF(4096);

    *abi = dlsym(handle, "lwb_capability_abi");
    *get = dlsym(handle, "lwb_capability_get");
    if (!*abi)
        list(&missing, "symbol", "lwb_capability_abi");
    if (!*get)
        list(&missing, "symbol", "lwb_capability_get");
    return fail_missing(path, &missing, err);
}

static int check_abi(const char *path, uint32_t abi, struct lwb_error *err)
{
    if (abi == LWB_CAPABILITY_ABI)
        return LWB_OK;
    return lwb_fail(err, LWB_ERR_SETUP, "%s has capability ABI %u, this child %u",
                    lwb_path_basename(path), abi, LWB_CAPABILITY_ABI);
}

/* Up to the last member of ABI 1: later ones may be absent. */
static bool is_whole(const struct lwb_capability *table)
{
    if (table->size < offsetof(struct lwb_capability, close) + sizeof(table->close))
        return false;
    if (!table->name || !table->version || !table->exports || !table->open != !table->close)
        return false;
    for (size_t i = 0; i < table->n_exports; i++)
        if (!table->exports[i].name || !table->exports[i].run ||
            (size_t)table->exports[i].kind >= LWB_COUNT(kind_names))
            return false;
    return true;
}

static void list_absent(struct lwb_buf *missing, const struct lwb_capability_library *library,
                        enum lwb_capability_kind kind, const struct lwb_strvec *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!lwb_capability_library_find(library, kind, names->items[i]))
            list(missing, kind_names[kind], names->items[i]);
}

static int check_exports(const struct lwb_capability_library *library,
                         const struct lwb_capability_manifest *manifest, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf missing = LWB_BUF(4096);

    if (!lwb_capability_library_find(library, LWB_CAPABILITY_METADATA, "metadata"))
        list(&missing, "export", "metadata");
    if (!lwb_capability_library_find(library, LWB_CAPABILITY_DOCTOR, "doctor"))
        list(&missing, "export", "doctor");
    list_absent(&missing, library, LWB_CAPABILITY_COMMAND, &manifest->commands);
    list_absent(&missing, library, LWB_CAPABILITY_STREAM, &manifest->streams);
    return fail_missing(manifest->library, &missing, err);
}

/* ISO C has no way from a data pointer to a function; POSIX promises that the bytes are the same.
 */
static int read_table(struct lwb_capability_library *library, const char *path,
                      struct lwb_error *err)
{
    uint32_t (*get_abi)(void);
    const struct lwb_capability *(*get_table)(void);
    void *abi;
    void *get;

    if (find_symbols(library->handle, path, &abi, &get, err) < 0)
        return err->code;
    memcpy(&get_abi, &abi, sizeof(abi));
    memcpy(&get_table, &get, sizeof(get));
    if (check_abi(path, get_abi(), err) < 0)
        return err->code;
    library->table = get_table();
    if (!library->table)
        return lwb_fail(err, LWB_ERR_SETUP, "%s has no table", lwb_path_basename(path));
    if (check_abi(path, library->table->abi, err) < 0)
        return err->code;
    if (!is_whole(library->table))
        return lwb_fail(err, LWB_ERR_SETUP, "the table of %s is not whole",
                        lwb_path_basename(path));
    return LWB_OK;
}

int lwb_capability_library_load(struct lwb_capability_library *out,
                                const struct lwb_capability_manifest *manifest,
                                struct lwb_error *err)
{
    LWB_AUTO(lwb_capability_library_unload) struct lwb_capability_library library = { 0 };

    /* NOW: a symbol that nobody defines is named here, and not found by a crash later. */
    library.handle = dlopen(manifest->library, RTLD_NOW | RTLD_LOCAL);
    if (!library.handle)
        return lwb_fail(err, LWB_ERR_SETUP, "cannot load the capability library: %s", dlerror());
    if (read_table(&library, manifest->library, err) < 0)
        return err->code;
    assert(library.table);
    if (check_exports(&library, manifest, err) < 0)
        return err->code;
    *out = LWB_TAKE(library);
    return LWB_OK;
}
