/* What the ground under every call costs: pinning a handle, a visit to the backend, making and telling an error. */
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/backend.h"
#include "base/error.h"
#include "base/handle.h"

enum { ROUNDS = 7, THREADS = 4 };

static int64_t handle;

static void nothing(void *object)
{
    (void)object;
}

static int64_t no_bytes(void *object)
{
    (void)object;
    return 0;
}

static const struct handle_kind kinds[] = {
    {.number = TLSSHIM_KIND_MOCK, .free = nothing, .memory = no_bytes},
    {.number = TLSSHIM_KIND_CONN, .one_process = true, .free = nothing, .memory = no_bytes},
};
static const struct handle_kind *kind = &kinds[0];

static int64_t new_handle(void)
{
    int64_t made = handle_new(kind, &handle);

    if (made < 0)
        exit(EXIT_FAILURE);
    return made;
}

static void pin_and_unpin(void)
{
    void *object;

    if (handle_pin(handle, kind, &object) != TLSSHIM_OK)
        exit(EXIT_FAILURE);
    handle_unpin(handle);
}

static void pin_a_closed_one(void)
{
    void *object;

    if (handle_pin(handle, kind, &object) != TLSSHIM_E_HANDLE)
        exit(EXIT_FAILURE);
}

static void open_and_close(void)
{
    tlsshim_close(new_handle());
}

static void visit(void)
{
    struct visit here;

    if (visit_enter(&here) < 0)
        exit(EXIT_FAILURE);
    visit_leave(&here);
}

static void make_an_error(void)
{
    error_new(TLSSHIM_E_ARGUMENT, "%s is %d bytes long, the limit is %d", "name", 300, 255);
}

static void tell_an_error(void)
{
    static int32_t result;
    char text[ERROR_TEXT_CAP];

    if (result == 0)
        result = error_new(TLSSHIM_E_ARGUMENT, "told again and again");
    tlsshim_error_text(result, text, sizeof text);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The best of some rounds: what the machine does beside is not what is measured. */
static double measure(void (*what)(void), int times)
{
    double best = 1e18;

    for (int round = 0; round < ROUNDS; round++) {
        double began = now(), each;

        for (int i = 0; i < times; i++)
            what();
        each = (now() - began) / times;
        best = each < best ? each : best;
    }
    return best;
}

static void show(const char *name, double nanoseconds)
{
    printf("%-48s %8.1f ns\n", name, nanoseconds);
}

static void *one_of_many(void *what)
{
    for (int i = 0; i < 500000; i++)
        ((void (**)(void))what)[0]();
    return NULL;
}

static double measure_threads(void (*what)(void))
{
    pthread_t threads[THREADS];
    double began = now();

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, one_of_many, &what) != 0)
            exit(EXIT_FAILURE);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return (now() - began) / (500000.0 * THREADS);
}

int main(void)
{
    handle = new_handle();
    show("handle: pin + unpin", measure(pin_and_unpin, 1000000));
    kind = &kinds[1];
    handle = new_handle();
    show("handle: pin + unpin, of one process", measure(pin_and_unpin, 1000000));
    show("handle: pin + unpin, 4 threads on one, per call", measure_threads(pin_and_unpin));
    tlsshim_close(handle);
    show("handle: a closed one refused", measure(pin_a_closed_one, 1000000));
    show("visit: enter + leave", measure(visit, 300000));
    ERR_raise(ERR_LIB_USER, 1);
    show("visit: with one error of the host's set aside", measure(visit, 300000));
    ERR_clear_error();
    show("visit: enter + leave, 4 threads, per visit", measure_threads(visit));
    show("handle: open + close, visit included", measure(open_and_close, 300000));
    show("error: made", measure(make_an_error, 200000));
    show("error: told", measure(tell_an_error, 200000));
    return EXIT_SUCCESS;
}
