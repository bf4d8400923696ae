/* Host names to addresses, on a helper thread that can be left behind: the system's resolver knows no deadline. */
#ifndef SHIM_NET_LOOKUP_H
#define SHIM_NET_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

struct lookup;

enum { LOOKUP_THREADS = 64, LOOKUP_ADDRESSES = 32 };

/* Begins: OK, or WANT_READ when so many lookups are under way that one must end first. */
int32_t lookup_start(const char *host, int32_t port, struct lookup **lookup);
/* Readable when done. */
int lookup_fd(const struct lookup *lookup);
/* WANT_READ, the number of addresses, in the order in which to try them, or E_RESOLVE. */
int32_t lookup_result(struct lookup *lookup, struct address addresses[LOOKUP_ADDRESSES]);
/* May come before it is done. */
void lookup_drop(struct lookup *lookup);

#endif
