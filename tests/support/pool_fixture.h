#pragma once

#include "lwbuild/pool/pool.h"
#include "tests/support/worker_fixture.h"

/* A pool over fake children, and a few who want sessions from it. */

enum { SEEKERS = 8 };

struct seeker {
    struct lwb_pool_ticket *ticket;
    struct lwb_lease *lease;
    unsigned calls;          /* granted or failed */
    struct lwb_error failed; /* code 0: granted */
    unsigned done_calls;
    struct lwb_error done; /* of the last request; code 0: a response */
};

struct pool_fixture {
    struct worker_fixture base; /* the loop */
    const char *scenario;
    const char *host;
    char *scratch;                 /* NULL: sessions need none */
    const char *metadata;          /* expected of sessions; NULL: nothing */
    struct lwb_pool_config config; /* change before pool_fixture_open */
    struct lwb_pool *pool;
    struct seeker seekers[SEEKERS];
    unsigned shut_down;
};

int pool_fixture_setup(void **state);
int pool_fixture_teardown(void **state); /* returns leases, shuts down, looks for leftovers */
#define POOL_TEST(name)                                                                            \
    cmocka_unit_test_setup_teardown(name, pool_fixture_setup, pool_fixture_teardown)

void pool_fixture_open(struct pool_fixture *fixture);
void pool_fixture_shut_down(struct pool_fixture *fixture);

/* Let the loop run until the clock has gone on. */
void pool_fixture_pass_ms(struct pool_fixture *fixture, uint64_t ms);

/* Ask for a session of the world called `key`. */
int try_seek(struct pool_fixture *fixture, unsigned who, const char *key, struct lwb_error *err);
void seek(struct pool_fixture *fixture, unsigned who, const char *key);
void wait_granted(struct pool_fixture *fixture, unsigned who);
void give_back(struct pool_fixture *fixture, unsigned who);

/* Check a module called `name`: what fake-child does then. check waits for its end. */
int try_check(struct pool_fixture *fixture, unsigned who, const char *name, uint64_t timeout_ms,
              struct lwb_error *err);
void begin_check(struct pool_fixture *fixture, unsigned who, const char *name, uint64_t timeout_ms);
enum lwb_code check_n(struct pool_fixture *fixture, unsigned who, const char *name, unsigned n);
enum lwb_code check(struct pool_fixture *fixture, unsigned who, const char *name);

/* Entries of a folder. */
unsigned count_entries(const char *folder);
