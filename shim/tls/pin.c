#include "pin.h"

#include <openssl/evp.h>
#include <string.h>

bool pins_have(const struct pins *pins, int32_t mode)
{
    for (int i = 0; i < pins->count; i++)
        if (pins->at[i].mode == mode)
            return true;
    return false;
}

bool pins_match(const struct pins *pins, int32_t mode, X509 *cert, const EVP_MD *sha256)
{
    uint8_t digest[PIN_SIZE];
    uint8_t *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool found = false;

    if (len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, sha256, NULL) == 1)
        for (int i = 0; i < pins->count && !found; i++)
            found = pins->at[i].mode == mode && memcmp(pins->at[i].spki, digest, sizeof digest) == 0;
    OPENSSL_free(der);
    return found;
}
