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

extern _Atomic(struct process_page *) process_page_made;
struct process_page *process_page_make(void);
uint32_t process_epoch_make(void);

/* The page of this process; NULL without memory. */
static inline struct process_page *process_page(void)
{
    struct process_page *page = atomic_load_explicit(&process_page_made, memory_order_acquire);

    return page != NULL ? page : process_page_make();
}

/* A number that differs in each process of a fork family; never 0. */
static inline uint32_t process_epoch(void)
{
    struct process_page *page = atomic_load_explicit(&process_page_made, memory_order_acquire);
    uint32_t epoch = page == NULL ? 0 : atomic_load_explicit(&page->epoch, memory_order_acquire);

    return epoch != 0 ? epoch : process_epoch_make();
}

#endif
