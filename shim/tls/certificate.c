/* Which certificate this end shows: the context's, one that the host chose for the connection, or one that it is asked
 * for. */
#include "certificate.h"

#include <openssl/ssl.h>

#include "../base/error.h"
#include "../base/handle.h"
#include "../pki/key.h"
#include "conn.h"
#include "event.h"
#include "policy.h"

/* Without a choice a client shows none, and a server what its table gave. */
static int32_t settle(struct conn *conn)
{
    if (conn_server(conn))
        return TLSSHIM_OK;
    if (!conn->identity_chosen)
        SSL_certs_clear(conn->ssl);
    conn->identity_chosen = true;
    return policy_conn_rules(conn, NULL, conn->rules); /* what comes of this handshake belongs to this identity */
}

static int on_certificate_wanted(SSL *ssl, void *arg)
{
    struct conn *conn = conn_of(ssl);
    int32_t result;
    bool asking;

    (void)arg;
    conn->asked = !conn_server(conn); /* of a client: called only then */
    if (!event_on(conn, TLSSHIM_EVENT_CERTIFICATE))
        return 1;
    asking = conn->events->open == TLSSHIM_EVENT_CERTIFICATE;
    if (!asking && conn->identity_chosen) /* before: at the hello, or by a request before this one */
        return 1;
    if (!asking && !conn_server(conn))
        event_read_request(conn, ssl);
    switch (event_ask(conn, TLSSHIM_EVENT_CERTIFICATE)) {
    case ANSWER_NONE:
        return -1;
    case ANSWER_REFUSE:
        conn_fail(conn, event_refused(conn, "to show a certificate"));
        return 0;
    default:
        result = settle(conn);
        if (result < 0)
            conn_fail(conn, result);
        return result == TLSSHIM_OK;
    }
}

void certificate_install(const struct setup *setup)
{
    if (!settings_server(&setup->settings) || (setup->settings.events & TLSSHIM_EVENT_CERTIFICATE) != 0)
        SSL_CTX_set_cert_cb(setup->ctx, on_certificate_wanted, NULL);
}

int32_t certificate_use_chosen(struct conn *conn)
{
    if (conn->identity->key->signer != NULL && !event_on(conn, TLSSHIM_EVENT_SIGN))
        return error_new(TLSSHIM_E_STATE, "the key of this identity is elsewhere: the context needs the SIGN event "
                                          "(context_set_events)");
    SSL_certs_clear(conn->ssl);
    return setup_use_identity(NULL, conn->ssl, conn->identity);
}

static int32_t may_choose(const struct conn *conn)
{
    int32_t waiting = event_waiting(conn);

    if (waiting == TLSSHIM_EVENT_HELLO || waiting == TLSSHIM_EVENT_CERTIFICATE || (!conn->begun && !conn_server(conn)))
        return TLSSHIM_OK;
    return error_new(TLSSHIM_E_STATE, "an identity is chosen within a HELLO or CERTIFICATE event, or, of a client, "
                                      "before the handshake");
}

static int32_t use_identity(struct conn *conn, struct identity *identity)
{
    struct identity *before = conn->identity;
    int32_t result = may_choose(conn);

    if (result < 0)
        return result;
    conn->identity = identity;
    result = certificate_use_chosen(conn);
    if (result < 0) {
        conn->identity = before;
        return result;
    }
    identity_drop(before);
    identity_ref(identity);
    conn->identity_chosen = true;
    if (!conn_server(conn) && !conn->begun)
        SSL_set_session(conn->ssl, NULL), conn->session_offered = NULL; /* it was offered under another identity */
    return TLSSHIM_OK;
}

int32_t tlsshim_conn_use_identity(int64_t conn, int64_t identity)
{
    struct conn_call call;
    struct identity *chosen = NULL;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    result = call.conn->failure != 0 ? call.conn->failure : identity_pin(identity, &chosen);
    if (result == TLSSHIM_OK) {
        result = use_identity(call.conn, chosen);
        handle_unpin(identity);
    }
    conn_leave(&call);
    return result;
}
