/* Another context for a connection that has only said hello: the bytes that came are read again, by a fresh SSL. The
 * backend could change the context of an SSL, but would keep the old one's rules. */
#include "replay.h"

#include <openssl/ssl.h>
#include <stdlib.h>

#include "../base/error.h"
#include "../base/handle.h"
#include "conn.h"
#include "event.h"

static void forget_hello(struct conn *conn)
{
    free(conn->server_name);
    conn->server_name = NULL;
    buffer_free(&conn->offered);
    conn->records_read = 0;
}

int32_t replay_hello(struct conn *conn)
{
    struct context *context = conn->events->context;
    struct setup *setup;
    SSL *before = conn->ssl;
    int32_t result;

    conn->events->context = NULL;
    conn->events->open = 0;
    conn->events->answered = false;
    conn->events->hello_over = true;
    result = context_setup(context, &setup);
    if (result == TLSSHIM_OK && !transport_rewind(&conn->transport)) {
        setup_drop(setup);
        result = TLSSHIM_E_MEMORY;
    }
    if (result < 0) {
        context_drop(context);
        return result;
    }
    setup_drop(conn->setup);
    context_drop(conn->context);
    conn->setup = setup;
    conn->context = context;
    forget_hello(conn);
    result = conn_attach_ssl(conn);
    if (result == TLSSHIM_OK)
        SSL_free(before);
    return result;
}

static int32_t use_context(struct conn *conn, struct context *context)
{
    struct setup *setup;
    int32_t result = TLSSHIM_OK;

    if (event_waiting(conn) != TLSSHIM_EVENT_HELLO)
        result = error_new(TLSSHIM_E_STATE, "a context is chosen within a HELLO event");
    else if (context_role(context) != TLSSHIM_ROLE_SERVER)
        result = error_new(TLSSHIM_E_MISMATCH, "a server goes on under a server's context");
    if (result == TLSSHIM_OK)
        result = context_setup(context, &setup);
    if (result < 0)
        return result;
    setup_drop(setup);
    context_drop(conn->events->context);
    conn->events->context = context_ref(context);
    return TLSSHIM_OK;
}

int32_t tlsshim_conn_use_context(int64_t conn, int64_t context)
{
    struct conn_call call;
    struct context *chosen = NULL;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    result = call.conn->failure != 0 ? call.conn->failure : context_pin(context, &chosen);
    if (result == TLSSHIM_OK) {
        result = use_context(call.conn, chosen);
        handle_unpin(context);
    }
    conn_leave(&call);
    return result;
}
