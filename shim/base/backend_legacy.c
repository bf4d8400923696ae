/* A third library context with the backend's legacy provider, made when first asked for. */
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <pthread.h>

#include "backend.h"

#ifdef TLSSHIM_BACKEND_STATIC

/* The provider is a module of the shared backend, which would be pulled in beside the one linked in. */
int32_t legacy_enter(struct legacy_visit *visit)
{
    visit->before = NULL;
    return error_new(TLSSHIM_E_UNSUPPORTED, "this build has no legacy ciphers: has(\"legacy\") is 0");
}

void legacy_leave(const struct legacy_visit *visit)
{
    (void)visit;
}

#else

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static OSSL_LIB_CTX *context;

static OSSL_LIB_CTX *make(void)
{
    OSSL_LIB_CTX *made = OSSL_LIB_CTX_new();

    if (made != NULL && OSSL_PROVIDER_load(made, "default") != NULL && OSSL_PROVIDER_load(made, "legacy") != NULL)
        return made;
    OSSL_LIB_CTX_free(made);
    return NULL;
}

int32_t legacy_enter(struct legacy_visit *visit)
{
    OSSL_LIB_CTX *legacy;

    pthread_mutex_lock(&lock);
    if (context == NULL)
        context = make();
    legacy = context;
    pthread_mutex_unlock(&lock);
    if (legacy == NULL)
        return error_backend(TLSSHIM_E_UNSUPPORTED, "the backend's legacy provider cannot be loaded");
    visit->before = OSSL_LIB_CTX_set0_default(legacy);
    return TLSSHIM_OK;
}

void legacy_leave(const struct legacy_visit *visit)
{
    OSSL_LIB_CTX_set0_default(visit->before);
}

#endif
