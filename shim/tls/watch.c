#include "watch.h"

#include <openssl/ssl.h>
#include <string.h>

#include "conn.h"

/* The random of a ServerHello that is a HelloRetryRequest (RFC 8446 section 4.1.3). */
static bool hello_retry(const uint8_t *message, size_t len)
{
    static const uint8_t random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                       0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                       0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

    return len >= 38 && message[0] == SSL3_MT_SERVER_HELLO && memcmp(message + 6, random, sizeof random) == 0;
}

/* The transport has made the backend give its buffers back with this message. */
static void on_sent(struct conn *conn)
{
    conn_deepen(conn);
    if (conn->setup->settings.memory != TLSSHIM_POLICY_IDLE_SMALL)
        SSL_clear_mode(conn->ssl, SSL_MODE_RELEASE_BUFFERS);
}

static void on_record(struct conn *conn, bool sent)
{
    if (sent)
        conn->transport.records_out++, conn->transport.records_keyed++;
    else
        conn->records_read++;
}

static void on_message(int sent, int version, int type, const void *data, size_t len, SSL *ssl, void *arg)
{
    struct conn *conn = arg;
    const uint8_t *bytes = data;

    (void)version;
    (void)ssl;
    request_settle(conn);
    if ((type == SSL3_RT_HEADER || type == SSL3_RT_INNER_CONTENT_TYPE) && bytes[0] != SSL3_RT_APPLICATION_DATA)
        conn_deepen(conn);
    if (type == SSL3_RT_HEADER)
        on_record(conn, sent != 0);
    if (sent && (type == SSL3_RT_HANDSHAKE || type == SSL3_RT_ALERT))
        on_sent(conn);
    if (type == SSL3_RT_ALERT && !sent && len == 2 && bytes[1] == SSL_AD_CLOSE_NOTIFY)
        conn->peer_closed = true;
    else if (type == SSL3_RT_HANDSHAKE && hello_retry(bytes, len))
        conn->hello_retry = true;
    else if (type == SSL3_RT_HANDSHAKE && conn->done && len > 0)
        request_message(conn, sent != 0, bytes[0]);
}

void watch_install(struct conn *conn)
{
    SSL_set_msg_callback(conn->ssl, on_message);
    SSL_set_msg_callback_arg(conn->ssl, conn);
}
