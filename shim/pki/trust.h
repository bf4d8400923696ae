/* Trust: anchors and revocation lists, shared once frozen. */
#ifndef SHIM_PKI_TRUST_H
#define SHIM_PKI_TRUST_H

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdbool.h>

#include "../base/bytes.h"
#include "../base/refs.h"

struct trust {
    struct refs refs;
    pthread_mutex_t lock; /* over all below; held for work in memory only */
    bool frozen;
    bool only_system; /* the anchors are the system's and nothing else: its store and digest serve */
    STACK_OF(X509) * anchors;
    STACK_OF(X509_CRL) * crls;
    X509_STORE *store;   /* of those that are anchors, when first asked for; dropped by a change */
    X509_STORE *partial; /* the same where every certificate is an anchor */
    bool digest_known;
    uint8_t digest[32];
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
/* The store that stands for the set, one reference for the caller; `partial`: every certificate in it is an anchor, not
 * only those signed by themselves. NULL without memory. */
X509_STORE *trust_store(struct trust *trust, bool partial);
/* One more reference to a store; NULL stays NULL. */
X509_STORE *trust_share_store(X509_STORE *store);
/* Copies a list of CRLs that shares them. NULL without memory. */
STACK_OF(X509_CRL) * trust_share_crls(STACK_OF(X509_CRL) * crls);
/* How many anchors there are. */
int trust_anchors(struct trust *trust);
/* The CRLs, shared: free with sk_X509_CRL_pop_free. NULL without memory. */
STACK_OF(X509_CRL) * trust_crls(struct trust *trust);

/* Gives a handle that takes over the caller's reference, on failure too. */
int64_t trust_handle_new(struct trust *trust);
/* The certificates that are no anchors for themselves but help to build chains and may have signed CRLs, shared: free
 * with sk_X509_pop_free. NULL without memory. */
STACK_OF(X509) * trust_intermediates(struct trust *trust);

/* Makes an empty set with one reference; NULL without memory. */
struct trust *trust_make(void);
/* Adds what is not there yet: the count of it, E_FROZEN. */
int32_t trust_merge(struct trust *trust, STACK_OF(X509) * anchors, STACK_OF(X509_CRL) * crls) MUST_USE;
/* Adds the system's set: the count of its anchors, E_FROZEN. */
int32_t trust_merge_system(struct trust *trust, struct trust *from) MUST_USE;

#endif
