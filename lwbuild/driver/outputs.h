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
 * was not checked. So every run gives all its outputs one date, that of a moment
 * before its last look at the inputs: when it began, or when it had written them.
 * And it looks when the clock of files has got past that moment (tick.h). So the
 * date is
 *
 *  - not older than what was there before the run. What an edge before this one has
 *    made a moment ago, and Make's own notes, are no reason to run again;
 *  - older than every edit that the look has not seen;
 *  - not older than the time at which Ninja has started the command. Since 1.12 it
 *    notes that time, and for edges with `restat`, as all of CMake's are, it compares
 *    inputs with what is noted or the outputs, whichever is later. So it
 *    would not do to date the outputs back by a tick and not to wait: an edit behind
 *    the look, in the tick of that start, has the date that is noted;
 *  - later than that of the run before. Ninja up to 1.11 takes an output that has
 *    kept its date (`restat`) for one that is as new as the newest input, or the
 *    depfile, is when Ninja gets to it, and so an edit behind the look for checked.
 *
 * This holds for Make 4 and for every Ninja, where newer means later by a nanosecond.
 * An input that is later than that date without being missed, since it was saved
 * while the run began, makes the next build run once more; one with a date of the
 * future every build until then. One that is put in place with an old date (cp -p, mv) is noticed
 * by no build tool, but by lwbuild when it runs.
 *
 * Outputs have to be left alone for what is built from them not to be built anew.
 * That is the business of an edge of its own behind this one, whose only input
 * is the stamp, which nobody edits: "copy if different" (LWBuild.cmake and
 * examples/ninja). --stamp-mode restat does without this edge; it gives an equal
 * stamp no new date, but for the one that makes the next build ask again, and is sound
 * with Ninja 1.12 and newer only.
 */
int lwb_outputs_write(struct lwb_world *world, struct lwb_error *err);

/* Fail early, before any work: the folders of stamp and depfile must exist. */
int lwb_outputs_precheck(const struct lwb_options *options, struct lwb_error *err);

/* The date that the run before has given its outputs; 0 when there is none. */
int64_t lwb_outputs_last_date(const struct lwb_options *options);

/*
 * The date for the outputs of a run: `moment`, which lwb_tick_now has told, or a later
 * one if that is not later than `last`. What is edited after this returns is later
 * still: look at the inputs now.
 */
int64_t lwb_outputs_choose_date(const struct lwb_options *options, int64_t last, int64_t moment);

/* Older than any input: the next build asks again, whatever it notes of this one. */
#define LWB_OUTPUTS_DATE_OLD INT64_C(1000000000)

/*
 * At the end of an accepted run, behind the last look: date all its outputs.
 * False when the stamp cannot be dated, since it is somebody else's.
 */
bool lwb_outputs_date(const struct lwb_options *options, int64_t date);
