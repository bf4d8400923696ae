#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

#include "../meter.h"
#include "plain.h"

void fail(const char *what)
{
    ERR_print_errors_fp(stderr);
    die("%s", what);
}

bool tuned(void)
{
    return strcmp(option("style", "manual"), "tuned") == 0;
}

static void set_common(SSL_CTX *ctx)
{
    const char *suite = option("suite", NULL);

    if (ctx == NULL)
        fail("no context");
    if (suite != NULL && SSL_CTX_set_ciphersuites(ctx, suite) != 1)
        fail("the suite is unknown");
    if (option_number("version", 13) == 12)
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    if (option("tls12", NULL) != NULL && SSL_CTX_set_cipher_list(ctx, option("tls12", "")) != 1)
        fail("the cipher is unknown");
    if (option_number("release", 0) == 1)
        SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (tuned()) {
        SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ENABLE_PARTIAL_WRITE);
        SSL_CTX_set_read_ahead(ctx, 1);
        SSL_CTX_set_default_read_buffer_len(ctx, 65536);
    }
}

static void set_identity(SSL_CTX *ctx, const char *chain, const char *key)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, certs_file(chain)) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, certs_file(key), SSL_FILETYPE_PEM) != 1)
        fail("the identity cannot be used");
}

static void set_trust(SSL_CTX *ctx, int mode)
{
    if (SSL_CTX_load_verify_locations(ctx, certs_file("ca.pem"), NULL) != 1)
        fail("the CA cannot be loaded");
    SSL_CTX_set_verify(ctx, mode, NULL);
}

SSL_CTX *server_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    set_common(ctx);
    set_identity(ctx, "server.pem", "server.key");
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"bench", 5);
    if (option("tickets", NULL) != NULL)
        SSL_CTX_set_num_tickets(ctx, (size_t)option_number("tickets", 2));
    if (option_number("stateful", 0) == 1)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    if (option_number("mutual", 0) == 1) {
        set_trust(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
        SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(certs_file("ca.pem")));
    }
    return ctx;
}

SSL_CTX *client_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    set_common(ctx);
    set_trust(ctx, SSL_VERIFY_PEER);
    if (option_number("mutual", 0) == 1)
        set_identity(ctx, "client.pem", "client.key");
    return ctx;
}

static struct ends ends_new(SSL_CTX *client, SSL_CTX *server)
{
    struct ends ends = {.client = SSL_new(client), .server = SSL_new(server)};

    if (ends.client == NULL || ends.server == NULL || SSL_set_tlsext_host_name(ends.client, "localhost") != 1 ||
        SSL_set1_host(ends.client, "localhost") != 1)
        fail("no connection");
    SSL_set_connect_state(ends.client);
    SSL_set_accept_state(ends.server);
    return ends;
}

static void join(struct ends *ends)
{
    BIO *at_client, *at_server;

    /* The default room of a pair, 17 KiB, holds any record. */
    if (BIO_new_bio_pair(&at_client, 0, &at_server, 0) != 1)
        fail("no BIO pair");
    SSL_set_bio(ends->client, at_client, at_client);
    SSL_set_bio(ends->server, at_server, at_server);
}

static BIO *pair_for(SSL *ssl)
{
    BIO *inner, *net;

    if (BIO_new_bio_pair(&inner, 0, &net, 0) != 1)
        fail("no BIO pair");
    SSL_set_bio(ssl, inner, inner);
    return net;
}

static void memory_for(SSL *ssl)
{
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

    if (in == NULL || out == NULL)
        fail("no memory BIO");
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
}

struct ends ends_in_memory(SSL_CTX *client, SSL_CTX *server)
{
    struct ends ends = ends_new(client, server);
    const char *bio = option("bio", "pair");

    if (strcmp(bio, "joined") == 0) {
        join(&ends);
    } else if (strcmp(bio, "memory") == 0) {
        memory_for(ends.client);
        memory_for(ends.server);
    } else {
        ends.client_net = pair_for(ends.client);
        ends.server_net = pair_for(ends.server);
    }
    return ends;
}

void ends_carry(const struct ends *ends, bool to_server)
{
    static _Thread_local char wire[65536];
    SSL *from = to_server ? ends->client : ends->server, *to = to_server ? ends->server : ends->client;
    BIO *out = to_server ? ends->client_net : ends->server_net, *in = to_server ? ends->server_net : ends->client_net;
    int len;

    if (out == NULL) {
        out = SSL_get_wbio(from), in = SSL_get_rbio(to);
        if (out == in || BIO_method_type(out) != BIO_TYPE_MEM)
            return;
    }
    while (BIO_ctrl_pending(out) > 0) {
        len = BIO_read(out, wire, sizeof wire);
        if (len <= 0 || BIO_write(in, wire, len) != len)
            fail("bytes were lost");
    }
}

struct ends ends_on_sockets(SSL_CTX *client, SSL_CTX *server)
{
    struct ends ends = ends_new(client, server);
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0 || SSL_set_fd(ends.client, fds[0]) != 1 ||
        SSL_set_fd(ends.server, fds[1]) != 1)
        fail("no socketpair");
    return ends;
}

static void step(SSL *ssl)
{
    int answer = SSL_do_handshake(ssl);
    int kind = answer == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl, answer);

    if (answer != 1 && kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE)
        fail("the handshake failed");
}

void ends_handshake(struct ends *ends)
{
    do {
        step(ends->client);
        ends_carry(ends, true);
        step(ends->server);
        ends_carry(ends, false);
    } while (!SSL_is_init_finished(ends->client) || !SSL_is_init_finished(ends->server));
}

void ends_free(struct ends *ends)
{
    SSL_free(ends->client);
    SSL_free(ends->server);
    BIO_free(ends->client_net);
    BIO_free(ends->server_net);
}
