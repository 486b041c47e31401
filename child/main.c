#include "lwbuild/child.h"

#include "child/host_capability.h"
#include "child/host_kernel.h"
#include "child/lean/lean_host.h"

int main(int argc, char **argv)
{
    static const struct lwb_host *const hosts[] = { &lwb_host_lean, &lwb_host_kernel,
                                                    &lwb_host_capability, NULL };

    return lwb_child_run(hosts, argc, argv);
}
