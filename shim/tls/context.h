/* Contexts: settings until the first connection, then a frozen setup. */
#ifndef SHIM_TLS_CONTEXT_H
#define SHIM_TLS_CONTEXT_H

#include <pthread.h>

#include "../base/backend.h"
#include "setup.h"

/* Over the life of the handle. */
struct counters {
    _Atomic int64_t handshakes; /* full ones */
    _Atomic int64_t resumptions;
    _Atomic int64_t hits; /* of the cache or the ticket keys */
    _Atomic int64_t misses;
    _Atomic int64_t unknown; /* why they were misses */
    _Atomic int64_t expired;
    _Atomic int64_t rules;
    _Atomic int64_t damaged;
};

struct context {
    struct refs refs;
    pthread_mutex_t lock; /* over the two below; never held across a wait */
    struct settings settings;
    struct setup *setup; /* NULL until frozen */
    struct store *store;
    struct counters counters;
};

int32_t context_pin(int64_t handle, struct context **context) MUST_USE;
struct context *context_ref(struct context *context);
/* NULL is allowed. */
void context_drop(struct context *context);
int32_t context_role(struct context *context);
/* The frozen setup, made when first asked for; one reference for the caller. */
int32_t context_setup(struct context *context, struct setup **setup) MUST_USE;

/* One change: the handle is pinned, the lock held, the context not frozen. */
struct change {
    int64_t handle;
    struct context *context;
    struct settings *settings;
    struct visit visit;
};

/* E_FROZEN, naming the setter, once the context has served a connection. */
int32_t change_begin(int64_t handle, const char *setter, struct change *change) MUST_USE;
/* Leaves, and gives the result back. */
int32_t change_end(struct change *change, int32_t result);

#endif
