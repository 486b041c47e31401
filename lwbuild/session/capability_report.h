#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * What a capability says about itself, read from the JSON of its "metadata" and
 * "doctor" exports. Strings are borrowed from the parsed JSON, which the
 * structs keep; members that are not known stay in `json` for whoever knows.
 */
struct cJSON;

struct lwb_named_version {
    const char *name;
    const char *version; /* "" when it has none */
};

struct lwb_capability_metadata {
    struct cJSON *json;
    const char *name; /* NULL if it says none, and so on */
    const char *version;
    const char *lean_version;
    struct lwb_named_version *commands;
    size_t n_commands;
    struct lwb_named_version *facts;
    size_t n_facts;
};

/* LWB_ERR_METADATA_MALFORMED. */
int lwb_capability_metadata_parse(struct lwb_capability_metadata *out, struct lwb_bytes json,
                                  struct lwb_error *err);
void lwb_capability_metadata_release(struct lwb_capability_metadata *metadata);
LWB_DEFINE_AUTO(struct lwb_capability_metadata, lwb_capability_metadata_release);

/*
 * Is it something that can be expected, of the shape that metadata has?
 * LWB_ERR_USAGE says what not.
 */
int lwb_capability_expectation_check(struct lwb_bytes expected, struct lwb_error *err);

/*
 * Is everything that `expected` (a JSON object) says so? Its texts and numbers
 * must be equal, its commands and facts be there by name with what it says of
 * them; what it does not mention may be anything. LWB_ERR_METADATA_MISMATCH
 * names the first member that differs, what was expected and what is.
 */
int lwb_capability_metadata_expect(const struct lwb_capability_metadata *metadata,
                                   struct lwb_bytes expected, struct lwb_error *err);

enum lwb_doctor_severity { LWB_DOCTOR_PASS, LWB_DOCTOR_WARNING, LWB_DOCTOR_ERROR };

struct lwb_doctor_diagnostic {
    enum lwb_doctor_severity severity;
    const char *code;
    const char *message;
    const struct cJSON *details; /* whatever it is; NULL when there are none */
};

struct lwb_doctor_report {
    struct cJSON *json;
    const struct cJSON *metadata; /* an object, or NULL */
    struct lwb_doctor_diagnostic *diagnostics;
    size_t n_diagnostics;
    enum lwb_doctor_severity worst;
};

/* LWB_ERR_DOCTOR_MALFORMED. */
int lwb_doctor_report_parse(struct lwb_doctor_report *out, struct lwb_bytes json,
                            struct lwb_error *err);
void lwb_doctor_report_release(struct lwb_doctor_report *report);
LWB_DEFINE_AUTO(struct lwb_doctor_report, lwb_doctor_report_release);
