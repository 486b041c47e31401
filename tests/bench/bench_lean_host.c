#include "tests/support/test.h"

#include <signal.h>
#include <stdlib.h>

#include "child/lean/lean_host_internal.h"
#include "lwbuild/base/clock.h"
#include "tests/bench/bench.h"
#include "tests/support/fake_toolchain.h"
#include "tests/support/lean_session.h"
#include "tests/support/real_lean.h"

/*
 * The Lean host by itself, in this process. What it adds to a check: a worker
 * that has nothing to elaborate (fake_lean), asked a thousand times. And what a
 * death costs: the warm worker is killed, and the next check is answered all
 * the same; against a session that is new, which has everything to import, too.
 *
 *   bench_lean_host [rounds (10)]
 *
 * The second part needs a Lean.
 */
static void check(struct lean_session *lean, const char *source)
{
    if (lean_session_check(lean, source) < 0 || lean->response.verdict != LWB_VERDICT_ACCEPTED)
        bench_die("%s", lean->err.text);
}

static void measure_overhead(void)
{
    enum { CHECKS = 1000 };
    static const char nothing[] = "theorem t : True := trivial\n";
    struct fake_toolchain fake;
    struct lean_session lean;
    struct bench_series series;

    lean_session_prepare(&lean, NULL, NULL);
    fake_toolchain_make(&fake, &lean.scratch, "2021-11");
    lean.open.toolchain = fake.prefix;
    lean.open.toolchain_version = fake.version;
    lean_session_open(&lean);
    bench_series_init(&series, "a warm check of nothing (fake_lean)", CHECKS);
    check(&lean, nothing);
    for (int i = 0; i < CHECKS; i++) {
        uint64_t start = lwb_clock_ns();

        check(&lean, nothing);
        bench_add(&series, lwb_clock_ns() - start);
    }
    bench_print(&series, NULL, 1);
    bench_series_release(&series);
    lean_session_finish(&lean);
}

static void open_real(struct lean_session *lean, const struct lwb_toolchain *toolchain)
{
    lean_session_prepare(lean, toolchain->prefix, toolchain->version);
    if (lwb_strvec_append(&lean->imports, "Lean") < 0)
        bench_die("no memory");
    lean_session_open(lean);
}

static void measure_death(const struct lwb_toolchain *toolchain, unsigned rounds)
{
    struct bench_series fresh, killed;

    bench_series_init(&fresh, "first check of a session", rounds);
    bench_series_init(&killed, "lean killed: next check", rounds);
    for (unsigned i = 0; i < rounds; i++) {
        struct lean_session lean;
        struct lwb_lean_session *session;
        uint64_t start = lwb_clock_ns();

        open_real(&lean, toolchain);
        check(&lean, "import Lean\ntheorem t : True := trivial\n");
        bench_add(&fresh, lwb_clock_ns() - start);
        session = lean.session;
        start = lwb_clock_ns();
        (void)kill(session->worker.process.pid, SIGKILL);
        check(&lean, "import Lean\ntheorem t : True := trivial\n");
        bench_add(&killed, lwb_clock_ns() - start);
        lean_session_finish(&lean);
    }
    bench_print(&fresh, NULL, 1);
    bench_print(&killed, &fresh, 1);
    bench_series_release(&fresh);
    bench_series_release(&killed);
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10;
    struct lwb_toolchain toolchain;

    if (!rounds)
        bench_die("usage: bench_lean_host [rounds]");
    measure_overhead();
    real_lean_find(&toolchain);
    measure_death(&toolchain, rounds);
    lwb_toolchain_release(&toolchain);
    return 0;
}
