#include "aead.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <stdlib.h>

#include "algorithm.h"
#include "backend.h"

struct aead {
    EVP_CIPHER *cipher; /* keeps its provider */
    void *provider_context;
    size_t key_len;
    OSSL_FUNC_cipher_newctx_fn *new_context;
    OSSL_FUNC_cipher_freectx_fn *free_context;
    OSSL_FUNC_cipher_encrypt_init_fn *init;
    OSSL_FUNC_cipher_update_fn *update;
    OSSL_FUNC_cipher_final_fn *final;
    OSSL_FUNC_cipher_get_ctx_params_fn *get_params;
};

static void learn(struct aead *aead, const OSSL_DISPATCH *function)
{
    for (; function->function_id != 0; function++)
        switch (function->function_id) {
        case OSSL_FUNC_CIPHER_NEWCTX:
            aead->new_context = OSSL_FUNC_cipher_newctx(function);
            break;
        case OSSL_FUNC_CIPHER_FREECTX:
            aead->free_context = OSSL_FUNC_cipher_freectx(function);
            break;
        case OSSL_FUNC_CIPHER_ENCRYPT_INIT:
            aead->init = OSSL_FUNC_cipher_encrypt_init(function);
            break;
        case OSSL_FUNC_CIPHER_UPDATE:
            aead->update = OSSL_FUNC_cipher_update(function);
            break;
        case OSSL_FUNC_CIPHER_FINAL:
            aead->final = OSSL_FUNC_cipher_final(function);
            break;
        case OSSL_FUNC_CIPHER_GET_CTX_PARAMS:
            aead->get_params = OSSL_FUNC_cipher_get_ctx_params(function);
            break;
        default:
            break;
        }
}

static bool learn_by_name(struct aead *aead, const char *name)
{
    const OSSL_PROVIDER *provider = EVP_CIPHER_get0_provider(aead->cipher);
    const OSSL_ALGORITHM *all, *one;
    int uncached;

    if (provider == NULL)
        return false;
    aead->provider_context = OSSL_PROVIDER_get0_provider_ctx(provider);
    all = OSSL_PROVIDER_query_operation(provider, OSSL_OP_CIPHER, &uncached);
    for (one = all; one != NULL && one->algorithm_names != NULL; one++)
        if (algorithm_named(one, name)) {
            learn(aead, one->implementation);
            break;
        }
    OSSL_PROVIDER_unquery_operation(provider, OSSL_OP_CIPHER, all);
    return aead->new_context != NULL && aead->free_context != NULL && aead->init != NULL && aead->update != NULL &&
           aead->final != NULL && aead->get_params != NULL;
}

/* Not OCB, which holds back what does not fill a block, nor CCM, which wants to know the length first. */
static bool fits(const EVP_CIPHER *cipher, size_t key_len)
{
    int mode = EVP_CIPHER_get_mode(cipher);

    return (EVP_CIPHER_get_flags(cipher) & EVP_CIPH_FLAG_AEAD_CIPHER) != 0 &&
           (mode == EVP_CIPH_GCM_MODE || mode == EVP_CIPH_STREAM_CIPHER) &&
           (size_t)EVP_CIPHER_get_key_length(cipher) == key_len && EVP_CIPHER_get_iv_length(cipher) == AEAD_NONCE;
}

struct aead *aead_find(const char *name, size_t key_len)
{
    struct aead *aead = calloc(1, sizeof *aead);

    if (aead == NULL)
        return NULL;
    aead->key_len = key_len;
    aead->cipher = EVP_CIPHER_fetch(backend_context(), name, NULL);
    if (aead->cipher != NULL && fits(aead->cipher, key_len) && learn_by_name(aead, name))
        return aead;
    aead_forget(aead);
    return NULL;
}

void aead_forget(struct aead *aead)
{
    if (aead == NULL)
        return;
    EVP_CIPHER_free(aead->cipher);
    free(aead);
}

struct aead_key *aead_key_new(const struct aead *aead, const uint8_t *key)
{
    void *context = aead->new_context(aead->provider_context);

    if (context != NULL && aead->init(context, key, aead->key_len, NULL, 0, NULL) == 1)
        return context;
    aead_key_free(aead, context);
    return NULL;
}

void aead_key_free(const struct aead *aead, struct aead_key *key)
{
    if (key != NULL)
        aead->free_context(key);
}

bool aead_begin(const struct aead *aead, struct aead_key *key, const uint8_t nonce[AEAD_NONCE], struct bytes also)
{
    size_t count;

    return aead->init(key, NULL, 0, nonce, AEAD_NONCE, NULL) == 1 &&
           aead->update(key, NULL, &count, also.len, also.data, also.len) == 1;
}

bool aead_piece(const struct aead *aead, struct aead_key *key, struct bytes plain, uint8_t *sealed)
{
    size_t count;

    return aead->update(key, sealed, &count, plain.len, plain.data, plain.len) == 1;
}

bool aead_end(const struct aead *aead, struct aead_key *key, uint8_t tag[AEAD_TAG])
{
    OSSL_PARAM wanted[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, AEAD_TAG), OSSL_PARAM_END};
    size_t count;

    return aead->final(key, NULL, &count, 0) == 1 && aead->get_params(key, wanted) == 1;
}
