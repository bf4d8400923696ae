/* How long a small write takes beside a thread that reads on the same connection without a pause. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../meter.h"
#include "shim.h"

enum { BATCH = 64 };

static struct ends ends;
static atomic_bool reading, over;

void lock_prepare(void)
{
    ends = ends_connected();
}

/* Records sealed at the other end, beside the measured connection's lock. */
static int32_t batch_seal(uint8_t *wire, int32_t cap)
{
    static uint8_t plain[RECORD];
    int32_t len = 0, taken;

    for (int i = 0; i < BATCH; i++)
        len += (int32_t)must(tlsshim_conn_seal(ends.client, plain, RECORD, wire + len, cap - len, &taken));
    return len;
}

static void *read_on(void *unused)
{
    static uint8_t wire[BATCH * (RECORD + 64)], plain[ROOM];
    int32_t len, taken;

    (void)unused;
    while (!atomic_load(&over)) {
        len = batch_seal(wire, sizeof wire);
        atomic_store(&reading, true);
        for (int32_t at = 0; at < len; at += taken)
            must(tlsshim_conn_open(ends.server, wire + at, len - at, plain, RECORD, &taken));
        atomic_store(&reading, false);
    }
    return NULL;
}

static double write_once(void)
{
    uint8_t message[64] = {0}, wire[256];
    int32_t taken;
    double began = now(CLOCK_MONOTONIC);

    must(tlsshim_conn_seal(ends.server, message, sizeof message, wire, sizeof wire, &taken));
    return now(CLOCK_MONOTONIC) - began;
}

static int in_order(const void *left, const void *right)
{
    const double *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* Of so many writes, in microseconds: the one that percent=... of them do not exceed. */
double lock_value(long count)
{
    const struct timespec pause = {.tv_nsec = 20000};
    double *took = calloc((size_t)count, sizeof *took), found;
    pthread_t reader;

    if (took == NULL || pthread_create(&reader, NULL, read_on, NULL) != 0)
        die("no reader");
    for (long i = 0; i < count; i++) {
        nanosleep(&pause, NULL);
        while (!atomic_load(&reading))
            continue;
        took[i] = write_once();
    }
    atomic_store(&over, true);
    pthread_join(reader, NULL);
    qsort(took, (size_t)count, sizeof *took, in_order);
    found = took[(count - 1) * option_number("percent", 50) / 100] * 1e6;
    free(took);
    return found;
}
