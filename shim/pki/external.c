#include "external.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rsa.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/backend_builtin.h"
#include "../base/error.h"
#include "../base/helper.h"

/* --- keys: the public half, read and compared by the backend's own provider --- */

struct held {
    EVP_PKEY *public_half;
    const char *type;
};

static void *held_new(const char *type)
{
    struct held *held = OPENSSL_zalloc(sizeof *held);

    if (held != NULL)
        held->type = type;
    return held;
}

static void *rsa_new(void *context)
{
    (void)context;
    return held_new("RSA");
}

static void *rsa_pss_new(void *context)
{
    (void)context;
    return held_new("RSA-PSS");
}

static void *ec_new(void *context)
{
    (void)context;
    return held_new("EC");
}

static void *ed25519_new(void *context)
{
    (void)context;
    return held_new("ED25519");
}

static void *ed448_new(void *context)
{
    (void)context;
    return held_new("ED448");
}

static void held_free(void *key)
{
    struct held *held = key;

    if (held != NULL)
        EVP_PKEY_free(held->public_half);
    OPENSSL_free(held);
}

/* It stands for the private half too. */
static int held_has(const void *key, int selection)
{
    const struct held *held = key;

    (void)selection;
    return held->public_half != NULL;
}

static int held_match(const void *one, const void *other, int selection)
{
    const struct held *a = one, *b = other;

    (void)selection;
    return a->public_half != NULL && b->public_half != NULL && EVP_PKEY_eq(a->public_half, b->public_half) == 1;
}

static int held_import(void *key, int selection, const OSSL_PARAM params[])
{
    struct held *held = key;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(backend_whole(), held->type, NULL);
    int done = context != NULL && (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 &&
               EVP_PKEY_fromdata_init(context) == 1 &&
               EVP_PKEY_fromdata(context, &held->public_half, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)params) == 1;

    EVP_PKEY_CTX_free(context);
    return done;
}

/* The private half cannot be given: that is what makes the backend sign here, and not with a copy of the key. */
static int held_export(void *key, int selection, OSSL_CALLBACK *give, void *arg)
{
    const struct held *held = key;

    if (held->public_half == NULL || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
        return 0;
    return EVP_PKEY_export(held->public_half, EVP_PKEY_PUBLIC_KEY, give, arg);
}

static int held_get_params(void *key, OSSL_PARAM params[])
{
    const struct held *held = key;

    return held->public_half != NULL && EVP_PKEY_get_params(held->public_half, params) == 1;
}

static const OSSL_PARAM *held_gettable_params(void *context)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)context;
    return params;
}

static const OSSL_PARAM *held_types(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    return (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 ? types : NULL;
}

static const char *rsa_operation(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "RSA" : NULL;
}

static const char *ec_operation(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

static const char *ed25519_operation(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ED25519" : NULL;
}

static const char *ed448_operation(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ED448" : NULL;
}

typedef void (*function)(void);

#define KEYS(type)                                                                                                     \
    {OSSL_FUNC_KEYMGMT_NEW, (function)type##_new}, {OSSL_FUNC_KEYMGMT_FREE, (function)held_free},                      \
        {OSSL_FUNC_KEYMGMT_HAS, (function)held_has}, {OSSL_FUNC_KEYMGMT_MATCH, (function)held_match},                  \
        {OSSL_FUNC_KEYMGMT_IMPORT, (function)held_import}, {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (function)held_types},     \
        {OSSL_FUNC_KEYMGMT_EXPORT, (function)held_export}, {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (function)held_types},     \
        {OSSL_FUNC_KEYMGMT_GET_PARAMS, (function)held_get_params},                                                     \
        {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (function)held_gettable_params},

static const OSSL_DISPATCH rsa_keys[] = {KEYS(rsa){OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (function)rsa_operation},
                                         {0, NULL}};
static const OSSL_DISPATCH rsa_pss_keys[] = {
    KEYS(rsa_pss){OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (function)rsa_operation}, {0, NULL}};
static const OSSL_DISPATCH ec_keys[] = {KEYS(ec){OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (function)ec_operation},
                                        {0, NULL}};
static const OSSL_DISPATCH ed25519_keys[] = {
    KEYS(ed25519){OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (function)ed25519_operation}, {0, NULL}};
static const OSSL_DISPATCH ed448_keys[] = {
    KEYS(ed448){OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (function)ed448_operation}, {0, NULL}};

static const OSSL_ALGORITHM keys[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=tlsshim-external", rsa_keys, NULL},
    {"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", "provider=tlsshim-external", rsa_pss_keys, NULL},
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", "provider=tlsshim-external", ec_keys, NULL},
    {"ED25519:1.3.101.112", "provider=tlsshim-external", ed25519_keys, NULL},
    {"ED448:1.3.101.113", "provider=tlsshim-external", ed448_keys, NULL},
    {NULL, NULL, NULL, NULL},
};

/* --- signatures: put together here, made elsewhere --- */

struct signing {
    const struct held *key;
    struct manner manner;
};

static void *signing_new(void *context, const char *properties)
{
    (void)context;
    (void)properties;
    return OPENSSL_zalloc(sizeof(struct signing));
}

static void signing_free(void *context)
{
    struct signing *signing = context;

    if (signing != NULL)
        manner_free(&signing->manner);
    OPENSSL_free(signing);
}

static bool is_rsa(const struct held *key)
{
    return strncmp(key->type, "RSA", 3) == 0;
}

static int signing_set_params(void *context, const OSSL_PARAM params[])
{
    struct signing *signing = context;
    const OSSL_PARAM *mode = params == NULL ? NULL : OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
    int number = 0;

    if (mode == NULL)
        return 1;
    if (mode->data_type == OSSL_PARAM_UTF8_STRING)
        signing->manner.pss = strcmp(mode->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
    else if (OSSL_PARAM_get_int(mode, &number) == 1)
        signing->manner.pss = number == RSA_PKCS1_PSS_PADDING;
    else
        return 0;
    return 1;
}

static const OSSL_PARAM *signing_settable_params(void *context, void *provider)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)context;
    (void)provider;
    return params;
}

static int signing_start(void *context, const char *digest, void *key, const OSSL_PARAM params[])
{
    struct signing *signing = context;

    signing->key = key;
    signing->manner.pss = strcmp(signing->key->type, "RSA-PSS") == 0;
    manner_free(&signing->manner);
    if (digest != NULL && *digest != 0) {
        signing->manner.digest = EVP_MD_fetch(backend_whole(), digest, NULL);
        if (signing->manner.digest == NULL)
            return 0;
    }
    return signing_set_params(signing, params);
}

static int signing_go(void *context, unsigned char *signature, size_t *len, size_t cap, const unsigned char *message,
                      size_t message_len)
{
    const struct signing *signing = context;
    size_t most = (size_t)EVP_PKEY_get_size(signing->key->public_half);
    struct sign_request request = {
        .public_half = signing->key->public_half,
        .manner = {signing->manner.digest, signing->manner.pss && is_rsa(signing->key)},
        .message = {message, message_len},
        .signature = signature,
        .signature_cap = cap,
    };

    if (signature == NULL) {
        *len = most;
        return 1;
    }
    if (cap < most || !helper_park(&request) || request.signature_len == 0)
        return 0;
    *len = request.signature_len;
    return 1;
}

static const OSSL_DISPATCH signatures[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, (function)signing_new},
    {OSSL_FUNC_SIGNATURE_FREECTX, (function)signing_free},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (function)signing_start},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (function)signing_go},
    {OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (function)signing_set_params},
    {OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (function)signing_settable_params},
    {0, NULL},
};

static const OSSL_ALGORITHM signers[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=tlsshim-external", signatures, NULL},
    {"ECDSA", "provider=tlsshim-external", signatures, NULL},
    {"ED25519:1.3.101.112", "provider=tlsshim-external", signatures, NULL},
    {"ED448:1.3.101.113", "provider=tlsshim-external", signatures, NULL},
    {NULL, NULL, NULL, NULL},
};

/* --- the provider, in a library context of its own, so that no other key is ever looked for in it --- */

static const OSSL_ALGORITHM *on_query(void *context, int operation, int *no_cache)
{
    (void)context;
    *no_cache = 0;
    return operation == OSSL_OP_KEYMGMT ? keys : operation == OSSL_OP_SIGNATURE ? signers : NULL;
}

static const OSSL_DISPATCH functions[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (function)on_query}, {0, NULL}};

static int on_start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **context)
{
    (void)handle;
    (void)in;
    *out = functions;
    *context = (void *)functions; /* nothing to keep, but NULL would be a failure */
    return 1;
}

EVP_PKEY *external_key_new(EVP_PKEY *public_half)
{
    const char *type = EVP_PKEY_get0_type_name(public_half);
    static _Atomic(OSSL_LIB_CTX *) kept;
    OSSL_LIB_CTX *library = builtin_context(&kept, "tlsshim-external", on_start);
    EVP_PKEY_CTX *context = NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY *made = NULL;

    if (library != NULL && type != NULL)
        context = EVP_PKEY_CTX_new_from_name(library, type, NULL);
    if (context != NULL && EVP_PKEY_todata(public_half, EVP_PKEY_PUBLIC_KEY, &params) == 1 &&
        EVP_PKEY_fromdata_init(context) == 1)
        (void)EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, params);
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(context);
    return made;
}

int32_t sign_request_answer(struct sign_request *request, struct bytes signature)
{
    if (signature.len == 0 || signature.len > request->signature_cap ||
        !manner_verify(request->public_half, &request->manner, request->message, signature)) {
        error_forget_backend();
        return error_new(TLSSHIM_E_MISMATCH, "these %zu bytes are no signature of this key over what was asked%s",
                         signature.len,
                         EVP_PKEY_is_a(request->public_half, "EC")
                             ? "; one with ECDSA is the DER of r and s (RFC 3279 section 2.2.3)"
                             : "");
    }
    memcpy(request->signature, signature.data, signature.len);
    request->signature_len = signature.len;
    return TLSSHIM_OK;
}
