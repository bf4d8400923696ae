#include "manner.h"

#include <openssl/rsa.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "key.h"

/* How the names of signature schemes begin, and which keys they are for. */
static const struct family {
    const char *start;
    const char *type;
    bool pss;
} families[] = {
    {"rsa_pss_", "RSA", true}, {"rsa_pss_", "RSA-PSS", true}, {"rsa_pkcs1_", "RSA", false},
    {"ecdsa_", "EC", false},   {"ed25519", "ED25519", false}, {"ed448", "ED448", false},
};
enum { FAMILIES = sizeof families / sizeof families[0] };

/* The family that a name and a key have in common, or NULL; *scheme tells if the name is that of a scheme. */
static const struct family *family_of(EVP_PKEY *key, struct bytes name, bool *scheme)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        size_t len = strlen(families[i].start);

        if (name.len < len || memcmp(name.data, families[i].start, len) != 0)
            continue;
        *scheme = true;
        if (EVP_PKEY_is_a(key, families[i].type))
            return &families[i];
    }
    return NULL;
}

/* "sha256" of "ecdsa_secp256r1_sha256"; empty where nothing follows. */
static struct bytes last_word(struct bytes name)
{
    size_t start = name.len;

    while (start > 0 && name.data[start - 1] != '_')
        start--;
    return start > 0 ? (struct bytes){name.data + start, name.len - start} : (struct bytes){name.data, 0};
}

static int32_t fetch(struct bytes name, const EVP_MD *usual, struct manner *manner)
{
    char text[64] = "";

    if (name.len >= sizeof text)
        return error_new(TLSSHIM_E_ARGUMENT, "a digest's name is shorter than %zu bytes", sizeof text);
    memcpy(text, name.data, name.len);
    manner->digest = EVP_MD_fetch(backend_context(), name.len > 0 ? text : EVP_MD_get0_name(usual), NULL);
    return manner->digest != NULL ? TLSSHIM_OK : error_backend(TLSSHIM_E_UNSUPPORTED, "the backend has no such digest");
}

int32_t manner_of(EVP_PKEY *key, struct bytes name, struct manner *manner)
{
    const EVP_MD *usual = key_default_digest(key);
    bool scheme = false;
    const struct family *family = family_of(key, name, &scheme);

    *manner = (struct manner){.pss = family != NULL && family->pss};
    if (scheme && family == NULL)
        return error_new(TLSSHIM_E_MISMATCH, "a key of this kind does not sign as %.*s", (int)name.len,
                         (const char *)name.data);
    if (scheme)
        name = last_word(name);
    if (usual != NULL)
        return fetch(name, usual, manner);
    if (name.len > 0)
        return error_new(TLSSHIM_E_ARGUMENT, "a key of this kind has its own digest: leave its name empty");
    return TLSSHIM_OK;
}

void manner_free(struct manner *manner)
{
    EVP_MD_free(manner->digest);
    manner->digest = NULL;
}

static const char *digest_name(const struct manner *manner)
{
    return manner->digest != NULL ? EVP_MD_get0_name(manner->digest) : NULL;
}

static bool pad(EVP_PKEY_CTX *context, const struct manner *manner)
{
    return !manner->pss || (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

bool manner_sign(EVP_PKEY *key, const struct manner *manner, struct bytes data, uint8_t *signature, size_t *len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *padding;
    bool done =
        context != NULL &&
        EVP_DigestSignInit_ex(context, &padding, digest_name(manner), backend_context(), NULL, key, NULL) == 1 &&
        pad(padding, manner) && EVP_DigestSign(context, signature, len, data.data, data.len) == 1;

    EVP_MD_CTX_free(context);
    return done;
}

bool manner_verify(EVP_PKEY *key, const struct manner *manner, struct bytes data, struct bytes signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *padding;
    bool good =
        context != NULL &&
        EVP_DigestVerifyInit_ex(context, &padding, digest_name(manner), backend_context(), NULL, key, NULL) == 1 &&
        pad(padding, manner) && EVP_DigestVerify(context, signature.data, signature.len, data.data, data.len) == 1;

    EVP_MD_CTX_free(context);
    return good;
}
