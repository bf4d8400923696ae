/* A fair lock that knows its owner: who waited longest gets it next, and re-entry is an error, not a deadlock. */
#ifndef SHIM_BASE_TURN_H
#define SHIM_BASE_TURN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct turn {
    pthread_mutex_t
        gate; /* held only while waiting for lock, so that at most one waits there and the rest queue here */
    pthread_mutex_t lock;
    _Atomic uintptr_t owner; /* the thread, or 0 */
};

void turn_init(struct turn *turn);
void turn_free(struct turn *turn);
/* False if this thread has it already. */
bool turn_take(struct turn *turn);
void turn_give(struct turn *turn);
/* Lets those who wait go first. */
void turn_yield(struct turn *turn);

#endif
