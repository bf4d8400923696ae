/* A peer's bytes from the start. The first byte says to whom: 0 our client, 1 our server, which get the rest in pieces
 * of the second byte's size; 2 and 3 change a true handshake between ours (of TLS 1.2 and 1.3): where, in the stream of
 * both (two bytes), which bits (a byte), and so on. */
#include <string.h>

#include "fuzz.h"

enum { CHANGES_MOST = 16 };

struct changes {
    const uint8_t *at; /* three bytes each */
    size_t count;
    size_t passed;
};

static void feed_pieces(int64_t conn, const uint8_t *data, size_t len)
{
    size_t piece = len > 0 ? data[0] + 1U : 1;

    for (size_t at = 1; at < len; at += piece) {
        fuzz_result(tlsshim_conn_feed(conn, data + at, (int32_t)(len - at < piece ? len - at : piece)));
        fuzz_drive(conn);
    }
    fuzz_result(tlsshim_conn_feed_end(conn));
    fuzz_drive(conn);
    if (tlsshim_conn_state(conn) & TLSSHIM_STATE_HANDSHAKE_DONE)
        fuzz_broken("nobody completes a handshake with bytes from a file");
}

static int move(int64_t from, int64_t to, struct changes *changes)
{
    int32_t len = (int32_t)fuzz_result(tlsshim_conn_drain(from, fuzz_room, FUZZ_ROOM));

    for (size_t i = 0; i < changes->count; i++) {
        const uint8_t *change = changes->at + 3 * i;
        size_t where = (size_t)change[0] << 8 | change[1];

        if (where >= changes->passed && where < changes->passed + (size_t)(len > 0 ? len : 0))
            fuzz_room[where - changes->passed] ^= change[2];
    }
    if (len <= 0)
        return 0;
    changes->passed += (size_t)len;
    fuzz_result(tlsshim_conn_feed(to, fuzz_room, len));
    return 1;
}

static int64_t contexts[2][2]; /* client and server, for the two versions */

static void begin(void)
{
    for (int i = 0; i < 2; i++) {
        contexts[i][0] = fuzz_context(TLSSHIM_ROLE_CLIENT, i ? TLSSHIM_TLS_1_3 : TLSSHIM_TLS_1_2);
        contexts[i][1] = fuzz_context(TLSSHIM_ROLE_SERVER, i ? TLSSHIM_TLS_1_3 : TLSSHIM_TLS_1_2);
        fuzz_must(tlsshim_context_set_client_certificate(contexts[i][1], TLSSHIM_CLIENT_CERTIFICATE_REQUEST));
    }
}

static void change(const int64_t both[2], const uint8_t *data, size_t len)
{
    struct changes changes = {data, len / 3 < CHANGES_MOST ? len / 3 : CHANGES_MOST, 0};
    int64_t client, server;
    int up, down;

    client = fuzz_must(tlsshim_conn_new(both[0], "www.test", 8));
    server = fuzz_must(tlsshim_conn_new(both[1], "", 0));
    do {
        fuzz_result(tlsshim_conn_handshake(client));
        fuzz_result(tlsshim_conn_handshake(server));
        up = move(client, server, &changes);
        down = move(server, client, &changes);
    } while (up || down);
    fuzz_drive(client);
    fuzz_drive(server);
    fuzz_close(client);
    fuzz_close(server);
}

void fuzz(const uint8_t *data, size_t len)
{
    int64_t conn;

    if (contexts[0][0] == 0)
        begin();
    if (len == 0)
        return;
    if (data[0] & 2) {
        change(contexts[data[0] & 1], data + 1, len - 1);
        return;
    }
    conn = data[0] & 1 ? fuzz_must(tlsshim_conn_new(fuzz_stage()->server, "", 0))
                       : fuzz_must(tlsshim_conn_new(fuzz_stage()->client, "www.test", 8));
    feed_pieces(conn, data + 1, len - 1);
    fuzz_close(conn);
}
