/* The table of handles: 27 bits of generation, 5 of kind, 20 of slot, bit 31 always 0. */
#ifndef SHIM_BASE_HANDLE_H
#define SHIM_BASE_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "tlsshim.h"

/* What the table knows of a kind of object. Rooms above define one static instance each. */
struct handle_kind {
    int32_t number;                /* tlsshim_kind_group */
    bool one_process;              /* E_FORKED in a child */
    void (*closing)(void *object); /* close was called: wake the waiters. May be NULL. */
    void (*free)(void *object);    /* the last one is out: drop the handle's reference */
    void (*forget)(void *object);  /* closed in a forked child or at exit: no backend call. May be NULL. */
    int64_t (*memory)(void *object);
    int64_t (*copy)(void *object); /* a new handle; NULL = the kind cannot be copied */
};

/* Gives a handle that owns `object` (one reference); on an error, E_LIMIT or E_MEMORY, the caller still owns it. */
int64_t handle_new(const struct handle_kind *kind, void *object);
/* Holds the object of an open handle of this kind until handle_unpin: E_HANDLE, E_FORKED. */
int32_t handle_pin(int64_t handle, const struct handle_kind *kind, void **object);
void handle_unpin(int64_t handle);
/* True once close was called on a handle that the caller has pinned. */
bool handle_closing(int64_t handle);
/* Uses up generations of the slot behind a handle, so that tests reach a spent slot. */
void handle_spend(int64_t handle, uint32_t generations);
/* The kind of an open handle or E_HANDLE. */
int32_t handle_kind_of(int64_t handle);

#endif
