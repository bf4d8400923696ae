#include "lookup.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/error.h"
#include "../base/process.h"
#include "../base/refs.h"

struct lookup {
    struct refs refs; /* the caller's and the thread's */
    int event;
    char host[HOST_LIMIT + 1];
    char service[16];
    atomic_bool done;
    int failure; /* of getaddrinfo */
    int errno_value;
    struct addrinfo *found;
};

enum { STACK = 1 << 20 };

/* Threads under way: epoch of the process << 32 | count, since a child inherits the number but not the threads. */
static _Atomic uint64_t running;

static bool running_enter(void)
{
    uint64_t now = atomic_load(&running);
    uint64_t own;

    do {
        own = now >> 32 == process_epoch() ? now : (uint64_t)process_epoch() << 32;
        if ((own & UINT32_MAX) >= LOOKUP_THREADS)
            return false;
    } while (!atomic_compare_exchange_weak(&running, &now, own + 1));
    return true;
}

static void *lookup_run(void *argument)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct lookup *lookup = argument;
    const uint64_t one = 1;

    lookup->failure = getaddrinfo(lookup->host, lookup->service, &hints, &lookup->found);
    lookup->errno_value = errno;
    atomic_store(&lookup->done, true);
    while (write(lookup->event, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    atomic_fetch_sub(&running, 1);
    lookup_drop(lookup);
    return NULL;
}

/* A detached thread that takes no signal of the host's. */
static int thread_start(struct lookup *lookup)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;
    int failure = pthread_attr_init(&attributes);

    if (failure != 0)
        return failure;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&thread, &attributes, lookup_run, lookup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return failure;
}

static int32_t lookup_launch(struct lookup *lookup)
{
    int failure;

    lookup->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->event < 0)
        return error_system(errno, "no eventfd to resolve %s with", lookup->host);
    if (!running_enter())
        return TLSSHIM_WANT_READ;
    refs_take(&lookup->refs);
    failure = thread_start(lookup);
    if (failure == 0)
        return TLSSHIM_OK;
    refs_drop(&lookup->refs);
    atomic_fetch_sub(&running, 1);
    return error_system(failure, "no thread to resolve %s with", lookup->host);
}

int32_t lookup_start(const char *host, int32_t port, struct lookup **lookup)
{
    struct lookup *made = calloc(1, sizeof *made);
    int32_t result;

    if (made == NULL)
        return TLSSHIM_E_MEMORY;
    refs_start(&made->refs);
    snprintf(made->host, sizeof made->host, "%s", host);
    snprintf(made->service, sizeof made->service, "%d", port);
    result = lookup_launch(made);
    if (result == TLSSHIM_OK)
        *lookup = made;
    else
        lookup_drop(made);
    return result;
}

int lookup_fd(const struct lookup *lookup)
{
    return lookup->event;
}

/* The resolver's order, with the families taking turns (RFC 8305 section 4). */
static int32_t take_turns(const struct addrinfo *found, struct address addresses[LOOKUP_ADDRESSES])
{
    const struct addrinfo *next[2] = {found, found};
    int32_t count = 0;

    for (int turn = 0; count < LOOKUP_ADDRESSES && (next[0] != NULL || next[1] != NULL); turn ^= 1) {
        const struct addrinfo **at = &next[turn];

        while (*at != NULL && ((*at)->ai_family == found->ai_family) != (turn == 0))
            *at = (*at)->ai_next;
        if (*at == NULL)
            continue;
        addresses[count].len = (*at)->ai_addrlen;
        memcpy(&addresses[count].at, (*at)->ai_addr, (*at)->ai_addrlen);
        count++;
        *at = (*at)->ai_next;
    }
    return count;
}

int32_t lookup_result(struct lookup *lookup, struct address addresses[LOOKUP_ADDRESSES])
{
    if (!atomic_load(&lookup->done))
        return TLSSHIM_WANT_READ;
    if (lookup->failure == 0)
        return take_turns(lookup->found, addresses);
    if (lookup->failure == EAI_MEMORY)
        return TLSSHIM_E_MEMORY;
    if (lookup->failure == EAI_SYSTEM)
        return error_system_as(TLSSHIM_E_RESOLVE, lookup->errno_value, "host name %s does not resolve", lookup->host);
    return error_new(TLSSHIM_E_RESOLVE, "host name %s does not resolve: %s", lookup->host,
                     gai_strerror(lookup->failure));
}

void lookup_drop(struct lookup *lookup)
{
    if (lookup == NULL || !refs_drop(&lookup->refs))
        return;
    if (lookup->found != NULL)
        freeaddrinfo(lookup->found);
    if (lookup->event >= 0)
        close(lookup->event);
    free(lookup);
}
