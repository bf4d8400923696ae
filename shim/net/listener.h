/* What the other sources of the room may ask of a listener. */
#ifndef SHIM_NET_LISTENER_H
#define SHIM_NET_LISTENER_H

#include <stdint.h>

/* The descriptor to poll, or an error. */
int64_t listener_fd(int64_t listener);

#endif
