/* Who may be inside the backend. Calls are counted in and out, so that an exit and a fork can wait until nobody is. */
#ifndef SHIM_BASE_GATE_H
#define SHIM_BASE_GATE_H

#include <stdbool.h>
#include <stdint.h>

/* Once a process, before the first call goes in: from here on a fork waits. */
int32_t gate_install(void);

/* Counts a call in: E_STATE once the process is exiting; E_FORKED in a child that was forked while somebody was inside,
 * since the backend's locks may have been copied locked. Waits while another thread forks. */
int32_t gate_enter(unsigned *stripe);
/* Counts a call in if nothing stands against it; else it is not counted, and gate_enter says why. */
bool gate_try(unsigned *stripe);
/* Counts in a call within a call, which is never kept waiting. */
void gate_enter_again(unsigned *stripe);
void gate_leave(unsigned stripe);

/* The process exits: lets nobody in any more and gives who is inside two seconds to come out. */
void gate_close(void);
bool gate_closed(void);

#endif
