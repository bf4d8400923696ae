#include "conn_settings.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/error.h"
#include "../pki/name.h"
#include "alpn.h"
#include "conn.h"
#include "event.h"

/* Replaces a name by one in the form of certificates: A-labels, lower case; addresses as they are. */
static int32_t put_name(struct conn *conn, char **place, struct bytes name, bool address_allowed)
{
    char ascii[NAME_MOST + 1];
    char *copy = NULL;
    int32_t result;

    if (name.len > 0 && name_is_ip(name)) {
        if (!address_allowed)
            return error_new(TLSSHIM_E_ARGUMENT, "a server name is a host name, never an address (RFC 6066)");
        copy = bytes_dup_text(name);
    } else if (name.len > 0) {
        result = name_to_ascii(name, ascii, sizeof ascii);
        if (result < 0)
            return result;
        copy = strdup(ascii);
    }
    if (name.len > 0 && copy == NULL)
        return TLSSHIM_E_MEMORY;
    if (conn->server_name != conn->verify_name)
        free(*place);
    *place = copy;
    return TLSSHIM_OK;
}

static int32_t send_server_name(struct conn *conn, char *name)
{
    conn->server_name = name;
    return SSL_set_tlsext_host_name(conn->ssl, name) == 1 ? TLSSHIM_OK : TLSSHIM_E_MEMORY;
}

static int32_t put_server_name(struct conn *conn, struct bytes name)
{
    int32_t result = put_name(conn, &conn->server_name, name, false);

    return result < 0 ? result : send_server_name(conn, conn->server_name);
}

static int32_t put_peer_name(struct conn *conn, struct bytes name)
{
    int32_t result;

    if (name.len == 0)
        return TLSSHIM_OK;
    result = put_name(conn, &conn->verify_name, name, true);
    if (result == TLSSHIM_OK && !conn_server(conn) && !name_is_ip(name))
        result = send_server_name(conn, conn->verify_name);
    return result;
}

int32_t tlsshim_conn_set_server_name(int64_t conn, const void *name, int32_t name_len)
{
    struct conn_call call;
    struct bytes in;
    int32_t result = conn_enter_early(conn, &call);

    if (result < 0)
        return result;
    if (conn_server(call.conn))
        result = error_new(TLSSHIM_E_STATE, "a server does not send a server name");
    else
        result = text_in(name, name_len, NAME_MOST, "name", &in);
    if (result == TLSSHIM_OK)
        result = put_server_name(call.conn, in);
    conn_leave(&call);
    return result;
}

static int32_t put_verify_name(struct conn *conn, struct bytes name)
{
    int32_t result;

    if (name.len == 0 && !conn_server(conn))
        return error_new(TLSSHIM_E_ARGUMENT, "a client needs a name to verify");
    result = put_name(conn, &conn->verify_name, name, true);
    if (result == TLSSHIM_OK && !conn_server(conn))
        SSL_set_session(conn->ssl, NULL), conn->session_offered = NULL; /* it was offered under the name before */
    return result;
}

int32_t tlsshim_conn_set_verify_name(int64_t conn, const void *name, int32_t name_len)
{
    struct conn_call call;
    struct bytes in;
    int32_t result = conn_enter_early(conn, &call);

    if (result < 0)
        return result;
    result = text_in(name, name_len, NAME_MOST, "name", &in);
    if (result == TLSSHIM_OK)
        result = put_verify_name(call.conn, in);
    conn_leave(&call);
    return result;
}

struct bytes conn_alpn(const struct conn *conn, int32_t *mode)
{
    const struct settings *s = &conn->setup->settings;

    *mode = conn->alpn != NULL ? conn->alpn_mode : s->alpn_mode;
    if (conn->alpn != NULL)
        return (struct bytes){conn->alpn, conn->alpn_len};
    return (struct bytes){s->alpn, s->alpn_len};
}

static int32_t put_alpn(struct conn *conn, struct bytes list)
{
    if (!conn_server(conn) && SSL_set_alpn_protos(conn->ssl, list.data, (unsigned)list.len) != 0)
        return TLSSHIM_E_MEMORY;
    return TLSSHIM_OK;
}

static int32_t set_alpn(struct conn *conn, struct bytes list, int32_t mode)
{
    uint8_t *copy = malloc(list.len + 1);
    int32_t result;

    if (copy == NULL)
        return TLSSHIM_E_MEMORY;
    memcpy(copy, list.data, list.len);
    result = put_alpn(conn, list);
    if (result < 0) {
        free(copy);
        return result;
    }
    free(conn->alpn);
    conn->alpn = copy;
    conn->alpn_len = list.len;
    conn->alpn_mode = mode;
    return TLSSHIM_OK;
}

int32_t tlsshim_conn_set_alpn(int64_t conn, const void *wire, int32_t wire_len, int32_t mode)
{
    struct conn_call call;
    struct bytes list;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    if (event_waiting(call.conn) != TLSSHIM_EVENT_HELLO) /* within it a server may still choose */
        result = conn_early(call.conn);
    if (result == TLSSHIM_OK)
        result = alpn_in(wire, wire_len, "wire", &list);
    if (result == TLSSHIM_OK && (mode < TLSSHIM_ALPN_CONTINUE || mode > TLSSHIM_ALPN_REQUIRE))
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no ALPN mode", mode);
    if (result == TLSSHIM_OK)
        result = set_alpn(call.conn, list, mode);
    conn_leave(&call);
    return result;
}

int32_t conn_settings_init(struct conn *conn, struct bytes peer_name)
{
    int32_t result = put_peer_name(conn, peer_name);
    int32_t mode;

    return result < 0 ? result : put_alpn(conn, conn_alpn(conn, &mode));
}

int32_t tlsshim_conn_set_fallback(int64_t conn, int32_t on)
{
    struct conn_call call;
    int32_t result = conn_enter_early(conn, &call);

    if (result < 0)
        return result;
    if (on != 0 && on != 1)
        result = error_new(TLSSHIM_E_ARGUMENT, "on is 0 or 1, not %d", on);
    else if (conn_server(call.conn))
        result = error_new(TLSSHIM_E_STATE, "only a client falls back");
    else if (on == 1)
        SSL_set_mode(call.conn->ssl, SSL_MODE_SEND_FALLBACK_SCSV);
    else
        SSL_clear_mode(call.conn->ssl, SSL_MODE_SEND_FALLBACK_SCSV);
    conn_leave(&call);
    return result;
}
