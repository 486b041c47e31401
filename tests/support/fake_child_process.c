#include "tests/support/fake_child_internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* What a process can do besides talking: die, eat, flood, leave others behind. */

void fake_end_as(const char *name)
{
    (void)signal(SIGABRT, SIG_DFL); /* a sanitizer's handlers would make exits of them */
    (void)signal(SIGSEGV, SIG_DFL);
    if (fake_is(name, "segv"))
        raise(SIGSEGV);
    if (fake_is(name, "abort"))
        abort();
    if (fake_is(name, "exit3"))
        _exit(3);
    if (fake_is(name, "exit0"))
        _exit(0);
    if (fake_is(name, "kill"))
        raise(SIGKILL);
}

void fake_eat(uint64_t mib)
{
    static volatile char *eaten; /* kept: the request's answer waits on it */

    eaten = malloc((size_t)mib << 20);
    if (!eaten)
        fake_die("no memory to eat");
    for (uint64_t i = 0; i < mib << 20; i += 4096)
        eaten[i] = 1;
}

static void flood(uint64_t mib)
{
    static char noise[1 << 20];

    memset(noise, '.', sizeof(noise));
    for (size_t i = 99; i < sizeof(noise); i += 100)
        noise[i] = '\n';
    for (uint64_t i = 0; i < mib; i++) {
        size_t at = 0;

        while (at < sizeof(noise)) {
            ssize_t len = write(STDERR_FILENO, noise + at, sizeof(noise) - at);

            if (len < 0)
                fake_die("stderr is closed");
            at += (size_t)len;
        }
    }
    fprintf(stderr, "the last words\n");
}

static void leave_grandchild(void)
{
    if (fork() == 0)
        fake_wait_for_ever();
    _exit(3);
}

void fake_do_processes(const struct fake_work *work)
{
    if (fake_is(work->name, "flood"))
        flood(work->n);
    if (fake_is(work->name, "eat") || fake_is(work->name, "eat-silent"))
        fake_eat(work->n);
    if (fake_is(work->name, "silent") || fake_is(work->name, "eat-silent"))
        fake_wait_for_ever();
    if (fake_is(work->name, "sleep")) {
        struct timespec time = { (time_t)(work->n / 1000), (long)(work->n % 1000) * 1000000 };

        (void)nanosleep(&time, NULL);
    }
    if (fake_is(work->name, "close-output")) {
        close(STDOUT_FILENO);
        fake_wait_for_ever();
    }
    if (fake_is(work->name, "close-input")) {
        close(STDIN_FILENO);
        fake_wait_for_ever();
    }
    if (fake_is(work->name, "grandchild"))
        leave_grandchild();
}
