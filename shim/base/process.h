/* Which process this is: what a fork must not inherit lives on a page that the kernel wipes in the child. */
#ifndef SHIM_BASE_PROCESS_H
#define SHIM_BASE_PROCESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { PROCESS_STRIPES = 63 };

/* Zero in a fresh child. */
struct process_page {
    _Alignas(64) _Atomic uint32_t epoch;
    pthread_mutex_t start_lock; /* all zero = unlocked: a child inherits no lock that nobody will release */
    struct {
        _Alignas(64) atomic_int inside; /* calls in the backend, counted in stripes against contention */
    } stripe[PROCESS_STRIPES];
};

/* The page of this process; NULL without memory. */
struct process_page *process_page(void);
/* A number that differs in each process of a fork family; never 0. */
uint32_t process_epoch(void);

#endif
