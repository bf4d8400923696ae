/* Counted references of objects that handles and other objects share. */
#ifndef SHIM_BASE_REFS_H
#define SHIM_BASE_REFS_H

#include <stdatomic.h>
#include <stdbool.h>

struct refs {
    atomic_int count;
};

static inline void refs_start(struct refs *refs)
{
    atomic_init(&refs->count, 1);
}

static inline void refs_take(struct refs *refs)
{
    atomic_fetch_add_explicit(&refs->count, 1, memory_order_relaxed);
}

/* True for the last one, who frees. */
static inline bool refs_drop(struct refs *refs)
{
    return atomic_fetch_sub_explicit(&refs->count, 1, memory_order_acq_rel) == 1;
}

#endif
