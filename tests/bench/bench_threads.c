/*
 * What one loop saves against the usual blocking supervisor. That one is built
 * here from its algorithm: a request is written with a blocking write, a thread
 * is started that reads frames until the answer and puts them into a bounded
 * channel, the caller waits on the channel with a time-out and joins the thread.
 * Both talk to echo-child in the same frames; the floor is a pair of pipes.
 *
 *     bench_threads [rounds]
 *
 * `overhead_*` is what each adds to the pipe, ours as the floor of theirs.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/protocol/frame.h"
#include "lwbuild/protocol/message.h"
#include "lwbuild/worker/launch.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_child.h"
#include "tests/bench/bench_floor.h"

enum { PINGS = 2000, EVENTS = 64, TIMEOUT_S = 30 };

/* ---- a thread per request ------------------------------------------------------------------- */

struct channel {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_cond_t emptied;
    struct lwb_message events[EVENTS];
    unsigned first;
    unsigned count;
};

struct blocking {
    struct bench_raw pipe;
    struct channel channel;
    struct lwb_buf out;
    uint64_t request;
};

static void put(struct channel *channel, const struct lwb_message *event)
{
    (void)pthread_mutex_lock(&channel->lock);
    while (channel->count == EVENTS)
        (void)pthread_cond_wait(&channel->emptied, &channel->lock);
    channel->events[(channel->first + channel->count++) % EVENTS] = *event;
    (void)pthread_cond_signal(&channel->filled);
    (void)pthread_mutex_unlock(&channel->lock);
}

static struct lwb_message take(struct channel *channel)
{
    struct timespec deadline;
    struct lwb_message event;

    (void)clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += TIMEOUT_S;
    (void)pthread_mutex_lock(&channel->lock);
    while (!channel->count)
        if (pthread_cond_timedwait(&channel->filled, &channel->lock, &deadline) == ETIMEDOUT)
            bench_die("nothing came");
    event = channel->events[channel->first];
    channel->first = (channel->first + 1) % EVENTS;
    channel->count--;
    (void)pthread_cond_signal(&channel->emptied);
    (void)pthread_mutex_unlock(&channel->lock);
    return event;
}

static bool is_answer(const struct lwb_message *message)
{
    return message->head.type == LWB_MSG_RESPONSE || message->head.type == LWB_MSG_REFUSAL;
}

/* The payload's memory goes with the program: what is measured is the way here. */
static void *read_until_answer(void *arg)
{
    struct blocking *blocking = arg;
    struct lwb_message message;

    do {
        unsigned char size[LWB_FRAME_HEADER];
        struct lwb_error err;
        size_t len;
        char *payload;

        bench_raw_read(blocking->pipe.from, (char *)size, sizeof(size));
        len = (size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3];
        payload = lwb_alloc(len);
        if (!payload)
            bench_die("no memory");
        bench_raw_read(blocking->pipe.from, payload, len);
        message = (struct lwb_message){ 0 };
        if (lwb_message_decode(&message, lwb_bytes(payload, len), &err) < 0)
            bench_die("%s", err.text);
        put(&blocking->channel, &message);
        lwb_free(payload);
    } while (!is_answer(&message));
    return NULL;
}

/* What is in blocking->out goes, and the answer comes. */
static void exchange(struct blocking *blocking)
{
    struct lwb_message event;
    pthread_t reader;

    bench_raw_write(blocking->pipe.to, blocking->out.ptr, blocking->out.len);
    lwb_buf_clear(&blocking->out);
    if (pthread_create(&reader, NULL, read_until_answer, blocking) != 0)
        bench_die("no thread");
    for (bool answered = false; !answered;) {
        event = take(&blocking->channel);
        answered = is_answer(&event);
        if (event.head.type == LWB_MSG_REFUSAL || event.head.request != blocking->request)
            bench_die("this is not the answer");
        lwb_message_release(&event);
    }
    (void)pthread_join(reader, NULL);
}

static struct lwb_message_head next_head(struct blocking *blocking, enum lwb_message_type type)
{
    return (struct lwb_message_head){
        .version = LWB_PROTOCOL_VERSION,
        .generation = 1,
        .request = ++blocking->request,
        .type = type,
    };
}

static void blocking_start(struct blocking *blocking)
{
    const struct lwb_hello_request hello = { LWB_FRAME_DEFAULT_LIMIT, "bench" };
    const struct lwb_open_request open = { .host = "echo" };
    struct lwb_message_head head;
    struct lwb_launch launch = { .program = ECHO_CHILD, .stdio = { -1, -1, STDERR_FILENO } };
    char *argv[] = { (char *)ECHO_CHILD, NULL };
    int to[2];
    int from[2];
    struct lwb_error err;

    *blocking = (struct blocking){
        .channel.lock = PTHREAD_MUTEX_INITIALIZER,
        .channel.filled = PTHREAD_COND_INITIALIZER,
        .channel.emptied = PTHREAD_COND_INITIALIZER,
        .out = LWB_BUF(1 << 20),
    };
    if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
        bench_die("no pipes");
    launch.argv = argv;
    launch.environment = argv + 1;
    launch.stdio[0] = to[0];
    launch.stdio[1] = from[1];
    if (lwb_launch(&blocking->pipe.pid, &launch) != 0)
        bench_die("the child does not start");
    close(to[0]);
    close(from[1]);
    blocking->pipe.to = to[1];
    blocking->pipe.from = from[0];
    head = next_head(blocking, LWB_MSG_HELLO);
    if (lwb_hello_request_encode(&blocking->out, &head, &hello, LWB_FRAME_DEFAULT_LIMIT, &err) < 0)
        bench_die("%s", err.text);
    exchange(blocking);
    head = next_head(blocking, LWB_MSG_OPEN);
    if (lwb_open_request_encode(&blocking->out, &head, &open, LWB_FRAME_DEFAULT_LIMIT, &err) < 0)
        bench_die("%s", err.text);
    exchange(blocking);
}

static uint64_t blocking_command(struct blocking *blocking)
{
    const struct lwb_export_request echo = { "echo", { "{}", 2 } };
    uint64_t start_ns = lwb_clock_ns();
    struct lwb_message_head head = next_head(blocking, LWB_MSG_COMMAND);
    struct lwb_error err;

    if (lwb_export_request_encode(&blocking->out, &head, &echo, LWB_FRAME_DEFAULT_LIMIT, &err) < 0)
        bench_die("%s", err.text);
    exchange(blocking);
    return lwb_clock_ns() - start_ns;
}

static void blocking_stop(struct blocking *blocking)
{
    close(blocking->pipe.to); /* the end of its input is the end of it */
    (void)waitpid(blocking->pipe.pid, NULL, 0);
    close(blocking->pipe.from);
    lwb_buf_release(&blocking->out);
}

/* ---- both, in turns -------------------------------------------------------------------------- */

static uint64_t our_command(struct bench_child *child)
{
    uint64_t start_ns = lwb_clock_ns();

    bench_child_begin(child, false, "echo", "{}");
    bench_child_wait(child);
    return child->over_ns - start_ns;
}

static void print_overhead(const char *name, struct bench_series *theirs, struct bench_series *ours,
                           struct bench_series *pipe)
{
    uint64_t floor = bench_percentile(pipe, 50);
    uint64_t their_part = bench_percentile(theirs, 50) - floor;
    uint64_t our_part = bench_percentile(ours, 50) - floor;

    printf("{\"name\":\"%s\",\"n\":%zu,\"median_ns\":%llu,"
           "\"floor\":\"overhead of lwbuild\",\"floor_ns\":%llu,\"ratio\":%.2f}\n",
           name, theirs->count, (unsigned long long)their_part, (unsigned long long)our_part,
           (double)their_part / (double)our_part);
}

static void compare(const char *name, const char *overhead, unsigned rounds, int cpu)
{
    struct bench_series theirs, ours, floor;
    struct blocking blocking;
    struct bench_child child;
    struct bench_raw pipe;

    bench_series_init(&theirs, name, (size_t)rounds * PINGS);
    bench_series_init(&ours, "lwbuild", (size_t)rounds * PINGS);
    bench_series_init(&floor, "pipe", (size_t)rounds * PINGS);
    bench_pin(cpu);
    pipe = bench_raw_start(bench_raw_pong);
    bench_child_create(&child, ECHO_CHILD, "echo", NULL);
    bench_child_start(&child);
    blocking_start(&blocking);
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < PINGS; i++)
            bench_add(&floor, bench_raw_ping(&pipe));
        for (unsigned i = 0; i < PINGS; i++)
            bench_add(&ours, our_command(&child));
        for (unsigned i = 0; i < PINGS; i++)
            bench_add(&theirs, blocking_command(&blocking));
    }
    blocking_stop(&blocking);
    bench_child_stop(&child);
    bench_child_destroy(&child);
    bench_raw_end(&pipe);
    bench_pin(-1);
    bench_print(&theirs, &floor, 1);
    print_overhead(overhead, &theirs, &ours, &floor);
    bench_series_release(&theirs);
    bench_series_release(&ours);
    bench_series_release(&floor);
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;

    (void)signal(SIGPIPE, SIG_IGN);
    compare("thread_per_request_same_cpu", "overhead_thread_per_request_same_cpu", rounds, 0);
    compare("thread_per_request_free", "overhead_thread_per_request_free", rounds, -1);
    return 0;
}
