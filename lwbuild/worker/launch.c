#include "lwbuild/worker/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

static int prepare_files(posix_spawn_file_actions_t *actions, const struct lwb_launch *launch)
{
    int rc = 0;

    for (int fd = STDIN_FILENO; rc == 0 && fd <= STDERR_FILENO; fd++) {
        if (launch->stdio[fd] >= 0)
            rc = posix_spawn_file_actions_adddup2(actions, launch->stdio[fd], fd);
        else
            rc = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
    }
    if (rc == 0 && launch->cwd)
        rc = posix_spawn_file_actions_addchdir_np(actions, launch->cwd);
    return rc;
}

int lwb_launch(pid_t *pid, const struct lwb_launch *launch)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    int rc;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    (void)posix_spawnattr_init(&attributes); /* glibc's cannot fail */
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETSIGMASK);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    rc = prepare_files(&actions, launch);
    if (rc == 0)
        rc = (launch->search ? posix_spawnp : posix_spawn)(
            pid, launch->program, &actions, &attributes, launch->argv, launch->environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return rc;
}
