/* A client's sessions on a connection: what it files them under, which one it offers, which ones it was given. */
#include <string.h>
#include <time.h>

#include "../base/error.h"
#include "../base/handle.h"
#include "conn.h"
#include "policy.h"
#include "resume.h"
#include "session.h"

enum { SESSION_KEY_MOST = 1024 };

static int32_t set_session(struct conn *conn, const struct session *session)
{
    uint8_t rules[DIGEST_SIZE];
    int32_t result;

    if (conn_server(conn))
        return error_new(TLSSHIM_E_STATE, "only a client offers a session");
    result = policy_conn_rules(conn, NULL, rules);
    if (result < 0)
        return result;
    if (memcmp(rules, session->rules, DIGEST_SIZE) != 0)
        return error_new(TLSSHIM_E_MISMATCH,
                         "the session with \"%s\" was made under other rules (trust, verify name, own identity or "
                         "switches) than this connection with \"%s\"",
                         session->peer_name, conn->verify_name != NULL ? conn->verify_name : "");
    if (!session_usable(session, time(NULL)))
        return error_new(TLSSHIM_E_EXPIRED, "the session with \"%s\" is past its time, or ended by an alert",
                         session->peer_name);
    if (SSL_set_session(conn->ssl, session->ssl_session) != 1)
        return error_backend(TLSSHIM_E_MISMATCH, "the session cannot be offered");
    conn->taken_up = session->span;
    conn->session_offered = session->ssl_session;
    return TLSSHIM_OK;
}

int32_t tlsshim_conn_set_session_key(int64_t conn, const void *key, int32_t key_len)
{
    struct conn_call call;
    struct bytes in;
    int32_t result = conn_enter_early(conn, &call);

    if (result < 0)
        return result;
    result = bytes_in(key, key_len, SESSION_KEY_MOST, "key", &in);
    if (result == TLSSHIM_OK && conn_server(call.conn))
        result = error_new(TLSSHIM_E_STATE, "only a client files its sessions under a key");
    if (result == TLSSHIM_OK) {
        buffer_free(&call.conn->session_key);
        buffer_add(&call.conn->session_key, in.data, in.len);
        result = call.conn->session_key.failed ? TLSSHIM_E_MEMORY : TLSSHIM_OK;
    }
    conn_leave(&call);
    return result;
}

int32_t tlsshim_conn_set_session(int64_t conn, int64_t session)
{
    struct conn_call call;
    struct session *s = NULL;
    int32_t result = conn_enter_early(conn, &call);

    if (result < 0)
        return result;
    result = session_pin(session, &s);
    if (result == TLSSHIM_OK) {
        result = set_session(call.conn, s);
        handle_unpin(session);
    }
    conn_leave(&call);
    return result;
}

static int64_t take_session(struct conn *conn)
{
    SSL_SESSION *session;

    if (conn_server(conn))
        return error_new(TLSSHIM_E_STATE, "only a client is given sessions");
    if (SSL_version(conn->ssl) < TLS1_3_VERSION) { /* one for the whole connection, and a renewal tells nobody */
        session = conn->done ? SSL_get1_session(conn->ssl) : NULL;
        if (session != NULL && SSL_SESSION_is_resumable(session) == 1)
            return session_handle(conn, session);
        SSL_SESSION_free(session);
        return TLSSHIM_NONE;
    }
    while (conn->session_count > 0) {
        session = conn->sessions[--conn->session_count];
        resume_uncache(conn, session);
        if (SSL_SESSION_is_resumable(session) == 1)
            return session_handle(conn, session);
        SSL_SESSION_free(session);
    }
    return TLSSHIM_NONE;
}

int64_t tlsshim_conn_take_session(int64_t conn)
{
    struct conn_call call;
    int64_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    result = call.conn->failure != 0 ? call.conn->failure : take_session(call.conn);
    conn_leave(&call);
    return result;
}
