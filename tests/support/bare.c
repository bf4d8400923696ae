#include "bare.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "answers.h"
#include "support.h"

static void on_info(const SSL *ssl, int where, int value)
{
    struct bare *bare = SSL_get_app_data(ssl);

    if (where == SSL_CB_READ_ALERT && (value & 255) != SSL_AD_CLOSE_NOTIFY)
        bare->alert = value & 255;
}

struct bare *bare_new(bool client, int32_t version, int64_t identity)
{
    struct bare *bare = calloc(1, sizeof *bare);

    ck_assert_ptr_nonnull(bare);
    bare->alert = -1;
    bare->ctx = SSL_CTX_new_ex(support_context(), NULL, client ? TLS_client_method() : TLS_server_method());
    ck_assert_ptr_nonnull(bare->ctx);
    SSL_CTX_set_min_proto_version(bare->ctx, version);
    SSL_CTX_set_max_proto_version(bare->ctx, version);
    SSL_CTX_set_info_callback(bare->ctx, on_info);
    if (identity != 0) {
        X509 *cert = answers_cert(identity);
        EVP_PKEY *key = answers_key(identity);

        ck_assert_int_eq(SSL_CTX_use_cert_and_key(bare->ctx, cert, key, NULL, 1), 1);
        X509_free(cert);
        EVP_PKEY_free(key);
    }
    return bare;
}

void bare_trust(struct bare *bare, int64_t ca)
{
    X509 *cert = answers_cert(ca);

    ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(bare->ctx), cert), 1);
    X509_free(cert);
}

void bare_begin(struct bare *bare)
{
    bare->ssl = SSL_new(bare->ctx);
    bare->in = BIO_new(BIO_s_mem());
    bare->out = BIO_new(BIO_s_mem());
    ck_assert(bare->ssl != NULL && bare->in != NULL && bare->out != NULL);
    SSL_set_bio(bare->ssl, bare->in, bare->out);
    SSL_set_app_data(bare->ssl, bare);
    if (SSL_CTX_get_ssl_method(bare->ctx) == TLS_client_method())
        SSL_set_connect_state(bare->ssl);
    else
        SSL_set_accept_state(bare->ssl);
}

static bool carry(struct bare *bare, int64_t conn)
{
    uint8_t wire[16384];
    bool moved = false;
    int len;

    while ((len = BIO_read(bare->out, wire, sizeof wire)) > 0) {
        moved = true;
        if (tlsshim_conn_feed(conn, wire, len) < 0) /* it has failed */
            break;
    }
    while ((len = tlsshim_conn_drain(conn, wire, sizeof wire)) > 0) {
        moved = true;
        BIO_write(bare->in, wire, len);
    }
    return moved;
}

static void step(struct bare *bare)
{
    int room = (int)sizeof bare->got - bare->got_len;
    int len;

    if (!SSL_is_init_finished(bare->ssl))
        (void)SSL_do_handshake(bare->ssl);
    len = room > 0 ? SSL_read(bare->ssl, bare->got + bare->got_len, room) : 0;
    bare->got_len += len > 0 ? len : 0;
}

int32_t bare_meet(struct bare *bare, int64_t conn)
{
    int32_t result = TLSSHIM_WANT_FEED;
    bool moved;

    do {
        step(bare);
        moved = carry(bare, conn);
        result = tlsshim_conn_handshake(conn);
        moved = carry(bare, conn) || moved;
    } while (moved);
    step(bare);
    ERR_clear_error();
    return result;
}

void bare_move(struct bare *bare, int64_t conn)
{
    do
        step(bare);
    while (carry(bare, conn));
    ERR_clear_error();
}

void bare_free(struct bare *bare)
{
    SSL_free(bare->ssl);
    SSL_CTX_free(bare->ctx);
    free(bare);
}
