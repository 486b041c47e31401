#include "lwbuild/driver/policy.h"

#include <string.h>

#include "lwbuild/base/json.h"

static bool contains(struct lwb_bytes text, const char *words)
{
    return memmem(text.ptr, text.len, words, strlen(words)) != NULL;
}

bool lwb_policy_is_sorry(const struct lwb_diagnostic *diagnostic)
{
    if (diagnostic->severity != LWB_SEVERITY_WARNING)
        return false;
    if (lwb_bytes_is(diagnostic->code, "hasSorry"))
        return true;
    return contains(diagnostic->message, "declaration uses 'sorry'") ||
           contains(diagnostic->message, "declaration uses `sorry`");
}

bool lwb_policy_objects(const struct lwb_policy *policy, const struct lwb_diagnostic *diagnostic)
{
    switch (policy->fail_on) {
    case LWB_FAIL_ON_WARNING:
        return diagnostic->severity != LWB_SEVERITY_INFORMATION;
    case LWB_FAIL_ON_SORRY:
        return diagnostic->severity == LWB_SEVERITY_ERROR || lwb_policy_is_sorry(diagnostic);
    case LWB_FAIL_ON_ERROR:
        break;
    }
    return diagnostic->severity == LWB_SEVERITY_ERROR;
}

bool lwb_policy_allows_axiom(const struct lwb_policy *policy, const char *axiom)
{
    static const char *const always[] = { "propext", "Classical.choice", "Quot.sound" };

    for (size_t i = 0; i < LWB_COUNT(always); i++)
        if (strcmp(axiom, always[i]) == 0)
            return true;
    for (size_t i = 0; policy->allow_axioms && i < policy->allow_axioms->count; i++)
        if (strcmp(policy->allow_axioms->items[i], "*") == 0 ||
            strcmp(policy->allow_axioms->items[i], axiom) == 0)
            return true;
    return false;
}

static void count_kind(struct lwb_facts_visitor *visitor, const char *kind)
{
    visitor->declarations++;
    if (strcmp(kind, "theorem") == 0)
        visitor->theorems++;
    else if (strcmp(kind, "axiom") == 0)
        visitor->axioms++;
}

static void mark_expected(const struct lwb_policy *policy, struct lwb_facts_visitor *visitor,
                          const char *name, const char *kind)
{
    if (strcmp(kind, "theorem") != 0)
        return;
    for (size_t i = 0; policy->expect && i < policy->expect->count; i++)
        if (strcmp(policy->expect->items[i], name) == 0)
            visitor->found[i] = true;
}

static void reject_axiom(struct lwb_facts_visitor *visitor, int64_t line, const char *name,
                         const char *kind, const char *axiom)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(64 * 1024);

    if (strcmp(kind, "axiom") == 0)
        lwb_buf_format(&text, "axiom '%s' is not allowed (allow it with --allow-axiom %s)", name,
                       name);
    else
        lwb_buf_format(&text,
                       "'%s' depends on axiom '%s', which is not allowed (allow it with "
                       "--allow-axiom %s)",
                       name, axiom, axiom);
    visitor->reject(visitor->ctx, line, lwb_buf_text(&text));
}

static int apply_row(const struct lwb_policy *policy, struct lwb_bytes row,
                     struct lwb_facts_visitor *visitor, struct lwb_error *err)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    const cJSON *axioms, *item;
    const char *name, *kind;
    int64_t line;

    if (lwb_json_parse(&json, row, err) < 0 || lwb_json_get_text(json, "name", &name, err) < 0 ||
        lwb_json_get_text(json, "kind", &kind, err) < 0 ||
        lwb_json_opt_int(json, "line", -1, &line, err) < 0)
        return err->code;
    count_kind(visitor, kind);
    mark_expected(policy, visitor, name, kind);
    axioms = lwb_json_find(json, "axioms");
    for (item = axioms ? axioms->child : NULL; item; item = item->next) {
        const char *axiom = lwb_json_text(item);

        if (axiom && !lwb_policy_allows_axiom(policy, axiom)) {
            reject_axiom(visitor, line, name, kind, axiom);
            break;
        }
    }
    return LWB_OK;
}

int lwb_policy_apply_facts(const struct lwb_policy *policy, struct lwb_bytes facts,
                           struct lwb_facts_visitor *visitor, struct lwb_error *err)
{
    while (facts.len) {
        const char *newline = memchr(facts.ptr, '\n', facts.len);
        size_t len = newline ? (size_t)(newline - facts.ptr) : facts.len;
        int rc = apply_row(policy, lwb_bytes(facts.ptr, len), visitor, err);

        if (rc < 0)
            return rc;
        len += newline ? 1 : 0;
        facts = lwb_bytes(facts.ptr + len, facts.len - len);
    }
    return LWB_OK;
}
