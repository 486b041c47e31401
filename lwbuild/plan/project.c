#include "lwbuild/plan/project.h"

#include <sys/stat.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/witness.h"

static void release_library(struct lwb_library *library)
{
    lwb_free(library->name);
    lwb_free(library->src_dir);
    lwb_strvec_release(&library->roots);
    lwb_strvec_release(&library->globs);
    lwb_strvec_release(&library->options);
    lwb_strvec_release(&library->plugins);
}

void lwb_project_release(struct lwb_project *project)
{
    for (size_t i = 0; i < project->n_libraries; i++)
        release_library(&project->libraries[i]);
    lwb_free(project->libraries);
    lwb_free(project->root);
    lwb_free(project->package);
    lwb_strvec_release(&project->search);
    lwb_strvec_release(&project->sources);
    lwb_strvec_release(&project->heads);
    *project = (struct lwb_project){ 0 };
}

struct lwb_library *lwb_project_add_library(struct lwb_project *project, const char *name,
                                            const char *src_dir)
{
    struct lwb_library library = { .name = lwb_strdup(name), .src_dir = lwb_strdup(src_dir) };

    if (!library.name || !library.src_dir ||
        lwb_grow(&project->libraries, &project->cap, project->n_libraries, sizeof(library))) {
        release_library(&library);
        return NULL;
    }
    project->libraries[project->n_libraries] = library;
    return &project->libraries[project->n_libraries++];
}

static int is_root(const char *dir, struct lwb_witnesses *witnesses, struct lwb_error *err)
{
    static const char *const marks[] = { "lakefile.lean", "lakefile.toml", "lean-toolchain",
                                         "leanpkg.toml" };

    for (size_t i = 0; i < LWB_COUNT(marks); i++) {
        LWB_AUTO(lwb_free_text) char *path = lwb_path_join(dir, marks[i]);
        int rc = path ? lwb_witnesses_probe(witnesses, path, err) : lwb_fail_memory(err);

        if (rc != 0)
            return rc;
    }
    return 0;
}

static int use_given_root(char **out, const char *cwd, const char *given, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *root = lwb_path_absolute(cwd, given);
    struct stat st;

    if (!root)
        return lwb_fail_memory(err);
    if (stat(root, &st) != 0)
        return lwb_fail_errno(err, LWB_ERR_NO_PROJECT, "project folder %s", root);
    if (!S_ISDIR(st.st_mode))
        return lwb_fail(err, LWB_ERR_NO_PROJECT, "project folder %s: it is not a folder", root);
    *out = LWB_TAKE(root);
    return 1;
}

int lwb_project_find_root(char **out, const char *cwd, const char *given,
                          struct lwb_witnesses *witnesses, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *dir = NULL;

    if (given)
        return use_given_root(out, cwd, given, err);
    dir = lwb_path_normalise(cwd);
    for (;;) {
        char *parent;
        int rc = dir ? is_root(dir, witnesses, err) : lwb_fail_memory(err);

        if (rc < 0)
            return rc;
        if (rc > 0) {
            *out = LWB_TAKE(dir);
            return 1;
        }
        if (strcmp(dir, "/") == 0)
            return 0;
        parent = lwb_path_dirname(dir);
        lwb_free(dir);
        dir = parent;
    }
}
