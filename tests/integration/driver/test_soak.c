#include "tests/support/test.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "tests/integration/driver/echo_project.h"

/*
 * Random life: edits, checks, kills, interrupts, trims and clears, several
 * drivers at once over one cache. After every few steps all answers must be
 * right, no process may be left, no descriptor lost, and no driver may have
 * needed more memory than those of the beginning.
 *
 * LWB_SOAK_S is how long it goes on (default 8 seconds), LWB_SEED repeats a run.
 */
enum { MODULES = 12, DRIVERS = 3, DEFAULT_SECONDS = 8, STEPS_PER_ROUND = 6, FIRST_ROUNDS = 5 };

/* What a source says: few warn, so that at times all is clean and snapshots answer. */
enum { SILENT_VERSIONS = 3, WARNS = SILENT_VERSIONS, REJECTED };

struct soak {
    struct echo_project *project;
    unsigned seed;
    unsigned version[MODULES]; /* what each source says now */
    unsigned long rounds;
    unsigned long clean_rounds;
    long first_rss_kib; /* most of any driver in the first rounds */
    struct program_handle running[DRIVERS];
    bool is_running[DRIVERS];
};

static unsigned roll(struct soak *soak, unsigned sides)
{
    return (unsigned)rand_r(&soak->seed) % sides;
}

static unsigned import_of(unsigned module)
{
    return (module - 1) / 2;
}

/* Module i imports module (i - 1) / 2: a small tree. */
static void write_module(struct soak *soak, unsigned i)
{
    static const char *const lines[] = {
        [WARNS] = "-- echo: warn 3:0 look\n",
        [REJECTED] = "-- echo: error 3:0 no\n",
    };
    unsigned version = soak->version[i];
    char name[32], text[256];

    (void)snprintf(name, sizeof(name), "M%02u.lean", i);
    (void)snprintf(text, sizeof(text), "%s%02u\n-- echo: spin %u\n%sdef x := %u\n",
                   i ? "import M" : "-- no import ", i ? import_of(i) : 0, soak->seed % 5,
                   version < SILENT_VERSIONS ? "" : lines[version], version / 2);
    echo_project_write(soak->project, name, text);
}

static void edit(struct soak *soak)
{
    unsigned i = roll(soak, MODULES);

    /* Often what it was some time ago: a hit. */
    soak->version[i] = roll(soak, 10) ? roll(soak, SILENT_VERSIONS) : WARNS + roll(soak, 2);
    write_module(soak, i);
}

static void start(struct soak *soak)
{
    static const char *const words[] = { "--jobs", "2", "@list.rsp", NULL };
    unsigned slot = roll(soak, DRIVERS);

    if (soak->is_running[slot])
        return;
    echo_project_start(&soak->running[slot], soak->project, words);
    soak->is_running[slot] = true;
}

static void finish(struct soak *soak, unsigned slot)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    if (!soak->is_running[slot])
        return;
    program_wait(&run, &soak->running[slot]);
    soak->is_running[slot] = false;
    while (program_has_child_of(soak->running[slot].pid)) {
        struct timespec moment = { 0, 1000000 };

        (void)nanosleep(&moment, NULL); /* bounded by the test's time-out */
    }
}

static void hit(struct soak *soak, int signal)
{
    unsigned slot = roll(soak, DRIVERS);

    if (!soak->is_running[slot])
        return;
    (void)kill(soak->running[slot].pid, signal);
    finish(soak, slot);
}

static void tend_cache(struct soak *soak)
{
    static const char *const commands[] = { "cache trim", "cache verify", "cache clear" };
    const char *none[] = { NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    /* Clearing is rare: a soak of misses only would prove little. */
    echo_project_command(&run, soak->project, commands[roll(soak, 8) ? roll(soak, 2) : 2], none);
    if (run.exit_code != 0)
        fail_msg("exit %d: %s%s", run.exit_code, lwb_buf_text(&run.out), lwb_buf_text(&run.err));
}

static void step(struct soak *soak)
{
    switch (roll(soak, 8)) {
    case 0:
    case 1:
    case 2:
        edit(soak);
        break;
    case 3:
    case 4:
        start(soak);
        break;
    case 5:
        hit(soak, SIGKILL);
        break;
    case 6:
        hit(soak, SIGINT);
        break;
    default:
        tend_cache(soak);
        break;
    }
}

static unsigned count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* All messages of modules whose imports are accepted, and the exit code. */
static int expect(const struct soak *soak, struct lwb_buf *out)
{
    bool fails[MODULES] = { false };
    int code = 0;

    for (unsigned i = 0; i < MODULES; i++) {
        fails[i] = i && fails[import_of(i)];
        if (fails[i])
            continue;
        if (soak->version[i] == WARNS)
            lwb_buf_format(out, "M%02u.lean:3:0: warning: look\n", i);
        if (soak->version[i] == REJECTED)
            lwb_buf_format(out, "M%02u.lean:3:0: error: no\n", i);
        fails[i] = soak->version[i] == REJECTED;
        code |= fails[i];
    }
    return code;
}

/*
 * What a driver may need beyond those of the beginning: they did not all have
 * the same to do, and AddressSanitizer keeps what was freed.
 */
#ifdef LWB_SANITIZED
enum { MORE_KIB = 128 * 1024 };
#else
enum { MORE_KIB = 8 * 1024 };
#endif

static void watch_memory(struct soak *soak, long max_rss_kib)
{
    if (soak->rounds++ < FIRST_ROUNDS)
        soak->first_rss_kib = max_rss_kib > soak->first_rss_kib ? max_rss_kib : soak->first_rss_kib;
    else
        assert_in_range(max_rss_kib, 0, soak->first_rss_kib + MORE_KIB);
}

static void expect_right_answers(struct soak *soak)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf expected = LWB_BUF(64 * 1024);
    int expected_code;

    for (unsigned slot = 0; slot < DRIVERS; slot++)
        finish(soak, slot);
    expected_code = expect(soak, &expected);
    echo_project_check(&run, soak->project, "@list.rsp", NULL);
    if (run.exit_code != expected_code)
        fail_msg("exit %d, expected %d: %s%s", run.exit_code, expected_code, lwb_buf_text(&run.out),
                 lwb_buf_text(&run.err));
    assert_string_equal(lwb_buf_text(&run.out), lwb_buf_text(&expected));
    soak->clean_rounds += !expected.len;
    watch_memory(soak, run.max_rss_kib);
}

static unsigned long setting(const char *name, unsigned long fallback)
{
    const char *value = getenv(name);

    return value && *value ? strtoul(value, NULL, 10) : fallback;
}

static void a_random_life_stays_right(void **state)
{
    struct soak soak = {
        .project = *state,
        .seed = (unsigned)setting("LWB_SEED", (unsigned long)time(NULL)),
    };
    uint64_t end_ms = lwb_clock_ms() + setting("LWB_SOAK_S", DEFAULT_SECONDS) * 1000;
    unsigned descriptors;
    char list[MODULES * 16] = "";

    print_message("LWB_SEED=%u\n", soak.seed);
    for (unsigned i = 0; i < MODULES; i++) {
        write_module(&soak, i);
        (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "M%02u.lean\n", i);
    }
    echo_project_write(soak.project, "list.rsp", list);
    expect_right_answers(&soak);
    descriptors = count_descriptors();
    while (lwb_clock_ms() < end_ms) {
        for (int i = 0; i < STEPS_PER_ROUND; i++)
            step(&soak);
        expect_right_answers(&soak);
        assert_int_equal(count_descriptors(), descriptors);
    }
    print_message("%lu rounds, %lu of them clean; %ld KiB\n", soak.rounds, soak.clean_rounds,
                  soak.first_rss_kib);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_random_life_stays_right, echo_project_setup,
                                        echo_project_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
