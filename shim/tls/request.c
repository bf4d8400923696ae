#include "request.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "../base/error.h"
#include "failure.h"
#include "flow.h"

/* Whatever was judged before is no longer what the backend holds. */
static void begin_answer(struct conn *conn)
{
    conn->request = REQUEST_ARRIVING;
    conn->judged = false;
    free(conn->verdict);
    conn->verdict = NULL;
}

void request_message(struct conn *conn, bool sent, int type)
{
    if (sent)
        return;
    if (!conn_server(conn) && type == SSL3_MT_CERTIFICATE_REQUEST)
        conn->request = REQUEST_SENT;
    else if (conn->request == REQUEST_SENT && type == SSL3_MT_CERTIFICATE)
        begin_answer(conn);
    else if (conn->request == REQUEST_ARRIVING && type == SSL3_MT_FINISHED)
        conn->request = REQUEST_FINISHED;
}

void request_settle(struct conn *conn)
{
    if (conn->request != REQUEST_FINISHED || SSL_in_init(conn->ssl))
        return;
    conn->request = REQUEST_ANSWERED;
    /* The tickets before this know nothing of the certificate. */
    if (SSL_get0_peer_certificate(conn->ssl) != NULL && conn->setup->settings.tickets > 0 && conn->tickets_due == 0 &&
        !conn->by_psk)
        conn->tickets_due = 1;
}

bool request_unproven(const struct conn *conn)
{
    return conn->request == REQUEST_ARRIVING || conn->request == REQUEST_FINISHED;
}

bool request_may_park(const struct conn *conn)
{
    if (!conn->setup->helped)
        return false;
    return conn_server(conn) ? request_state(conn) == 1
                             : conn->setup->settings.post_handshake && SSL_version(conn->ssl) >= TLS1_3_VERSION;
}

int64_t request_state(const struct conn *conn)
{
    if (conn->request == REQUEST_NONE)
        return TLSSHIM_NONE;
    return conn->request != REQUEST_ANSWERED;
}

static int32_t check(const struct conn *conn)
{
    if (!conn_server(conn))
        return error_new(TLSSHIM_E_STATE, "only a server asks for a certificate");
    if (!conn->setup->settings.post_handshake)
        return error_new(TLSSHIM_E_STATE, "the context does not provide for certificates after the handshake "
                                          "(context_set_post_handshake)");
    if (!conn->done)
        return error_new(TLSSHIM_E_STATE, "the handshake is not complete; what it asks for is for "
                                          "context_set_client_certificate to say");
    if (conn->we_closed || conn->peer_closed)
        return error_new(TLSSHIM_E_STATE, "asking for a certificate after a goodbye");
    if (SSL_version(conn->ssl) < TLS1_3_VERSION)
        return error_new(TLSSHIM_E_UNSUPPORTED,
                         "certificates after the handshake exist in TLS 1.3 only; this connection speaks %s",
                         SSL_get_version(conn->ssl));
    if (request_state(conn) == 1)
        return error_new(TLSSHIM_E_STATE, "the answer to the request before has not come yet");
    return TLSSHIM_OK;
}

static int32_t refused(void)
{
    if (ERR_GET_REASON(ERR_peek_error()) != SSL_R_EXTENSION_NOT_RECEIVED)
        return error_backend(TLSSHIM_E_INTERNAL, "the certificate cannot be asked for");
    error_forget_backend();
    return error_new(TLSSHIM_E_UNSUPPORTED,
                     "the client did not offer to show a certificate after the handshake (post_handshake_auth)");
}

static int32_t request(struct conn *conn)
{
    int32_t result = conn->failure != 0 ? conn->failure : check(conn);
    int answer;

    if (result < 0)
        return result;
    if (flow_midway(conn))
        return flow_want_midway(conn);
    if (conn->transport.left.len > LEFT_BOUND)
        return TLSSHIM_WANT_DRAIN;
    result = flow_fresh_key(conn); /* else the backend would answer the peer's update in place of asking */
    if (result < 0)
        return result;
    if (SSL_get_verify_mode(conn->ssl) == SSL_VERIFY_NONE) /* in the handshake none was asked for */
        SSL_set_verify(conn->ssl, SSL_VERIFY_PEER, NULL);
    if (SSL_verify_client_post_handshake(conn->ssl) != 1)
        return refused();
    conn->request = REQUEST_SENT;
    answer = SSL_do_handshake(conn->ssl);
    return answer == 1 ? TLSSHIM_OK : conn_fail(conn, failure_of(conn, answer));
}

int32_t tlsshim_conn_request_certificate(int64_t conn)
{
    struct conn_call call;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    flow_begin(call.conn);
    result = request(call.conn);
    flow_end(call.conn);
    conn_leave(&call);
    return result;
}
