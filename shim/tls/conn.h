/* The engine: one connection. */
#ifndef SHIM_TLS_CONN_H
#define SHIM_TLS_CONN_H

#include <openssl/ssl.h>

#include "../base/backend.h"
#include "../base/handle.h"
#include "../base/refs.h"
#include "../base/turn.h"
#include "context.h"
#include "request.h"
#include "setup.h"
#include "transport.h"
#include "verify.h"

enum {
    RECORD_MOST = 16384,       /* plaintext of one record, whoever sends it */
    PLAIN_A_TURN = 256 * 1024, /* what one call opens or seals before others get their turn */
    SESSIONS_MOST = 8,
};

struct conn {
    struct refs refs;       /* its handles: a stream's engine may have several */
    enum visit_depth depth; /* what the next call that moves bytes needs; nothing but a deep visit changes it */
    struct visit *visit;    /* of the call inside */
    struct turn turn;
    struct context *context;
    struct setup *setup;
    SSL *ssl;
    struct transport transport;
    struct queue pile;
    char *server_name; /* sent or received; NULL = none; may be the one below */
    char *verify_name; /* NULL = none */
    uint8_t *alpn;     /* in place of the setup's, or NULL */
    size_t alpn_len;
    struct buffer offered; /* a server's: the client's list */
    bool done;             /* the handshake is complete; latched, since tickets make OpenSSL say "in init" again */
    bool begun;            /* a step was made */
    bool corked;
    bool peer_closed;
    bool we_closed;
    bool asked;       /* a client was asked for a certificate */
    bool app_data_in; /* application bytes have come */
    bool truncated;
    bool ticket_key_known; /* a server's: the ticket that came names a key of ours */
    bool hello_retry;
    bool by_psk;       /* the peer was proved by a pre-shared key, now or before it resumed */
    bool first_by_psk; /* now, in TLS 1.3, where the backend takes that for a resumption */
    bool judged;
    bool identity_chosen; /* by the host, be it none */
    bool kept;            /* the failure's record */
    uint8_t tickets_due;
    bool staple_judged;
    enum request request; /* for a certificate, after the handshake */
    int32_t alpn_mode;
    int32_t failure; /* 0 = none */
    int32_t session_count;
    int64_t begun_at; /* milliseconds, monotonic */
    int64_t done_at;
    struct session_span fresh;    /* what a full handshake here gives */
    struct session_span taken_up; /* of the session that was offered for resumption */
    uint8_t rules[DIGEST_SIZE];
    struct verdict *verdict;            /* of a judgement that was not good, or NULL */
    STACK_OF(X509) * presented;         /* what the peer sent, while the host judges it and if it was refused */
    STACK_OF(X509) * verified;          /* the chain that it led to, while the host judges */
    struct events *events;              /* NULL = the context has none on */
    struct identity *identity;          /* that the host chose for this connection, or NULL */
    struct psk *psk;                    /* a server's: the one that the client named */
    struct verdict *staple_fault;       /* of an answer that is not good, or missing though wanted, or NULL */
    int64_t staple_until;               /* a good one's end */
    struct buffer session_key;          /* a client's, in place of the verified name */
    const SSL_SESSION *session_offered; /* by us; compared only */
    SSL_SESSION **sessions;             /* offered by the server, newest last; at most SESSIONS_MOST */
    uint64_t records_read;              /* records that OpenSSL has begun to process */
};

extern const struct handle_kind conn_kind;

/* Holds a connection for one call: its handle, a visit to the backend, its lock. */
struct conn_call {
    int64_t handle;
    struct conn *conn;
    struct visit visit;
};

int32_t conn_enter(int64_t handle, struct conn_call *call) MUST_USE;
/* As enter, for calls that move bytes: once there is only application data to move, the visit is a light one. */
int32_t conn_enter_flow(int64_t handle, struct conn_call *call) MUST_USE;
/* For a call that only lays bytes aside, on a connection in memory with nothing else under way: no visit, since the
 * backend has no part in it. False if it must enter as usual, which also says why. */
bool conn_enter_quickly(int64_t handle, struct conn_call *call) MUST_USE;
void conn_leave_quickly(struct conn_call *call);
/* Before anything but application data is processed, and after each failure. */
void conn_deepen(struct conn *conn);
void conn_leave(struct conn_call *call);
/* As enter, but E_STATE once a step was made and the connection's own failure first: for setters. */
int32_t conn_enter_early(int64_t handle, struct conn_call *call) MUST_USE;
/* The same of a connection that was entered. */
int32_t conn_early(const struct conn *conn) MUST_USE;
/* Gives others a chance to enter; E_CLOSED if the connection was closed meanwhile. */
int32_t conn_yield(struct conn_call *call) MUST_USE;

/* The connection of an SSL, for the backend's callbacks. */
struct conn *conn_of(const SSL *ssl);
static inline bool conn_server(const struct conn *conn)
{
    return settings_server(&conn->setup->settings);
}
/* A fresh SSL of the connection's setup over its transport; without memory the one before stays. */
int32_t conn_attach_ssl(struct conn *conn) MUST_USE;
/* One of tlsshim_limit_group. */
static inline size_t conn_limit(const struct conn *conn, int32_t limit)
{
    return (size_t)conn->setup->settings.limits[limit];
}

/* An earlier connection's session was taken up. */
bool conn_resumed(const struct conn *conn);
/* The span that sessions of this connection have: the offered one's if it was taken up. */
struct session_span conn_span(const struct conn *conn);

/* Latches the first failure, keeps its record and gives it back. */
int32_t conn_fail(struct conn *conn, int32_t result);

int64_t clock_ms(void);

#endif
