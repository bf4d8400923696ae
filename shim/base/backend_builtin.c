#include "backend_builtin.h"

#include <openssl/crypto.h>

OSSL_LIB_CTX *builtin_context_new(const char *name, OSSL_provider_init_fn *start)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();

    if (context != NULL && OSSL_PROVIDER_add_builtin(context, name, start) == 1 &&
        OSSL_PROVIDER_load(context, name) != NULL)
        return context;
    OSSL_LIB_CTX_free(context);
    return NULL;
}

OSSL_LIB_CTX *builtin_context(_Atomic(OSSL_LIB_CTX *) *kept, const char *name, OSSL_provider_init_fn *start)
{
    OSSL_LIB_CTX *before = atomic_load(kept);
    OSSL_LIB_CTX *made;

    if (before != NULL)
        return before;
    made = builtin_context_new(name, start);
    if (made == NULL || atomic_compare_exchange_strong(kept, &before, made))
        return made;
    OSSL_LIB_CTX_free(made); /* another thread was faster */
    return before;
}
