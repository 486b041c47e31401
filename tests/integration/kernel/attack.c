#include "tests/support/test.h"

#include "tests/integration/kernel/attack.h"

static void build(struct builder *b, const char *fixture, attack fn)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 24);

    if (fixture) {
        read_fixture(&file, fixture);
        builder_continue(b, lwb_buf_bytes(&file));
    } else {
        builder_start(b);
    }
    fn(b);
    assert_true(lwb_buf_ok(&b->out));
}

static void check(const char *fixture, attack fn, enum lwb_kernel_verdict expected,
                  const char *what, const char *reason, size_t n_ways)
{
    static const struct verdict_options ways[] = {
        { .threads = 1, .time_ms = 60000 },
        { .threads = 2, .time_ms = 60000 },
        { .threads = 1, .time_ms = 60000, .no_caches = true },
    };
    struct builder b;
    size_t i;

    build(&b, fixture, fn);
    for (i = 0; i < n_ways; i++) {
        struct lwb_kernel_summary summary;

        (void)verdict_with(lwb_buf_bytes(&b.out), &ways[i], &summary);
        if (summary.verdict != expected || (reason && !strstr(summary.reason, reason)))
            print_message("%s: %s, line %u %s: %s\n", what,
                          lwb_kernel_verdict_name(summary.verdict), summary.line, summary.name,
                          summary.reason);
        assert_int_equal(summary.verdict, expected);
        if (reason)
            assert_non_null(strstr(summary.reason, reason));
    }
    builder_release(&b);
}

void check_attack(const char *fixture, attack fn, enum lwb_kernel_verdict expected,
                  const char *what)
{
    check(fixture, fn, expected, what, NULL, 3);
}

void check_shared(attack fn, const char *what)
{
    check(BASIC, fn, LWB_KERNEL_ACCEPT, what, NULL, 2);
}

void check_attacks(const struct attack_case *cases, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        check(cases[i].fixture, cases[i].fn,
              cases[i].reason ? LWB_KERNEL_REJECT : LWB_KERNEL_ACCEPT, cases[i].what,
              cases[i].reason, 3);
}

unsigned b_one(struct builder *b)
{
    return b_level(b, "succ", 0);
}

unsigned b_app2(struct builder *b, unsigned f, unsigned x, unsigned y)
{
    return b_app(b, b_app(b, f, x), y);
}

unsigned b_equation(struct builder *b, const char *type, unsigned x, unsigned y)
{
    return b_app2(b, b_app(b, b_const_at(b, "Eq", b_one(b)), b_const(b, type)), x, y);
}

unsigned b_refl(struct builder *b, const char *type, unsigned x)
{
    return b_app2(b, b_const_at(b, "Eq.refl", b_one(b)), b_const(b, type), x);
}
