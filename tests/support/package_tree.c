#include "tests/support/test.h"

#include "tests/support/package_tree.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/buf.h"
#include "lwbuild/base/file.h"
#include "tests/support/fake_olean.h"

enum { PER_FOLDER = 100, IMPORTS = 5, PATH_SIZE = 1024 };

static void write_text(const char *dir, const char *name, const struct lwb_buf *text)
{
    char path[PATH_SIZE];
    struct lwb_error err;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_true(lwb_buf_ok(text));
    assert_int_equal(lwb_file_make_dirs(dir, 0777, &err), LWB_OK);
    assert_int_equal(lwb_file_write(path, lwb_buf_bytes(text), 0666, &err), LWB_OK);
}

static size_t write_olean(const char *path, const char *imports, const char *content)
{
    const struct fake_olean olean = {
        .layout = LWB_OLEAN_D,
        .imports = imports,
        .extra = content,
    };
    struct stat st;

    fake_olean_write(path, &olean);
    assert_int_equal(stat(path, &st), 0);
    return (size_t)st.st_size;
}

static void append_module_name(struct lwb_buf *out, const struct package_tree *tree, unsigned i)
{
    lwb_buf_format(out, "%s%s.P%03u.M%02u", out->len ? " " : "", tree->name, i / PER_FOLDER,
                   i % PER_FOLDER);
}

const char *package_tree_module(const struct package_tree *tree, unsigned i)
{
    static char path[PATH_SIZE];

    (void)snprintf(path, sizeof(path), "%s/.lake/build/lib/%s/P%03u/M%02u.olean", tree->dir,
                   tree->name, i / PER_FOLDER, i % PER_FOLDER);
    return path;
}

/* Where an import leads is scattered, but the same every time. */
static unsigned earlier(unsigned i, unsigned k)
{
    return (unsigned)((i * UINT64_C(2654435761) + k * UINT64_C(40503)) % i);
}

static size_t write_module(const struct package_tree *tree, unsigned i, unsigned version)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf imports = LWB_BUF(64 * 1024);
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(tree->module_bytes + 100);

    for (unsigned k = 0; i && k < IMPORTS; k++)
        append_module_name(&imports, tree, earlier(i, k));
    while (content.len < tree->module_bytes)
        lwb_buf_format(&content, "%u.%u.%zu ", i, version, content.len);
    assert_true(lwb_buf_ok(&content) && lwb_buf_ok(&imports));
    return write_olean(package_tree_module(tree, i), lwb_buf_text(&imports),
                       lwb_buf_text(&content));
}

void package_tree_change(const struct package_tree *tree, unsigned i, unsigned version)
{
    (void)write_module(tree, i, version);
}

/* <name>.P000 imports its hundred modules. */
static size_t write_folder(const struct package_tree *tree, unsigned folder, struct lwb_buf *all)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf imports = LWB_BUF(64 * 1024);
    unsigned first = folder * PER_FOLDER;
    char path[PATH_SIZE];
    size_t bytes = 0;

    for (unsigned i = first; i < first + PER_FOLDER && i < tree->n_modules; i++) {
        bytes += write_module(tree, i, 0);
        append_module_name(&imports, tree, i);
    }
    lwb_buf_format(all, "%s%s.P%03u", all->len ? " " : "", tree->name, folder);
    (void)snprintf(path, sizeof(path), "%s/.lake/build/lib/%s/P%03u.olean", tree->dir, tree->name,
                   folder);
    return bytes + write_olean(path, lwb_buf_text(&imports), NULL);
}

size_t package_tree_make(const struct package_tree *tree)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf lakefile = LWB_BUF(1000);
    LWB_AUTO(lwb_buf_release) struct lwb_buf all = LWB_BUF(64 * 1024);
    char path[PATH_SIZE];
    size_t bytes = 0;

    lwb_buf_format(&lakefile, "name = \"%s\"\n[[lean_lib]]\nname = \"%s\"\n", tree->name,
                   tree->name);
    write_text(tree->dir, "lakefile.toml", &lakefile);
    for (unsigned folder = 0; folder * PER_FOLDER < tree->n_modules; folder++)
        bytes += write_folder(tree, folder, &all);
    (void)snprintf(path, sizeof(path), "%s/.lake/build/lib/%s.olean", tree->dir, tree->name);
    return bytes + write_olean(path, lwb_buf_text(&all), NULL);
}

static void require(struct lwb_buf *lakefile, const struct package_tree *tree)
{
    if (tree)
        lwb_buf_format(lakefile, "[[require]]\nname = \"%s\"\npath = \"%s\"\n", tree->name,
                       tree->dir);
}

void package_tree_user(const char *dir, const struct package_tree *tree,
                       const struct package_tree *other)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf lakefile = LWB_BUF(8 * PATH_SIZE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf source = LWB_BUF(1000);

    lwb_buf_append_text(&lakefile, "name = \"user\"\n[[lean_lib]]\nname = \"Main\"\n");
    require(&lakefile, other);
    require(&lakefile, tree);
    lwb_buf_format(&source, "import %s\n", tree->name);
    write_text(dir, "lakefile.toml", &lakefile);
    write_text(dir, "Main.lean", &source);
}
