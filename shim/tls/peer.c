#include <openssl/ssl.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/error.h"
#include "alpn.h"
#include "conn.h"
#include "conn_settings.h"
#include "psk.h"
#include "scheme.h"
#include "stapled.h"

/* --- enter, look, leave: the same for the three kinds of question --- */

static bool field_known(int32_t field)
{
    return field >= TLSSHIM_CONN_VERSION && field <= TLSSHIM_CONN_PSK_IDENTITY;
}

static void add_alpn(const struct conn *conn, struct buffer *out, bool as_text)
{
    struct bytes name;
    unsigned len;

    SSL_get0_alpn_selected(conn->ssl, &name.data, &len);
    name.len = len;
    if (len > 0 && as_text)
        alpn_name_text(name, out);
    else
        buffer_add(out, name.data, len);
}

static void add_shared_ciphers(const struct conn *conn, struct buffer *out)
{
    char list[4096];

    if (conn_server(conn) && SSL_get_shared_ciphers(conn->ssl, list, sizeof list) != NULL)
        buffer_text(out, list);
}

static void add_name(const char *name, struct buffer *out)
{
    if (name != NULL)
        buffer_text(out, name);
}

/* Without a certificate there is no code: the backend would say that all is well. */
static bool has_verify_code(const struct conn *conn)
{
    if (request_unproven(conn) && conn->presented == NULL)
        return false;
    return conn->judged || (conn->done && SSL_get0_peer_certificate(conn->ssl) != NULL);
}

static void add_text(const struct conn *conn, int32_t field, struct buffer *out)
{
    switch (field) {
    case TLSSHIM_CONN_SERVER_NAME:
        if (conn->server_name != NULL)
            buffer_escaped(out, conn->server_name, strlen(conn->server_name), 255);
        return;
    case TLSSHIM_CONN_VERIFY_NAME:
        add_name(conn->verify_name, out);
        return;
    case TLSSHIM_CONN_VERIFY_REPORT:
        verify_report(conn, out);
        return;
    case TLSSHIM_CONN_VERIFY_CODE:
        if (has_verify_code(conn))
            buffer_text(out, X509_verify_cert_error_string(verify_code(conn)));
        return;
    default:
        break;
    }
    if (!conn->done)
        return;
    switch (field) {
    case TLSSHIM_CONN_VERSION:
        buffer_text(out, SSL_get_version(conn->ssl));
        break;
    case TLSSHIM_CONN_CIPHER:
        add_name(SSL_CIPHER_standard_name(SSL_get_current_cipher(conn->ssl)), out);
        break;
    case TLSSHIM_CONN_SHARED_CIPHERS:
        add_shared_ciphers(conn, out);
        break;
    case TLSSHIM_CONN_GROUP:
        add_name(scheme_group_name(conn->ssl), out);
        break;
    case TLSSHIM_CONN_SIGNATURE:
        add_name(scheme_signature_name(scheme_signature(conn->ssl, false)), out);
        break;
    case TLSSHIM_CONN_PEER_SIGNATURE:
        add_name(scheme_signature_name(scheme_signature(conn->ssl, true)), out);
        break;
    case TLSSHIM_CONN_PSK_IDENTITY:
        add_name(psk_identity(conn), out);
        break;
    case TLSSHIM_CONN_ALPN:
        add_alpn(conn, out, true);
        break;
    default:
        break;
    }
}

int32_t tlsshim_conn_text(int64_t conn, int32_t field, void *text, int32_t text_cap)
{
    struct conn_call call;
    struct buffer out = {0};
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    if (!field_known(field)) {
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no connection field", field);
    } else {
        add_text(call.conn, field, &out);
        result = out.len == 0 && !out.failed ? TLSSHIM_NONE : buffer_out(&out, text, text_cap);
    }
    conn_leave(&call);
    return result;
}

static int64_t number_or_none(int64_t number)
{
    return number == 0 ? TLSSHIM_NONE : number;
}

/* What is known at any time. */
static int64_t number_always(const struct conn *conn, int32_t field)
{
    switch (field) {
    case TLSSHIM_CONN_ERROR:
        return conn->failure != 0 ? conn->failure : TLSSHIM_NONE;
    case TLSSHIM_CONN_BYTES_IN:
        return conn->transport.bytes_in;
    case TLSSHIM_CONN_BYTES_OUT:
        return conn->transport.bytes_out;
    case TLSSHIM_CONN_RECORDS_IN:
        return (int64_t)conn->records_read;
    case TLSSHIM_CONN_RECORDS_OUT:
        return (int64_t)conn->transport.records_out;
    case TLSSHIM_CONN_INSECURE:
        return conn->setup->settings.insecure;
    case TLSSHIM_CONN_CERTIFICATE_REQUESTED:
        if (conn_server(conn))
            return request_state(conn);
        return conn->asked || conn->done ? conn->asked : TLSSHIM_NONE;
    case TLSSHIM_CONN_HELLO_RETRY:
        return conn->hello_retry || conn->done ? conn->hello_retry : TLSSHIM_NONE;
    case TLSSHIM_CONN_VERIFY_CODE:
        return has_verify_code(conn) ? verify_code(conn) : TLSSHIM_NONE;
    default:
        return TLSSHIM_NONE;
    }
}

/* What the complete handshake tells. */
static int64_t number_done(const struct conn *conn, int32_t field)
{
    SSL *ssl = conn->ssl;

    switch (field) {
    case TLSSHIM_CONN_VERSION:
        return SSL_version(ssl);
    case TLSSHIM_CONN_CIPHER:
        return SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl));
    case TLSSHIM_CONN_CIPHER_BITS:
        return SSL_CIPHER_get_bits(SSL_get_current_cipher(ssl), NULL);
    case TLSSHIM_CONN_GROUP:
        return number_or_none(scheme_group(conn->ssl));
    case TLSSHIM_CONN_SIGNATURE:
        return number_or_none(scheme_signature(ssl, false));
    case TLSSHIM_CONN_PEER_SIGNATURE:
        return number_or_none(scheme_signature(ssl, true));
    case TLSSHIM_CONN_VERIFIED:
        return conn->by_psk || (SSL_get0_peer_certificate(ssl) != NULL && SSL_get_verify_result(ssl) == X509_V_OK &&
                                conn->verdict == NULL && stapled_good(conn) && !request_unproven(conn));
    case TLSSHIM_CONN_RESUMED:
        return conn_resumed(conn);
    case TLSSHIM_CONN_EXTENDED_MASTER_SECRET:
        return SSL_version(ssl) >= TLS1_3_VERSION || SSL_get_extms_support(conn->ssl) == 1;
    case TLSSHIM_CONN_SECURE_RENEGOTIATION:
        return SSL_get_secure_renegotiation_support(conn->ssl) != 0;
    case TLSSHIM_CONN_HANDSHAKE_MS:
        return conn->done_at - conn->begun_at;
    default:
        return TLSSHIM_NONE;
    }
}

int32_t tlsshim_conn_number(int64_t conn, int32_t field, int64_t *n)
{
    struct conn_call call;
    int64_t number;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    number = number_always(call.conn, field);
    if (number == TLSSHIM_NONE && call.conn->done)
        number = number_done(call.conn, field);
    if (!field_known(field))
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no connection field", field);
    else if (n == NULL)
        result = error_new(TLSSHIM_E_ARGUMENT, "the output n is NULL");
    else if (number == TLSSHIM_NONE)
        result = TLSSHIM_NONE;
    else
        *n = number;
    conn_leave(&call);
    return result;
}

static void add_bytes(const struct conn *conn, int32_t field, struct buffer *out)
{
    struct bytes list;
    uint8_t random[SSL3_RANDOM_SIZE];
    const uint8_t *staple = NULL;
    int32_t mode;
    long len;

    switch (field) {
    case TLSSHIM_CONN_ALPN:
        if (conn->done)
            add_alpn(conn, out, false);
        break;
    case TLSSHIM_CONN_ALPN_OFFERED:
        list = conn_server(conn) ? (struct bytes){conn->offered.data, conn->offered.len} : conn_alpn(conn, &mode);
        buffer_add(out, list.data, list.len);
        break;
    case TLSSHIM_CONN_CLIENT_RANDOM:
        if (conn->done)
            buffer_add(out, random, SSL_get_client_random(conn->ssl, random, sizeof random));
        break;
    case TLSSHIM_CONN_STAPLE:
        len = SSL_get_tlsext_status_ocsp_resp(conn->ssl, &staple);
        if (len > 0)
            buffer_add(out, staple, (size_t)len);
        break;
    default:
        break;
    }
}

int32_t tlsshim_conn_bytes(int64_t conn, int32_t field, void *bytes, int32_t bytes_cap)
{
    struct conn_call call;
    struct buffer out = {0};
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    if (!field_known(field)) {
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no connection field", field);
    } else {
        add_bytes(call.conn, field, &out);
        result = out.len == 0 && !out.failed ? TLSSHIM_NONE : buffer_out(&out, bytes, bytes_cap);
    }
    conn_leave(&call);
    return result;
}

/* --- certificates --- */

/* A handle for a leaf and the certificates after it; a leaf of NULL is NONE. */
static int64_t cert_handle(X509 *leaf, STACK_OF(X509) * rest)
{
    STACK_OF(X509) * all;
    struct cert *cert;

    if (leaf == NULL)
        return TLSSHIM_NONE;
    all = rest != NULL ? sk_X509_dup(rest) : sk_X509_new_null();
    if (all == NULL)
        return TLSSHIM_E_MEMORY;
    if ((sk_X509_num(all) == 0 || X509_cmp(sk_X509_value(all, 0), leaf) != 0) && sk_X509_unshift(all, leaf) <= 0) {
        sk_X509_free(all);
        return TLSSHIM_E_MEMORY;
    }
    cert = cert_from_stack(all);
    sk_X509_free(all);
    return cert == NULL ? TLSSHIM_E_MEMORY : cert_handle_new(cert);
}

static int64_t peer_cert(const struct conn *conn)
{
    if (conn->presented != NULL)
        return cert_handle(sk_X509_value(conn->presented, 0), conn->presented);
    if (request_unproven(conn))
        return TLSSHIM_NONE;
    return cert_handle(SSL_get0_peer_certificate(conn->ssl), SSL_get_peer_cert_chain(conn->ssl));
}

/* What was shown, was shown in the full handshake that a resumed one rests on. */
static bool of_before(const struct conn *conn)
{
    return (conn_resumed(conn) || conn->by_psk) && conn->request == REQUEST_NONE;
}

static int64_t verified_chain(const struct conn *conn)
{
    STACK_OF(X509) *chain = conn->verified != NULL ? conn->verified : SSL_get0_verified_chain(conn->ssl);

    if (of_before(conn) || (request_unproven(conn) && conn->verified == NULL) || sk_X509_num(chain) <= 0)
        return TLSSHIM_NONE;
    return cert_handle(sk_X509_value(chain, 0), chain);
}

static int64_t local_cert(const struct conn *conn)
{
    STACK_OF(X509) *chain = NULL;

    if (!conn->done || (conn_server(conn) ? conn_resumed(conn) || conn->by_psk : of_before(conn) || !conn->asked))
        return TLSSHIM_NONE;
    SSL_get0_chain_certs(conn->ssl, &chain);
    return cert_handle(SSL_get_certificate(conn->ssl), chain);
}

static int64_t ask_cert(int64_t conn, int64_t (*ask)(const struct conn *))
{
    struct conn_call call;
    int64_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    result = ask(call.conn);
    conn_leave(&call);
    return result;
}

int64_t tlsshim_conn_peer_cert(int64_t conn)
{
    return ask_cert(conn, peer_cert);
}

int64_t tlsshim_conn_verified_chain(int64_t conn)
{
    return ask_cert(conn, verified_chain);
}

int64_t tlsshim_conn_local_cert(int64_t conn)
{
    return ask_cert(conn, local_cert);
}
