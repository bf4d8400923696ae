/* A library context that is the whole one but for its decoders. */
#ifndef SHIM_BASE_BACKEND_NARROW_H
#define SHIM_BASE_BACKEND_NARROW_H

#include <openssl/types.h>

/* A context whose one provider hands everything on to `whole` (a default provider, loaded elsewhere and kept for
 * ever), and lists of its decoders those alone that read a public key out of a certificate: the backend looks through
 * all that there are for each certificate, which costs more than reading it. NULL with the backend's error. */
OSSL_LIB_CTX *narrow_context_new(OSSL_PROVIDER *whole);

#endif
