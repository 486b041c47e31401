#include <stdio.h>
#include <unistd.h>

#include "child/guardian.h"
#include "child/harden.h"
#include "child/serve.h"
#include "child/stdout_guard.h"
#include "lwbuild/base/json.h"
#include "lwbuild/child.h"

struct arguments {
    int parent_pid; /* 0: not told */
    bool help;
    bool version;
};

static int parse_pid(int *out, const char *text)
{
    char *end;
    long pid = strtol(text, &end, 10);

    if (end == text || *end != '\0' || pid <= 0 || pid > INT32_MAX)
        return -1;
    *out = (int)pid;
    return 0;
}

/* Returns 0, or -1 when there is something that it does not know. */
static int parse_arguments(struct arguments *out, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            out->help = true;
        else if (strcmp(argv[i], "--version") == 0)
            out->version = true;
        else if (strcmp(argv[i], "--parent-pid") != 0 || i + 1 == argc ||
                 parse_pid(&out->parent_pid, argv[++i]) != 0)
            return -1;
    }
    return 0;
}

static void print_version(const struct lwb_host *const *hosts)
{
    printf("lwbuild-child %s\n", LWB_VERSION);
    for (size_t i = 0; hosts[i]; i++)
        printf("host %s %s\n", hosts[i]->kind, hosts[i]->digest);
}

static void print_help(FILE *to, const char *program)
{
    fprintf(to,
            "usage: %s [--parent-pid PID] [--version] [--help]\n"
            "Checks modules for lwbuild, which starts it and speaks to it over stdin and stdout.\n",
            program);
}

/* Everything that must be so before the first frame is read. */
static enum lwb_child_exit prepare(const struct arguments *arguments,
                                   struct lwb_stdout_guard *guard, struct lwb_error *err)
{
    int rc = lwb_guardian_start(arguments->parent_pid, err);

    if (rc < 0)
        return LWB_CHILD_EXIT_SYSTEM;
    if (rc == 0) {
        (void)lwb_fail(err, LWB_ERR_CHILD_EXITED, "process %d is not the parent",
                       arguments->parent_pid);
        return LWB_CHILD_EXIT_PARENT;
    }
    lwb_harden_no_core_dumps();
    lwb_harden_ignore_sigpipe();
    lwb_harden_close_from(STDERR_FILENO + 1);
    lwb_json_init();
    return lwb_stdout_guard_take(guard, err) < 0 ? LWB_CHILD_EXIT_SYSTEM : LWB_CHILD_EXIT_OK;
}

int lwb_child_run(const struct lwb_host *const *hosts, int argc, char **argv)
{
    struct arguments arguments = { 0 };
    struct lwb_stdout_guard guard;
    struct lwb_error err;
    enum lwb_child_exit code;

    if (parse_arguments(&arguments, argc, argv) != 0) {
        print_help(stderr, argv[0]);
        return LWB_CHILD_EXIT_USAGE;
    }
    if (arguments.help || arguments.version) {
        if (arguments.help)
            print_help(stdout, argv[0]);
        if (arguments.version)
            print_version(hosts);
        return LWB_CHILD_EXIT_OK;
    }
    code = prepare(&arguments, &guard, &err);
    if (code == LWB_CHILD_EXIT_OK)
        code = lwb_serve(hosts, guard.in, guard.out, &err);
    if (code != LWB_CHILD_EXIT_OK)
        fprintf(stderr, "lwbuild-child: %s\n", err.text);
    return (int)code;
}
