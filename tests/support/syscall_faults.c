#include "tests/support/syscall_faults.h"

#include <elf.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Stopping at every call is slow, so that is for counting only. When one kind
 * shall fail, a filter lets the kernel stop the calls of that kind alone.
 */
enum { MAX_TRACEES = 64, LIFE_S = 60 };

/* One thread. Its first stop and the event that announces it come in either order. */
struct tracee {
    pid_t pid;
    enum traced_role role;
    bool announced;
    bool stopped;
};

struct tracer {
    struct tracee tracees[MAX_TRACEES];
    pid_t program;
    struct syscall_fault fault;
    struct syscall_trace *trace;
};

static atomic_bool *armed; /* shared with the life */
static volatile sig_atomic_t late;

const char *traced_role_name(enum traced_role role)
{
    static const char *const names[] = { "program", "launch", "guardian", "worker" };

    return names[role];
}

void syscall_faults_arm(bool on)
{
    atomic_store(armed, on);
}

bool syscall_faults_are_armed(void)
{
    return atomic_load(armed);
}

/* ---- registers --------------------------------------------------------------------------- */

#if defined(__x86_64__)
enum { CAN_TRACE = 1 };

static void skip_call(pid_t pid)
{
    (void)ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1L);
}

static void set_result(pid_t pid, long result)
{
    (void)ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), result);
}
#elif defined(__aarch64__)
enum { CAN_TRACE = 1 };

static void skip_call(pid_t pid)
{
    int none = -1;
    struct iovec value = { &none, sizeof(none) };

    (void)ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &value);
}

static void set_result(pid_t pid, long result)
{
    struct user_regs_struct registers;
    struct iovec value = { &registers, sizeof(registers) };

    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &value) != 0)
        return;
    registers.regs[0] = (unsigned long long)result;
    (void)ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &value);
}
#else
enum { CAN_TRACE = 0 };

static void skip_call(pid_t pid)
{
    (void)pid;
}

static void set_result(pid_t pid, long result)
{
    (void)pid;
    (void)result;
}
#endif

bool syscalls_can_be_traced(void)
{
    struct __ptrace_syscall_info info;
    bool can = false;
    pid_t pid = CAN_TRACE ? fork() : -1;

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) == 0)
            (void)raise(SIGSTOP);
        _exit(0);
    }
    if (pid > 0) {
        int status = 0;

        can = waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) &&
              ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0;
        (void)kill(pid, SIGKILL);
        while (!WIFEXITED(status) && !WIFSIGNALED(status) && waitpid(pid, &status, 0) == pid)
            ;
    }
    return can;
}

/* ---- calls ------------------------------------------------------------------------------- */

/* What a failure of it looks like; for most, that it is not allowed here. */
static int error_of(long call)
{
    switch (call) {
    case SYS_mmap:
    case SYS_brk:
    case SYS_execve:
        return ENOMEM;
    case SYS_clone:
#ifdef SYS_clone3
    case SYS_clone3:
#endif
#ifdef SYS_vfork
    case SYS_vfork:
#endif
        return EAGAIN;
    case SYS_openat:
    case SYS_pipe2:
    case SYS_dup3:
#ifdef SYS_dup2
    case SYS_dup2:
#endif
    case SYS_pidfd_open:
        return EMFILE;
    case SYS_wait4:
    case SYS_waitid:
        return ECHILD;
    case SYS_read:
    case SYS_write:
    case SYS_close:
        return EIO;
    default:
        return EPERM;
    }
}

/* It is about to be made. Returns whether its exit must be seen, too. */
static bool on_call(struct tracer *tracer, struct tracee *tracee, long call)
{
    unsigned *made = &tracer->trace->made[tracee->role][call];
    bool now = tracee->role == tracer->fault.role && call == tracer->fault.call &&
               (long)*made == tracer->fault.n;

    (*made)++;
    if (!now)
        return false;
    tracer->trace->fired = true;
    if (call == SYS_close)
        return true;
    skip_call(tracee->pid);
    set_result(tracee->pid, -error_of(call));
    return false;
}

/* Returns how to go on. */
static enum __ptrace_request on_syscall_stop(struct tracer *tracer, struct tracee *tracee)
{
    enum __ptrace_request plainly = tracer->fault.call < 0 ? PTRACE_SYSCALL : PTRACE_CONT;
    struct __ptrace_syscall_info info;
    uint64_t call;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof(info), &info) <= 0)
        return plainly;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        if (tracer->fault.call >= 0) /* the close that fails */
            set_result(tracee->pid, -error_of(tracer->fault.call));
        return plainly;
    }
    call = info.op == PTRACE_SYSCALL_INFO_SECCOMP ? info.seccomp.nr : info.entry.nr;
    if (!atomic_load(armed) || call >= TRACED_CALLS)
        return plainly;
    return on_call(tracer, tracee, (long)call) ? PTRACE_SYSCALL : plainly;
}

/* ---- who is there -------------------------------------------------------------------------- */

static struct tracee *find(struct tracer *tracer, pid_t pid)
{
    struct tracee *free_one = NULL;

    for (unsigned i = 0; i < MAX_TRACEES; i++) {
        if (tracer->tracees[i].pid == pid)
            return &tracer->tracees[i];
        if (!tracer->tracees[i].pid && !free_one)
            free_one = &tracer->tracees[i];
    }
    if (!free_one)
        abort();
    *free_one = (struct tracee){ .pid = pid };
    return free_one;
}

static void go_on(const struct tracer *tracer, const struct tracee *tracee, int sig)
{
    enum __ptrace_request how = tracer->fault.call < 0 ? PTRACE_SYSCALL : PTRACE_CONT;

    (void)ptrace(how, tracee->pid, 0, (long)sig);
}

static enum traced_role role_below(enum traced_role parent, int event)
{
    if (event == PTRACE_EVENT_CLONE) /* a thread */
        return parent;
    return parent == TRACED_PROGRAM ? TRACED_LAUNCH : TRACED_WORKER;
}

static void on_event(struct tracer *tracer, struct tracee *tracee, int event)
{
    unsigned long message = 0;
    struct tracee *new_one;

    if (event == PTRACE_EVENT_EXEC) {
        tracee->role = TRACED_GUARDIAN;
        return;
    }
    (void)ptrace(PTRACE_GETEVENTMSG, tracee->pid, 0, &message);
    new_one = find(tracer, (pid_t)message);
    new_one->role = role_below(tracee->role, event);
    new_one->announced = true;
    if (new_one->stopped)
        go_on(tracer, new_one, 0);
}

static void on_stop(struct tracer *tracer, struct tracee *tracee, int status)
{
    int sig = WSTOPSIG(status);
    int event = status >> 16;

    if (!tracee->stopped) { /* its first one */
        tracee->stopped = true;
        if (tracee->announced)
            go_on(tracer, tracee, 0);
        return;
    }
    if (event == PTRACE_EVENT_SECCOMP || sig == (SIGTRAP | 0x80)) {
        (void)ptrace(on_syscall_stop(tracer, tracee), tracee->pid, 0, 0);
        return;
    }
    if (event)
        on_event(tracer, tracee, event);
    go_on(tracer, tracee, event ? 0 : sig);
}

static void kill_all(const struct tracer *tracer)
{
    for (unsigned i = 0; i < MAX_TRACEES; i++)
        if (tracer->tracees[i].pid)
            (void)kill(tracer->tracees[i].pid, SIGKILL);
}

static void follow(struct tracer *tracer)
{
    struct tracee *tracee;
    int status;
    pid_t pid;

    for (;;) {
        pid = waitpid(-1, &status, __WALL);
        if (late && !tracer->trace->hung) {
            tracer->trace->hung = true;
            kill_all(tracer);
        }
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            return; /* nobody is left */
        tracee = find(tracer, pid);
        if (WIFSTOPPED(status)) {
            on_stop(tracer, tracee, status);
            continue;
        }
        if (pid == tracer->program)
            tracer->trace->status = status;
        tracee->pid = 0;
    }
}

/* ---- a run --------------------------------------------------------------------------------- */

static void on_alarm(int sig)
{
    (void)sig;
    late = 1;
}

/* Stop for the tracer at calls of this kind, here and in whatever is started from here. */
static void stop_at(long call)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(1);
}

static pid_t fork_life(void (*life)(void *ctx), void *ctx, const struct syscall_fault *fault)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    (void)setenv("CMOCKA_TEST_ABORT", "1",
                 1); /* a failed assertion must not return to the runner */
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
        _exit(1);
    (void)raise(SIGSTOP);
    if (fault->call >= 0)
        stop_at(fault->call);
    life(ctx);
    _exit(0);
}

void syscall_faults_run(void (*life)(void *ctx), void *ctx, const struct syscall_fault *fault,
                        struct syscall_trace *trace)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP |
                         PTRACE_O_EXITKILL;
    const struct sigaction alarm_action = { .sa_handler = on_alarm };
    struct tracer tracer = { .fault = *fault, .trace = trace };
    struct tracee *program;
    int status;

    if (!armed) {
        void *memory =
            mmap(NULL, sizeof(*armed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
            abort();
        armed = memory;
    }
    memset(trace, 0, sizeof(*trace));
    syscall_faults_arm(false);
    late = 0;
    (void)sigaction(SIGALRM, &alarm_action, NULL);
    tracer.program = fork_life(life, ctx, fault);
    if (tracer.program < 0 || waitpid(tracer.program, &status, 0) != tracer.program ||
        !WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, tracer.program, 0, options) != 0)
        abort();
    program = find(&tracer, tracer.program);
    program->announced = program->stopped = true;
    (void)alarm(LIFE_S);
    go_on(&tracer, program, 0);
    follow(&tracer);
    (void)alarm(0);
}
