#include "helper.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "backend.h"
#include "error.h"
#include "process.h"

enum state { IDLE, RUNNING, PARKED, DONE, LEAVING };

enum { IDLE_MOST = 32, STACK_SIZE = 512 * 1024 };

struct helper {
    struct helper *next; /* in the pool */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum state state;
    int32_t (*work)(void *arg);
    void *arg;
    int32_t result;
    void *question;
    bool give_up;
};

/* Touched only by callers inside the gate, so that a fork never copies the lock locked. */
static struct {
    pthread_mutex_t lock;
    uint32_t epoch; /* of the process whose threads these are */
    struct helper *idle;
    int32_t idle_count;
    int32_t busy;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct helper *own;

static void pool_lock(void)
{
    pthread_mutex_lock(&pool.lock);
    if (pool.epoch == process_epoch())
        return;
    pool.epoch = process_epoch(); /* the threads stayed with the parent */
    pool.idle = NULL;
    pool.idle_count = pool.busy = 0;
}

int32_t helpers_busy(void)
{
    int32_t busy;

    pool_lock();
    busy = pool.busy;
    pthread_mutex_unlock(&pool.lock);
    return busy;
}

static void helper_free(struct helper *helper)
{
    pthread_cond_destroy(&helper->changed);
    pthread_mutex_destroy(&helper->lock);
    free(helper);
}

static void change(struct helper *helper, enum state state)
{
    helper->state = state;
    pthread_cond_broadcast(&helper->changed);
}

static void *helper_main(void *argument)
{
    struct helper *helper = argument;

    own = helper;
    backend_adopt_thread();
    pthread_mutex_lock(&helper->lock);
    for (;;) {
        while (helper->state != RUNNING && helper->state != LEAVING)
            pthread_cond_wait(&helper->changed, &helper->lock);
        if (helper->state == LEAVING)
            break;
        pthread_mutex_unlock(&helper->lock);
        helper->result = helper->work(helper->arg);
        error_forget_backend();
        pthread_mutex_lock(&helper->lock);
        change(helper, DONE);
    }
    pthread_mutex_unlock(&helper->lock);
    helper_free(helper);
    return NULL;
}

/* A thread that takes no signal: those of the host's collector, of its timers, are not for it. */
static int thread_start(struct helper *helper)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    int failed = pthread_attr_init(&attributes);

    if (failed != 0)
        return failed;
    sigfillset(&all);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    failed = pthread_attr_setsigmask_np(&attributes, &all);
    if (failed == 0)
        failed = pthread_create(&thread, &attributes, helper_main, helper);
    pthread_attr_destroy(&attributes);
    return failed;
}

static int32_t helper_new(struct helper **made)
{
    struct helper *helper = calloc(1, sizeof *helper);
    int failed;

    if (helper == NULL)
        return TLSSHIM_E_MEMORY;
    pthread_mutex_init(&helper->lock, NULL);
    pthread_cond_init(&helper->changed, NULL);
    failed = thread_start(helper);
    if (failed != 0) {
        helper_free(helper);
        return error_system(failed, "no thread for a handshake that may wait for an answer");
    }
    *made = helper;
    return TLSSHIM_OK;
}

static int32_t pool_take(struct helper **helper)
{
    int32_t result = TLSSHIM_OK;

    pool_lock();
    *helper = pool.idle;
    if (pool.busy >= HELPERS_MOST) {
        result = error_new(TLSSHIM_E_LIMIT, "%d handshakes wait for answers, which is as many as there can be",
                           HELPERS_MOST);
    } else {
        pool.busy++;
        if (*helper != NULL) {
            pool.idle = (*helper)->next;
            pool.idle_count--;
        }
    }
    pthread_mutex_unlock(&pool.lock);
    if (result < 0 || *helper != NULL)
        return result;
    result = helper_new(helper);
    if (result < 0) {
        pool_lock();
        pool.busy--;
        pthread_mutex_unlock(&pool.lock);
    }
    return result;
}

static void pool_give(struct helper *helper)
{
    bool keep;

    pool_lock();
    pool.busy--;
    keep = pool.idle_count < IDLE_MOST;
    if (keep) {
        helper->next = pool.idle;
        pool.idle = helper;
        pool.idle_count++;
    }
    pthread_mutex_unlock(&pool.lock);
    if (keep)
        return;
    pthread_mutex_lock(&helper->lock);
    change(helper, LEAVING);
    pthread_mutex_unlock(&helper->lock);
}

/* Lets it run, and waits until it is parked or done. */
static enum state go(struct helper *helper)
{
    enum state state;

    pthread_mutex_lock(&helper->lock);
    change(helper, RUNNING);
    while (helper->state == RUNNING)
        pthread_cond_wait(&helper->changed, &helper->lock);
    state = helper->state;
    if (state == DONE)
        helper->state = IDLE;
    pthread_mutex_unlock(&helper->lock);
    return state;
}

int32_t helper_run(struct helper **place, int32_t (*work)(void *arg), void *arg, int32_t *result)
{
    struct helper *helper = *place;

    if (helper == NULL) {
        int32_t taken = pool_take(&helper);

        if (taken < 0)
            return taken;
        helper->work = work;
        helper->arg = arg;
        helper->give_up = false;
    }
    *place = helper;
    if (go(helper) == PARKED)
        return TLSSHIM_WANT_EVENT;
    *result = helper->result;
    *place = NULL;
    pool_give(helper);
    return TLSSHIM_OK;
}

bool helper_park(void *question)
{
    struct helper *helper = own;
    bool go_on;

    if (helper == NULL)
        return false;
    pthread_mutex_lock(&helper->lock);
    if (!helper->give_up) {
        helper->question = question;
        change(helper, PARKED);
        while (helper->state == PARKED)
            pthread_cond_wait(&helper->changed, &helper->lock);
        helper->question = NULL;
    }
    go_on = !helper->give_up;
    pthread_mutex_unlock(&helper->lock);
    return go_on;
}

void *helper_question(const struct helper *helper)
{
    return helper->question;
}

void helper_abandon(struct helper **place)
{
    struct helper *helper = *place;

    if (helper == NULL)
        return;
    helper->give_up = true;
    while (go(helper) == PARKED)
        ;
    *place = NULL;
    pool_give(helper);
}
