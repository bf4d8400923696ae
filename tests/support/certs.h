/* Keys, certificates and trust for tests, made through the public ABI. */
#ifndef TESTS_SUPPORT_CERTS_H
#define TESTS_SUPPORT_CERTS_H

#include <stdint.h>

/* What nearly every test needs. Made once a program, before any test, and never closed. */
struct certs {
    int64_t ca; /* identities */
    int64_t other_ca;
    int64_t trust;       /* holds ca */
    int64_t other_trust; /* holds other_ca */
    int64_t both_trust;
    int64_t server;       /* EC; www.test, *.wild.test, 10.0.0.1, ::1 */
    int64_t server_rsa;   /* RSA-2048, the same names */
    int64_t server_other; /* the same names, by other_ca */
    int64_t server_old;   /* expired */
    int64_t server_early; /* not yet valid */
    int64_t server_deep;  /* by an intermediate of ca */
    int64_t client;       /* EC; CN=client */
    int64_t client_rsa;
    int64_t client_other; /* by other_ca */
    int64_t client_old;
};

const struct certs *certs(void);

/* An identity of a new self-signed CA. */
int64_t certs_ca(const char *subject);
/* An identity by a CA: a server with these names (joined by commas), or without a name a client. Seconds from now. */
int64_t certs_leaf(int64_t ca, const char *algorithm, const char *subject, const char *names, int64_t from,
                   int64_t until);
int64_t certs_intermediate(int64_t ca, const char *subject);
/* A trust set that holds the CA. */
int64_t certs_trust(int64_t ca);

enum { CERTS_DAY = 86400 };

#endif
