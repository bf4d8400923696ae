/* What an event tells. */
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

#include "../base/error.h"
#include "../base/helper.h"
#include "../pki/dn.h"
#include "../pki/external.h"
#include "conn.h"
#include "event.h"
#include "scheme.h"

static const uint8_t *extension(SSL *ssl, unsigned type, size_t *len)
{
    const uint8_t *data;

    return SSL_client_hello_get0_ext(ssl, type, &data, len) == 1 ? data : NULL;
}

/* A list of 16-bit numbers behind its length of `prefix` bytes; malformed ones are the backend's to refuse. */
static void keep_list(struct buffer *list, const uint8_t *data, size_t len, size_t prefix)
{
    buffer_free(list);
    if (data != NULL && len >= prefix)
        buffer_add(list, data + prefix, (len - prefix) & ~(size_t)1);
}

void event_read_hello(struct conn *conn, SSL *ssl)
{
    struct events *e = conn->events;
    unsigned legacy = SSL_client_hello_get0_legacy_version(ssl);
    const uint8_t version[2] = {(uint8_t)(legacy >> 8), (uint8_t)legacy};
    const uint8_t *data;
    size_t len = 0;

    data = extension(ssl, TLSEXT_TYPE_supported_versions, &len);
    if (data != NULL)
        keep_list(&e->versions, data, len, 1);
    else
        keep_list(&e->versions, version, sizeof version, 0);
    len = SSL_client_hello_get0_ciphers(ssl, &data);
    keep_list(&e->ciphers, data, len, 0);
    data = extension(ssl, TLSEXT_TYPE_supported_groups, &len);
    keep_list(&e->groups, data, len, 2);
    data = extension(ssl, TLSEXT_TYPE_signature_algorithms, &len);
    keep_list(&e->signatures, data, len, 2);
}

void event_read_request(struct conn *conn, SSL *ssl)
{
    struct events *e = conn->events;
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
    int schemes = SSL_get_sigalgs(ssl, -1, NULL, NULL, NULL, NULL, NULL);

    buffer_free(&e->ca_names);
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        if (i > 0)
            buffer_text(&e->ca_names, "\n");
        dn_text(sk_X509_NAME_value(names, i), &e->ca_names);
    }
    buffer_free(&e->signatures);
    for (int i = 0; i < schemes; i++) {
        uint8_t scheme[2]; /* the hash is the first byte on the wire */

        SSL_get_sigalgs(ssl, i, NULL, NULL, NULL, &scheme[1], &scheme[0]);
        buffer_add(&e->signatures, scheme, sizeof scheme);
    }
}

static bool detail_known(int32_t field)
{
    return field >= TLSSHIM_DETAIL_SERVER_NAME && field <= TLSSHIM_DETAIL_SIGN_MESSAGE;
}

static bool is_hello_or_certificate(int32_t event)
{
    return event == TLSSHIM_EVENT_HELLO || event == TLSSHIM_EVENT_CERTIFICATE;
}

static int32_t sign_scheme(const struct sign_request *request)
{
    return scheme_of(request->public_half, &request->manner);
}

static void add_text(const struct conn *conn, int32_t event, int32_t field, struct buffer *out)
{
    const struct sign_request *sign = event_sign_request(conn);

    if (field == TLSSHIM_DETAIL_SERVER_NAME && is_hello_or_certificate(event) && conn->server_name != NULL)
        buffer_escaped(out, conn->server_name, strlen(conn->server_name), 255);
    else if (field == TLSSHIM_DETAIL_VERIFY_CODE && event == TLSSHIM_EVENT_VERIFY)
        buffer_text(out, X509_verify_cert_error_string(verify_code(conn)));
    else if (field == TLSSHIM_DETAIL_CA_NAMES && event == TLSSHIM_EVENT_CERTIFICATE)
        buffer_add(out, conn->events->ca_names.data, conn->events->ca_names.len);
    else if (field == TLSSHIM_DETAIL_KEYLOG_LINE && event == TLSSHIM_EVENT_KEYLOG)
        buffer_text(out, event_line(conn));
    else if (field == TLSSHIM_DETAIL_SIGN_SCHEME && sign != NULL && scheme_signature_name(sign_scheme(sign)) != NULL)
        buffer_text(out, scheme_signature_name(sign_scheme(sign)));
    else if (field == TLSSHIM_DETAIL_SIGN_DIGEST && sign != NULL && sign->manner.digest != NULL)
        buffer_text(out, OBJ_nid2sn(EVP_MD_get_type(sign->manner.digest)));
}

static void add_list(const struct buffer *list, struct buffer *out)
{
    buffer_add(out, list->data, list->len);
}

/* The digest where the scheme has one, else the message itself. */
static int32_t add_sign_input(const struct sign_request *sign, struct buffer *out)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len;

    if (sign->manner.digest == NULL)
        buffer_add(out, sign->message.data, sign->message.len);
    else if (EVP_Digest(sign->message.data, sign->message.len, digest, &len, sign->manner.digest, NULL) == 1)
        buffer_add(out, digest, len);
    else
        return error_backend(TLSSHIM_E_INTERNAL, "the message cannot be digested");
    return TLSSHIM_OK;
}

static int32_t add_bytes(const struct conn *conn, int32_t event, int32_t field, struct buffer *out)
{
    const struct events *e = conn->events;
    const struct sign_request *sign = event_sign_request(conn);

    if (sign != NULL && field == TLSSHIM_DETAIL_SIGN_INPUT)
        return add_sign_input(sign, out);
    if (sign != NULL && field == TLSSHIM_DETAIL_SIGN_MESSAGE)
        buffer_add(out, sign->message.data, sign->message.len);
    if (!is_hello_or_certificate(event))
        return TLSSHIM_OK;
    if (field == TLSSHIM_DETAIL_ALPN)
        add_list(&conn->offered, out);
    else if (field == TLSSHIM_DETAIL_VERSIONS)
        add_list(&e->versions, out);
    else if (field == TLSSHIM_DETAIL_CIPHERS)
        add_list(&e->ciphers, out);
    else if (field == TLSSHIM_DETAIL_GROUPS)
        add_list(&e->groups, out);
    else if (field == TLSSHIM_DETAIL_SIGNATURES)
        add_list(&e->signatures, out);
    return TLSSHIM_OK;
}

static int64_t detail_number(const struct conn *conn, int32_t event, int32_t field)
{
    const struct sign_request *sign = event_sign_request(conn);

    if (field == TLSSHIM_DETAIL_VERIFY_CODE && event == TLSSHIM_EVENT_VERIFY)
        return verify_code(conn);
    if (field == TLSSHIM_DETAIL_DEPTH && event == TLSSHIM_EVENT_VERIFY)
        return conn->verdict != NULL && conn->verdict->detail.depth >= 0 ? conn->verdict->detail.depth : TLSSHIM_NONE;
    if (field == TLSSHIM_DETAIL_SIGN_SCHEME && sign != NULL && sign_scheme(sign) != 0)
        return sign_scheme(sign);
    return TLSSHIM_NONE;
}

/* Enters, and refuses what is no field; *event is what the host is to look at, 0 = nothing. */
static int32_t detail_begin(int64_t handle, int32_t field, struct conn_call *call, int32_t *event)
{
    int32_t result = conn_enter(handle, call);

    if (result < 0)
        return result;
    *event = event_waiting(call->conn);
    if (!detail_known(field))
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no detail of an event", field);
    else if (call->conn->failure != 0)
        result = call->conn->failure;
    if (result < 0)
        conn_leave(call);
    return result;
}

int32_t tlsshim_conn_event_text(int64_t conn, int32_t field, void *text, int32_t text_cap)
{
    struct conn_call call;
    struct buffer out = {0};
    int32_t event;
    int32_t result = detail_begin(conn, field, &call, &event);

    if (result < 0)
        return result;
    if (event != 0)
        add_text(call.conn, event, field, &out);
    result = out.len == 0 && !out.failed ? TLSSHIM_NONE : buffer_out(&out, text, text_cap);
    conn_leave(&call);
    return result;
}

int32_t tlsshim_conn_event_number(int64_t conn, int32_t field, int64_t *n)
{
    struct conn_call call;
    int64_t number;
    int32_t event;
    int32_t result = detail_begin(conn, field, &call, &event);

    if (result < 0)
        return result;
    number = event != 0 ? detail_number(call.conn, event, field) : TLSSHIM_NONE;
    if (n == NULL)
        result = error_new(TLSSHIM_E_ARGUMENT, "the output n is NULL");
    else if (number == TLSSHIM_NONE)
        result = TLSSHIM_NONE;
    else
        *n = number;
    conn_leave(&call);
    return result;
}

int32_t tlsshim_conn_event_bytes(int64_t conn, int32_t field, void *bytes, int32_t bytes_cap)
{
    struct conn_call call;
    struct buffer out = {0};
    int32_t event;
    int32_t result = detail_begin(conn, field, &call, &event);

    if (result < 0)
        return result;
    if (event != 0)
        result = add_bytes(call.conn, event, field, &out);
    if (result == TLSSHIM_OK)
        result = out.len == 0 && !out.failed ? TLSSHIM_NONE : buffer_out(&out, bytes, bytes_cap);
    conn_leave(&call);
    return result;
}
