#include "child/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "child/requests.h"
#include "lwbuild/protocol/frame.h"

enum { FRAME_TO_KEEP = 1024 * 1024 }; /* one large answer must not hold its memory for ever */

struct server {
    int in;
    struct lwb_frame_reader reader;
    struct lwb_outlet *outlet;
    struct lwb_requests requests;
    struct lwb_buf frame;
    uint64_t generation;
    uint64_t last_request;
    bool said_hello;
    bool terminated;
};

/* ---- reading ------------------------------------------------------------------------------- */

/* Returns the number of bytes read, 0 at the end of input. */
static ssize_t read_some(int fd, char *room, size_t len)
{
    struct pollfd wanted = { .fd = fd, .events = POLLIN };
    ssize_t got;

    for (;;) {
        got = read(fd, room, len);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return got;
        if (errno == EAGAIN)
            (void)poll(&wanted, 1, -1);
    }
}

static int read_more(struct server *server, struct lwb_error *err)
{
    size_t room;
    char *ptr = lwb_frame_reader_room(&server->reader, &room);
    ssize_t got;

    if (!ptr)
        return lwb_fail_memory(err);
    got = read_some(server->in, ptr, room);
    if (got < 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot read from the parent");
    lwb_frame_reader_commit(&server->reader, (size_t)got);
    return got > 0;
}

/* Returns 1 with the next payload, 0 at the end of input. */
static int next_payload(struct server *server, struct lwb_bytes *payload, struct lwb_error *err)
{
    int rc;

    for (;;) {
        rc = lwb_frame_next(&server->reader, payload, err);
        if (rc != 0)
            return rc;
        rc = read_more(server, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            return lwb_frame_reader_end(&server->reader, err);
    }
}

/* ---- answering ----------------------------------------------------------------------------- */

static int send_frame(struct server *server, struct lwb_error *err)
{
    int rc = lwb_outlet_send(server->outlet, lwb_buf_bytes(&server->frame), err);

    if (server->frame.cap > FRAME_TO_KEEP)
        lwb_buf_release(&server->frame);
    lwb_buf_clear(&server->frame);
    return rc;
}

static int refuse(struct server *server, const struct lwb_message_head *request,
                  const struct lwb_error *why, struct lwb_error *err)
{
    struct lwb_message_head head = *request;
    struct lwb_refusal refusal;

    head.type = LWB_MSG_REFUSAL;
    lwb_refusal_from_error(&refusal, why);
    lwb_buf_clear(&server->frame);
    if (lwb_refusal_encode(&server->frame, &head, &refusal, lwb_outlet_limit(server->outlet), err) <
        0)
        return err->code;
    return send_frame(server, err);
}

static int answer_plainly(struct server *server, const struct lwb_message_head *request,
                          struct lwb_error *err)
{
    struct lwb_message_head head = *request;

    head.type = LWB_MSG_RESPONSE;
    if (lwb_plain_encode(&server->frame, &head, lwb_outlet_limit(server->outlet), err) < 0)
        return err->code;
    return send_frame(server, err);
}

/* ---- hello --------------------------------------------------------------------------------- */

static uint32_t agree_on_limit(uint64_t asked)
{
    if (asked < LWB_FRAME_MIN_LIMIT)
        return LWB_FRAME_MIN_LIMIT;
    return asked < LWB_FRAME_MAX_LIMIT ? (uint32_t)asked : LWB_FRAME_MAX_LIMIT;
}

static void set_limit(struct server *server, uint32_t limit)
{
    server->frame.max = (size_t)LWB_FRAME_HEADER + limit;
    lwb_outlet_set_limit(server->outlet, limit);
    lwb_frame_reader_set_limit(&server->reader, limit);
}

enum { MAX_HOSTS = 16 };

static size_t offer_hosts(struct lwb_host_offer *offers, const struct lwb_host *const *hosts)
{
    size_t count = 0;

    for (; hosts[count] && count < MAX_HOSTS; count++)
        offers[count] = (struct lwb_host_offer){ hosts[count]->kind, hosts[count]->digest };
    return count;
}

static int answer_hello(struct server *server, struct lwb_message *message, struct lwb_error *err)
{
    struct lwb_host_offer offers[MAX_HOSTS];
    struct lwb_hello_response response = {
        .child = "lwbuild-child " LWB_VERSION,
        .pid = (uint64_t)getpid(),
        .hosts = offers,
        .n_hosts = offer_hosts(offers, server->requests.hosts),
    };
    struct lwb_message_head head = message->head;
    struct lwb_hello_request request;

    if (lwb_hello_request_decode(&request, message, err) < 0)
        return err->code;
    response.max_frame = agree_on_limit(request.max_frame);
    head.type = LWB_MSG_RESPONSE;
    if (lwb_hello_response_encode(&server->frame, &head, &response,
                                  lwb_outlet_limit(server->outlet), err) < 0 ||
        send_frame(server, err) < 0)
        return err->code;
    set_limit(server, (uint32_t)response.max_frame);
    server->generation = head.generation;
    server->said_hello = true;
    return LWB_OK;
}

/* ---- the conversation ------------------------------------------------------------------------ */

/* What must hold for every request; its breach is the end. */
static int check_head(const struct server *server, const struct lwb_message_head *head,
                      struct lwb_error *err)
{
    const char *type = lwb_message_type_name(head->type);

    if (!lwb_message_type_is_request(head->type))
        return lwb_fail(err, LWB_ERR_PROTOCOL, "\"%s\" is not a request", type);
    if ((head->type == LWB_MSG_HELLO) == server->said_hello)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "\"%s\" %s hello", type,
                        server->said_hello ? "after" : "before");
    if (!server->said_hello)
        return LWB_OK;
    if (head->generation != server->generation)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "generation %" PRIu64 ", this is %" PRIu64,
                        head->generation, server->generation);
    if (head->request <= server->last_request)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "request %" PRIu64 " after %" PRIu64, head->request,
                        server->last_request);
    return LWB_OK;
}

static int answer_from_host(struct server *server, struct lwb_message *message,
                            struct lwb_error *err)
{
    struct lwb_error why;

    if (lwb_requests_answer(&server->requests, message, server->outlet, &server->frame, &why) ==
        LWB_OK)
        return send_frame(server, err);
    if (!lwb_outlet_is_broken(server->outlet))
        return refuse(server, &message->head, &why, err);
    *err = why;
    return err->code;
}

static int answer(struct server *server, struct lwb_message *message, struct lwb_error *err)
{
    if (check_head(server, &message->head, err) < 0)
        return err->code;
    server->last_request = message->head.request;
    switch (message->head.type) {
    case LWB_MSG_HELLO:
        return answer_hello(server, message, err);
    case LWB_MSG_HEALTH:
        return answer_plainly(server, &message->head, err);
    case LWB_MSG_TERMINATE:
        server->terminated = true;
        lwb_requests_close_session(&server->requests);
        return answer_plainly(server, &message->head, err);
    default:
        return answer_from_host(server, message, err);
    }
}

static int converse(struct server *server, struct lwb_error *err)
{
    struct lwb_bytes payload;
    int rc;

    while (!server->terminated) {
        LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };

        rc = next_payload(server, &payload, err);
        if (rc <= 0)
            return rc;
        rc = lwb_message_decode(&message, payload, err);
        if (rc == LWB_OK)
            rc = answer(server, &message, err);
        if (rc < 0)
            return rc;
    }
    return LWB_OK;
}

static enum lwb_child_exit exit_code(const struct lwb_error *err)
{
    bool ours = err->code == LWB_ERR_SYSTEM || err->code == LWB_ERR_MEMORY;

    return ours ? LWB_CHILD_EXIT_SYSTEM : LWB_CHILD_EXIT_PROTOCOL;
}

enum lwb_child_exit lwb_serve(const struct lwb_host *const *hosts, int in, int out,
                              struct lwb_error *err)
{
    struct server server = {
        .in = in,
        .requests = { .hosts = hosts },
        .frame = LWB_BUF(LWB_FRAME_HEADER + LWB_FRAME_DEFAULT_LIMIT),
    };
    int rc = lwb_outlet_create(&server.outlet, out, LWB_FRAME_DEFAULT_LIMIT, err);

    if (rc < 0)
        return exit_code(err);
    lwb_frame_reader_init(&server.reader, LWB_FRAME_DEFAULT_LIMIT);
    rc = converse(&server, err);
    lwb_requests_close_session(&server.requests);
    lwb_frame_reader_release(&server.reader);
    lwb_outlet_destroy(server.outlet);
    lwb_buf_release(&server.frame);
    return rc < 0 ? exit_code(err) : LWB_CHILD_EXIT_OK;
}
