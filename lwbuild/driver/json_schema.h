#pragma once

/*
 * Version of the JSON that --format json prints: one object per line, each
 * with "schema" and "type".
 *
 *   check, replay:  type "module": module, file, messages (severity, line,
 *                   column, end_line, end_column, code, message), verdict
 *                   (accepted, rejected, none; with the policy applied),
 *                   host_verdict, reason, detail, blocked_by, cached,
 *                   isolation, check_us; type "not_proved": theorem, for each that
 *                   --expect names and no export proves; last a line of type
 *                   "summary"
 *   plan:           type "batch" and type "module"
 *   --stats:        type "stats": every number by its id
 *   doctor:         type "check": code, severity, subject, message, hint
 *   run:            type "answer": answer; "row": stream, sequence, row;
 *                   "progress": phase, current, total; "diagnostic": severity,
 *                   code, message; "summary": rows, answer, behind the rows
 *                   of a stream that came to its end; "error": code, message
 *
 * A member that is added keeps the number; one that changes its meaning or
 * goes raises it.
 */
#define LWB_JSON_SCHEMA 1
