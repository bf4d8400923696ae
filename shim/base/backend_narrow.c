#include "backend_narrow.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "algorithm.h"
#include "backend_builtin.h"

enum { DECODERS_MOST = 15 };

static OSSL_PROVIDER *whole;
static OSSL_ALGORITHM decoders[DECODERS_MOST + 1];

/* The keys that certificates have and handshakes accept; others are read in the whole context (backend_whole). */
static bool wanted(const OSSL_ALGORITHM *algorithm)
{
    static const char *const names[] = {"EC", "RSA", "RSA-PSS", "ED25519", "ED448"};

    if (strstr(algorithm->property_definition, "input=der") == NULL ||
        strstr(algorithm->property_definition, "structure=SubjectPublicKeyInfo") == NULL)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (algorithm_named(algorithm, names[i]))
            return true;
    return false;
}

static bool choose_decoders(void)
{
    int no_cache, count = 0;
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(whole, OSSL_OP_DECODER, &no_cache);

    for (; all != NULL && all->algorithm_names != NULL && count < DECODERS_MOST; all++)
        if (wanted(all))
            decoders[count++] = *all;
    return count > 0;
}

static const OSSL_ALGORITHM *on_query(void *context, int operation, int *no_cache)
{
    (void)context;
    *no_cache = 0;
    return operation == OSSL_OP_DECODER ? decoders : OSSL_PROVIDER_query_operation(whole, operation, no_cache);
}

static int on_capabilities(void *context, const char *capability, OSSL_CALLBACK *give, void *arg)
{
    (void)context;
    return OSSL_PROVIDER_get_capabilities(whole, capability, give, arg);
}

static const OSSL_PARAM *on_gettable_params(void *context)
{
    (void)context;
    return OSSL_PROVIDER_gettable_params(whole);
}

static int on_get_params(void *context, OSSL_PARAM params[])
{
    (void)context;
    return OSSL_PROVIDER_get_params(whole, params);
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))on_query},
    {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))on_capabilities},
    {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (void (*)(void))on_gettable_params},
    {OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))on_get_params},
    {0, NULL},
};

/* The algorithms handed on are called with the whole provider's own context. */
static int on_start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **context)
{
    (void)handle;
    (void)in;
    *out = functions;
    *context = OSSL_PROVIDER_get0_provider_ctx(whole);
    return 1;
}

OSSL_LIB_CTX *narrow_context_new(OSSL_PROVIDER *provider)
{
    whole = provider;
    return choose_decoders() ? builtin_context_new("tlsshim", on_start) : NULL;
}
