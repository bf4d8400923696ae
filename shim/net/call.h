/* A call on a stream or listener: its handle, its deadline, and waiting that close, other callers and cancellation can
 * end. No lock and no visit is held across a wait. */
#ifndef SHIM_NET_CALL_H
#define SHIM_NET_CALL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/compiler.h"
#include "../base/handle.h"

/* Who waits on one object. Each waiter polls an eventfd of its own beside the descriptor, since poll is woken neither
 * by closing a descriptor nor by another thread's taking what made it readable. */
struct waiting {
    pthread_mutex_t lock;
    _Atomic uint32_t epoch; /* of the process whose waiters these are; 0 = being made anew in a child */
    struct waiter *inside;
    struct waiter *idle;
    _Atomic uint32_t kicks;
    atomic_int calls; /* inside at all */
};

void waiting_start(struct waiting *waiting);
void waiting_end(struct waiting *waiting);
/* Lets every waiter try again, those included who have tried and do not wait yet. */
void waiting_kick(struct waiting *waiting);

struct call {
    int64_t handle;
    struct waiting *waiting;
    struct waiter *waiter; /* while waiting */
    int64_t until;         /* on the monotonic clock, in nanoseconds */
    uint32_t kicks;        /* as they were before the last try */
    int cancel_state;
    bool patient; /* timeout_ms was above 0 */
};

/* Enters: cancellation off, the handle pinned, the deadline fixed. The object begins with its struct waiting. */
int32_t call_enter(struct call *call, int64_t handle, const struct handle_kind *kind, int64_t timeout_ms,
                   void **object) MUST_USE;
void call_leave(struct call *call);
/* Before each try of what may have to wait. */
void call_try(struct call *call);
/* True if others are inside on the same object. */
bool call_has_company(const struct call *call);
/* For a call that moves much and never had to wait: OK, TIMEOUT if its time is up (never with none), E_CLOSED. */
int32_t call_goes_on(const struct call *call) MUST_USE;
/* Waits until a descriptor is ready for poll's `events`, at most `most_ns`: OK to try again, with what poll saw in
 * `*seen`; TIMEOUT when the call's own time is up; E_CLOSED. Cancellation is as the host has it while waiting. */
int32_t call_wait(struct call *call, int fd, short events, int64_t most_ns, short *seen) MUST_USE;

int64_t clock_ns(void);

#endif
