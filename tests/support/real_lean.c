#include "tests/support/test.h"

#include "tests/support/real_lean.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/plain_digests.h"

static bool find(struct lwb_toolchain *toolchain, const char *given, struct lwb_error *err)
{
    struct plain_digests digests;
    struct lwb_toolchain_request request = { .given = given,
                                             .environment = (const char *const *)environ };
    int rc;

    plain_digests_init(&digests);
    rc = lwb_toolchain_find(toolchain, &request, &digests.source, err);
    plain_digests_release(&digests);
    return rc == LWB_OK;
}

static bool find_last_of_elan(struct lwb_toolchain *toolchain, struct lwb_error *err)
{
    const char *home = getenv("HOME");
    char pattern[512];
    glob_t found;
    bool ok = false;

    (void)snprintf(pattern, sizeof(pattern), "%s/.elan/toolchains/*/bin/lean", home ? home : "");
    if (glob(pattern, 0, NULL, &found) != 0)
        return false;
    if (found.gl_pathc > 0) {
        char *last = found.gl_pathv[found.gl_pathc - 1];

        last[strlen(last) - strlen("/bin/lean")] = '\0';
        ok = find(toolchain, last, err);
    }
    globfree(&found);
    return ok;
}

void real_lean_find(struct lwb_toolchain *toolchain)
{
    const char *given = getenv("LWBUILD_TEST_LEAN");
    struct lwb_error err = { 0 };

    if (find(toolchain, given, &err) || (!given && find_last_of_elan(toolchain, &err)))
        return;
    (void)printf("skipped: no Lean to test with: %s\n", err.text);
    exit(77);
}
