#include "tests/support/test.h"

#include <fcntl.h>
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
    assert_int_equal(lwb_witness_list_encode(&world.encoded, &list), 0);
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

static bool holds(const struct world *world)
{
    return lwb_witness_list_holds(lwb_buf_bytes(&world->encoded));
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
        assert_false(lwb_witness_list_holds(lwb_buf_bytes(&cut)));
    }
}

static void a_file_read_just_after_it_was_written_is_racy(void **state)
{
    struct world *world = *state;
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };
    int64_t written;

    add(&list, world, LWB_SEEN_FILE, "src/A.lean");
    written = list.items[0].stat.ctime_ns;
    assert_true(lwb_witness_list_is_racy(&list, written));
    assert_true(lwb_witness_list_is_racy(&list, written + 1000000));
    assert_false(lwb_witness_list_is_racy(&list, written + INT64_C(10000000000)));
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
        IN_A_WORLD(a_file_read_just_after_it_was_written_is_racy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
