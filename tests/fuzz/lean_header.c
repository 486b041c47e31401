#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "lwbuild/base/lean_header.h"
#include "lwbuild/plan/module_name.h"

/*
 * Any bytes as the header of a Lean file: offsets stay inside, imports lie in
 * the text one behind the other, and each is a name with one spelling or none.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_spelling(struct lwb_bytes name)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf once = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_buf_release) struct lwb_buf twice = LWB_BUF(1 << 20);

    if (!lwb_module_name_append(&once, name))
        return;
    assert(lwb_module_name_append(&twice, lwb_buf_bytes(&once)));
    assert(lwb_bytes_equal(lwb_buf_bytes(&once), lwb_buf_bytes(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LWB_AUTO(lwb_lean_header_release) struct lwb_lean_header header = { 0 };
    const char *last = (const char *)data;
    struct lwb_error err;

    if (lwb_lean_header_parse(&header, lwb_bytes(data, size), &err) < 0)
        return 0;
    assert(header.end <= size && header.body <= size);
    for (size_t i = 0; i < header.n_imports; i++) {
        struct lwb_bytes name = header.imports[i].name;

        assert(name.ptr >= last && name.ptr + name.len <= (const char *)data + size);
        last = name.ptr + name.len;
        check_spelling(name);
    }
    return 0;
}
