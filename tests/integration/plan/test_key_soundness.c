#include "tests/support/test.h"

#include "tests/integration/plan/plan_fixture.h"
#include "tests/support/fake_olean.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/path.h"

/*
 * Everything that a key must cover is changed, one thing at a time and several
 * at once, 100,000 times (a million when LWB_LONG_TESTS is set), and each time
 * the key must be another one. What a key must not cover (times, inodes,
 * absolute paths, environment) is changed too, and the key must stay.
 *
 * X imports Y and L.A; Y imports Z; L.A imports L.B, which imports L.C; all import
 * Init, which imports Init.Core. The key of X is looked at.
 */
enum { KEYS_PER_PLAN = 100, MAX_AT_ONCE = 3, SOURCE_TAIL = 200 };

struct world {
    struct plan_fixture *f;
    struct lwb_toolchain toolchain;
    char prefix[300];
    char project[300];
    char host_digest[65];
    struct lwb_digest inputs[2];
    size_t n_inputs;
    unsigned z_artifact; /* what the compiler made of Z besides what its key says */
    const char *target;
};

static unsigned count_plans(void)
{
    return getenv("LWB_LONG_TESTS") ? 10000 : 1000;
}

static unsigned long state = 88172645463325252UL;

static unsigned rnd(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 16) % below;
}

/* ---- files of the world ---- */

/* A source whose tail is a comment in which byte `at` is `c`. */
static void write_source(struct world *w, const char *name, const char *head, unsigned at, char c)
{
    char text[SOURCE_TAIL + 200];
    int len = snprintf(text, sizeof(text), "%sdef x := 1\n-- ", head);

    memset(text + len, '.', SOURCE_TAIL);
    text[len + SOURCE_TAIL] = '\0';
    text[(size_t)len + at] = c;
    scratch_write(&w->f->scratch, name, text);
}

static void write_olean(struct world *w, const char *name, const char *imports, unsigned extra)
{
    char text[16];
    const struct fake_olean olean = { .layout = LWB_OLEAN_B, .imports = imports, .extra = text };

    (void)snprintf(text, sizeof(text), "%08x", extra);
    fake_olean_write(scratch_path(&w->f->scratch, name), &olean);
}

static void write_lakefile(struct world *w, const char *package, const char *options)
{
    char text[300];

    (void)snprintf(text, sizeof(text),
                   "name = \"%s\"\nmoreLeanArgs = [\"--plugin=p.so\"]\n"
                   "[[lean_lib]]\nname = \"X\"\nleanOptions = { %s }\n",
                   package, options);
    scratch_write(&w->f->scratch, "p/lakefile.toml", text);
}

static void write_plugin(struct world *w, unsigned content)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%08x", content);
    scratch_write(&w->f->scratch, "p/p.so", text);
}

static void write_world(struct world *w)
{
    write_lakefile(w, "p", "a = 1, b = true");
    write_plugin(w, 0);
    write_source(w, "p/X.lean", "import Y\nimport L.A\n", 0, '.');
    write_source(w, "p/Y.lean", "import Z\n", 0, '.');
    write_source(w, "p/Z.lean", "", 0, '.');
    write_olean(w, "lib/L/A.olean", "Init L.B", 0);
    write_olean(w, "lib/L/B.olean", "Init L.C", 0);
    write_olean(w, "lib/L/C.olean", "Init", 0);
    write_olean(w, "tc/lib/lean/Init.olean", "Init.Core", 0);
    write_olean(w, "tc/lib/lean/Init/Core.olean", "", 0);
}

/* ---- the key ---- */

static struct lwb_digest mix(const struct lwb_digest *key, unsigned salt)
{
    struct lwb_digest mixed = *key;

    mixed.bytes[0] = (unsigned char)(mixed.bytes[0] ^ salt);
    mixed.bytes[1] = (unsigned char)(mixed.bytes[1] ^ salt >> 8);
    return mixed;
}

static void plan_world(struct world *w)
{
    lwb_strvec_release(&w->f->targets);
    plan_fixture_target(w->f, w->target);
    plan_fixture_make(w->f);
}

/* Each module's artifact is made of its key: what is compiled differs when an input does. */
static struct lwb_digest key_of_plan(struct world *w)
{
    struct plan_fixture *f = w->f;
    size_t count = lwb_plan_module_count(f->plan);
    struct lwb_digest artifacts[8];
    const struct lwb_key_context context = {
        .host_digest = w->host_digest,
        .inputs = w->inputs,
        .n_inputs = w->n_inputs,
        .artifacts = artifacts,
    };
    struct lwb_digest key = { 0 };

    assert_true(count <= LWB_COUNT(artifacts));
    for (size_t i = 0; i < count; i++) {
        const char *name = lwb_plan_module(f->plan, i)->name;

        assert_int_equal(lwb_plan_key(&key, f->plan, i, &context, NULL, NULL, &f->err), LWB_OK);
        artifacts[i] = mix(&key, strcmp(name, "Z") == 0 ? w->z_artifact : 0);
    }
    return key;
}

static struct lwb_digest key_of_world(struct world *w)
{
    plan_world(w);
    return key_of_plan(w);
}

/* ---- what a key covers ---- */

static unsigned letter_at(unsigned value)
{
    return value % SOURCE_TAIL;
}

static void change_source(struct world *w, unsigned value)
{
    write_source(w, "p/X.lean", "import Y\nimport L.A\n", letter_at(value), 'x');
}

static void change_local_import(struct world *w, unsigned value)
{
    write_source(w, "p/Y.lean", "import Z\n", letter_at(value), 'y');
}

static void change_import_of_import(struct world *w, unsigned value)
{
    write_source(w, "p/Z.lean", "", letter_at(value), 'z');
}

static void change_artifact(struct world *w, unsigned value)
{
    w->z_artifact = value % 65535 + 1;
}

static void change_package_olean(struct world *w, unsigned value)
{
    static const char *const names[] = { "lib/L/A.olean", "lib/L/B.olean", "lib/L/C.olean" };
    static const char *const imports[] = { "Init L.B", "Init L.C", "Init" };
    unsigned which = value % 3;

    write_olean(w, names[which], imports[which], value | 1);
}

/* The time is put back, as some editors and tools do. */
static void set_time(const char *path, const struct stat *st)
{
    const struct timespec times[2] = { st->st_atim, st->st_mtim };

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void change_and_restore_time(struct world *w, unsigned value)
{
    const char *path = scratch_path(&w->f->scratch, "lib/L/C.olean");
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    write_olean(w, "lib/L/C.olean", "Init", value | 2);
    set_time(path, &st);
}

static void change_source_and_restore_time(struct world *w, unsigned value)
{
    const char *path = scratch_path(&w->f->scratch, "p/Y.lean");
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    write_source(w, "p/Y.lean", "import Z\n", letter_at(value), 't');
    set_time(path, &st);
}

static void change_toolchain_olean(struct world *w, unsigned value)
{
    write_olean(w, "tc/lib/lean/Init/Core.olean", "", value | 1);
}

static void change_toolchain(struct world *w, unsigned value)
{
    w->toolchain.identity.bytes[value % 32] ^= 1;
}

static void change_host(struct world *w, unsigned value)
{
    w->host_digest[value % 64] = w->host_digest[value % 64] == 'a' ? 'b' : 'a';
}

static void change_input(struct world *w, unsigned value)
{
    w->inputs[value % 2].bytes[value % 32] ^= 0x80;
}

static void drop_input(struct world *w, unsigned value)
{
    (void)value;
    w->n_inputs = 1;
}

static void change_option(struct world *w, unsigned value)
{
    static const char *const options[] = { "a = 2, b = true", "b = true, a = 1", "a = 1",
                                           "a = 1, b = false", "a = 1, b = true, c = 0" };

    write_lakefile(w, "p", options[value % LWB_COUNT(options)]);
}

static void add_option(struct world *w, unsigned value)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "opt%u=%u", value % 7, value);
    assert_int_equal(lwb_strvec_append(&w->f->options, text), 0);
}

static void shadow_a_file(struct world *w, unsigned value)
{
    write_olean(w, "first/L/A.olean", "Init L.B", value | 1);
    write_olean(w, "first/L/B.olean", "Init L.C", 0);
    write_olean(w, "first/L/C.olean", "Init", 0);
}

static void shadow_a_source(struct world *w, unsigned value)
{
    write_source(w, "gen/Z.lean", "", letter_at(value), 's');
}

/* Another module with the same text. */
static void rename_module(struct world *w, unsigned value)
{
    (void)value;
    write_source(w, "p/X2.lean", "import Y\nimport L.A\n", 0, '.');
    w->target = "X2";
}

static void rename_package(struct world *w, unsigned value)
{
    char name[16];

    (void)snprintf(name, sizeof(name), "p%u", value);
    write_lakefile(w, name, "a = 1, b = true");
}

static void change_plugin(struct world *w, unsigned value)
{
    write_plugin(w, value);
}

static const struct change {
    const char *name;
    void (*apply)(struct world *w, unsigned value);
    unsigned conflicts; /* others that write the same thing, as bits */
} changes[] = {
    { "source", change_source, 1U << 15 },
    { "local import", change_local_import, 1U << 16 },
    { "import of an import", change_import_of_import, 1U << 14 },
    { "artifact", change_artifact, 0 },
    { "olean of a package", change_package_olean, 1U << 5 | 1U << 13 },
    { "olean, time restored", change_and_restore_time, 1U << 4 | 1U << 13 },
    { "olean of the toolchain", change_toolchain_olean, 0 },
    { "toolchain", change_toolchain, 0 },
    { "host", change_host, 0 },
    { "input", change_input, 1U << 10 },
    { "number of inputs", drop_input, 1U << 9 },
    { "option of the project", change_option, 1U << 17 },
    { "option of the caller", add_option, 0 },
    { "shadowing olean", shadow_a_file, 1U << 4 | 1U << 5 },
    { "shadowing source", shadow_a_source, 1U << 2 },
    { "module name", rename_module, 1U << 0 },
    { "source, time restored", change_source_and_restore_time, 1U << 1 },
    { "package", rename_package, 1U << 11 },
    { "plugin", change_plugin, 0 },
};

/* Back to the world as it was, touching only what may have changed. */
static void undo(struct world *w, unsigned applied)
{
    struct scratch *scratch = &w->f->scratch;

    if (applied & 1U << 0)
        write_source(w, "p/X.lean", "import Y\nimport L.A\n", 0, '.');
    if (applied & (1U << 1 | 1U << 16))
        write_source(w, "p/Y.lean", "import Z\n", 0, '.');
    if (applied & 1U << 2)
        write_source(w, "p/Z.lean", "", 0, '.');
    if (applied & (1U << 4 | 1U << 5)) {
        write_olean(w, "lib/L/A.olean", "Init L.B", 0);
        write_olean(w, "lib/L/B.olean", "Init L.C", 0);
        write_olean(w, "lib/L/C.olean", "Init", 0);
    }
    if (applied & 1U << 6)
        write_olean(w, "tc/lib/lean/Init/Core.olean", "", 0);
    if (applied & (1U << 11 | 1U << 17))
        write_lakefile(w, "p", "a = 1, b = true");
    if (applied & 1U << 18)
        write_plugin(w, 0);
    if (applied & 1U << 13)
        assert_int_equal(lwb_file_remove_tree(scratch_path(scratch, "first/L"), &w->f->err),
                         LWB_OK);
    if (applied & 1U << 14)
        assert_int_equal(unlink(scratch_path(scratch, "gen/Z.lean")), 0);
    lwb_strvec_release(&w->f->options);
    memset(&w->toolchain.identity, 0, sizeof(w->toolchain.identity));
    w->target = "X";
}

static void undo_in_memory(struct world *w)
{
    memset(w->host_digest, '0', 64);
    memset(w->inputs, 0, sizeof(w->inputs));
    w->n_inputs = 2;
    w->z_artifact = 0;
}

/* ---- what a key does not cover ---- */

static void touch(struct world *w, const char *name)
{
    const struct timespec times[2] = { { .tv_sec = 1000 + rnd(1000000) },
                                       { .tv_sec = 1000 + rnd(1000000) } };

    assert_int_equal(utimensat(AT_FDCWD, scratch_path(&w->f->scratch, name), times, 0), 0);
}

static void change_what_does_not_matter(struct world *w)
{
    char value[32];

    write_world(w); /* new inodes and times */
    touch(w, "p/X.lean");
    touch(w, "p/Z.lean");
    touch(w, "lib/L/C.olean");
    touch(w, "tc/lib/lean/Init/Core.olean");
    (void)snprintf(value, sizeof(value), "%u", rnd(1000));
    assert_int_equal(setenv("LWB_TEST_NOISE", value, 1), 0);
}

/* Everything is somewhere else for a while. */
static struct lwb_digest key_elsewhere(struct world *w)
{
    char before[300];
    char after[300];
    struct lwb_digest key;

    (void)snprintf(before, sizeof(before), "%s", w->f->scratch.dir);
    (void)snprintf(after, sizeof(after), "%s-moved-%u", before, rnd(1000));
    assert_int_equal(rename(before, after), 0);
    (void)snprintf(w->f->scratch.dir, sizeof(w->f->scratch.dir), "%s", after);
    (void)snprintf(w->prefix, sizeof(w->prefix), "%s/tc", after);
    key = key_of_world(w);
    assert_int_equal(rename(after, before), 0);
    (void)snprintf(w->f->scratch.dir, sizeof(w->f->scratch.dir), "%s", before);
    (void)snprintf(w->prefix, sizeof(w->prefix), "%s/tc", before);
    return key;
}

/* ---- the tests ---- */

static void init_world(struct world *w, struct plan_fixture *f)
{
    *w = (struct world){ .f = f };
    plan_fixture_init(f);
    (void)snprintf(w->prefix, sizeof(w->prefix), "%s/tc", f->scratch.dir);
    w->toolchain.prefix = w->prefix;
    f->config.project = "p";
    f->config.host = "lean";
    f->config.toolchain = &w->toolchain;
    f->digests.source.recall = NULL;
    f->digests.source.remember = NULL;
    assert_int_equal(lwb_strvec_append(&f->import_paths, "first"), 0);
    assert_int_equal(lwb_strvec_append(&f->import_paths, "lib"), 0);
    assert_int_equal(lwb_strvec_append(&f->source_roots, "gen"), 0);
    scratch_write(&f->scratch, "gen/notes", "");
    undo(w, 0);
    undo_in_memory(w);
    write_world(w);
}

/* Those that need no new plan: artifact, host, input, number of inputs. */
#define IN_MEMORY (1U << 3 | 1U << 8 | 1U << 9 | 1U << 10)

/* Apply up to MAX_AT_ONCE of the changes in `from` that do not undo each other. */
static unsigned apply_some(struct world *w, unsigned from, unsigned least)
{
    unsigned wanted = least + rnd(MAX_AT_ONCE + 1 - least);
    unsigned applied = 0;
    unsigned forbidden = 0;
    unsigned count = 0;

    while (count < wanted) {
        unsigned which = rnd(LWB_COUNT(changes));

        if (!(from & 1U << which))
            continue;
        count++;
        if ((applied | forbidden) & 1U << which)
            continue;
        changes[which].apply(w, 1 + rnd(1000000));
        applied |= 1U << which;
        forbidden |= changes[which].conflicts;
    }
    return applied;
}

static void fail_same(unsigned applied)
{
    for (size_t i = 0; i < LWB_COUNT(changes); i++)
        if (applied & 1U << i)
            print_error("changed: %s\n", changes[i].name);
    fail_msg("and the key stayed the same");
}

/* All keys of one plan, of which the first has nothing changed but what made the plan. */
static void check_plan(struct world *w, const struct lwb_digest *base, unsigned in_files,
                       unsigned *seen)
{
    plan_world(w);
    for (unsigned round = 0; round < KEYS_PER_PLAN; round++) {
        unsigned applied = in_files;
        struct lwb_digest key;

        if (round || !in_files)
            applied |= apply_some(w, IN_MEMORY, 1);
        key = key_of_plan(w);
        if (lwb_digest_compare(&key, base) == 0)
            fail_same(applied);
        *seen |= applied;
        undo_in_memory(w);
    }
}

static void every_change_gives_another_key(void **unused)
{
    const unsigned all = (1U << LWB_COUNT(changes)) - 1;
    struct plan_fixture f;
    struct world w;
    struct lwb_digest base;
    struct lwb_digest again;
    const unsigned n_plans = count_plans();
    unsigned seen = 0;

    (void)unused;
    init_world(&w, &f);
    base = key_of_world(&w);
    for (unsigned round = 0; round < n_plans; round++) {
        unsigned alone = 1U << round % LWB_COUNT(changes) & ~IN_MEMORY;
        /* Each by itself first, then several at once, now and then none. */
        unsigned applied = round < LWB_COUNT(changes) ? alone ? apply_some(&w, alone, 1) : 0
                                                      : apply_some(&w, all & ~IN_MEMORY, 0);

        check_plan(&w, &base, applied, &seen);
        undo(&w, applied);
    }
    assert_int_equal(seen, all);
    again = key_of_world(&w);
    assert_int_equal(lwb_digest_compare(&again, &base), 0);
    plan_fixture_release(&f);
}

static void what_does_not_matter_keeps_the_key(void **unused)
{
    struct plan_fixture f;
    struct world w;
    const unsigned n_rounds = count_plans() / 10;
    struct lwb_digest base;

    (void)unused;
    init_world(&w, &f);
    base = key_of_world(&w);
    for (unsigned round = 0; round < n_rounds; round++) {
        struct lwb_digest key;

        change_what_does_not_matter(&w);
        key = round % 2 ? key_elsewhere(&w) : key_of_world(&w);
        assert_int_equal(lwb_digest_compare(&key, &base), 0);
    }
    plan_fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_gives_another_key),
        cmocka_unit_test(what_does_not_matter_keeps_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
