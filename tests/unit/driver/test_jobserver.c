#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/driver/jobserver.h"
#include "tests/support/scratch.h"

static void the_last_word_before_the_dashes_counts(void **state)
{
    static const struct {
        const char *flags;
        enum lwb_jobserver_kind kind;
        int read_fd, write_fd;
    } cases[] = {
        { NULL, LWB_JOBSERVER_NONE, 0, 0 },
        { "", LWB_JOBSERVER_NONE, 0, 0 },
        { "k -j2", LWB_JOBSERVER_NONE, 0, 0 },
        { " -j2 --jobserver-auth=3,4", LWB_JOBSERVER_PIPE, 3, 4 },
        { "--jobserver-fds=5,6 -j", LWB_JOBSERVER_PIPE, 5, 6 },
        { "--jobserver-auth=3,4 --jobserver-auth=7,8", LWB_JOBSERVER_PIPE, 7, 8 },
        { "--jobserver-auth=-2,-2", LWB_JOBSERVER_NONE, 0, 0 },
        { "--jobserver-auth=3,4x", LWB_JOBSERVER_NONE, 0, 0 },
        { "-- --jobserver-auth=3,4", LWB_JOBSERVER_NONE, 0, 0 },
        { "--jobserver-auth=fifo:/tmp/x", LWB_JOBSERVER_FIFO, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct lwb_jobserver_auth auth;

        lwb_jobserver_parse(&auth, cases[i].flags);
        assert_int_equal(auth.kind, cases[i].kind);
        if (auth.kind == LWB_JOBSERVER_PIPE) {
            assert_int_equal(auth.read_fd, cases[i].read_fd);
            assert_int_equal(auth.write_fd, cases[i].write_fd);
        }
    }
}

/* All tokens that can be taken, then all given back: the same bytes are there. */
static void take_all_and_close(const char *flags, int check_fd)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf note = LWB_BUF(1000);
    struct lwb_jobserver jobserver;
    char bytes[8] = "";

    lwb_jobserver_open(&jobserver, flags, &note);
    assert_true(jobserver.active);
    assert_int_equal(note.len, 0);
    assert_true(lwb_jobserver_take(&jobserver));
    assert_true(lwb_jobserver_take(&jobserver));
    assert_true(lwb_jobserver_take(&jobserver));
    assert_false(lwb_jobserver_take(&jobserver));
    lwb_jobserver_give(&jobserver);
    assert_true(lwb_jobserver_take(&jobserver));
    lwb_jobserver_close(&jobserver);
    assert_int_equal(read(check_fd, bytes, sizeof(bytes)), 3);
    assert_non_null(memchr(bytes, 'a', 3));
    assert_non_null(memchr(bytes, 'b', 3));
    assert_non_null(memchr(bytes, 'c', 3));
}

static void tokens_of_a_pipe_come_back(void **state)
{
    char flags[64];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    (void)snprintf(flags, sizeof(flags), "-j4 --jobserver-auth=%d,%d", ends[0], ends[1]);
    take_all_and_close(flags, ends[0]);
    /* make's own descriptors stay open and blocking */
    assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    close(ends[0]);
    close(ends[1]);
}

static void tokens_of_a_fifo_come_back(void **state)
{
    struct scratch scratch;
    const char *path;
    char flags[512];
    int fd;

    (void)state;
    scratch_make(&scratch);
    path = scratch_path(&scratch, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(write(fd, "abc", 3), 3);
    (void)snprintf(flags, sizeof(flags), "--jobserver-auth=fifo:%s", path);
    take_all_and_close(flags, fd);
    close(fd);
    scratch_remove(&scratch);
}

static void closed_descriptors_are_noticed(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf note = LWB_BUF(1000);
    struct lwb_jobserver jobserver;

    (void)state;
    lwb_jobserver_open(&jobserver, "--jobserver-auth=900,901", &note);
    assert_false(jobserver.active);
    assert_false(lwb_jobserver_take(&jobserver));
    assert_true(note.len > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_word_before_the_dashes_counts),
        cmocka_unit_test(tokens_of_a_pipe_come_back),
        cmocka_unit_test(tokens_of_a_fifo_come_back),
        cmocka_unit_test(closed_descriptors_are_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
