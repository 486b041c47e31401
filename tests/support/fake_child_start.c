#include "tests/support/fake_child_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Hello, open and terminate, and all the ways in which they go wrong. */

void fake_start_badly(void)
{
    if (fake_is(fake_scenario, "silent"))
        fake_wait_for_ever();
    if (fake_is(fake_scenario, "start-exit3"))
        _exit(3);
    if (fake_is(fake_scenario, "start-segv"))
        fake_end_as("segv");
    if (fake_is(fake_scenario, "start-stderr")) {
        fprintf(stderr, "first line\nno such \033[31mhost\033[0m\n");
        _exit(1);
    }
    if (fake_is(fake_scenario, "start-garbage")) {
        fake_raw("Hello, world!\n", 14);
        fake_wait_for_ever();
    }
}

static void say_version_2(void)
{
    static const char text[] =
        "{\"version\":2,\"generation\":1,\"request\":1,\"type\":\"response\"}";

    (void)lwb_frame_append(&fake_out, lwb_bytes_text(text), lwb_bytes(NULL, 0), FAKE_LIMIT,
                           &fake_err);
    fake_flush();
    fake_wait_for_ever();
}

void fake_say_hello(struct lwb_message *message)
{
    struct lwb_message_head head = fake_reply_to(&message->head, LWB_MSG_RESPONSE);
    struct lwb_host_offer host = { "fake", "00" };
    struct lwb_hello_response hello = {
        "fake-child", FAKE_LIMIT, (uint64_t)getpid(), &host, 1, NULL
    };
    struct lwb_refusal refusal = { .code = "setup", .text = "not today" };
    struct lwb_hello_request request;

    if (lwb_hello_request_decode(&request, message, &fake_err) < 0)
        fake_die(fake_err.text);
    if (fake_is(fake_scenario, "version"))
        say_version_2();
    hello.max_frame =
        fake_is(fake_scenario, "big-frames") ? request.max_frame + 1 : request.max_frame;
    hello.n_hosts = fake_is(fake_scenario, "no-hosts") ? 0 : 1;
    if (fake_is(fake_scenario, "stale-hello"))
        head.generation = 99;
    if (fake_is(fake_scenario, "refuse-hello")) {
        head.type = LWB_MSG_REFUSAL;
        (void)lwb_refusal_encode(&fake_out, &head, &refusal, FAKE_LIMIT, &fake_err);
    } else {
        (void)lwb_hello_response_encode(&fake_out, &head, &hello, FAKE_LIMIT, &fake_err);
    }
    if (fake_is(fake_scenario, "half-hello")) {
        fake_out.len /= 2;
        fake_flush();
        fake_end_as("segv");
    }
    fake_flush();
    if (fake_is(fake_scenario, "idle-exit"))
        _exit(3);
    if (fake_is(fake_scenario, "deaf"))
        fake_wait_for_ever();
}

void fake_terminate(const struct fake_work *work)
{
    if (fake_is(fake_scenario, "stubborn"))
        fake_wait_for_ever();
    if (fake_is(fake_scenario, "rude")) {
        fake_raw("\0\0\0\5rude!", 9);
        fake_wait_for_ever();
    }
    fake_answer(work);
    _exit(0);
}

static const char *package_of(struct lwb_message *message)
{
    struct lwb_open_request request;

    if (lwb_open_request_decode(&request, message, &fake_err) < 0 || !request.package)
        fake_die("no package that says what to do");
    return request.package;
}

void fake_open_session(struct lwb_message *message)
{
    struct lwb_message_head head = fake_reply_to(&message->head, LWB_MSG_RESPONSE);
    struct lwb_open_response opened = { "4.0.0-fake", "a fake" };
    struct lwb_refusal refusal = { .code = "no-toolchain", .text = "no Lean here" };

    if (fake_is(fake_scenario, "large"))
        fake_eat(strtoull(package_of(message), NULL, 10));
    if (fake_is(fake_scenario, "picky") && fake_is(package_of(message), "never"))
        fake_wait_for_ever();
    if (fake_is(fake_scenario, "refuse-open")) {
        head.type = LWB_MSG_REFUSAL;
        (void)lwb_refusal_encode(&fake_out, &head, &refusal, FAKE_LIMIT, &fake_err);
    } else {
        (void)lwb_open_response_encode(&fake_out, &head, &opened, FAKE_LIMIT, &fake_err);
    }
    fake_flush();
    if (fake_is(fake_scenario, "idle-frame"))
        fake_put_progress(&head, 1);
}
