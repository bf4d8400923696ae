/* Another context for a connection that has only said hello. */
#ifndef SHIM_TLS_REPLAY_H
#define SHIM_TLS_REPLAY_H

#include <stdint.h>

struct conn;

/* Goes over to the context that the host chose within the HELLO event; what came is to be read again. */
int32_t replay_hello(struct conn *conn);

#endif
