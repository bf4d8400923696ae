/* Bytes through a connection in memory: sealed at one end, opened at the other, both in one thread. */
#include <pthread.h>
#include <string.h>

#include "../meter.h"
#include "plain.h"

enum { MOST = 65536 };

static char plain[MOST], back[MOST];
static struct ends ends;
static size_t size;

static void read_exactly(SSL *ssl, char *data, size_t len)
{
    size_t got;

    for (size_t have = 0; have < len; have += got)
        if (SSL_read_ex(ssl, data + have, len - have, &got) != 1)
            fail("reading failed");
}

static void write_all(SSL *ssl, const char *data, size_t len)
{
    size_t written;

    for (size_t done = 0; done < len; done += written)
        if (SSL_write_ex(ssl, data + done, len - done, &written) != 1)
            fail("writing failed");
}

static struct ends connected(SSL_CTX *client, SSL_CTX *server)
{
    struct ends made = ends_in_memory(client, server);
    char byte = 0;

    ends_handshake(&made);
    write_all(made.server, &byte, 1); /* the tickets come with it */
    ends_carry(&made, false);
    read_exactly(made.client, &byte, 1);
    return made;
}

void bulk_prepare(void)
{
    size = (size_t)option_number("size", 16384);
    if (size == 0 || size > 16384)
        die("size is 1 to 16384");
    memset(plain, 'x', sizeof plain);
    ends = connected(client_context(), server_context());
}

void bulk_work(long chunks)
{
    for (; chunks > 0; chunks--) {
        write_all(ends.client, plain, size);
        ends_carry(&ends, true);
        read_exactly(ends.server, back, size);
    }
}

/* A message and its answer. */
void echo_prepare(void)
{
    bulk_prepare();
}

void echo_work(long turns)
{
    for (; turns > 0; turns--) {
        write_all(ends.client, plain, size);
        ends_carry(&ends, true);
        read_exactly(ends.server, back, size);
        write_all(ends.server, back, size);
        ends_carry(&ends, false);
        read_exactly(ends.client, back, size);
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
    static _Thread_local char room[16384];

    for (long i = 0; i < busy->chunks; i++) {
        write_all(busy->ends.client, plain, sizeof room);
        ends_carry(&busy->ends, true);
        read_exactly(busy->ends.server, room, sizeof room);
    }
    return NULL;
}

/* As much work for each of the threads, each with a connection of its own. */
void bulk_threads_work(long chunks)
{
    static struct busy busy[16];
    int count = (int)option_number("threads", 2);

    for (int i = 0; i < count; i++) {
        if (busy[i].ends.client == NULL)
            busy[i].ends = connected(client_context(), server_context());
        busy[i].chunks = chunks;
    }
    for (int i = 0; i < count; i++)
        if (pthread_create(&busy[i].thread, NULL, busy_thread, &busy[i]) != 0)
            die("no thread");
    for (int i = 0; i < count; i++)
        pthread_join(busy[i].thread, NULL);
}
