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

/*
 * At the end of an accepted run: all outputs get the date of the stamp, which is
 * from before the last look at the inputs.
 *
 * What Ninja takes for the date of an edge is that of its newest output; and if
 * one of them has kept its date, that of the depfile (Ninja 1.11, restat), which
 * CMake writes anew behind the run. An edit between the last look and that would
 * be taken for checked. (It still is where the stamp itself is left alone, that
 * is when nothing but dates had changed before.)
 */
void lwb_outputs_date(const struct lwb_options *options);
