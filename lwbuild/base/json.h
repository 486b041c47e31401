#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "lwbuild/base/attributes.h"
#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * cJSON made strict. By itself cJSON 1.7 takes trailing bytes, cuts strings at
 * NUL, ignores the case of keys, accepts "01" and raw control characters, keeps
 * numbers as doubles and prints some 16-digit integers lossily. So:
 *
 * - a text is exactly one object of valid UTF-8, no NUL in it (raw or \u0000);
 * - keys are looked up with their case; of two equal keys the first counts;
 * - integers are at most LWB_JSON_INT_MAX; anything larger travels as a string;
 * - getters are typed, and their error names the key.
 *
 * The rest of lwbuild uses this header, never cJSON's own.
 */
#define LWB_JSON_INT_MAX INT64_C(999999999999999)

static inline void lwb_json_free(cJSON *json)
{
    cJSON_Delete(json);
}
LWB_DEFINE_AUTO_PTR(cJSON, lwb_json_free);

/* Let cJSON use base/alloc.h. Called once by programs before the first parse; tests too. */
void lwb_json_init(void);

/* Exactly one object and nothing behind it but white space. The caller owns *out. */
int lwb_json_parse(cJSON **out, struct lwb_bytes text, struct lwb_error *err);

/* Required members. Strings and objects are borrowed from `json`. */
int lwb_json_get_text(const cJSON *json, const char *key, const char **out, struct lwb_error *err);
int lwb_json_get_int(const cJSON *json, const char *key, int64_t *out, struct lwb_error *err);
int lwb_json_get_count(const cJSON *json, const char *key, uint64_t *out, struct lwb_error *err);
int lwb_json_get_bool(const cJSON *json, const char *key, bool *out, struct lwb_error *err);
int lwb_json_get_array(const cJSON *json, const char *key, const cJSON **out,
                       struct lwb_error *err);
int lwb_json_get_object(const cJSON *json, const char *key, const cJSON **out,
                        struct lwb_error *err);

/* Optional members: `missing` when the key is absent or null; wrong types are still errors. */
int lwb_json_opt_text(const cJSON *json, const char *key, const char *missing, const char **out,
                      struct lwb_error *err);
int lwb_json_opt_int(const cJSON *json, const char *key, int64_t missing, int64_t *out,
                     struct lwb_error *err);
int lwb_json_opt_bool(const cJSON *json, const char *key, bool missing, bool *out,
                      struct lwb_error *err);

/* Any member, or NULL. */
const cJSON *lwb_json_find(const cJSON *json, const char *key);

/* A value of an array or object as text; NULL when it is not a string. */
const char *lwb_json_text(const cJSON *value);

/*
 * Writing goes straight to a buffer, with commas and quotes by hand where it
 * is hot, else through these: quoted, escaped, invalid UTF-8 replaced by U+FFFD.
 */
void lwb_json_append_string(struct lwb_buf *out, struct lwb_bytes text);
void lwb_json_append_text(struct lwb_buf *out, const char *text);

/* "key":value members for hand-written objects; `*first` puts the commas. */
void lwb_json_member(struct lwb_buf *out, bool *first, const char *key);
void lwb_json_member_text(struct lwb_buf *out, bool *first, const char *key, const char *value);
void lwb_json_member_bytes(struct lwb_buf *out, bool *first, const char *key,
                           struct lwb_bytes value);
void lwb_json_member_int(struct lwb_buf *out, bool *first, const char *key, int64_t value);
void lwb_json_member_bool(struct lwb_buf *out, bool *first, const char *key, bool value);

/* The compact text of a parsed value. */
int lwb_json_print(struct lwb_buf *out, const cJSON *json, struct lwb_error *err);
