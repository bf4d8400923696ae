/* A host that does handshakes of its own, through OpenSSL's default context, while the library does its own on other
 * threads. second_host host-first|shim-first ROUNDS */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/guest.h"

enum { PAIRS = 2 };

static union guest guest;
static SSL_CTX *server_context, *client_context;
static int rounds;

static void fail(const char *what, int64_t result)
{
    char text[600];
    int32_t len = result < 0 ? tlsshim_error_text(result, text, sizeof text) : 0;

    printf("%s: %lld %.*s\n", what, (long long)result, (int)(len > 0 ? len : 0), text);
    ERR_print_errors_fp(stdout);
    exit(EXIT_FAILURE);
}

static void check(bool good, const char *what)
{
    if (!good)
        fail(what, 0);
}

static void hosts_contexts(void)
{
    char pem[4000];
    int32_t len = tlsshim_key_export(guest.key, TLSSHIM_FORMAT_PEM, "", 0, pem, sizeof pem);
    BIO *bio = BIO_new_mem_buf(pem, len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    X509 *cert;

    BIO_free(bio);
    len = tlsshim_cert_export(guest.cert, TLSSHIM_FORMAT_PEM, pem, sizeof pem);
    bio = BIO_new_mem_buf(pem, len);
    cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    check(key != NULL && cert != NULL, "PEM");
    server_context = SSL_CTX_new(TLS_server_method());
    client_context = SSL_CTX_new(TLS_client_method());
    check(SSL_CTX_use_certificate(server_context, cert) == 1 && SSL_CTX_use_PrivateKey(server_context, key) == 1,
          "use");
    check(X509_STORE_add_cert(SSL_CTX_get_cert_store(client_context), cert) == 1, "trust");
    SSL_CTX_set_verify(client_context, SSL_VERIFY_PEER, NULL);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* One handshake of the host's; an error of its own stays in the queue across calls of the library. */
static void host_connects(void)
{
    SSL *client = SSL_new(client_context), *server = SSL_new(server_context);
    BIO *near, *far;
    int ours = 0, theirs = 0;
    char plain[8];

    check(BIO_new_bio_pair(&near, 0, &far, 0) == 1, "BIO_new_bio_pair");
    SSL_set_bio(client, near, near);
    SSL_set_bio(server, far, far);
    check(SSL_set1_host(client, "localhost") == 1, "SSL_set1_host");
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int turn = 0; turn < 20 && (ours != 1 || theirs != 1); turn++) {
        ours = SSL_do_handshake(client);
        check(ours == 1 || SSL_get_error(client, ours) == SSL_ERROR_WANT_READ, "the host's client");
        tlsshim_key_load("nonsense", 8, "", 0); /* between a call of the host's and its question for the error */
        theirs = SSL_do_handshake(server);
        check(theirs == 1 || SSL_get_error(server, theirs) == SSL_ERROR_WANT_READ, "the host's server");
    }
    check(SSL_write(client, "ping", 4) == 4 && SSL_read(server, plain, 8) == 4, "the host's data");
    ERR_raise_data(ERR_LIB_USER, 7, "kept");
    tlsshim_key_load("nonsense", 8, "", 0);
    check(ERR_GET_REASON(ERR_get_error()) == 7 && ERR_peek_error() == 0, "the host's error");
    SSL_free(client);
    SSL_free(server);
}

static void *host_many(void *unused)
{
    for (int i = 0; i < rounds; i++)
        host_connects();
    return unused;
}

static void *shim_many(void *unused)
{
    for (int i = 0; i < rounds; i++) {
        int64_t result = guest_connect(&guest);

        if (result < 0)
            fail("guest_connect", result);
        check(ERR_peek_error() == 0, "an error of the library is in the queue");
    }
    return unused;
}

int main(int argc, char **argv)
{
    bool host_first = argc == 3 && strcmp(argv[1], "host-first") == 0;
    pthread_t threads[2 * PAIRS];
    int64_t result;

    rounds = argc == 3 ? atoi(argv[2]) : 1;
    if (host_first)
        check(OPENSSL_init_ssl(0, NULL) == 1, "OPENSSL_init_ssl");
    result = guest_make(&guest);
    if (result < 0)
        fail("guest_make", result);
    hosts_contexts();
    for (int i = 0; i < 2 * PAIRS; i++)
        check(pthread_create(&threads[i], NULL, i < PAIRS ? host_many : shim_many, NULL) == 0, "pthread_create");
    for (int i = 0; i < 2 * PAIRS; i++)
        pthread_join(threads[i], NULL);
    SSL_CTX_free(client_context);
    SSL_CTX_free(server_context);
    return guest_close(&guest) == TLSSHIM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
