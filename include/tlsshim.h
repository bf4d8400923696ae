/* tlsshim: modern TLS for language runtimes, through a flat C ABI.
 *
 * Conventions, in force for every function unless its comment says otherwise.
 *
 * Results    Negative = a result code, 0 = done (or a clean end of stream), positive = a count or a handle.
 *            -1..-15 are flow codes, always bare. An error is code - 256 * record: its bare code is
 *            -((-r) & 255), its sentence tlsshim_error_text(r, ...), from any thread, any time later.
 * Handles    Integers from 2^32 to 2^53-1, exact in a double. A stale, doubled, truncated or foreign one is
 *            E_HANDLE. Each handle returned is new and is the caller's to close. Handles passed in are referenced,
 *            never consumed; closing one never affects objects made from it.
 * Input      A pair (data, data_len), borrowed for the call. With length 0 the pointer is not looked at. Text is
 *            UTF-8 without terminator; an embedded NUL is E_ARGUMENT; a length below zero is E_ARGUMENT.
 *            An input longer than its stated limit is E_LIMIT, before it is read.
 * Output     whole: the full length is returned; if it is larger than the capacity nothing was written; capacity 0
 *            asks the size. stream: what fits is given. fill: the whole capacity is filled. Never a terminating NUL.
 *            Outputs are written only when the result is no error.
 * Threads    Any function from any thread. Nothing that the caller must read is kept per thread.
 * Fork       Connections belong to the process that made them: in a forked child they answer E_FORKED, and closing them
 *            there ends nothing. Keys, certificates and contexts work on: fork() waits until no thread is computing
 *            in here. If that takes longer than a quarter of a second, or a raw system call forked, the child should
 *            only close handles; after the first it is told so: every call that computes answers E_FORKED.
 * Errors     Each function may also give E_HANDLE, E_FORKED, E_MEMORY, E_INTERNAL, E_SYSTEM, and E_STATE once the
 *            process is exiting; E_UNSUPPORTED where the backend found at first use cannot be used.
 *
 * The files included here hold nothing but comments, enums and prototypes, so that LuaJIT's ffi.cdef, cffi and
 * SWIG read them as they stand.
 */
#ifndef TLSSHIM_H
#define TLSSHIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

#include "tlsshim/base.h"
#include "tlsshim/key.h"
#include "tlsshim/cert.h"
#include "tlsshim/template.h"
#include "tlsshim/revocation.h"
#include "tlsshim/identity.h"
#include "tlsshim/trust.h"
#include "tlsshim/alpn.h"
#include "tlsshim/context.h"
#include "tlsshim/conn.h"
#include "tlsshim/peer.h"
#include "tlsshim/event.h"
#include "tlsshim/session.h"
#include "tlsshim/ticket.h"
#include "tlsshim/stream.h"
#include "tlsshim/listener.h"

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
