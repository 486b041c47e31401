#pragma once

#include "child/host.h"

/*
 * A host for tests only: it answers from directives in what it is asked about,
 * so that everything around a host can be driven without Lean. The program
 * `echo-child` runs it.
 *
 * check, elaborate and kernel check go through the source line by line. What
 * is not a directive is ignored; without directives the module is accepted.
 *
 *   -- echo: error L:C TEXT        an error at line L, column C: the module is rejected
 *   -- echo: reject L:C TEXT       the same
 *   -- echo: warn [L:C] [TEXT]     a warning (here and with info: default is the line itself,
 * "warned")
 *   -- echo: info [L:C] [TEXT]     an information
 *   -- echo: flood N               an information of N bytes
 *   -- echo: none REASON [DETAIL]  no verdict, for that reason ("time", "import", ...)
 *   -- echo: unstorable            a rejection that rests on a limit: storable is false
 *   -- echo: require MODULE TEXT   reject unless the artifact of MODULE (which need not be a direct
 *                                  import) on the search path holds TEXT; no artifact: none import
 *   -- echo: artifact TEXT         the artifact holds TEXT, and not what is said below
 *   -- echo: rows N [BYTES]        N rows of BYTES bytes (default 100) on stream "declarations"
 *   -- echo: progress N            N events of phase "echo"
 *   -- echo: stdout TEXT           print TEXT to stdout, as code that was let loose does
 *   -- echo: stderr N              write N bytes of lines to stderr
 *   -- echo: memory MIB            take that much memory and keep it until the session is closed
 *   -- echo: spin MS               compute for so long
 *   -- echo: hang                  for ever, without using the processor
 *   -- echo: wait FILE             until there is a file of that name
 *   -- echo: touch FILE            make one
 *   -- echo: refuse CODE TEXT      refuse the request with a word of the host's own
 *   -- echo: crash                 abort
 *   -- echo: signal N              die of that signal
 *   -- echo: exit N                end the process with that code
 *   -- echo: crash-when-warm       abort unless the check is asked to be fresh
 *   -- echo: crash-when-fresh      abort if it is
 *   -- echo: reject-when-warm      an error unless the check is asked to be fresh
 *   -- echo: reject-when-fresh     an error if it is
 *
 * Directives act in their order. A check that wants an artifact and is accepted
 * writes <scratch>/<module>-<n>.olean: a line with the digest of all lines that
 * are not comments (do not start with "--") and of the artifacts of the
 * session's imports, found on its search path. So a change in a comment keeps
 * the artifact, and a change in an import reaches those who import it.
 * Results are reported as warm or fresh as they were asked for.
 *
 * The world of its declarations: inductive Nat, constructor Nat.zero,
 * definition Nat.add, theorem Nat.add_comm, axiom propext.
 *
 * command NAME: "echo" answers with the request; "hang", "crash" and "exit"
 * do so; "large" {"bytes":N} answers with N bytes; others are refused.
 * stream NAME: "rows" {"rows":N,"bytes":B,"streams":S} sends N rows of B bytes to each
 * of S streams named "s0", "s1", ... in turn; "slow" {"rows":N} sends rows and then
 * computes until it is killed. metadata and doctor answer with fixed objects.
 */
extern const struct lwb_host lwb_host_echo;
