/* A server's OCSP answers for its own certificates: set while it serves, shown to who asks. */
#ifndef SHIM_TLS_STAPLE_H
#define SHIM_TLS_STAPLE_H

#include <openssl/x509.h>
#include <pthread.h>

#include "../base/bytes.h"

struct setup;
struct staple;

/* By certificate, so that renewals, copies and successors of a context keep apart what is apart. */
struct staples {
    pthread_mutex_t lock;
    struct staple **at; /* sorted by key */
    size_t count, cap;
};

void staples_init(struct staples *staples);
void staples_free(struct staples *staples);
/* Takes over what is newer there: when a context is replaced by one that has a table of its own. E_MEMORY. */
int32_t staples_merge(struct staples *staples, struct staples *from);

/* Shows them, on a server; on a client asks for one and judges it, as its settings say. */
void staple_install(const struct setup *setup);

#endif
