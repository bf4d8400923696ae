#include "turn.h"

void turn_init(struct turn *turn)
{
    atomic_init(&turn->owner, 0);
    atomic_init(&turn->waiting, 0);
    pthread_mutex_init(&turn->queue, NULL);
    pthread_mutex_init(&turn->lock, NULL);
    pthread_cond_init(&turn->free, NULL);
}

void turn_free(struct turn *turn)
{
    pthread_mutex_destroy(&turn->queue);
    pthread_mutex_destroy(&turn->lock);
    pthread_cond_destroy(&turn->free);
}

/* Either the owner sees that we wait, or we see that it has gone: both sides write first and look then. */
void turn_wait(struct turn *turn)
{
    const uintptr_t self = (uintptr_t)pthread_self();
    int cancel_state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    atomic_fetch_add(&turn->waiting, 1);
    pthread_mutex_lock(&turn->queue);
    pthread_mutex_lock(&turn->lock);
    while (!turn_grab(turn, self))
        pthread_cond_wait(&turn->free, &turn->lock);
    pthread_mutex_unlock(&turn->lock);
    atomic_fetch_sub(&turn->waiting, 1);
    pthread_mutex_unlock(&turn->queue);
    pthread_setcancelstate(cancel_state, NULL);
}

void turn_call(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock); /* who is next waits by now, or sees that we have gone */
    pthread_mutex_unlock(&turn->lock);
    pthread_cond_signal(&turn->free);
}
