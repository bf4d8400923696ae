#include "identity_load.h"

#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "chain.h"
#include "key_load.h"
#include "pkcs12.h"

static int32_t from_pem(struct source *source, struct bytes passphrase, struct identity **identity)
{
    STACK_OF(X509) *certs = NULL;
    EVP_PKEY *pkey = NULL;
    int32_t result = chain_from_source(source, &certs);

    if (result < 0)
        return result;
    result = key_from_source(source, passphrase, &pkey);
    if (result == TLSSHIM_OK)
        result = identity_make(cert_from_stack(certs), key_from_pkey(pkey, true), identity);
    sk_X509_pop_free(certs, X509_free);
    return result;
}

/* The key's own certificate stands first; the others follow as they issued each other. */
static int32_t own_first(STACK_OF(X509) * certs, EVP_PKEY *pkey, const char *label)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        EVP_PKEY *held = X509_get0_pubkey(sk_X509_value(certs, i));

        if (held != NULL && EVP_PKEY_eq(held, pkey) == 1) {
            sk_X509_unshift(certs, sk_X509_delete(certs, i));
            error_forget_backend();
            return chain_order(certs, true, label);
        }
    }
    error_forget_backend();
    return error_new(TLSSHIM_E_MISMATCH, "%s: none of its %d certificates belongs to its key", label,
                     sk_X509_num(certs));
}

static int32_t from_pkcs12(struct source *source, struct bytes passphrase, bool legacy, struct identity **identity)
{
    struct pkcs12_content content;
    int32_t result = pkcs12_read(source, passphrase, legacy, &content);

    if (result < 0)
        return result;
    if (content.pkey == NULL)
        result = error_new(TLSSHIM_E_EMPTY, "%s holds %d certificates, but no private key", source->label,
                           sk_X509_num(content.certs));
    else if (sk_X509_num(content.certs) == 0)
        result = error_new(TLSSHIM_E_EMPTY, "%s holds a private key, but no certificate", source->label);
    else
        result = own_first(content.certs, content.pkey, source->label);
    if (result == TLSSHIM_OK) {
        result = identity_make(cert_from_stack(content.certs), key_from_pkey(content.pkey, true), identity);
        content.pkey = NULL;
    }
    pkcs12_content_end(&content);
    return result;
}

int32_t identity_from_source(struct source *source, struct bytes passphrase, struct identity **identity)
{
    return der_shaped(source->bytes) ? from_pkcs12(source, passphrase, false, identity)
                                     : from_pem(source, passphrase, identity);
}

int32_t identity_from_legacy(struct source *source, struct bytes passphrase, struct identity **identity)
{
    if (!der_shaped(source->bytes))
        return error_new(TLSSHIM_E_FORMAT, "%s is no PKCS#12", source->label);
    return from_pkcs12(source, passphrase, true, identity);
}
