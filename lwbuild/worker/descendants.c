#include "lwbuild/worker/descendants.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/base/proc_tree.h"

enum { ROUNDS = 3, MAX_DEPTH = 32, AT_ONCE = 64, OWN_CHILDREN = 4096 };

/* An order of sys/wait.h that the C library may not know yet. */
enum { BY_DESCRIPTOR = 3 };

static int open_process(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/*
 * The number was that of a child of `parent`. Is it now, when a descriptor of
 * it is open? Then that is who the descriptor means, or he is dead and the
 * signal goes nowhere. Returns whether somebody was there to be killed.
 */
static bool kill_child(struct lwb_descendants *descendants, pid_t pid, pid_t parent)
{
    int fd = open_process(pid);
    pid_t its_parent;
    char state;
    bool alive = lwb_proc_stat(pid, &its_parent, &state) && its_parent == parent && state != 'Z';

    if (alive && fd >= 0)
        (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
    else if (alive)
        (void)kill(pid, SIGKILL); /* no descriptor to be had: looked at a moment ago */
    if (fd >= 0 && alive && descendants->count < LWB_DESCENDANTS_MAX)
        descendants->fds[descendants->count++] = fd;
    else if (fd >= 0)
        close(fd);
    return alive;
}

/* The deepest first: what loses its parent may be handed on to where it is not found. */
static unsigned kill_below(struct lwb_descendants *descendants, pid_t parent, unsigned depth)
{
    pid_t children[AT_ONCE];
    size_t count = lwb_proc_children(parent, children, AT_ONCE);
    unsigned killed = 0;

    for (size_t i = 0; i < count; i++) {
        if (depth < MAX_DEPTH)
            killed += kill_below(descendants, children[i], depth + 1);
        killed += kill_child(descendants, children[i], parent);
    }
    return killed;
}

void lwb_descendants_kill(struct lwb_descendants *descendants, pid_t root)
{
    for (unsigned round = 0; round < ROUNDS; round++)
        if (!kill_below(descendants, root, 0))
            break;
}

void lwb_lineage_make(char lineage[LWB_LINEAGE_SIZE])
{
    (void)snprintf(lineage, LWB_LINEAGE_SIZE, "LWBUILD_LINEAGE=%d-%llx", (int)getpid(),
                   (unsigned long long)lwb_clock_ns());
}

void lwb_descendants_hunt(struct lwb_descendants *descendants, const char *lineage)
{
    pid_t children[OWN_CHILDREN]; /* orphans come behind all workers and whatever else is ours */
    size_t count = lwb_proc_children(getpid(), children, OWN_CHILDREN);

    for (size_t i = 0; i < count; i++) {
        if (!lwb_proc_has_variable(children[i], lineage))
            continue;
        (void)kill_below(descendants, children[i], 0);
        (void)kill_child(descendants, children[i], getpid());
    }
}

bool lwb_descendants_reap(struct lwb_descendants *descendants)
{
    unsigned left = 0;

    for (unsigned i = 0; i < descendants->count; i++) {
        siginfo_t info = { 0 };
        int fd = descendants->fds[i];
        int rc = waitid((idtype_t)BY_DESCRIPTOR, (id_t)fd, &info, WEXITED | WNOHANG);

        if (rc == 0 && info.si_pid == 0)
            descendants->fds[left++] = fd; /* ours, and still dying */
        else
            close(fd); /* waited for, or somebody else's to wait for */
    }
    descendants->count = left;
    return left == 0;
}

void lwb_descendants_release(struct lwb_descendants *descendants)
{
    while (descendants->count)
        close(descendants->fds[--descendants->count]);
}
