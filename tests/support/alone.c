#include "alone.h"

#include <fcntl.h>
#include <unistd.h>

#include "answers.h"
#include "certs.h"

static void present(SSL_CTX *ctx)
{
    X509 *cert = answers_cert(certs()->server);
    EVP_PKEY *key = answers_key(certs()->server);

    ck_assert_int_eq(SSL_CTX_use_cert_and_key(ctx, cert, key, NULL, 1), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
}

void alone_begin(struct alone *alone, bool client, int32_t version, int fd)
{
    alone->ctx = SSL_CTX_new_ex(support_context(), NULL, client ? TLS_client_method() : TLS_server_method());
    ck_assert_ptr_nonnull(alone->ctx);
    ck_assert_int_eq((int)SSL_CTX_set_min_proto_version(alone->ctx, version), 1);
    ck_assert_int_eq((int)SSL_CTX_set_max_proto_version(alone->ctx, version), 1);
    if (!client)
        present(alone->ctx);
    alone->ssl = SSL_new(alone->ctx);
    alone->fd = fd;
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(SSL_set_fd(alone->ssl, fd), 1);
    if (client)
        SSL_set_connect_state(alone->ssl);
    else
        SSL_set_accept_state(alone->ssl);
}

void alone_end(struct alone *alone)
{
    SSL_free(alone->ssl);
    SSL_CTX_free(alone->ctx);
    close(alone->fd);
}

void alone_shake(struct alone *alone, int64_t stream)
{
    int mine = 0;
    int32_t theirs = TLSSHIM_WANT_READ;

    for (int steps = 0; mine != 1 || theirs != TLSSHIM_OK; steps++) {
        if (mine != 1)
            mine = SSL_do_handshake(alone->ssl);
        if (theirs != TLSSHIM_OK)
            theirs = tlsshim_stream_handshake(stream, 10);
        ck_assert_msg(steps < 100 && theirs >= TLSSHIM_NONE, "the handshake ends with %s", support_text(theirs));
    }
}
