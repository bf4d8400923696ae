/* Certificates: a leaf followed by its chain. */
#ifndef SHIM_PKI_CERT_H
#define SHIM_PKI_CERT_H

#include <openssl/x509.h>

#include "../base/bytes.h"
#include "../base/refs.h"

struct cert {
    struct refs refs;
    int count;
    X509 **at; /* leaf first */
};

int32_t cert_pin(int64_t handle, struct cert **cert) MUST_USE;
struct cert *cert_ref(struct cert *cert);
/* NULL is allowed. */
void cert_drop(struct cert *cert);

/* Makes the object from certificates in their order; takes references of its own. NULL without memory. */
struct cert *cert_from_stack(STACK_OF(X509) * certs);
struct cert *cert_from_leaf(X509 *leaf, const struct cert *chain);
/* Gives a handle that takes over the caller's reference, on failure too. */
int64_t cert_handle_new(struct cert *cert);

/* The certificates after the leaf, as a stack that shares them: free the stack alone. NULL without memory. */
STACK_OF(X509) * cert_chain_stack(const struct cert *cert);

#endif
