#pragma once

#include <lwbuild/lwbuild.h>

/*
 * What the program does, one step a function. Each takes a lease: exclusive use
 * of one child with the library loaded. Each returns LWB_OK or a code with err
 * filled; what it prints is what the README shows.
 */

/* A JSON command, typed: structs in, structs out. */
int run_sum(struct lwb_blocking *client, struct lwb_lease *lease, struct lwb_error *err);

/* A streaming command, with its progress. */
int run_primes(struct lwb_blocking *client, struct lwb_lease *lease, struct lwb_error *err);

/* A command that would never end is ended by a timer. LWB_OK when it was; the lease is spent. */
int cancel_what_never_ends(struct lwb_blocking *client, struct lwb_lease *lease,
                           struct lwb_error *err);

/* LWB_OK when the child has crashed and we have not; the lease is spent. */
int survive_a_crash(struct lwb_blocking *client, struct lwb_lease *lease, struct lwb_error *err);
