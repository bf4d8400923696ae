/* What lets peers come back: ticket keys and cached sessions. Shared by a context and its copies. */
#ifndef SHIM_TLS_STORE_H
#define SHIM_TLS_STORE_H

#include "../base/refs.h"
#include "cache.h"
#include "ticket.h"

struct store {
    struct refs refs;
    struct ticket_ring ring;
    struct cache cache;
};

/* NULL without memory. */
struct store *store_new(void);
struct store *store_ref(struct store *store);
/* NULL is allowed. */
void store_drop(struct store *store);

#endif
