#include "usage.h"

#include <openssl/x509v3.h>

#include "tlsshim.h"

static const struct {
    int32_t bit;
    int nid;
    uint32_t backend;
    const char *name;
} usages[] = {
    {TLSSHIM_USAGE_SERVER, NID_server_auth, XKU_SSL_SERVER, "server"},
    {TLSSHIM_USAGE_CLIENT, NID_client_auth, XKU_SSL_CLIENT, "client"},
    {TLSSHIM_USAGE_CODE_SIGNING, NID_code_sign, XKU_CODE_SIGN, "code signing"},
    {TLSSHIM_USAGE_EMAIL, NID_email_protect, XKU_SMIME, "mail"},
    {TLSSHIM_USAGE_OCSP, NID_OCSP_sign, XKU_OCSP_SIGN, "OCSP signing"},
    {TLSSHIM_USAGE_TIMESTAMP, NID_time_stamp, XKU_TIMESTAMP, "time stamping"},
};
enum { USAGES = sizeof usages / sizeof usages[0] };

static const struct {
    int32_t bit;
    uint32_t backend;
} key_usages[] = {
    {TLSSHIM_KEY_USAGE_DIGITAL_SIGNATURE, KU_DIGITAL_SIGNATURE},
    {TLSSHIM_KEY_USAGE_NON_REPUDIATION, KU_NON_REPUDIATION},
    {TLSSHIM_KEY_USAGE_KEY_ENCIPHERMENT, KU_KEY_ENCIPHERMENT},
    {TLSSHIM_KEY_USAGE_DATA_ENCIPHERMENT, KU_DATA_ENCIPHERMENT},
    {TLSSHIM_KEY_USAGE_KEY_AGREEMENT, KU_KEY_AGREEMENT},
    {TLSSHIM_KEY_USAGE_KEY_CERT_SIGN, KU_KEY_CERT_SIGN},
    {TLSSHIM_KEY_USAGE_CRL_SIGN, KU_CRL_SIGN},
    {TLSSHIM_KEY_USAGE_ENCIPHER_ONLY, KU_ENCIPHER_ONLY},
    {TLSSHIM_KEY_USAGE_DECIPHER_ONLY, KU_DECIPHER_ONLY},
};

bool usage_of(X509 *cert, int32_t *mask)
{
    uint32_t bits = X509_get_extended_key_usage(cert);

    if (bits == UINT32_MAX)
        return false;
    *mask = 0;
    for (int i = 0; i < USAGES; i++)
        if ((bits & (usages[i].backend | XKU_ANYEKU)) != 0)
            *mask |= usages[i].bit;
    return true;
}

bool key_usage_of(X509 *cert, int32_t *mask)
{
    uint32_t bits = X509_get_key_usage(cert);

    if (bits == UINT32_MAX)
        return false;
    *mask = 0;
    for (size_t i = 0; i < sizeof key_usages / sizeof key_usages[0]; i++)
        if ((bits & key_usages[i].backend) != 0)
            *mask |= key_usages[i].bit;
    return true;
}

int usage_nid(int32_t bit)
{
    for (int i = 0; i < USAGES; i++)
        if (usages[i].bit == bit)
            return usages[i].nid;
    return NID_undef;
}

int32_t usage_bit(int nid)
{
    for (int i = 0; i < USAGES; i++)
        if (usages[i].nid == nid)
            return usages[i].bit;
    return 0;
}

const char *usage_name(int32_t bit)
{
    for (int i = 0; i < USAGES; i++)
        if (usages[i].bit == bit)
            return usages[i].name;
    return "any";
}

bool usage_is_purpose(int32_t purpose)
{
    return purpose == 0 || usage_nid(purpose) != NID_undef;
}

bool usage_must_staple(const STACK_OF(X509_EXTENSION) * extensions)
{
    enum { STATUS_REQUEST = 5 };
    TLS_FEATURE *features = X509V3_get_d2i(extensions, NID_tlsfeature, NULL, NULL);
    bool found = false;

    for (int i = 0; features != NULL && i < sk_ASN1_INTEGER_num(features); i++)
        found = found || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == STATUS_REQUEST;
    sk_ASN1_INTEGER_pop_free(features, ASN1_INTEGER_free);
    return found;
}
