#include <errno.h>

#include "../base/error.h"
#include "conn.h"

int32_t conn_attach_fd(int64_t conn, int fd)
{
    struct conn_call call;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    call.conn->transport.fd = fd;
    SSL_set_read_ahead(call.conn->ssl, 1);
    SSL_set_default_read_buffer_len(call.conn->ssl, 4 * (RECORD_MOST + 325));
    conn_leave(&call);
    return TLSSHIM_OK;
}

void conn_detach_fd(int64_t conn)
{
    struct conn_call call;

    if (conn_enter(conn, &call) < 0)
        return;
    call.conn->transport.fd = -1;
    call.conn->transport.ended = true;
    if (call.conn->transport.write_errno == 0)
        call.conn->transport.write_errno = ENOTCONN;
    conn_leave(&call);
}

int64_t conn_again(int64_t conn)
{
    struct conn_call call;
    int64_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    refs_take(&call.conn->refs);
    result = handle_new(&conn_kind, call.conn);
    if (result < 0)
        refs_drop(&call.conn->refs); /* never the last: this call holds a handle */
    conn_leave(&call);
    return result;
}

int64_t conn_time_left(int64_t conn)
{
    struct conn_call call;
    int64_t left = INT64_MAX;

    if (conn_enter(conn, &call) < 0)
        return left;
    if (call.conn->begun && !call.conn->done && call.conn->failure == 0) {
        left = call.conn->begun_at + call.conn->setup->settings.handshake_timeout + 1 - clock_ms();
        left = left > 0 ? left : 0;
    }
    conn_leave(&call);
    return left;
}
