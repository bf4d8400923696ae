#include "psk.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../pki/level.h"
#include "conn.h"
#include "suites.h"

/* Marks a session that is made of a key, and none that came of a handshake: it is no resumption. */
static const char mark[] = "psk";

/* --- before it serves --- */

static bool any_sha256_suite(const SSL_CTX *ctx)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);

    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);

        if (strcmp(SSL_CIPHER_get_version(cipher), "TLSv1.3") == 0 &&
            EVP_MD_is_a(SSL_CIPHER_get_handshake_digest(cipher), "SHA256"))
            return true;
    }
    return false;
}

static int32_t psk_check(const struct settings *s, const SSL_CTX *ctx)
{
    int bits = level_bits(s->security_level);

    if (s->client_certificate == TLSSHIM_CLIENT_CERTIFICATE_REQUIRE)
        return error_new(
            TLSSHIM_E_MISMATCH,
            "a server that requires client certificates cannot take pre-shared keys as well: who has a key "
            "is asked for no certificate (RFC 8446 section 4.3.2); use REQUEST, or two contexts");
    if (s->version_max >= TLSSHIM_TLS_1_3 && !any_sha256_suite(ctx))
        return error_new(TLSSHIM_E_MISMATCH, "a pre-shared key needs a cipher suite with SHA-256 in TLS 1.3, such as "
                                             "TLS_AES_128_GCM_SHA256 (context_set_ciphersuites)");
    for (size_t i = 0; i < s->psks.count; i++)
        if (s->psks.at[i]->key_len * 8 < (size_t)bits)
            return error_new(TLSSHIM_E_WEAK, "the pre-shared key \"%s\" has %zu bits, security level %d asks for %d",
                             s->psks.at[i]->identity, s->psks.at[i]->key_len * 8, s->security_level, bits);
    return TLSSHIM_OK;
}

int psk_set_cipher_list(SSL_CTX *ctx, const struct settings *s)
{
    struct buffer list = {0};
    int done;

    if (s->psks.count == 0)
        return SSL_CTX_set_cipher_list(ctx, s->ciphers);
    /* What a list may hold without forward secrecy is taken away again. */
    buffer_format(&list, "%s:%s:!kPSK:!kRSAPSK", suites_psk(), s->ciphers);
    buffer_add(&list, "", 1);
    done = list.failed ? 0 : SSL_CTX_set_cipher_list(ctx, (const char *)list.data);
    buffer_free(&list);
    return done;
}

/* --- within the handshake --- */

static const struct psk_table *table_of(const struct conn *conn)
{
    return &conn->setup->settings.psks;
}

/* TLS 1.3 takes a key as the session of an earlier connection that never was. */
static SSL_SESSION *session_of(SSL *ssl, const struct psk *psk)
{
    static const unsigned char suite[] = {0x13, 0x01}; /* it stands for SHA-256; see RFC 8446 section 4.2.11 */
    SSL_SESSION *session = SSL_SESSION_new();

    if (session != NULL && SSL_SESSION_set1_master_key(session, psk->key, psk->key_len) == 1 &&
        SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, suite)) == 1 &&
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1 &&
        SSL_SESSION_set1_ticket_appdata(session, mark, sizeof mark) == 1)
        return session;
    SSL_SESSION_free(session);
    conn_fail(conn_of(ssl), TLSSHIM_E_MEMORY);
    return NULL;
}

static int on_offer(SSL *ssl, const EVP_MD *digest, const unsigned char **id, size_t *id_len, SSL_SESSION **session)
{
    const struct psk *psk = table_of(conn_of(ssl))->at[0];

    *session = NULL;
    if (digest != NULL && !EVP_MD_is_a(digest, "SHA256"))
        return 1;
    *id = (const unsigned char *)psk->identity;
    *id_len = strlen(psk->identity);
    *session = session_of(ssl, psk);
    return *session != NULL;
}

static void remember(struct conn *conn, struct psk *psk)
{
    psk_drop(conn->psk);
    conn->psk = psk_ref(psk);
}

static int on_identity(SSL *ssl, const unsigned char *identity, size_t identity_len, SSL_SESSION **session)
{
    struct conn *conn = conn_of(ssl);
    struct psk *psk = psk_find(table_of(conn), (struct bytes){identity, identity_len});

    *session = NULL;
    if (psk == NULL)
        return 1; /* a ticket, or a client of somebody else's */
    remember(conn, psk);
    *session = session_of(ssl, psk);
    return *session != NULL;
}

/* The callbacks of TLS 1.2; in TLS 1.3 the backend asks these too when those above had nothing. */
static unsigned on_client(SSL *ssl, const char *hint, char *identity, unsigned identity_most, unsigned char *key,
                          unsigned key_most)
{
    const struct psk *psk = table_of(conn_of(ssl))->at[0];

    (void)hint;
    if (SSL_version(ssl) >= TLS1_3_VERSION || strlen(psk->identity) >= identity_most || psk->key_len > key_most)
        return 0;
    strcpy(identity, psk->identity);
    memcpy(key, psk->key, psk->key_len);
    return (unsigned)psk->key_len;
}

static int32_t unknown(const char *identity)
{
    struct buffer name = {0};
    int32_t result;

    buffer_escaped(&name, identity, strlen(identity), PSK_IDENTITY_LIMIT);
    result = error_new(TLSSHIM_E_VERIFY, "the client's pre-shared key \"%.*s\" is not known here (context_add_psk)",
                       (int)name.len, name.data != NULL ? (const char *)name.data : "");
    buffer_free(&name);
    return result;
}

static unsigned on_server(SSL *ssl, const char *identity, unsigned char *key, unsigned key_most)
{
    struct conn *conn = conn_of(ssl);
    struct psk *psk;

    if (SSL_version(ssl) >= TLS1_3_VERSION)
        return 0;
    psk = psk_find(table_of(conn), (struct bytes){(const uint8_t *)identity, strlen(identity)});
    if (psk == NULL || psk->key_len > key_most) {
        conn_fail(conn, unknown(identity));
        return 0;
    }
    remember(conn, psk);
    memcpy(key, psk->key, psk->key_len);
    return (unsigned)psk->key_len;
}

int32_t psk_install(const struct setup *setup)
{
    if (setup->settings.psks.count == 0)
        return TLSSHIM_OK;
    if (settings_server(&setup->settings)) {
        SSL_CTX_set_psk_find_session_callback(setup->ctx, on_identity);
        SSL_CTX_set_psk_server_callback(setup->ctx, on_server);
    } else {
        SSL_CTX_set_psk_use_session_callback(setup->ctx, on_offer);
        SSL_CTX_set_psk_client_callback(setup->ctx, on_client);
    }
    return psk_check(&setup->settings, setup->ctx);
}

/* --- once it is over --- */

/* Reads the mark and takes it off, so that the sessions which the connection leads to do not inherit it. */
static bool marked(SSL_SESSION *session)
{
    void *data;
    size_t len;

    if (SSL_SESSION_get0_ticket_appdata(session, &data, &len) != 1 || len != sizeof mark ||
        memcmp(data, mark, sizeof mark) != 0)
        return false;
    (void)SSL_SESSION_set1_ticket_appdata(session, NULL, 0);
    return true;
}

void psk_complete(struct conn *conn)
{
    if (table_of(conn)->count == 0)
        return;
    if (SSL_version(conn->ssl) < TLS1_3_VERSION) {
        conn->by_psk = SSL_CIPHER_get_auth_nid(SSL_get_current_cipher(conn->ssl)) == NID_auth_psk;
    } else if (SSL_session_reused(conn->ssl) == 1) {
        conn->first_by_psk = marked(SSL_get_session(conn->ssl));
        /* A server gives no tickets after a key. To a client it always shows a certificate, but after a key. */
        conn->by_psk = conn->first_by_psk || (!conn_server(conn) && SSL_get0_peer_certificate(conn->ssl) == NULL);
    }
}

const char *psk_identity(const struct conn *conn)
{
    if (!conn->by_psk)
        return NULL;
    if (!conn_server(conn))
        return table_of(conn)->at[0]->identity;
    return conn->psk != NULL ? conn->psk->identity : SSL_get_psk_identity(conn->ssl);
}

int32_t psk_failure(const struct conn *conn, int reason, struct error_detail *detail)
{
    bool no_certificate = SSL_get_certificate(conn->ssl) == NULL;

    if (conn->done || !conn_server(conn) || table_of(conn)->count == 0)
        return TLSSHIM_OK;
    detail->side = TLSSHIM_SIDE_PEER;
    if (conn->psk != NULL &&
        (reason == SSL_R_BINDER_DOES_NOT_VERIFY || reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC ||
         reason == SSL_R_DIGEST_CHECK_FAILED)) {
        error_say(detail, "the client has another key for \"%s\" than this end (pre-shared key)", conn->psk->identity);
        return error_publish(TLSSHIM_E_VERIFY, detail);
    }
    if (no_certificate && (reason == SSL_R_NO_SHARED_CIPHER || reason == SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM ||
                           reason == SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS)) {
        error_say(detail, "the client has no pre-shared key that is known here, and this server has no certificate");
        return error_publish(TLSSHIM_E_NEGOTIATION, detail);
    }
    return TLSSHIM_OK;
}

int32_t psk_refused(const struct conn *conn, int alert, const char *name, struct error_detail *detail)
{
    bool fits = alert == SSL_AD_UNKNOWN_PSK_IDENTITY || alert == SSL_AD_DECRYPT_ERROR ||
                alert == SSL_AD_ILLEGAL_PARAMETER || alert == SSL_AD_BAD_RECORD_MAC;

    if (!fits || conn->done || conn_server(conn) || table_of(conn)->count == 0)
        return TLSSHIM_OK;
    error_say(detail, "the peer refused our pre-shared key \"%s\", or has another for that identity: alert %d (%s)",
              table_of(conn)->at[0]->identity, alert, name);
    return error_publish(TLSSHIM_E_REJECTED, detail);
}
