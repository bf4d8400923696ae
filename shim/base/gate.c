#include "gate.h"

#include <pthread.h>
#include <time.h>

#include "error.h"

enum {
    EXITING = 1 << 30,
    TAINTED = 1 << 29, /* forked while somebody was inside */
    FORKING = 1,       /* times the threads that are just forking */
    EXIT_WAIT = 2000,  /* ms */
    FORK_WAIT = 250,
};

atomic_int gate_shut;
static atomic_bool inside_at_fork;
static bool installed;

static int inside_now(void)
{
    struct process_page *page = process_page();
    int inside = 0;

    for (int i = 0; page != NULL && i < PROCESS_STRIPES; i++)
        inside += atomic_load(&page->stripe[i].inside);
    return inside;
}

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = 100000};

    nanosleep(&pause, NULL);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool emptied(int most_ms)
{
    int64_t end = now_ms() + most_ms;

    while (inside_now() > 0) {
        if (now_ms() >= end)
            return false;
        pause_a_little();
    }
    return true;
}

void gate_close(void)
{
    atomic_fetch_or(&gate_shut, EXITING);
    emptied(EXIT_WAIT);
}

bool gate_closed(void)
{
    return (atomic_load(&gate_shut) & EXITING) != 0;
}

static void before_fork(void)
{
    atomic_fetch_add(&gate_shut, FORKING);
    /* Of two threads that fork at once either answer holds for both: nobody has gone in between. */
    atomic_store(&inside_at_fork, !emptied(FORK_WAIT));
}

static void after_fork_here(void)
{
    atomic_fetch_sub(&gate_shut, FORKING);
}

static void after_fork_in_child(void)
{
    int stays = atomic_load(&gate_shut) & (EXITING | TAINTED);

    atomic_store(&gate_shut, stays | (atomic_load(&inside_at_fork) ? TAINTED : 0));
}

int32_t gate_install(void)
{
    if (!installed && pthread_atfork(before_fork, after_fork_here, after_fork_in_child) != 0)
        return TLSSHIM_E_MEMORY;
    installed = true;
    return TLSSHIM_OK;
}

int32_t gate_enter(atomic_int **inside)
{
    int shut;

    while ((*inside = gate_try()) == NULL) {
        shut = atomic_load(&gate_shut);
        if ((shut & EXITING) != 0)
            return error_new(TLSSHIM_E_STATE, "the process is exiting");
        if ((shut & TAINTED) != 0)
            return TLSSHIM_E_FORKED;
        pause_a_little();
    }
    return TLSSHIM_OK;
}
