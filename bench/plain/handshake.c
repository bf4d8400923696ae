/* Whole connections in memory: handshake, a byte each way (the tickets arrive with the server's), goodbye, free. */
#include <stdlib.h>
#include <string.h>

#include "../meter.h"
#include "plain.h"

static SSL_CTX *client_ctx, *server_ctx;
static bool resume;
static _Thread_local SSL_SESSION *newest;
static _Thread_local int tickets;

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    tickets++;
    SSL_SESSION_free(newest);
    newest = session;
    return 1;
}

static void move_byte(const struct ends *ends, bool to_server)
{
    char byte = 'x';
    size_t count;

    if (SSL_write_ex(to_server ? ends->client : ends->server, &byte, 1, &count) != 1)
        fail("a byte is not taken");
    ends_carry(ends, to_server);
    if (SSL_read_ex(to_server ? ends->server : ends->client, &byte, 1, &count) != 1)
        fail("a byte was lost");
}

static void one(bool offer)
{
    struct ends ends = ends_in_memory(client_ctx, server_ctx);

    if (offer && SSL_set_session(ends.client, newest) != 1)
        fail("the session cannot be offered");
    tickets = 0;
    ends_handshake(&ends);
    move_byte(&ends, true);
    move_byte(&ends, false);
    if (SSL_session_reused(ends.client) != offer)
        die("resumption went otherwise than asked");
    SSL_shutdown(ends.client);
    SSL_shutdown(ends.server);
    ends_free(&ends);
}

void handshake_prepare(void)
{
    client_ctx = client_context();
    server_ctx = server_context();
    resume = option_number("resume", 0) == 1;
    SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(client_ctx, on_session);
    one(false);
}

void handshake_work(long times)
{
    long wanted = option_number("tickets", option_number("version", 13) == 13 ? 2 : 1) - (resume ? 1 : 0);

    for (; times > 0; times--) {
        one(resume);
        if (tickets != wanted)
            die("%d tickets were delivered, not %ld", tickets, wanted);
    }
}

static void fresh_work(long times)
{
    handshake_work(times);
    SSL_SESSION_free(newest);
}

/* So many in each of the threads, with the contexts in common. */
void handshake_threads_work(long times)
{
    in_threads((int)option_number("threads", 2), fresh_work, times);
}

/* Two ends made and freed, without a step. */
void open_work(long times)
{
    for (; times > 0; times--) {
        struct ends ends = ends_in_memory(client_ctx, server_ctx);

        ends_free(&ends);
    }
}

/* KiB that an idle pair holds, of so many. */
double memory_value(long count)
{
    struct ends *all = calloc((size_t)count, sizeof *all);
    double before, after;

    before = resident();
    for (long i = 0; i < count; i++) {
        all[i] = ends_in_memory(client_ctx, server_ctx);
        ends_handshake(&all[i]);
        move_byte(&all[i], true);
        move_byte(&all[i], false);
    }
    after = resident();
    for (long i = 0; i < count; i++)
        ends_free(&all[i]);
    free(all);
    return (after - before) / (double)count;
}
