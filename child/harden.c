#include "child/harden.h"

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int lwb_harden_die_with_parent(int parent_pid, int sig, struct lwb_error *err)
{
    if (prctl(PR_SET_PDEATHSIG, sig) != 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot ask to die with the parent");
    return getppid() == parent_pid;
}

/*
 * A limit of 0 stops core files only: where /proc/sys/kernel/core_pattern is a
 * pipe, the helper is started all the same and holds the dying process, with
 * its descriptors, for as long as it likes. The kernel reserves the limit 1 to
 * mean "no helper either", and nobody can write a core file of one byte.
 *
 * PR_SET_DUMPABLE is left alone on purpose: 0 would make /proc/<pid>/smaps_rollup
 * unreadable for a parent that is not root, and with it the memory limits.
 */
void lwb_harden_no_core_dumps(void)
{
    struct rlimit none = { 1, 1 };

    if (setrlimit(RLIMIT_CORE, &none) == 0)
        return;
    none = (struct rlimit){ 0, 0 }; /* the hard limit was 0 already */
    (void)setrlimit(RLIMIT_CORE, &none);
}

static void close_listed(int first)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);

        if (*end == '\0' && end != entry->d_name && fd >= first && fd != dirfd(dir))
            (void)close((int)fd);
    }
    if (dir)
        (void)closedir(dir);
}

void lwb_harden_close_from(int first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
        return;
#endif
    close_listed(first); /* before Linux 5.9 */
}

void lwb_harden_ignore_sigpipe(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
}
