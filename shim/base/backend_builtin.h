/* Library contexts whose one provider is a part of this library. */
#ifndef SHIM_BASE_BACKEND_BUILTIN_H
#define SHIM_BASE_BACKEND_BUILTIN_H

#include <openssl/provider.h>
#include <stdatomic.h>

/* A new one; NULL with the backend's error. */
OSSL_LIB_CTX *builtin_context_new(const char *name, OSSL_provider_init_fn *start);
/* The one in *kept, made when first asked for and kept for the life of the process. */
OSSL_LIB_CTX *builtin_context(_Atomic(OSSL_LIB_CTX *) *kept, const char *name, OSSL_provider_init_fn *start);

#endif
