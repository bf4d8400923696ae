/* A client and a server under one private authority, for tests of whole connections. */
#ifndef TESTS_SUPPORT_PARTIES_H
#define TESTS_SUPPORT_PARTIES_H

#include <stdint.h>

struct parties {
    int64_t root; /* certificate */
    int64_t trust;
    int64_t server_identity; /* localhost, 127.0.0.1, ::1 */
    int64_t client_identity; /* CN=client.test */
    int64_t client;          /* contexts */
    int64_t server;
};

/* Mutual TLS: both trust the root, both have an identity, the server requires one. Versions 0 = the defaults. */
struct parties mutual_parties(int32_t version_min, int32_t version_max);
/* A server that asks for no certificate, a client that has none. */
struct parties one_sided_parties(int32_t version_min, int32_t version_max);
void parties_close(const struct parties *parties);
/* A root, its certificate and identity; and a leaf below it with names (commas between) and any usage. */
void a_root(const char *subject, int64_t *cert, int64_t *identity);
int64_t an_identity(int64_t ca, const char *subject, const char *names);
/* "h2,http/1.1" as a context's list. */
void offer_alpn(int64_t context, const char *list, int32_t mode);
/* Both ends of a connection over one thread. */
void shake(int64_t client, int64_t server);
/* Connected over TCP, and shaken. */
void shaken_streams(const struct parties *parties, int64_t *client, int64_t *server);

#endif
