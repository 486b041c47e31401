#pragma once

#include <stdbool.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/lean_header.h"
#include "lwbuild/base/strvec.h"

/*
 * A fake of `lean`, in two ways of use (command line and --worker) and seven
 * eras. It knows headers and .olean files; bodies are lines of directives that
 * say what shall happen. A directive is a comment, so a line may hold anything
 * before it, and what it reports is at its place:
 *
 *     theorem two : 1 + 1 = 2 := rfl   --! error this is not so
 *
 *     error|warning|info TEXT    a message ("\n" is a line break)
 *     silent TEXT, hidden TEXT   information, or an error, that a command line does not print
 *     marked SEVERITY TEXT       a message about a local name that is shadowed: the text and the
 *                                mark of that, which a worker of 2021-11 or 2022-12 leaves out
 *     sorry, limit               the messages of Lean with those meanings
 *     nul                        an error whose text holds a NUL
 *     requires NAME              an error unless an import, however deep, provides NAME
 *     provides NAME              goes into the .olean
 *     keeps NAME                 goes into what importers do not see: the module system's .private
 *     once NAME                  an error if this process has met NAME before: what an
 *                                imported `initialize` reference can do
 *     twice NAME                 an error unless this process has met NAME before
 *     needs NAME=VALUE           an error unless -D has set this option
 *     given PREFIX               says with which argument that begins so it was started
 *     env NAME                   says what the variable holds
 *     where                      names the working directory in a message
 *     reads FILE                 an error unless the file can be opened
 *     noise TEXT                 raw text on stdout, behind the back of the protocol
 *     stderr TEXT, flood KIB     on stderr
 *     panic [worker]             Lean's panic text on stderr (only in a worker)
 *     crash [worker]             SIGSEGV
 *     overflow                   what a stack overflow does
 *     exit N                     ends the process at once
 *     hang [alone]               never goes on (except in a worker)
 *     grow MIB                   memory that is kept
 *     orphan                     leaves a process behind that holds the pipes for 5 s
 *     steps N                    N rounds of progress and diagnostics, as long files have
 *     work MS                    the same for a while
 *     cut, lost                  the .olean will be cut, or not written at all; exit code 0
 *     mute                       the worker will never answer the barrier
 *     refuse                     the worker answers the barrier with an error
 *     again                      the worker sends the diagnostics of an older version last
 *     withdraw                   the worker sends no diagnostics at all last, for this version
 *     early                      the worker answers the barrier before it is done: what comes from
 *                                here on is not published in time, or ever
 *     stray                      another server writes to the worker's stdout: no diagnostics, all
 *                                done, and answers to its first requests
 *     partial                    from here on the worker publishes only what is new, and says so;
 *                                one of the files of a module's artifact is missing
 */
enum fake_era {
    FAKE_2021_07, /* ignores -D in a worker, .olean without base address */
    FAKE_2021_11,
    FAKE_2022_12, /* progress has a kind; another header ends a worker with exit code 2 */
    FAKE_4_8,     /* --json, server.reportDelayMs, commit in the .olean */
    FAKE_4_12,    /* needs four threads; looks at -D only after the imports */
    FAKE_4_22,    /* module system: several files per artifact */
    FAKE_4_34,    /* one more of them */
};

struct fake_message {
    const char *severity; /* "error", "warning", "information" */
    size_t line;          /* from 1 */
    size_t column;        /* code points */
    size_t units;         /* the same in UTF-16 */
    bool silent;
    char *text;
};

struct fake_lean {
    enum fake_era era;
    char *prefix;
    struct lwb_strvec options; /* -D */
    bool worker;
    bool json;
    char **arguments;       /* as main has them */
    const char *bad_option; /* of -D, found out after the imports; NULL if there is none */
    const char *olean;      /* -o */
    struct lwb_strvec seen; /* by `once` and `twice` */

    /* about the document that is being read */
    struct fake_message *messages;
    size_t n_messages;
    size_t cap;
    struct lwb_strvec provides, keeps;
    size_t line; /* that is being read, from 0 */
    bool cut, lost, mute, refuse, again, withdraw, early, stray, partial;
    size_t n_published; /* messages that the worker has sent */
    bool header_failed;
    void (*progress)(struct fake_lean *fake); /* after every message and step; may be NULL */
};

/* Carries out the header and the directives of a source. */
void fake_lean_elaborate(struct fake_lean *fake, struct lwb_bytes source);
void fake_lean_forget_document(struct fake_lean *fake);
bool fake_lean_has_error(const struct fake_lean *fake);

/* .olean files: what a module provides and imports, in the layout of the era. */
int fake_olean_write(const struct fake_lean *fake, const char *path,
                     const struct lwb_lean_header *header);

/* Whether the .olean of `module`, or of one that it imports, provides `name`. */
bool fake_olean_provides(const struct fake_lean *fake, struct lwb_bytes module, const char *name);

/* NULL, or what Lean says when the import cannot be loaded. The caller frees it. */
char *fake_olean_complaint(const struct fake_lean *fake, struct lwb_bytes module);

int fake_lean_worker(struct fake_lean *fake);
