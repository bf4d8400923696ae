/* Messages over a socketpair: so many are written as the kernel holds, then all are read; both ends in one thread. */
#include <string.h>
#include <sys/socket.h>

#include "../meter.h"
#include "shim.h"

enum { IN_FLIGHT = 32768, IN_ROW = 128, WAIT_MS = 10000 };

static uint8_t message[RECORD], back[RECORD];
static struct ends ends;
static int32_t size;

static int32_t handshake_step(int64_t stream)
{
    int32_t result = tlsshim_stream_handshake(stream, 0);

    if (result != TLSSHIM_OK && result != TLSSHIM_WANT_READ && result != TLSSHIM_WANT_WRITE)
        must(result);
    return result;
}

static void write_message(int64_t stream)
{
    int32_t sent;

    for (int32_t done = 0; done < size; done += sent)
        sent = (int32_t)must(tlsshim_stream_write(stream, message + done, size - done, WAIT_MS));
}

static void read_bytes(int64_t stream, long len)
{
    for (long have = 0; have < len;)
        have += must(tlsshim_stream_read(stream, back, sizeof back, WAIT_MS));
}

void sockets_prepare(void)
{
    int fds[2];
    int32_t done;

    size = (int32_t)option_number("size", 1024);
    if (size <= 0 || size > RECORD)
        die("size is 1 to 16384");
    memset(message, 'x', sizeof message);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        die("no socketpair");
    ends.client = must(tlsshim_stream_adopt(fds[0], context_for_client(), "localhost", 9, TLSSHIM_FD_TAKE));
    ends.server = must(tlsshim_stream_adopt(fds[1], context_for_server(), NULL, 0, TLSSHIM_FD_TAKE));
    do {
        done = handshake_step(ends.client);
        done |= handshake_step(ends.server);
    } while (done != TLSSHIM_OK);
    write_message(ends.server);
    read_bytes(ends.client, size);
}

/* cork=1: what one turn writes may share records and system calls; the flush at its end sends all. */
void sockets_work(long messages)
{
    long most = IN_FLIGHT / size < IN_ROW ? IN_FLIGHT / size : IN_ROW;
    bool cork = option_number("cork", 0) == 1;
    int64_t conn = cork ? must(tlsshim_stream_conn(ends.client)) : 0;

    while (messages > 0) {
        long turn = messages < most ? messages : most;

        if (cork)
            must(tlsshim_conn_cork(conn, 1));
        for (long i = 0; i < turn; i++)
            write_message(ends.client);
        if (cork) {
            must(tlsshim_conn_cork(conn, 0));
            must(tlsshim_stream_flush(ends.client, WAIT_MS));
        }
        read_bytes(ends.server, turn * size);
        messages -= turn;
    }
    if (cork)
        tlsshim_close(conn);
}
