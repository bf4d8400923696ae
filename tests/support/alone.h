/* An end that is OpenSSL alone, over a socket that never blocks: for what the shim itself never does. */
#ifndef TESTS_SUPPORT_ALONE_H
#define TESTS_SUPPORT_ALONE_H

#include <openssl/ssl.h>

#include "support/support.h"

struct alone {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

/* Of this version; the server presents the certificate of certs(). The descriptor is its own from now on. */
void alone_begin(struct alone *alone, bool client, int32_t version, int fd);
void alone_end(struct alone *alone);
/* Shakes hands with a stream, from one thread. */
void alone_shake(struct alone *alone, int64_t stream);

#endif
