/* What both ends share and nobody else knows: keying material and channel bindings. */
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "../base/backend.h"
#include "../base/bytes.h"
#include "../base/error.h"
#include "conn.h"

enum { LABEL_MOST = 255, CONTEXT_MOST = 65535, KEYING_MOST = 8160, TYPE_MOST = 64 };

static bool unique_secret(const struct conn *conn)
{
    return SSL_version(conn->ssl) >= TLS1_3_VERSION || SSL_get_extms_support(conn->ssl) == 1;
}

static int32_t needs_handshake(const struct conn *conn)
{
    if (conn->failure != 0)
        return conn->failure;
    return conn->done ? TLSSHIM_OK : error_new(TLSSHIM_E_STATE, "the handshake is not complete");
}

static int32_t export_keying(struct conn *conn, struct bytes label, const struct bytes *context, void *out, size_t cap)
{
    if (SSL_export_keying_material(conn->ssl, out, cap, (const char *)label.data, label.len,
                                   context != NULL ? context->data : NULL, context != NULL ? context->len : 0,
                                   context != NULL) == 1)
        return (int32_t)cap;
    return error_backend(TLSSHIM_E_ARGUMENT, "no keying material for this label");
}

int32_t tlsshim_conn_export_keying(int64_t conn, const void *label, int32_t label_len, int32_t with_context,
                                   const void *context, int32_t context_len, void *bytes, int32_t bytes_cap)
{
    struct conn_call call;
    struct bytes name, extra;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    result = text_in(label, label_len, LABEL_MOST, "label", &name);
    if (result == TLSSHIM_OK)
        result = bytes_in(context, context_len, CONTEXT_MOST, "context", &extra);
    if (result == TLSSHIM_OK && with_context != 0 && with_context != 1)
        result = error_new(TLSSHIM_E_ARGUMENT, "with_context is 0 or 1, not %d", with_context);
    if (result == TLSSHIM_OK && !bytes_room(bytes, bytes_cap, 1))
        result = error_new(TLSSHIM_E_ARGUMENT, "exporting needs room for at least one byte");
    if (result == TLSSHIM_OK && bytes_cap > KEYING_MOST)
        result = error_new(TLSSHIM_E_LIMIT, "%d bytes of keying material are more than %d", bytes_cap, KEYING_MOST);
    if (result == TLSSHIM_OK)
        result = needs_handshake(call.conn);
    if (result == TLSSHIM_OK)
        result = export_keying(call.conn, name, with_context == 1 ? &extra : NULL, bytes, (size_t)bytes_cap);
    conn_leave(&call);
    return result;
}

static int32_t bind_exporter(struct conn *conn, void *bytes, int32_t bytes_cap)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    const struct bytes none = {(const uint8_t *)"", 0};
    uint8_t out[32];
    int32_t result =
        export_keying(conn, (struct bytes){(const uint8_t *)label, sizeof label - 1}, &none, out, sizeof out);

    return result < 0 ? result : bytes_out(bytes, bytes_cap, out, sizeof out);
}

/* RFC 5929 section 4.1: the hash of the certificate's own signature, SHA-256 in place of MD5 and SHA-1. */
static int32_t bind_end_point(struct conn *conn, void *bytes, int32_t bytes_cap)
{
    X509 *cert = conn_server(conn) ? SSL_get_certificate(conn->ssl) : SSL_get0_peer_certificate(conn->ssl);
    uint8_t out[EVP_MAX_MD_SIZE];
    unsigned len;
    int digest_nid = NID_undef;
    EVP_MD *digest;
    int32_t result;

    if (cert == NULL || conn->by_psk)
        return TLSSHIM_NONE;
    if (conn_server(conn) && SSL_session_reused(conn->ssl) == 1 &&
        SSL_set_current_cert(conn->ssl, SSL_CERT_SET_FIRST) == 1 &&
        SSL_set_current_cert(conn->ssl, SSL_CERT_SET_NEXT) == 1)
        return error_new(TLSSHIM_E_UNSUPPORTED, "on a resumed connection a server with several certificates does not "
                                                "know which of them the client saw");
    if (X509_get_signature_info(cert, &digest_nid, NULL, NULL, NULL) != 1 || digest_nid == NID_undef)
        return error_backend(TLSSHIM_E_UNSUPPORTED,
                             "tls-server-end-point is not defined for a certificate whose signature has no hash");
    if (digest_nid == NID_md5 || digest_nid == NID_sha1 || digest_nid == NID_md5_sha1)
        digest_nid = NID_sha256;
    digest = EVP_MD_fetch(backend_context(), OBJ_nid2sn(digest_nid), NULL);
    if (digest != NULL && X509_digest(cert, digest, out, &len) == 1)
        result = bytes_out(bytes, bytes_cap, out, len);
    else
        result = error_backend(TLSSHIM_E_UNSUPPORTED, "the certificate cannot be digested");
    EVP_MD_free(digest);
    return result;
}

/* The first Finished message: the client's, but the server's on a resumed connection. */
static int32_t bind_unique(struct conn *conn, void *bytes, int32_t bytes_cap)
{
    uint8_t finished[EVP_MAX_MD_SIZE];
    bool resumed = SSL_session_reused(conn->ssl) == 1;
    size_t len;

    if (SSL_version(conn->ssl) >= TLS1_3_VERSION)
        return error_new(TLSSHIM_E_UNSUPPORTED, "tls-unique is not defined for TLS 1.3; use tls-exporter");
    if (conn_server(conn) == resumed)
        len = SSL_get_finished(conn->ssl, finished, sizeof finished);
    else
        len = SSL_get_peer_finished(conn->ssl, finished, sizeof finished);
    return bytes_out(bytes, bytes_cap, finished, len);
}

static int32_t channel_binding(struct conn *conn, struct bytes type, void *bytes, int32_t bytes_cap)
{
    if (bytes_equal_text(type, "tls-server-end-point"))
        return bind_end_point(conn, bytes, bytes_cap);
    if (!bytes_equal_text(type, "tls-exporter") && !bytes_equal_text(type, "tls-unique"))
        return error_new(TLSSHIM_E_ARGUMENT,
                         "the channel bindings are tls-exporter, tls-server-end-point and tls-unique");
    if (!unique_secret(conn))
        return error_new(TLSSHIM_E_UNSUPPORTED,
                         "without extended master secret (RFC 7627) this binding would not be unique");
    if (bytes_equal_text(type, "tls-exporter"))
        return bind_exporter(conn, bytes, bytes_cap);
    return bind_unique(conn, bytes, bytes_cap);
}

int32_t tlsshim_conn_channel_binding(int64_t conn, const void *type, int32_t type_len, void *bytes, int32_t bytes_cap)
{
    struct conn_call call;
    struct bytes name;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    result = text_in(type, type_len, TYPE_MOST, "type", &name);
    if (result == TLSSHIM_OK)
        result = needs_handshake(call.conn);
    if (result == TLSSHIM_OK)
        result = channel_binding(call.conn, name, bytes, bytes_cap);
    conn_leave(&call);
    return result;
}
