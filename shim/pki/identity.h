/* Identities: a chain and the private key of its leaf. */
#ifndef SHIM_PKI_IDENTITY_H
#define SHIM_PKI_IDENTITY_H

#include "cert.h"
#include "key.h"

struct identity {
    struct refs refs;
    struct cert *cert;
    struct key *key;
};

int32_t identity_pin(int64_t handle, struct identity **identity) MUST_USE;
struct identity *identity_ref(struct identity *identity);
/* NULL is allowed. */
void identity_drop(struct identity *identity);

#endif
