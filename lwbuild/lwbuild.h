#pragma once

/*
 * lwbuild for programs: run work in child processes that may crash, hang,
 * flood or leak without harm. This file is the C API; what it includes is
 * documented where it is declared, lowest layer first:
 *
 *   worker/worker_config.h  how a child is started, how long it may take and grow
 *   worker/worker.h         one supervised child after the other
 *   worker/cancel_token.h   ending requests from any thread
 *   worker/subreaper.h      nothing that a child started outlives the program unseen
 *   session/session.h       a conversation with a child: check, elaborate, run exports
 *   session/command.h       typed commands: your structs in, your structs out
 *   session/capability_build.h  a capability from a Lean project
 *   pool/pool.h             many workers: leases, a queue, memory
 *   pool/blocking.h         all of that for programs without an event loop: start here
 *   pool/capability_client.h  from a capability, or a Lean project, to a session that works
 *
 * A child program is lwbuild-child, or one of your own (lwbuild/child.h); what
 * it runs can be a shared library of yours (lwbuild/capability.h).
 *
 * Everything is used on one thread, but for firing a cancel token. Call
 * lwb_json_init() once at the start if you want JSON to use base/alloc.h.
 */
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"
#include "lwbuild/pool/blocking.h"
#include "lwbuild/pool/capability_client.h"
#include "lwbuild/pool/pool.h"
#include "lwbuild/protocol/message.h"
#include "lwbuild/session/capability_build.h"
#include "lwbuild/session/command.h"
#include "lwbuild/session/session.h"
#include "lwbuild/worker/cancel_token.h"
#include "lwbuild/worker/child_path.h"
#include "lwbuild/worker/subreaper.h"
#include "lwbuild/worker/worker.h"
#include "lwbuild/worker/worker_config.h"
