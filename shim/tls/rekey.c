/* The sending key: changed on demand, and before it wears out. */
#include "../base/error.h"
#include "failure.h"
#include "flow.h"

/* Records under one key, well below AES-GCM's bound of 2^24.5 (RFC 8446 section 5.5). */
static const uint32_t RECORDS_A_KEY = 1 << 23;

/* Bytes under the one key that a connection has below TLS 1.3, well below AES-GCM's bound: 2^24.5 records of 16 KiB
 * (RFC 9325 section 4.4). Counted in bytes, so that small records do not end a connection before its time. */
static const int64_t BYTES_OF_ONE_KEY = INT64_C(1) << 38;

bool flow_key_worn(const struct conn *conn)
{
    return conn->transport.bytes_out >= BYTES_OF_ONE_KEY && SSL_version(conn->ssl) < TLS1_3_VERSION &&
           SSL_CIPHER_get_cipher_nid(SSL_get_current_cipher(conn->ssl)) != NID_chacha20_poly1305;
}

static int32_t change_key(struct conn *conn, bool both)
{
    int answer;

    conn_deepen(conn);
    if (SSL_key_update(conn->ssl, both ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED) != 1)
        return error_backend(TLSSHIM_E_STATE, "the key cannot be changed now");
    conn->transport.records_keyed = 0;
    answer = SSL_do_handshake(conn->ssl);
    return answer == 1 ? TLSSHIM_OK : conn_fail(conn, failure_of(conn, answer));
}

int32_t flow_fresh_key(struct conn *conn)
{
    if (SSL_get_key_update_type(conn->ssl) == SSL_KEY_UPDATE_NONE &&
        (conn->transport.records_keyed < RECORDS_A_KEY || SSL_version(conn->ssl) < TLS1_3_VERSION))
        return TLSSHIM_OK;
    return change_key(conn, false);
}

static int32_t flow_key_update(struct conn *conn, int32_t both)
{
    int32_t result = flow_writable(conn);

    if (result != TLSSHIM_OK)
        return result;
    if (SSL_version(conn->ssl) < TLS1_3_VERSION)
        return error_new(TLSSHIM_E_UNSUPPORTED, "key updates exist in TLS 1.3 only; this connection speaks %s",
                         SSL_get_version(conn->ssl));
    if (flow_midway(conn))
        return flow_want_midway(conn);
    if (conn->transport.left.len > LEFT_BOUND)
        return TLSSHIM_WANT_DRAIN;
    return change_key(conn, both == 1);
}

int32_t tlsshim_conn_key_update(int64_t conn, int32_t both)
{
    struct conn_call call;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    if (both != 0 && both != 1) {
        result = error_new(TLSSHIM_E_ARGUMENT, "both is 0 or 1, not %d", both);
    } else {
        flow_begin(call.conn);
        result = flow_key_update(call.conn, both);
        flow_end(call.conn);
    }
    conn_leave(&call);
    return result;
}
