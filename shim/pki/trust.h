/* Trust: anchors and revocation lists, shared once frozen. */
#ifndef SHIM_PKI_TRUST_H
#define SHIM_PKI_TRUST_H

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdatomic.h>

#include "../base/bytes.h"
#include "../base/refs.h"

struct trust {
    struct refs refs;
    pthread_mutex_t lock; /* over everything below but `frozen`; held for pure memory work only */
    atomic_bool frozen;
    STACK_OF(X509) * anchors;
    STACK_OF(X509_CRL) * crls;
    X509_STORE *store; /* built from the two when first asked for, dropped by a change */
    bool only_system;  /* anchors are exactly the system's: its store is shared */
};

int32_t trust_pin(int64_t handle, struct trust **trust) MUST_USE;
struct trust *trust_ref(struct trust *trust);
/* NULL is allowed. */
void trust_drop(struct trust *trust);

/* From here on every change is E_FROZEN. */
void trust_freeze(struct trust *trust);
/* The system's set, parsed once a process; a frozen trust, one reference for the caller. E_EMPTY if there is none. */
int32_t trust_system(struct trust **trust) MUST_USE;
/* SHA-256 over the sorted digests of anchors and CRLs: equal sets are equal in every process. */
int32_t trust_digest(struct trust *trust, uint8_t out[32]) MUST_USE;
/* The subjects of the anchors, to send as acceptable authorities; the caller frees names and stack. NULL without
 * memory. */
STACK_OF(X509_NAME) * trust_ca_names(struct trust *trust);
/* The store that stands for the set: one reference for the caller. NULL without memory. */
X509_STORE *trust_store(struct trust *trust);
/* How many anchors there are. */
int trust_anchors(struct trust *trust);

#endif
