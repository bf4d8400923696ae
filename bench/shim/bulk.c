/* Bytes through a connection in memory: conn_seal at one end, conn_open at the other, both in one thread. */
#include <pthread.h>
#include <string.h>

#include "../meter.h"
#include "shim.h"

static uint8_t plain[ROOM], back[ROOM], wire[ROOM];
static struct ends ends;
static int32_t size;

static void update_key(void)
{
    int32_t sealed, taken;

    must(tlsshim_conn_key_update(ends.client, 0));
    sealed = (int32_t)must(tlsshim_conn_drain(ends.client, wire, sizeof wire));
    if (tlsshim_conn_open(ends.server, wire, sealed, back, sizeof back, &taken) != TLSSHIM_WANT_FEED || taken != sealed)
        die("the key was not changed");
}

/* update=1: under the client's second key. */
void bulk_prepare(void)
{
    size = (int32_t)option_number("size", RECORD);
    if (size <= 0 || size > RECORD)
        die("size is 1 to 16384");
    memset(plain, 'x', sizeof plain);
    ends = ends_connected();
    if (option_number("update", 0) == 1)
        update_key();
}

static void move(int64_t from, int64_t to, uint8_t *room, int32_t room_cap, uint8_t *out, int32_t len)
{
    int32_t taken, sealed = tlsshim_conn_seal(from, plain, len, room, room_cap, &taken);

    if (sealed <= 0 || taken != len || tlsshim_conn_open(to, room, sealed, out, len, &taken) != len || taken != sealed)
        die("bytes were lost");
}

void bulk_work(long chunks)
{
    for (; chunks > 0; chunks--)
        move(ends.client, ends.server, wire, sizeof wire, back, size);
}

/* As many small writes as fill 32 KiB, then one drain and one reading of all. */
void gather_work(long chunks)
{
    long most = 32768 / size;
    int32_t taken, sealed, got;

    while (chunks > 0) {
        long turn = chunks < most ? chunks : most;

        for (long i = 0; i < turn; i++)
            if (tlsshim_conn_write(ends.client, plain, size) != size)
                die("a write was cut");
        sealed = (int32_t)must(tlsshim_conn_drain(ends.client, wire, sizeof wire));
        got = (int32_t)must(tlsshim_conn_open(ends.server, wire, sealed, back, sizeof back, &taken));
        if (got != (int32_t)turn * size || taken != sealed)
            die("bytes were lost");
        chunks -= turn;
    }
}

void echo_work(long turns)
{
    for (; turns > 0; turns--) {
        move(ends.client, ends.server, wire, sizeof wire, back, size);
        move(ends.server, ends.client, wire, sizeof wire, back, size);
    }
}

struct busy {
    pthread_t thread;
    struct ends ends;
    long chunks;
};

static void *busy_thread(void *data)
{
    struct busy *busy = data;
    static _Thread_local uint8_t room[RECORD + 1024], out[RECORD];

    for (long i = 0; i < busy->chunks; i++)
        move(busy->ends.client, busy->ends.server, room, sizeof room, out, RECORD);
    return NULL;
}

void bulk_threads_work(long chunks)
{
    static struct busy busy[16];
    int count = (int)option_number("threads", 2);

    for (int i = 0; i < count; i++) {
        if (busy[i].ends.client == 0)
            busy[i].ends = ends_connected();
        busy[i].chunks = chunks;
    }
    for (int i = 0; i < count; i++)
        if (pthread_create(&busy[i].thread, NULL, busy_thread, &busy[i]) != 0)
            die("no thread");
    for (int i = 0; i < count; i++)
        pthread_join(busy[i].thread, NULL);
}
