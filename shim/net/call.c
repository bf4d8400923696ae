#include "call.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/process.h"

struct waiter {
    struct waiter *next;
    int event; /* -1: there was no descriptor left for one, so it looks up now and then */
    bool kicked;
};

static const int64_t LOOK_UP_NS = 10000000;

static const int64_t NS_PER_MS = 1000000;

int64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

void waiting_start(struct waiting *waiting)
{
    *waiting = (struct waiting){.lock = PTHREAD_MUTEX_INITIALIZER, .epoch = process_epoch()};
}

static void waiter_free(struct waiter *waiter)
{
    if (waiter->event >= 0)
        close(waiter->event);
    free(waiter);
}

static void waiters_free(struct waiter *first)
{
    while (first != NULL) {
        struct waiter *next = first->next;

        waiter_free(first);
        first = next;
    }
}

void waiting_end(struct waiting *waiting)
{
    if (waiting->epoch == process_epoch())
        waiters_free(waiting->idle);
    pthread_mutex_destroy(&waiting->lock);
}

/* Takes the lock. In a child it may be held by a thread that is not there, and the waiters are the parent's, who shares
 * their eventfds: both begin anew, and what was there is left alone. */
static void waiting_lock(struct waiting *waiting)
{
    const uint32_t mine = process_epoch();
    uint32_t epoch = atomic_load(&waiting->epoch);

    if (epoch != mine && epoch != 0 && atomic_compare_exchange_strong(&waiting->epoch, &epoch, 0)) {
        pthread_mutex_init(&waiting->lock, NULL);
        waiting->inside = waiting->idle = NULL;
        atomic_store(&waiting->epoch, mine);
    }
    while (atomic_load(&waiting->epoch) != mine)
        sched_yield();
    pthread_mutex_lock(&waiting->lock);
}

static void waiter_kick(struct waiter *waiter)
{
    const uint64_t one = 1;

    if (!waiter->kicked && (waiter->event < 0 || write(waiter->event, &one, sizeof one) == sizeof one))
        waiter->kicked = true;
}

void waiting_kick(struct waiting *waiting)
{
    waiting_lock(waiting);
    atomic_fetch_add(&waiting->kicks, 1);
    for (struct waiter *w = waiting->inside; w != NULL; w = w->next)
        waiter_kick(w);
    pthread_mutex_unlock(&waiting->lock);
}

static struct waiter *waiter_new(void)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);

    if (waiter != NULL)
        waiter->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return waiter;
}

/* Joins the waiters; false if there was a kick since the last try, so that the wait is over before it begins. */
static int32_t call_join(struct call *call, bool *kicked)
{
    struct waiting *waiting = call->waiting;
    struct waiter *waiter;
    int32_t result = TLSSHIM_OK;

    waiting_lock(waiting);
    waiter = waiting->idle;
    if (waiter != NULL)
        waiting->idle = waiter->next;
    else
        waiter = waiter_new();
    if (waiter != NULL) {
        waiter->next = waiting->inside;
        waiting->inside = waiter;
    } else {
        result = TLSSHIM_E_MEMORY;
    }
    *kicked = atomic_load(&waiting->kicks) != call->kicks;
    pthread_mutex_unlock(&waiting->lock);
    call->waiter = waiter;
    return result;
}

static void call_part(struct call *call)
{
    struct waiting *waiting = call->waiting;
    struct waiter **at = &waiting->inside;
    struct waiter *waiter = call->waiter;
    uint64_t count;

    waiting_lock(waiting);
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    if (waiter->event < 0) {
        waiter_free(waiter); /* next time there may be a descriptor for it */
    } else {
        if (waiter->kicked && read(waiter->event, &count, sizeof count) == sizeof count)
            waiter->kicked = false;
        waiter->next = waiting->idle;
        waiting->idle = waiter;
    }
    pthread_mutex_unlock(&waiting->lock);
    call->waiter = NULL;
}

int32_t call_enter(struct call *call, int64_t handle, const struct handle_kind *kind, int64_t timeout_ms, void **object)
{
    int32_t result;
    int64_t now;

    *call = (struct call){.handle = handle, .patient = timeout_ms > 0};
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &call->cancel_state);
    result =
        backend_exiting() ? error_new(TLSSHIM_E_STATE, "the process is exiting") : handle_pin(handle, kind, object);
    if (result == TLSSHIM_OK && timeout_ms < 0) {
        handle_unpin(handle);
        result = error_new(TLSSHIM_E_ARGUMENT, "timeout_ms is %lld: a duration is 0 or more", (long long)timeout_ms);
    }
    if (result < 0) {
        pthread_setcancelstate(call->cancel_state, NULL);
        return result;
    }
    call->waiting = *object;
    atomic_fetch_add(&call->waiting->calls, 1);
    now = call->patient ? clock_ns() : 0;
    call->until = timeout_ms < (INT64_MAX - now) / NS_PER_MS ? now + timeout_ms * NS_PER_MS : INT64_MAX;
    return TLSSHIM_OK;
}

void call_leave(struct call *call)
{
    atomic_fetch_sub(&call->waiting->calls, 1);
    handle_unpin(call->handle);
    pthread_setcancelstate(call->cancel_state, NULL);
}

void call_try(struct call *call)
{
    call->kicks = atomic_load(&call->waiting->kicks);
}

bool call_has_company(const struct call *call)
{
    return atomic_load(&call->waiting->calls) > 1;
}

/* A thread that is cancelled while it waits leaves nothing behind. */
static void call_abandon(void *argument)
{
    struct call *call = argument;

    call_part(call);
    call_leave(call);
}

static int poll_for(struct call *call, struct pollfd *fds, int64_t ns)
{
    const struct timespec time = {.tv_sec = (time_t)(ns / (1000 * NS_PER_MS)),
                                  .tv_nsec = (long)(ns % (1000 * NS_PER_MS))};
    int ready;

    pthread_cleanup_push(call_abandon, call);
    pthread_setcancelstate(call->cancel_state, NULL);
    ready = ppoll(fds, 2, &time, NULL);
    if (ready < 0)
        ready = -errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cleanup_pop(0);
    return ready;
}

/* Polls until something is ready, a kick, or `until`; OK also when only `until` has come. */
static int32_t poll_until(struct call *call, int fd, short events, int64_t until, short *seen)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = call->waiter->event, .events = POLLIN}};
    int64_t left = until - clock_ns();
    int ready;

    do {
        ready = poll_for(call, fds, left > 0 ? left : 0);
        left = until - clock_ns();
    } while (ready == -EINTR && left > 0);
    if (ready > 0)
        *seen = fds[0].revents;
    return ready < 0 && ready != -EINTR ? error_system(-ready, "poll fails") : TLSSHIM_OK;
}

static int32_t closed_meanwhile(void)
{
    return error_new(TLSSHIM_E_CLOSED, "closed by another thread while this call was inside");
}

int32_t call_goes_on(const struct call *call)
{
    if (handle_closing(call->handle))
        return closed_meanwhile();
    return call->patient && clock_ns() >= call->until ? TLSSHIM_TIMEOUT : TLSSHIM_OK;
}

int32_t call_wait(struct call *call, int fd, short events, int64_t most_ns, short *seen)
{
    int64_t now = clock_ns();
    int64_t until = most_ns < call->until - now ? now + most_ns : call->until;
    bool kicked;
    int32_t result;

    *seen = 0;
    if (now >= call->until)
        return TLSSHIM_TIMEOUT;
    result = call_join(call, &kicked);
    if (result < 0)
        return result;
    if (call->waiter->event < 0 && until - now > LOOK_UP_NS)
        until = now + LOOK_UP_NS;
    if (!kicked && !handle_closing(call->handle))
        result = poll_until(call, fd, events, until, seen);
    call_part(call);
    if (result == TLSSHIM_OK && handle_closing(call->handle))
        result = closed_meanwhile();
    return result;
}
