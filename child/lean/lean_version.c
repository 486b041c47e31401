#include "child/lean/lean_version.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int read_number(unsigned *out, const char **at, unsigned max)
{
    unsigned value = 0;
    const char *p = *at;

    if (!isdigit((unsigned char)*p))
        return -1;
    for (; isdigit((unsigned char)*p); p++) {
        value = value * 10 + (unsigned)(*p - '0');
        if (value > max)
            return -1;
    }
    *out = value;
    *at = p;
    return 0;
}

/* "2021-11-29" at the start; 0 when it is something else. */
static unsigned read_date(const char *at)
{
    unsigned year, month, day;

    if (read_number(&year, &at, 9999) < 0 || *at++ != '-' || read_number(&month, &at, 12) < 0 ||
        *at++ != '-' || read_number(&day, &at, 31) < 0)
        return 0;
    return year * 10000 + month * 100 + day;
}

/*
 * The date behind the first "nightly-" that has one: a folder may be
 * "...-nightly---nightly-...".
 */
static unsigned find_date(const char *text)
{
    static const char word[] = "nightly-";
    unsigned date = 0;

    while (date == 0 && (text = strstr(text, word)) != NULL) {
        text += sizeof(word) - 1;
        date = read_date(text);
    }
    return date;
}

int lwb_lean_version_parse(struct lwb_lean_version *out, const char *text)
{
    struct lwb_lean_version version = { 0 };
    const char *at = text;

    if (*at == 'v')
        at++;
    if (read_number(&version.major, &at, 1000) < 0 || *at++ != '.' ||
        read_number(&version.minor, &at, 100000) < 0 || *at++ != '.' ||
        read_number(&version.patch, &at, 100000) < 0)
        return -1;
    if (*at != '\0' && *at != '-')
        return -1;
    if (*at == '-') {
        version.date = find_date(at + 1);
        /* On the way to 4.N not everything of 4.N is there yet. */
        if (version.minor > 0)
            version.minor--;
    }
    *out = version;
    return 0;
}

void lwb_lean_version_take_date(struct lwb_lean_version *version, const char *folder)
{
    if (version->date == 0 && version->minor == 0 && version->patch == 0)
        version->date = find_date(folder);
}

static bool is_at_least(const struct lwb_lean_version *version, unsigned minor)
{
    return version->major > 4 || (version->major == 4 && version->minor >= minor);
}

static bool is_since(const struct lwb_lean_version *version, unsigned date)
{
    return is_at_least(version, 1) || version->date >= date;
}

bool lwb_lean_version_has(const struct lwb_lean_version *version, enum lwb_lean_feature feature)
{
    switch (feature) {
    case LWB_LEAN_JSON:
    case LWB_LEAN_REPORT_DELAY:
        return is_at_least(version, 8);
    case LWB_LEAN_WORKER_OPTIONS:
        return is_since(version, 20210908);
    case LWB_LEAN_LAKE:
        return is_since(version, 20211015);
    case LWB_LEAN_FEW_THREADS:
        /* A nightly on the way to 4.12 counts as 4.11, so the gap starts there. */
        return !is_at_least(version, 11) || is_at_least(version, 20);
    case LWB_LEAN_PARTS:
        return is_at_least(version, 22);
    case LWB_LEAN_WORKER_TEXT:
        /*
         * A worker prints terms by code of its own, Lean.Widget.exprToInteractive. In the sources
         * of 2021-11-30 and 2022-02-10 that leaves out LocalContext.sanitizeNames, which marks the
         * names that are shadowed; in those of 4.x both ways are PrettyPrinter.ppExprWithInfos.
         */
        return is_at_least(version, 1);
    }
    return false;
}
