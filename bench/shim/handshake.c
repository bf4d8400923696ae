/* Whole connections in memory: handshake, a byte each way (the tickets arrive with the server's), goodbye, close. */
#include <stdlib.h>

#include "../meter.h"
#include "shim.h"

static int64_t client_context, server_context;
static _Thread_local int64_t newest;
static bool resume;

static void one(bool offer)
{
    struct ends ends = ends_new(client_context, server_context);
    int64_t tickets = 0, session, reused = 0;
    long version = option_number("version", 13);
    int64_t wanted = version == 12 ? 1 : option_number("tickets", 2) - (offer ? 1 : 0);

    if (offer)
        must(tlsshim_conn_set_session(ends.client, newest));
    ends_handshake(&ends);
    move_byte(ends.client, ends.server);
    move_byte(ends.server, ends.client);
    /* In TLS 1.2 there is one session, and it is given again and again. */
    while (tickets < (version == 12 ? 1 : 99) && (session = tlsshim_conn_take_session(ends.client)) > 0) {
        tlsshim_close(newest);
        newest = session;
        tickets++;
    }
    must(tlsshim_conn_number(ends.client, TLSSHIM_CONN_RESUMED, &reused));
    if (reused != offer || (wanted > 0 && tickets != wanted))
        die("resumed: %d, tickets: %d; wanted %d and %d", (int)reused, (int)tickets, (int)offer, (int)wanted);
    tlsshim_conn_shutdown(ends.client);
    tlsshim_conn_shutdown(ends.server);
    ends_close(&ends);
}

void handshake_prepare(void)
{
    client_context = context_for_client();
    server_context = context_for_server();
    resume = option_number("resume", 0) == 1;
    one(false);
}

void handshake_work(long times)
{
    for (; times > 0; times--)
        one(resume);
}

static void fresh_work(long times)
{
    handshake_work(times);
    tlsshim_close(newest);
}

/* So many in each of the threads, with the contexts in common. */
void handshake_threads_work(long times)
{
    in_threads((int)option_number("threads", 2), fresh_work, times);
}

/* Two ends made and closed, without a step. */
void open_work(long times)
{
    for (; times > 0; times--) {
        struct ends ends = ends_new(client_context, server_context);

        ends_close(&ends);
    }
}

/* KiB that an idle pair holds, of so many. */
double memory_value(long count)
{
    struct ends *all = calloc((size_t)count, sizeof *all);
    double before = resident(), after;

    for (long i = 0; i < count; i++) {
        all[i] = ends_new(client_context, server_context);
        ends_handshake(&all[i]);
        move_byte(all[i].client, all[i].server);
        move_byte(all[i].server, all[i].client);
    }
    after = resident();
    for (long i = 0; i < count; i++)
        ends_close(&all[i]);
    free(all);
    return (after - before) / (double)count;
}
