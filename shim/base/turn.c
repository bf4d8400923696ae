#include "turn.h"

static uintptr_t turn_self(void)
{
    return (uintptr_t)pthread_self();
}

void turn_init(struct turn *turn)
{
    pthread_mutex_init(&turn->gate, NULL);
    pthread_mutex_init(&turn->lock, NULL);
    atomic_init(&turn->owner, 0);
}

void turn_free(struct turn *turn)
{
    pthread_mutex_destroy(&turn->gate);
    pthread_mutex_destroy(&turn->lock);
}

bool turn_take(struct turn *turn)
{
    /* Owner is this thread only between its own take and give: nobody else writes it there, and give clears it. */
    if (atomic_load_explicit(&turn->owner, memory_order_relaxed) == turn_self())
        return false;
    pthread_mutex_lock(&turn->gate);
    pthread_mutex_lock(&turn->lock);
    pthread_mutex_unlock(&turn->gate);
    atomic_store_explicit(&turn->owner, turn_self(), memory_order_relaxed);
    return true;
}

void turn_give(struct turn *turn)
{
    atomic_store_explicit(&turn->owner, 0, memory_order_relaxed);
    pthread_mutex_unlock(&turn->lock);
}

void turn_yield(struct turn *turn)
{
    turn_give(turn);
    turn_take(turn);
}
