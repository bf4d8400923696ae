/* Turns the backend's answer to a step into a result: who must act, and why. */
#ifndef SHIM_TLS_FAILURE_H
#define SHIM_TLS_FAILURE_H

#include <stdint.h>

struct conn;

/* After a step that gave `answer` (not positive): WANT_FEED, WANT_EVENT, 0 for the peer's goodbye, or an error,
 * published. */
int32_t failure_of(struct conn *conn, int answer);

#endif
