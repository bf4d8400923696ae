/* Making a TCP connection step by step: resolve, then try the addresses, each 250 ms after the one before, or at once
 * when that has failed (RFC 8305). The first to answer wins. */
#ifndef SHIM_NET_DIAL_H
#define SHIM_NET_DIAL_H

#include <stddef.h>
#include <stdint.h>

#include "../base/bytes.h"

struct dial;

int32_t dial_new(struct bytes host, int32_t port, struct dial **dial);
void dial_free(struct dial *dial);
/* Readable when a step can go on; the same as long as the dial lives. */
int dial_fd(const struct dial *dial);
/* WANT_READ; OK with the connected descriptor, which is now the caller's; E_RESOLVE, E_CONNECT. Never waits. */
int32_t dial_step(struct dial *dial, int *fd);
int64_t dial_memory(const struct dial *dial);

#endif
