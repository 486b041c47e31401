#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "lwbuild/plan/olean.h"

/* Any bytes as an .olean file: its imports are told, or it is not understood. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LWB_AUTO(lwb_olean_release) struct lwb_olean olean = LWB_OLEAN;
    struct lwb_error err;
    char path[64];
    int fd = memfd_create("olean", MFD_CLOEXEC);
    int rc;

    if (fd < 0)
        return 0;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    rc = lwb_file_write_fd(fd, lwb_bytes(data, size), &err);
    if (rc == LWB_OK) {
        size_t names = 0;

        rc = lwb_olean_read(&olean, path, &err);
        assert(rc == 1);
        for (size_t i = 0; i < olean.imports.len; i++)
            names += olean.imports.ptr[i] == '\0';
        assert(!olean.understood || names == olean.n_imports);
    }
    close(fd);
    return 0;
}
