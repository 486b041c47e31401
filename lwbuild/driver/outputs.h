#pragma once

#include "lwbuild/base/error.h"
#include "lwbuild/driver/world.h"

/*
 * What an accepted check leaves in the build tree: the depfile, then the
 * stamp. Both by temporary file and rename; never one without the other when
 * both are asked for.
 *
 * Short but sound: the depfile names every file and folder that the plan
 * looked at (sources, lakefiles, manifests, toolchain file, package folders'
 * own .olean files up to a bound), and for what it leaves out (the toolchain's
 * thousands of .olean files) the files that pin it: bin/lean and its libraries.
 * With --known-inputs it does not name what is on the command line.
 */
int lwb_outputs_write(struct lwb_world *world, struct lwb_error *err);

/* Fail early, before any work: the folders of stamp and depfile must exist. */
int lwb_outputs_precheck(const struct lwb_options *options, struct lwb_error *err);
