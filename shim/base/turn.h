/* A fair lock that knows its owner: who waited longest gets it next, and re-entry is an error, not a deadlock. */
#ifndef SHIM_BASE_TURN_H
#define SHIM_BASE_TURN_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct turn {
    _Atomic uintptr_t owner; /* the thread, or 0 */
    atomic_int waiting;      /* while it is not 0, nobody takes the turn but the one who is next */
    pthread_mutex_t queue;   /* held by the one who is next; the rest queue here */
    sem_t free;              /* the owner has gone, now or a while ago */
};

void turn_init(struct turn *turn);
void turn_free(struct turn *turn);
/* The part of take and give for which somebody else is there. */
void turn_wait(struct turn *turn);
void turn_call(struct turn *turn);

static inline bool turn_grab(struct turn *turn, uintptr_t self)
{
    uintptr_t nobody = 0;

    return atomic_compare_exchange_strong(&turn->owner, &nobody, self);
}

/* Waits, for a turn that others have. False if this thread has it already. */
static inline bool turn_take(struct turn *turn)
{
    const uintptr_t self = (uintptr_t)pthread_self();

    /* Owner is this thread only between its own take and give: nobody else writes it there, and give clears it. */
    if (atomic_load_explicit(&turn->owner, memory_order_relaxed) == self)
        return false;
    if (atomic_load_explicit(&turn->waiting, memory_order_relaxed) != 0 || !turn_grab(turn, self))
        turn_wait(turn);
    return true;
}

static inline void turn_give(struct turn *turn)
{
    atomic_store(&turn->owner, 0);
    if (atomic_load(&turn->waiting) != 0)
        turn_call(turn);
}

/* Lets those who wait go first. */
static inline void turn_yield(struct turn *turn)
{
    turn_give(turn);
    turn_take(turn);
}

#endif
