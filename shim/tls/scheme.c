#include "scheme.h"

#include <openssl/ssl.h>
#include <stddef.h>

static const struct group {
    int nid;
    int32_t number;
    const char *name;
} groups[] = {
    {NID_X9_62_prime256v1, 23, "P-256"},
    {NID_secp384r1, 24, "P-384"},
    {NID_secp521r1, 25, "P-521"},
    {NID_X25519, 29, "X25519"},
    {NID_X448, 30, "X448"},
    {NID_ffdhe2048, 256, "ffdhe2048"},
    {NID_ffdhe3072, 257, "ffdhe3072"},
    {NID_ffdhe4096, 258, "ffdhe4096"},
};

static const struct signature {
    int type;
    int digest;
    int32_t number;
    const char *name;
} signatures[] = {
    {EVP_PKEY_EC, NID_sha256, 0x0403, "ecdsa_secp256r1_sha256"},
    {EVP_PKEY_EC, NID_sha384, 0x0503, "ecdsa_secp384r1_sha384"},
    {EVP_PKEY_EC, NID_sha512, 0x0603, "ecdsa_secp521r1_sha512"},
    {EVP_PKEY_RSA_PSS, NID_sha256, 0x0804, "rsa_pss_rsae_sha256"},
    {EVP_PKEY_RSA_PSS, NID_sha384, 0x0805, "rsa_pss_rsae_sha384"},
    {EVP_PKEY_RSA_PSS, NID_sha512, 0x0806, "rsa_pss_rsae_sha512"},
    {EVP_PKEY_ED25519, NID_undef, 0x0807, "ed25519"},
    {EVP_PKEY_ED448, NID_undef, 0x0808, "ed448"},
    {EVP_PKEY_RSA, NID_sha256, 0x0401, "rsa_pkcs1_sha256"},
    {EVP_PKEY_RSA, NID_sha384, 0x0501, "rsa_pkcs1_sha384"},
    {EVP_PKEY_RSA, NID_sha512, 0x0601, "rsa_pkcs1_sha512"},
    {EVP_PKEY_RSA, NID_sha1, 0x0201, "rsa_pkcs1_sha1"},
    {EVP_PKEY_EC, NID_sha1, 0x0203, "ecdsa_sha1"},
};

static const struct group *group_of(SSL *ssl)
{
    int nid = (int)SSL_get_negotiated_group(ssl);

    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (groups[i].nid == nid)
            return &groups[i];
    return NULL;
}

int32_t scheme_group(SSL *ssl)
{
    const struct group *group = group_of(ssl);
    int nid = (int)SSL_get_negotiated_group(ssl);

    if (group != NULL)
        return group->number;
    return (nid & TLSEXT_nid_unknown) != 0 ? nid & 0xffff : 0;
}

const char *scheme_group_name(SSL *ssl)
{
    const struct group *group = group_of(ssl);

    if (group != NULL)
        return group->name;
    return scheme_group(ssl) != 0 ? SSL_group_to_name(ssl, (int)SSL_get_negotiated_group(ssl)) : NULL;
}

static int32_t scheme_number(int type, int digest)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++)
        if (signatures[i].type == type && (signatures[i].digest == digest || signatures[i].digest == NID_undef))
            return signatures[i].number;
    return 0;
}

int32_t scheme_of(const EVP_PKEY *key, const struct manner *manner)
{
    int type = EVP_PKEY_get_base_id(key);

    if (type == EVP_PKEY_RSA && manner->pss)
        type = EVP_PKEY_RSA_PSS;
    return scheme_number(type, manner->digest == NULL ? NID_undef : EVP_MD_get_type(manner->digest));
}

int32_t scheme_signature(SSL *ssl, bool of_peer)
{
    int type = NID_undef;
    int digest = NID_undef;
    int found = of_peer ? SSL_get_peer_signature_type_nid(ssl, &type) : SSL_get_signature_type_nid(ssl, &type);

    if (found != 1)
        return 0;
    if (of_peer)
        SSL_get_peer_signature_nid(ssl, &digest);
    else
        SSL_get_signature_nid(ssl, &digest);
    return scheme_number(type, digest);
}

const char *scheme_signature_name(int32_t scheme)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++)
        if (signatures[i].number == scheme)
            return signatures[i].name;
    return NULL;
}
