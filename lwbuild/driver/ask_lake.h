#pragma once

#include "lwbuild/plan/lake_source.h"

/*
 * --ask-lake: a lakefile.lean is a program, and this runs it, with the
 * toolchain's own lake, in a folder of its own that holds a copy of the file and
 * nothing else. So nothing is written into the project, and the answer depends
 * on that file and the toolchain alone: it is remembered by their content. So the
 * planner hands in only what stands alone (lakefile.h), and one whose answer
 * names the folder is refused. Of what lake -K sets for a project nothing is
 * known here: get_config? has nothing to say.
 *
 * What lake prints is bounded, what it starts ends with it, and it is given
 * --timeout seconds, or two minutes. `world` is a struct lwb_world *, whose
 * toolchain must be 4.8 or later: no lake before that can translate.
 */
int lwb_ask_lake(void *world, struct lwb_bytes lakefile, struct lwb_buf *toml,
                 struct lwb_error *err);
