#include "turn.h"

void turn_init(struct turn *turn)
{
    atomic_init(&turn->owner, 0);
    atomic_init(&turn->waiting, 0);
    pthread_mutex_init(&turn->queue, NULL);
    sem_init(&turn->free, 0, 0);
}

void turn_free(struct turn *turn)
{
    pthread_mutex_destroy(&turn->queue);
    sem_destroy(&turn->free);
}

/* Either the owner sees that we wait, or we see that it has gone: both sides write first and look then. */
void turn_wait(struct turn *turn)
{
    const uintptr_t self = (uintptr_t)pthread_self();
    int cancel_state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    atomic_fetch_add(&turn->waiting, 1);
    pthread_mutex_lock(&turn->queue);
    while (!turn_grab(turn, self))
        sem_wait(&turn->free); /* cut short by a signal it only looks once more */
    atomic_fetch_sub(&turn->waiting, 1);
    pthread_mutex_unlock(&turn->queue);
    pthread_setcancelstate(cancel_state, NULL);
}

void turn_call(struct turn *turn)
{
    sem_post(&turn->free);
}
