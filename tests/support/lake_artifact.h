#pragma once

#include <stdbool.h>

#include "lwbuild/base/buf.h"

/*
 * A module as Lake leaves it when its artifact cache is on: the files of the
 * build in <cache>/artifacts under the hashes of their contents, in the build
 * folder a trace that names them and the .ilean. Lake itself is not here to
 * write them; the notations are those of its sources (lake_outputs.h).
 */
enum lake_notation {
    LAKE_HEXADECIMAL, /* "schemaVersion" 2025-09-10: file names */
    LAKE_DECIMAL,     /* before: hashes alone */
};

struct lake_artifact {
    const char *cache; /* absolute */
    const char *lib;   /* the package's build folder, absolute */
    const char *stem;  /* "P/A" */
    const char *imports;
    const char *payload; /* lines of fake_lean ("provide x\n"); NULL */
    bool module_system;  /* with the server and private parts and the .ir */
    enum lake_notation notation;
};

/* Build it (again). Returns the file name of the .olean in <cache>/artifacts; valid for 7 more. */
const char *lake_artifact_build(const struct lake_artifact *module);
