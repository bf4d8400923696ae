/* Messages over a socketpair: so many are written as the kernel holds, then all are read; both ends in one thread. */
#include <string.h>

#include "../meter.h"
#include "plain.h"

enum { IN_FLIGHT = 32768, IN_ROW = 128, MOST = 16384 };

static char message[MOST], back[MOST];
static struct ends ends;
static size_t size;

static size_t read_some(SSL *ssl)
{
    size_t got;

    if (SSL_read_ex(ssl, back, sizeof back, &got) != 1)
        fail("reading failed");
    return got;
}

static void write_message(SSL *ssl)
{
    size_t written;

    for (size_t done = 0; done < size; done += written)
        if (SSL_write_ex(ssl, message + done, size - done, &written) != 1)
            fail("writing failed");
}

void sockets_prepare(void)
{
    size = (size_t)option_number("size", 1024);
    if (size == 0 || size > MOST)
        die("size is 1 to 16384");
    memset(message, 'x', sizeof message);
    ends = ends_on_sockets(client_context(), server_context());
    ends_handshake(&ends);
    write_message(ends.server);
    for (size_t have = 0; have < size;)
        have += read_some(ends.client);
}

void sockets_work(long messages)
{
    long most = (long)(IN_FLIGHT / size) < IN_ROW ? (long)(IN_FLIGHT / size) : IN_ROW;

    while (messages > 0) {
        long turn = messages < most ? messages : most;

        for (long i = 0; i < turn; i++)
            write_message(ends.client);
        for (size_t have = 0; have < (size_t)turn * size;)
            have += read_some(ends.server);
        messages -= turn;
    }
}
