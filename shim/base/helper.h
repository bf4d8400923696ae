/* Threads of our own for work of the backend that may have to stop midway for an answer of the host's.
 *
 * Work runs on a helper while its caller waits, until it is done or parks itself with a question; then the caller goes
 * home, and whoever brings the answer lets it go on, from any thread. A helper is never inside the gate: it computes
 * only while a caller, who is, waits for it. */
#ifndef SHIM_BASE_HELPER_H
#define SHIM_BASE_HELPER_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"

struct helper;

enum { HELPERS_MOST = 1024 };

/* Inside a visit: starts `work` on a helper, or, where *helper holds one, lets that one's parked work go on; then waits
 * until it is done or parked again. OK when done, with the work's own result in *result and *helper NULL; WANT_EVENT
 * when it is parked; E_LIMIT, E_SYSTEM or E_MEMORY when there is no helper to be had. */
int32_t helper_run(struct helper **helper, int32_t (*work)(void *arg), void *arg, int32_t *result) MUST_USE;
/* On a helper: parks the work. True once somebody lets it go on; false if it is to give up, and at once where the
 * thread is no helper. */
bool helper_park(void *question);
/* The question of parked work. */
void *helper_question(const struct helper *helper);
/* Inside a visit: makes parked work give up and waits until it has. *helper NULL is allowed. */
void helper_abandon(struct helper **helper);
/* Helpers of this process that hold or do work. */
int32_t helpers_busy(void);

#endif
