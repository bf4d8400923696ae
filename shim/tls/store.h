/* What a context remembers: ticket keys, sessions, chains found good, OCSP answers to staple. Shared by a context and
 * its copies. */
#ifndef SHIM_TLS_STORE_H
#define SHIM_TLS_STORE_H

#include "../base/refs.h"
#include "cache.h"
#include "staple.h"
#include "ticket.h"

struct store {
    struct refs refs;
    struct ticket_ring ring;
    struct cache sessions;
    struct cache chains;
    struct staples staples;
};

/* NULL without memory. */
struct store *store_new(void);
struct store *store_ref(struct store *store);
/* NULL is allowed. */
void store_drop(struct store *store);

#endif
