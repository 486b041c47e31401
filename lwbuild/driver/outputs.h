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
 *
 * Dates. A build tool takes a file that is newer than an output for an edit that
 * was not checked. So every run gives its outputs one date,
 *
 *  - later than the start of the run, which is what Ninja notes since 1.12;
 *  - earlier than the last look at the inputs: an edit that this look has not
 *    seen is later than the outputs;
 *  - later than that of the run before. Ninja up to 1.11 takes an output that has
 *    kept its date (`restat`) for one that is as new as the newest input, or the
 *    depfile, is when Ninja gets to it, and so an edit behind the look for checked.
 *
 * Outputs have to be left alone for what is built from them not to be built anew.
 * That is the business of an edge of its own behind this one, whose only input
 * is the stamp, which nobody edits: "copy if different" (LWBuild.cmake and
 * examples/ninja). --stamp-mode restat does without this edge; it gives an equal
 * stamp no new date, and is sound with Ninja 1.12 and newer only.
 */
int lwb_outputs_write(struct lwb_world *world, struct lwb_error *err);

/* Fail early, before any work: the folders of stamp and depfile must exist. */
int lwb_outputs_precheck(const struct lwb_options *options, struct lwb_error *err);

/* The date that the run before has given its outputs; 0 when there is none. */
int64_t lwb_outputs_last_date(const struct lwb_options *options);

/*
 * A date for the outputs of this run, later than `last`. What is edited after
 * this returns is later still: look at the inputs now.
 */
int64_t lwb_outputs_choose_date(const struct lwb_options *options, int64_t last);

/* Older than any input: the next build asks again, whatever it notes of this one. */
#define LWB_OUTPUTS_DATE_OLD INT64_C(1000000000)

/*
 * At the end of an accepted run, behind the last look: date all its outputs.
 * False when the stamp cannot be dated, since it is somebody else's.
 */
bool lwb_outputs_date(const struct lwb_options *options, int64_t date);
