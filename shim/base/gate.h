/* Who may be inside the backend. Calls are counted in and out, so that an exit and a fork can wait until nobody is. */
#ifndef SHIM_BASE_GATE_H
#define SHIM_BASE_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "process.h"

/* Once a process, before the first call goes in: from here on a fork waits. */
int32_t gate_install(void);

extern atomic_int gate_shut; /* 0 = open */

/* Counts in a call within a call, which is never kept waiting, and tells where it was counted. */
static inline atomic_int *gate_enter_again(void)
{
    const char here = 0;
    /* Threads have stacks of their own: the address spreads them over the stripes. */
    const uint64_t spread = ((uintptr_t)&here >> 16) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    atomic_int *inside = &process_page()->stripe[spread % PROCESS_STRIPES].inside;

    atomic_fetch_add(inside, 1);
    return inside;
}

static inline void gate_leave(atomic_int *inside)
{
    atomic_fetch_sub(inside, 1);
}

/* Counts a call in if nothing stands against it; else NULL, and gate_enter says why. */
static inline atomic_int *gate_try(void)
{
    atomic_int *inside = gate_enter_again();

    if (atomic_load(&gate_shut) == 0)
        return inside;
    gate_leave(inside);
    return NULL;
}

/* Counts a call in: E_STATE once the process is exiting; E_FORKED in a child that was forked while somebody was inside,
 * since the backend's locks may have been copied locked. Waits while another thread forks. */
int32_t gate_enter(atomic_int **inside);

/* The process exits: lets nobody in any more and gives who is inside two seconds to come out. */
void gate_close(void);
bool gate_closed(void);

#endif
