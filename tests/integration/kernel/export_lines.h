#pragma once

#include <cjson/cJSON.h>

#include "lwbuild/base/buf.h"

/*
 * An export as a list of JSON lines, to be changed by tests. A reference is a
 * number that stands for a name, level or expression; which, follows from its
 * key.
 */
enum space { NO_SPACE, NAMES, LEVELS, EXPRS };

struct export_lines {
    cJSON **lines;
    size_t n;
};

void export_parse(struct export_lines *out, struct lwb_bytes file);
void export_print(const struct export_lines *lines, struct lwb_buf *out);
void export_release(struct export_lines *lines);

/* What a number under this key refers to; NO_SPACE for counts and the like. */
enum space space_of(const char *key);

/* Call fn for every number and boolean of a line, with the key of it or of its array. */
typedef void (*export_visitor)(cJSON *value, const char *key, void *data);
void export_visit(cJSON *line, export_visitor fn, void *data);

/* The line declares something, rather than naming a part. */
bool is_declaration(const cJSON *line);
