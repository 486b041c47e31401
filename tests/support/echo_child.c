/* A child with the echo host alone: see host_echo.h. */
#include "lwbuild/child.h"
#include "tests/support/host_echo.h"

int main(int argc, char **argv)
{
    static const struct lwb_host *const hosts[] = { &lwb_host_echo, NULL };

    return lwb_child_run(hosts, argc, argv);
}
