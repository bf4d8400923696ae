#include "level.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "dn.h"

/* SSL_CTX_set_security_level(3): bits of security, and the sizes of RSA and of curves that give them. */
static const struct level {
    int bits, rsa, curve;
} levels[LEVEL_MOST + 1] = {{0, 0, 0},        {80, 1024, 160},  {112, 2048, 224},
                            {128, 3072, 256}, {192, 7680, 384}, {256, 15360, 512}};

static const struct level *level_of(int level)
{
    return &levels[level < 0 ? 0 : level > LEVEL_MOST ? LEVEL_MOST : level];
}

int level_bits(int level)
{
    return level_of(level)->bits;
}

bool level_key_short(X509 *cert, int level, char text[LEVEL_TEXT_CAP])
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    int type, asked;

    if (key == NULL || EVP_PKEY_get_security_bits(key) >= level_bits(level))
        return false;
    type = EVP_PKEY_get_base_id(key);
    asked = type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS || type == EVP_PKEY_DSA ? level_of(level)->rsa
                                                                                     : level_of(level)->curve;
    snprintf(text, LEVEL_TEXT_CAP, "has %d bits, security level %d asks for %d", EVP_PKEY_get_bits(key), level, asked);
    return true;
}

bool level_signature_short(X509 *cert, int level, char text[LEVEL_TEXT_CAP])
{
    int bits = -1;

    if ((X509_get_extension_flags(cert) & EXFLAG_SS) != 0)
        return false;
    if (X509_get_signature_info(cert, NULL, NULL, &bits, NULL) != 1)
        bits = -1;
    if (bits >= level_bits(level))
        return false;
    snprintf(text, LEVEL_TEXT_CAP, "is by %s (%d bits of security), security level %d asks for %d",
             OBJ_nid2sn(X509_get_signature_nid(cert)), bits < 0 ? 0 : bits, level, level_bits(level));
    return true;
}

static int32_t falls_short(X509 *cert, const char *what, const char *by)
{
    struct error_detail detail = error_detail_none();

    detail.side = TLSSHIM_SIDE_LOCAL;
    dn_copy(X509_get_subject_name(cert), detail.subject, sizeof detail.subject);
    error_say(&detail, "the %s %s %s", what, detail.subject[0] != 0 ? detail.subject : "a certificate without a name",
              by);
    return error_publish(TLSSHIM_E_WEAK, &detail);
}

int32_t level_check_chain(X509 *const *chain, int count, int level)
{
    char by[LEVEL_TEXT_CAP];

    for (int i = 0; i < count; i++) {
        if (level_key_short(chain[i], level, by))
            return falls_short(chain[i], "key of", by);
        if (level_signature_short(chain[i], level, by))
            return falls_short(chain[i], "signature on", by);
    }
    return TLSSHIM_OK;
}
