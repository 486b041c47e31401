#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/driver/witness_list.h"
#include "tests/support/scratch.h"

/* A tree with two files, a folder and a path that is absent, and the list that says so. */
struct world {
    struct scratch scratch;
    struct lwb_buf encoded;
};

static void add(struct lwb_witness_list *list, const struct world *world, enum lwb_seen kind,
                const char *name)
{
    const char *path = scratch_path(&world->scratch, name);
    struct lwb_file_stat st = { 0 };
    struct lwb_error err;

    if (kind != LWB_SEEN_ABSENT)
        assert_int_equal(lwb_file_stat(&st, path, &err), 1);
    lwb_witness_list_add(list, kind, path, &st);
}

static int make_world(void **state)
{
    static struct world world;
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };

    scratch_make(&world.scratch);
    world.encoded = LWB_BUF(1 << 20);
    scratch_write(&world.scratch, "src/A.lean", "a");
    scratch_write(&world.scratch, "src/deep/B.lean", "b");
    scratch_write(&world.scratch, "build/stamp", "stamp");
    add(&list, &world, LWB_SEEN_FILE, "src/deep/B.lean");
    add(&list, &world, LWB_SEEN_FILE, "src/A.lean");
    add(&list, &world, LWB_SEEN_FILE, "src/A.lean");
    add(&list, &world, LWB_SEEN_FILE, "src");
    add(&list, &world, LWB_SEEN_ABSENT, "src/lakefile.toml");
    add(&list, &world, LWB_SEEN_ABSENT, "none/at/all");
    add(&list, &world, LWB_SEEN_OUTPUT, "build/stamp");
    assert_int_equal(lwb_witness_list_encode(&world.encoded, &list, INT64_MAX), 0);
    *state = &world;
    return 0;
}

static int drop_world(void **state)
{
    struct world *world = *state;

    lwb_buf_release(&world->encoded);
    scratch_remove(&world->scratch);
    return 0;
}

static bool holds_strictly(struct lwb_bytes encoded)
{
    LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes changes = { 0 };

    return lwb_witness_list_holds(encoded, &changes);
}

static bool holds(const struct world *world)
{
    return holds_strictly(lwb_buf_bytes(&world->encoded));
}

static void an_unchanged_world_holds(void **state)
{
    assert_true(holds(*state));
}

static void an_edit_shows(void **state)
{
    struct world *world = *state;

    scratch_write(&world->scratch, "src/deep/B.lean", "c");
    assert_false(holds(world));
}

static void an_edit_in_place_with_its_time_put_back_shows(void **state)
{
    struct world *world = *state;
    const char *path = scratch_path(&world->scratch, "src/A.lean");
    struct stat st;
    int fd;

    assert_int_equal(stat(path, &st), 0);
    fd = open(path, O_WRONLY);
    assert_int_equal(write(fd, "z", 1), 1);
    close(fd);
    const struct timespec times[2] = { st.st_atim, st.st_mtim };
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_false(holds(world));
}

static void what_was_absent_must_stay_absent(void **state)
{
    struct world *world = *state;

    scratch_write(&world->scratch, "none/at/all", "");
    assert_false(holds(world));
}

static void a_new_file_in_a_listed_folder_shows(void **state)
{
    struct world *world = *state;

    scratch_write(&world->scratch, "src/New.lean", "");
    assert_false(holds(world));
}

static void an_output_may_be_touched_but_not_lost(void **state)
{
    struct world *world = *state;
    const char *path = scratch_path(&world->scratch, "build/stamp");

    assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
    assert_true(holds(world));
    assert_int_equal(unlink(path), 0);
    assert_false(holds(world));
}

static void damaged_bytes_never_hold(void **state)
{
    struct world *world = *state;
    struct lwb_bytes all = lwb_buf_bytes(&world->encoded);

    for (size_t len = 1; len < all.len; len++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf cut = LWB_BUF(1 << 20);

        if (len % 8 == 0)
            continue; /* a list may end after any record */
        lwb_buf_append(&cut, all.ptr, len);
        assert_false(holds_strictly(lwb_buf_bytes(&cut)));
    }
}

static int encode_at(struct lwb_buf *out, const struct world *world, enum lwb_seen kind,
                     int64_t after_ns)
{
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };

    add(&list, world, kind, "src/A.lean");
    return lwb_witness_list_encode(out, &list, list.items[0].stat.ctime_ns + after_ns);
}

static void a_file_read_just_after_it_was_written_spoils_the_list(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);

    assert_int_equal(encode_at(&out, *state, LWB_SEEN_FILE, 0), -1);
    assert_int_equal(encode_at(&out, *state, LWB_SEEN_FILE, 1000000), -1);
    assert_int_equal(encode_at(&out, *state, LWB_SEEN_FILE, INT64_C(10000000000)), 0);
}

static void a_source_read_just_after_it_was_written_counts_as_changed(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes changed = { .max = 1 };

    assert_int_equal(encode_at(&out, *state, LWB_SEEN_SOURCE, 0), 0);
    assert_false(holds_strictly(lwb_buf_bytes(&out)));
    assert_true(lwb_witness_list_holds(lwb_buf_bytes(&out), &changed));
    assert_int_equal(changed.count, 1);
}

static struct lwb_file_stat stat_of(const struct world *world, const char *name)
{
    struct lwb_file_stat st;
    struct lwb_error err;

    assert_int_equal(lwb_file_stat(&st, scratch_path(&world->scratch, name), &err), 1);
    return st;
}

/* Two sources of modules; somebody has also asked whether one of them is there. */
static void make_sources(struct lwb_buf *out, const struct world *world)
{
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };
    struct lwb_file_stat a = stat_of(world, "src/A.lean");
    struct lwb_file_stat b = stat_of(world, "src/deep/B.lean");

    add(&list, world, LWB_SEEN_PROBED, "src/A.lean");
    lwb_witness_list_add_source(&list, scratch_path(&world->scratch, "src/A.lean"), &a, 7);
    lwb_witness_list_add_source(&list, scratch_path(&world->scratch, "src/deep/B.lean"), &b, 8);
    assert_int_equal(lwb_witness_list_encode(out, &list, INT64_MAX), 0);
}

static void changed_sources_are_listed(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes changed = { .max = 1 };
    struct lwb_file_stat now;

    make_sources(&out, world);
    assert_true(lwb_witness_list_holds(lwb_buf_bytes(&out), &changed));
    assert_int_equal(changed.count, 0);
    scratch_write(&world->scratch, "src/A.lean", "another");
    assert_true(lwb_witness_list_holds(lwb_buf_bytes(&out), &changed));
    assert_int_equal(changed.count, 1);
    assert_int_equal(changed.items[0].module, 7);
    assert_false(holds_strictly(lwb_buf_bytes(&out)));

    now = stat_of(world, "src/A.lean");
    lwb_witness_list_renew(out.ptr, changed.items[0].record, &now);
    assert_true(holds_strictly(lwb_buf_bytes(&out)));
}

static void more_changed_sources_than_wanted_are_a_no(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes changed = { .max = 1 };

    make_sources(&out, world);
    scratch_write(&world->scratch, "src/A.lean", "another");
    scratch_write(&world->scratch, "src/deep/B.lean", "another");
    assert_false(lwb_witness_list_holds(lwb_buf_bytes(&out), &changed));
}

static void a_changed_file_is_a_no_beside_changed_sources(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes changed = { .max = 9 };
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };
    struct lwb_file_stat a = stat_of(world, "src/A.lean");

    lwb_witness_list_add_source(&list, scratch_path(&world->scratch, "src/A.lean"), &a, 0);
    add(&list, world, LWB_SEEN_FILE, "src/deep/B.lean");
    assert_int_equal(lwb_witness_list_encode(&out, &list, INT64_MAX), 0);
    scratch_write(&world->scratch, "src/A.lean", "another");
    assert_true(lwb_witness_list_holds(lwb_buf_bytes(&out), &changed));
    scratch_write(&world->scratch, "src/deep/B.lean", "another");
    assert_false(lwb_witness_list_holds(lwb_buf_bytes(&out), &changed));
    assert_non_null(changed.other);
    assert_string_equal(changed.other, scratch_path(&world->scratch, "src/deep/B.lean"));
}

enum { MANY_FOLDERS = 36, MANY_FILES = 50, MANY = MANY_FOLDERS * MANY_FILES };

static const char *name_of_many(unsigned i)
{
    static char names[8][32];
    static unsigned next;
    char *name = names[next++ % 8];

    (void)snprintf(name, sizeof(names[0]), "many/D%02u/M%02u", i / MANY_FILES, i % MANY_FILES);
    return name;
}

/* So many that processors share the look; every 600th is no source. */
static void make_many(struct lwb_buf *out, const struct world *world)
{
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };

    for (unsigned i = 0; i < MANY; i++) {
        const char *name = name_of_many(i);
        struct lwb_file_stat st;

        scratch_write(&world->scratch, name, "a");
        st = stat_of(world, name);
        if (i % 600 == 599)
            add(&list, world, LWB_SEEN_FILE, name);
        else
            lwb_witness_list_add_source(&list, scratch_path(&world->scratch, name), &st, i);
    }
    assert_int_equal(lwb_witness_list_encode(out, &list, INT64_MAX), 0);
}

static void changes_among_many_are_told_in_order(void **state)
{
    static const unsigned edited[] = { 0, 1, 499, 500, 549, 550, 1400, MANY - 2 };
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 22);
    LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes changed = { .max = 100 };
    LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes few = { .max = 7 };

    make_many(&out, world);
    assert_true(holds_strictly(lwb_buf_bytes(&out)));
    for (size_t i = 0; i < LWB_COUNT(edited); i++)
        scratch_write(&world->scratch, name_of_many(edited[i]), "another");
    assert_false(holds_strictly(lwb_buf_bytes(&out)));
    assert_false(lwb_witness_list_holds(lwb_buf_bytes(&out), &few));
    assert_true(lwb_witness_list_holds(lwb_buf_bytes(&out), &changed));
    assert_int_equal(changed.count, LWB_COUNT(edited));
    for (size_t i = 0; i < LWB_COUNT(edited); i++) {
        struct lwb_file_stat now = stat_of(world, name_of_many(edited[i]));

        assert_int_equal(changed.items[i].module, edited[i]);
        lwb_witness_list_renew(out.ptr, changed.items[i].record, &now);
    }
    assert_true(holds_strictly(lwb_buf_bytes(&out)));
}

/* Whoever finds which one first. */
static void of_many_that_spoil_a_list_the_first_is_named(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 22);

    make_many(&out, world);
    for (unsigned i = MANY / 600; i-- > 0;) {
        const char *name = name_of_many(i * 600 + 599);

        assert_int_equal(unlink(scratch_path(&world->scratch, name)), 0);
        for (int round = 0; round < 10; round++) {
            LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes changed = { .max = 9 };

            assert_false(lwb_witness_list_holds(lwb_buf_bytes(&out), &changed));
            assert_non_null(changed.other);
            assert_string_equal(changed.other, scratch_path(&world->scratch, name));
        }
    }
}

/* A lakefile, an input: what else depends on it is not known. */
static void a_source_that_is_an_input_as_well_is_a_no(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes changed = { .max = 9 };
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };
    struct lwb_file_stat a = stat_of(world, "src/A.lean");

    lwb_witness_list_add_source(&list, scratch_path(&world->scratch, "src/A.lean"), &a, 0);
    add(&list, world, LWB_SEEN_FILE, "src/A.lean");
    assert_int_equal(lwb_witness_list_encode(&out, &list, a.ctime_ns), -1); /* racy */
    lwb_buf_clear(&out);
    assert_int_equal(lwb_witness_list_encode(&out, &list, INT64_MAX), 0);
    assert_true(lwb_witness_list_holds(lwb_buf_bytes(&out), &changed));
    scratch_write(&world->scratch, "src/A.lean", "another");
    assert_false(lwb_witness_list_holds(lwb_buf_bytes(&out), &changed));
}

static void what_was_probed_must_be_there(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };

    add(&list, world, LWB_SEEN_PROBED, "src/A.lean");
    assert_int_equal(lwb_witness_list_encode(&out, &list, 0), 0);
    scratch_write(&world->scratch, "src/A.lean", "another");
    assert_true(holds_strictly(lwb_buf_bytes(&out)));
    assert_int_equal(unlink(scratch_path(&world->scratch, "src/A.lean")), 0);
    assert_false(holds_strictly(lwb_buf_bytes(&out)));
}

/* ---- listed folders ------------------------------------------------------------------------ */

/* src/ as somebody who looks for sources has listed it `after_ns` behind its last change. */
static void list_sources(struct lwb_buf *out, const struct world *world, int64_t after_ns)
{
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec entries = { 0 };
    struct lwb_file_stat st = stat_of(world, "src");
    struct lwb_listing listing;
    struct lwb_error err;

    assert_int_equal(lwb_listing_read(&entries, &listing, AT_FDCWD,
                                      scratch_path(&world->scratch, "src"), LWB_LISTING_OF_SOURCES,
                                      &err),
                     LWB_OK);
    lwb_witness_list_add_folder(&list, scratch_path(&world->scratch, "src"), &st, &listing);
    assert_int_equal(lwb_witness_list_encode(out, &list, st.ctime_ns + after_ns), 0);
}

enum { LATE = 1000000000 };

static void a_listed_folder_is_its_names(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);
    const char *saved = scratch_path(&world->scratch, "src/A.lean");
    const char *temporary = scratch_path(&world->scratch, "src/A.lean~");

    list_sources(&out, world, LATE);
    assert_true(holds_strictly(lwb_buf_bytes(&out)));
    scratch_write(&world->scratch, "src/A.lean~", "");
    scratch_write(&world->scratch, "src/.A.lean.swp", "");
    assert_true(holds_strictly(lwb_buf_bytes(&out)));
    assert_int_equal(rename(temporary, saved), 0);
    assert_true(holds_strictly(lwb_buf_bytes(&out)));
    scratch_write(&world->scratch, "src/New.lean", "");
    assert_false(holds_strictly(lwb_buf_bytes(&out)));
    assert_int_equal(unlink(scratch_path(&world->scratch, "src/New.lean")), 0);
    assert_true(holds_strictly(lwb_buf_bytes(&out)));
    assert_int_equal(mkdir(scratch_path(&world->scratch, "src/new"), 0700), 0);
    assert_false(holds_strictly(lwb_buf_bytes(&out)));
}

/* A link may lead to a folder, and a folder may have a name that ends in .lean. */
static void a_listed_name_that_becomes_something_else_shows(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);
    const char *source = scratch_path(&world->scratch, "src/A.lean");

    list_sources(&out, world, LATE);
    assert_int_equal(unlink(source), 0);
    assert_int_equal(mkdir(source, 0700), 0);
    assert_false(holds_strictly(lwb_buf_bytes(&out)));
}

static void during_a_run_it_counts_which_sources_are_there(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes run = { .during_run = true };

    list_sources(&out, world, LATE);
    assert_int_equal(mkdir(scratch_path(&world->scratch, "src/new"), 0700), 0);
    assert_true(lwb_witness_list_holds(lwb_buf_bytes(&out), &run));
    assert_int_equal(run.n_folders, 0); /* it is not as it was */
    scratch_write(&world->scratch, "src/New.lean", "");
    assert_false(lwb_witness_list_holds(lwb_buf_bytes(&out), &run));
    assert_string_equal(run.other, scratch_path(&world->scratch, "src"));
}

/* By what is said of its date alone, without a look at its names. */
static size_t listed_again(const struct lwb_buf *encoded)
{
    LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes changes = { 0 };

    assert_true(lwb_witness_list_holds(lwb_buf_bytes(encoded), &changes));
    return changes.n_folders;
}

static void a_folder_listed_just_after_a_change_is_listed_again(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);

    list_sources(&out, world, 0);
    assert_int_equal(listed_again(&out), 1);
}

static void the_new_date_of_a_folder_is_noted_once_it_can_be_relied_on(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_witness_changes_release) struct lwb_witness_changes changes = { 0 };
    int64_t changed_ns;

    list_sources(&out, world, LATE);
    scratch_write(&world->scratch, "src/notes", "");
    changed_ns = stat_of(world, "src").ctime_ns;
    assert_true(lwb_witness_list_holds(lwb_buf_bytes(&out), &changes));
    lwb_witness_list_redate(out.ptr, &changes, changed_ns);
    assert_int_equal(listed_again(&out), 1);
    lwb_witness_list_redate(out.ptr, &changes, changed_ns + LATE);
    assert_int_equal(listed_again(&out), 0);
}

/* Who counted what cannot be told from the names of one of them. */
static void a_folder_listed_in_two_ways_is_its_date(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };
    const struct lwb_listing both = { .of = LWB_LISTING_OF_ALL };
    struct lwb_file_stat st = stat_of(world, "src");

    lwb_witness_list_add_folder(&list, scratch_path(&world->scratch, "src"), &st, &both);
    assert_int_equal(lwb_witness_list_encode(&out, &list, st.ctime_ns), -1); /* racy */
    lwb_buf_clear(&out);
    assert_int_equal(lwb_witness_list_encode(&out, &list, INT64_MAX), 0);
    assert_true(holds_strictly(lwb_buf_bytes(&out)));
    scratch_write(&world->scratch, "src/notes", "");
    assert_false(holds_strictly(lwb_buf_bytes(&out)));
}

int main(void)
{
#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(an_unchanged_world_holds),
        IN_A_WORLD(an_edit_shows),
        IN_A_WORLD(an_edit_in_place_with_its_time_put_back_shows),
        IN_A_WORLD(what_was_absent_must_stay_absent),
        IN_A_WORLD(a_new_file_in_a_listed_folder_shows),
        IN_A_WORLD(an_output_may_be_touched_but_not_lost),
        IN_A_WORLD(damaged_bytes_never_hold),
        IN_A_WORLD(changes_among_many_are_told_in_order),
        IN_A_WORLD(of_many_that_spoil_a_list_the_first_is_named),
        IN_A_WORLD(a_file_read_just_after_it_was_written_spoils_the_list),
        IN_A_WORLD(a_source_read_just_after_it_was_written_counts_as_changed),
        IN_A_WORLD(changed_sources_are_listed),
        IN_A_WORLD(more_changed_sources_than_wanted_are_a_no),
        IN_A_WORLD(a_changed_file_is_a_no_beside_changed_sources),
        IN_A_WORLD(a_source_that_is_an_input_as_well_is_a_no),
        IN_A_WORLD(what_was_probed_must_be_there),
        IN_A_WORLD(a_listed_folder_is_its_names),
        IN_A_WORLD(a_listed_name_that_becomes_something_else_shows),
        IN_A_WORLD(during_a_run_it_counts_which_sources_are_there),
        IN_A_WORLD(a_folder_listed_just_after_a_change_is_listed_again),
        IN_A_WORLD(the_new_date_of_a_folder_is_noted_once_it_can_be_relied_on),
        IN_A_WORLD(a_folder_listed_in_two_ways_is_its_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
