/* A host under whatever OPENSSL_CONF says: tells what its own OpenSSL and the library's contexts are like.
 * config_host alone|host-first|shim-first|shim: lines "host ..." and "shim ...". */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/guest.h"

static void host(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    EVP_MD *digest = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    SSL *ssl = context == NULL ? NULL : SSL_new(context);

    printf("host digest %d fips %d\n", digest != NULL, EVP_default_properties_is_fips_enabled(NULL));
    EVP_MD_free(digest);
    if (context == NULL) {
        printf("host has no context\n");
        ERR_clear_error();
        return;
    }
    printf("host versions %lx..%lx level %d options %lx verify %d tickets %zu\n",
           (unsigned long)SSL_CTX_get_min_proto_version(context), (unsigned long)SSL_CTX_get_max_proto_version(context),
           SSL_CTX_get_security_level(context), (unsigned long)SSL_CTX_get_options(context),
           SSL_CTX_get_verify_mode(context), SSL_CTX_get_num_tickets(context));
    printf("host certificate %d\n", SSL_CTX_get0_certificate(context) != NULL);
    printf("host ciphers");
    for (int i = 0; ssl != NULL && SSL_get_cipher_list(ssl, i) != NULL; i++)
        printf(" %s", SSL_get_cipher_list(ssl, i));
    printf("\n");
    SSL_free(ssl);
    SSL_CTX_free(context);
}

static void must(int64_t result, const char *what)
{
    char text[600];
    int32_t len;

    if (result >= 0)
        return;
    len = tlsshim_error_text(result, text, sizeof text);
    printf("shim %s: %d %.*s\n", what, (int)tlsshim_error_code(result), (int)len, text);
    exit(EXIT_FAILURE);
}

static void tell_context(const char *name, int64_t context)
{
    static const int32_t numbers[] = {TLSSHIM_CONTEXT_VERSION_MIN,       TLSSHIM_CONTEXT_VERSION_MAX,
                                      TLSSHIM_CONTEXT_TICKETS,           TLSSHIM_CONTEXT_VERIFY_FLAGS,
                                      TLSSHIM_CONTEXT_VERIFY_DEPTH,      TLSSHIM_CONTEXT_SECURITY_LEVEL,
                                      TLSSHIM_CONTEXT_CLIENT_CERTIFICATE};
    static const int32_t texts[] = {TLSSHIM_CONTEXT_CIPHERS, TLSSHIM_CONTEXT_CIPHERSUITES, TLSSHIM_CONTEXT_GROUPS,
                                    TLSSHIM_CONTEXT_SIGNATURES};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t n = -1;
        int32_t result = tlsshim_context_number(context, numbers[i], &n);

        printf("shim %s field %d: %d %lld\n", name, (int)numbers[i], (int)tlsshim_error_code(result), (long long)n);
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[4000];
        int32_t len = tlsshim_context_text(context, texts[i], text, sizeof text);

        printf("shim %s field %d: %d %.*s\n", name, (int)texts[i], (int)len, (int)(len > 0 ? len : 0), text);
    }
}

static void tell_connection(int32_t version)
{
    static const int32_t fields[] = {TLSSHIM_CONN_VERSION, TLSSHIM_CONN_CIPHER, TLSSHIM_CONN_GROUP,
                                     TLSSHIM_CONN_PEER_SIGNATURE};
    union guest guest;
    int64_t client, server, cert;
    char sealed[2000];

    must(guest_make(&guest), "guest_make");
    if (version != 0) {
        must(tlsshim_context_set_versions(guest.client, version, version), "versions of the client");
        must(tlsshim_context_set_versions(guest.server, version, version), "versions of the server");
    }
    must(tlsshim_context_set_trust(guest.server, guest.trust), "trust of the server");
    must(tlsshim_context_set_client_certificate(guest.server, TLSSHIM_CLIENT_CERTIFICATE_REQUEST), "request");
    if (version == 0) {
        tell_context("client", guest.client);
        tell_context("server", guest.server);
    }
    client = tlsshim_conn_new(guest.client, "localhost", 9);
    server = tlsshim_conn_new(guest.server, "", 0);
    must(client, "client");
    must(server, "server");
    must(guest_talk(client, server), "handshake");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char text[200];
        int32_t len = tlsshim_conn_text(client, fields[i], text, sizeof text);

        printf("shim connection %x field %d: %.*s\n", (unsigned)version, (int)fields[i], (int)(len > 0 ? len : 0),
               text);
    }
    cert = tlsshim_conn_peer_cert(server);
    printf("shim connection %x certificate of the client: %lld\n", (unsigned)version, (long long)(cert < 0 ? cert : 1));
    must(tlsshim_conn_write(client, "ping", 4), "write");
    printf("shim connection %x four bytes sealed: %d\n", (unsigned)version,
           (int)tlsshim_conn_drain(client, sealed, sizeof sealed));
    tlsshim_close(cert);
    tlsshim_close(client);
    tlsshim_close(server);
    must(guest_close(&guest), "close");
}

static void shim(void)
{
    tell_connection(0);
    tell_connection(TLSSHIM_TLS_1_2);
    tell_connection(TLSSHIM_TLS_1_3);
}

int main(int argc, char **argv)
{
    const char *order = argc == 2 ? argv[1] : "";

    if (strcmp(order, "host-first") == 0 || strcmp(order, "alone") == 0)
        host();
    if (strcmp(order, "alone") != 0)
        shim();
    if (strcmp(order, "shim-first") == 0)
        host();
    return EXIT_SUCCESS;
}
