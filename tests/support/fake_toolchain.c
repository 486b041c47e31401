#include "tests/support/test.h"

#include "tests/support/fake_toolchain.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *era;
    const char *version;
} eras[] = {
    { "2021-07", "4.0.0-nightly-2021-07-27" },
    { "2021-11", "4.0.0-nightly-2021-11-30" },
    { "2022-12", "4.0.0-nightly-2022-12-20" },
    { "4.8", "4.8.0" },
    { "4.12", "4.12.0" },
    { "4.22", "4.22.0" },
    { "4.34", "4.34.0" },
};

const char *fake_toolchain_era(size_t i)
{
    return i < sizeof(eras) / sizeof(eras[0]) ? eras[i].era : NULL;
}

bool fake_toolchain_rejects_warm(const char *era)
{
    return strncmp(era, "4.", 2) == 0;
}

void fake_toolchain_make(struct fake_toolchain *toolchain, const struct scratch *scratch,
                         const char *era)
{
    char name[400];
    char text[100];

    *toolchain = (struct fake_toolchain){ 0 };
    for (size_t i = 0; i < sizeof(eras) / sizeof(eras[0]); i++)
        if (strcmp(eras[i].era, era) == 0)
            toolchain->version = eras[i].version;
    assert_non_null(toolchain->version);
    (void)snprintf(toolchain->prefix, sizeof(toolchain->prefix), "%s/toolchain-%s", scratch->dir,
                   era);
    (void)snprintf(name, sizeof(name), "toolchain-%s/era", era);
    scratch_write(scratch, name, era);
    (void)snprintf(name, sizeof(name), "toolchain-%s/lib/lean/Init.olean", era);
    scratch_write(scratch, name, "oleanfile!!!!!!! stands for Init");
    (void)snprintf(name, sizeof(name), "toolchain-%s/include/lean/version.h", era);
    (void)snprintf(text, sizeof(text), "#define LEAN_VERSION_STRING \"%s\"\n", toolchain->version);
    scratch_write(scratch, name, text);
    (void)snprintf(name, sizeof(name), "toolchain-%s/include/lean/githash.h", era);
    scratch_write(scratch, name, "#define LEAN_GITHASH \"\"\n");
    (void)snprintf(name, sizeof(name), "toolchain-%s/bin/.keep", era);
    scratch_write(scratch, name, "");
    (void)snprintf(name, sizeof(name), "%s/bin/lean", toolchain->prefix);
    assert_int_equal(symlink(LWB_FAKE_LEAN, name), 0);
}
