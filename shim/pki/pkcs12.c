#include "pkcs12.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "identity_load.h"
#include "pbe.h"

/* Bags may hold bags; files of people do not go deep. */
enum { DEPTH_MOST = 4, PKCS12_ITERATIONS = 100000, PKCS12_OVERHEAD = 1536, CERT_OVERHEAD = 128 };

struct opening {
    const char *label;
    const char *passphrase; /* NULL where there is none, which differs from an empty one */
    int passphrase_len;
    bool legacy;
    PKCS8_PRIV_KEY_INFO *key;
    STACK_OF(X509) * certs; /* as the legacy context may have read them */
};

static int32_t check_cipher(const struct opening *opening, const X509_ALGOR *algorithm)
{
    struct pbe pbe;
    int32_t result = pbe_of(algorithm, opening->label, &pbe);

    if (result < 0 || pbe.modern || opening->legacy)
        return result;
    return error_new(TLSSHIM_E_UNSUPPORTED,
                     "%s is encrypted with %s, which is too weak to trust: identity_insecure_load_legacy reads it; "
                     "then export it anew",
                     opening->label, pbe.name);
}

static int32_t not_opened(const struct opening *opening)
{
    if (opening->passphrase_len == 0)
        return error_backend(TLSSHIM_E_PASSPHRASE, "%s: it is encrypted: give its passphrase", opening->label);
    return error_backend(TLSSHIM_E_PASSPHRASE, "%s: the passphrase does not open it", opening->label);
}

static int32_t take_key(struct opening *opening, PKCS8_PRIV_KEY_INFO *key)
{
    if (opening->key == NULL)
        opening->key = key;
    else
        PKCS8_PRIV_KEY_INFO_free(key);
    return TLSSHIM_OK;
}

static int32_t open_key(struct opening *opening, const PKCS12_SAFEBAG *bag)
{
    const X509_ALGOR *algorithm;
    PKCS8_PRIV_KEY_INFO *key;
    int32_t result;

    X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, NULL);
    result = check_cipher(opening, algorithm);
    if (result < 0)
        return result;
    key = PKCS12_decrypt_skey(bag, opening->passphrase, opening->passphrase_len);
    return key == NULL ? not_opened(opening) : take_key(opening, key);
}

static int32_t take_cert(struct opening *opening, const PKCS12_SAFEBAG *bag)
{
    X509 *cert;

    if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate)
        return TLSSHIM_OK;
    cert = PKCS12_SAFEBAG_get1_cert(bag);
    if (cert == NULL)
        return error_backend(TLSSHIM_E_FORMAT, "%s: a certificate in it cannot be read", opening->label);
    if (sk_X509_push(opening->certs, cert) == 0) {
        X509_free(cert);
        return TLSSHIM_E_MEMORY;
    }
    return TLSSHIM_OK;
}

static int32_t open_bags(struct opening *opening, const STACK_OF(PKCS12_SAFEBAG) * bags, int depth)
{
    int32_t result = TLSSHIM_OK;

    if (depth > DEPTH_MOST)
        return error_new(TLSSHIM_E_LIMIT, "%s nests deeper than %d bags", opening->label, DEPTH_MOST);
    for (int i = 0; result == TLSSHIM_OK && i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
        PKCS8_PRIV_KEY_INFO *key;

        switch (PKCS12_SAFEBAG_get_nid(bag)) {
        case NID_keyBag:
            key = ASN1_item_dup(ASN1_ITEM_rptr(PKCS8_PRIV_KEY_INFO), PKCS12_SAFEBAG_get0_p8inf(bag));
            result = key == NULL ? TLSSHIM_E_MEMORY : take_key(opening, key);
            break;
        case NID_pkcs8ShroudedKeyBag:
            result = open_key(opening, bag);
            break;
        case NID_certBag:
            result = take_cert(opening, bag);
            break;
        case NID_safeContentsBag:
            result = open_bags(opening, PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
            break;
        default:
            break;
        }
    }
    return result;
}

static int32_t open_safe(struct opening *opening, PKCS7 *safe)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    int32_t result = TLSSHIM_OK;

    if (PKCS7_type_is_data(safe)) {
        bags = PKCS12_unpack_p7data(safe);
        if (bags == NULL)
            result = error_backend(TLSSHIM_E_FORMAT, "%s is damaged inside", opening->label);
    } else if (PKCS7_type_is_encrypted(safe)) {
        result = check_cipher(opening, safe->d.encrypted->enc_data->algorithm);
        if (result == TLSSHIM_OK) {
            bags = PKCS12_unpack_p7encdata(safe, opening->passphrase, opening->passphrase_len);
            if (bags == NULL)
                result = not_opened(opening);
        }
    }
    if (result == TLSSHIM_OK && bags != NULL)
        result = open_bags(opening, bags, 1);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    return result;
}

/* The checksum tells whether the passphrase is right, and which of two forms "none" has. */
static int32_t check_mac(struct opening *opening, PKCS12 *file)
{
    const ASN1_INTEGER *rounds = NULL;
    int32_t result;

    if (!PKCS12_mac_present(file))
        return TLSSHIM_OK;
    PKCS12_get0_mac(NULL, NULL, NULL, &rounds, file);
    result = pbe_rounds(rounds, opening->label);
    if (result < 0)
        return result;
    if (PKCS12_verify_mac(file, opening->passphrase, opening->passphrase_len) == 1)
        return TLSSHIM_OK;
    if (opening->passphrase_len == 0) {
        opening->passphrase = "";
        if (PKCS12_verify_mac(file, "", 0) == 1) {
            error_forget_backend();
            return TLSSHIM_OK;
        }
    }
    if (ERR_GET_REASON(ERR_peek_error()) == ERR_R_UNSUPPORTED)
        return error_backend(TLSSHIM_E_UNSUPPORTED, "%s: its checksum is of a kind that is not known", opening->label);
    return not_opened(opening);
}

static int32_t open_file(struct opening *opening, PKCS12 *file)
{
    STACK_OF(PKCS7) * safes;
    int32_t result = check_mac(opening, file);

    if (result < 0)
        return result;
    safes = PKCS12_unpack_authsafes(file);
    if (safes == NULL)
        return error_backend(TLSSHIM_E_FORMAT, "%s is damaged inside", opening->label);
    for (int i = 0; result == TLSSHIM_OK && i < sk_PKCS7_num(safes); i++)
        result = open_safe(opening, sk_PKCS7_value(safes, i));
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return result;
}

/* The same certificate, read in our own context. */
static int32_t read_anew(X509 *cert, const char *label, int number, STACK_OF(X509) * certs)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    X509 *ours = NULL;
    int32_t result = TLSSHIM_E_MEMORY;

    if (len > 0)
        result = der_certificate((struct bytes){der, (size_t)len}, false, label, number, &ours);
    OPENSSL_free(der);
    if (result == TLSSHIM_OK && X509_add_cert(certs, ours, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) != 1)
        result = TLSSHIM_E_MEMORY;
    X509_free(ours);
    return result;
}

static int32_t take_over(struct opening *opening, struct pkcs12_content *content)
{
    int32_t result = TLSSHIM_OK;

    for (int i = 0; result == TLSSHIM_OK && i < sk_X509_num(opening->certs); i++)
        result = read_anew(sk_X509_value(opening->certs, i), opening->label, i + 1, content->certs);
    if (result == TLSSHIM_OK && opening->key != NULL) {
        content->pkey = EVP_PKCS82PKEY_ex(opening->key, backend_whole(), NULL);
        if (content->pkey == NULL)
            result = error_backend(TLSSHIM_E_FORMAT, "%s: the private key in it cannot be read", opening->label);
    }
    return result;
}

static int32_t read_file(struct source *source, PKCS12 **file)
{
    const unsigned char *at = source->bytes.data;

    *file = d2i_PKCS12(NULL, &at, (long)source->bytes.len);
    if (*file == NULL)
        return error_backend(TLSSHIM_E_FORMAT, "%s is DER, but no PKCS#12", source->label);
    return TLSSHIM_OK;
}

int32_t pkcs12_read(struct source *source, struct bytes passphrase, bool legacy, struct pkcs12_content *content)
{
    char *text = passphrase.len == 0 ? NULL : bytes_dup_text(passphrase);
    struct opening opening = {source->label, text, (int)passphrase.len, legacy, NULL, sk_X509_new_null()};
    struct legacy_visit visit;
    PKCS12 *file = NULL;
    int32_t result = TLSSHIM_OK;

    *content = (struct pkcs12_content){NULL, sk_X509_new_null()};
    if (opening.certs == NULL || content->certs == NULL || (passphrase.len > 0 && text == NULL))
        result = TLSSHIM_E_MEMORY;
    if (result == TLSSHIM_OK && legacy)
        result = legacy_enter(&visit);
    if (result == TLSSHIM_OK) {
        result = read_file(source, &file);
        if (result == TLSSHIM_OK)
            result = open_file(&opening, file);
        PKCS12_free(file);
        if (legacy)
            legacy_leave(&visit);
    }
    if (result == TLSSHIM_OK)
        result = take_over(&opening, content);
    if (text != NULL)
        bytes_wipe(text, passphrase.len);
    free(text);
    PKCS8_PRIV_KEY_INFO_free(opening.key);
    sk_X509_pop_free(opening.certs, X509_free);
    if (result < 0)
        pkcs12_content_end(content);
    return result;
}

void pkcs12_content_end(struct pkcs12_content *content)
{
    EVP_PKEY_free(content->pkey);
    sk_X509_pop_free(content->certs, X509_free);
    *content = (struct pkcs12_content){NULL, NULL};
}

/* --- writing --- */

static size_t bound_of(const struct identity *identity, size_t name_len)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(identity->key->pkey);
    int key_len = info == NULL ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info, NULL);
    size_t bound = PKCS12_OVERHEAD + 8 * name_len + (size_t)(key_len > 0 ? key_len : 0);

    PKCS8_PRIV_KEY_INFO_free(info);
    for (int i = 0; i < identity->cert->count; i++) {
        int len = i2d_X509(identity->cert->at[i], NULL);

        bound += CERT_OVERHEAD + (size_t)(len > 0 ? len : 0);
    }
    return bound;
}

static int32_t encrypt(const struct identity *identity, const char *passphrase, const char *name, void *data,
                       int32_t cap)
{
    STACK_OF(X509) *chain = cert_chain_stack(identity->cert);
    PKCS12 *file = chain == NULL ? NULL
                                 : PKCS12_create_ex(passphrase, name, identity->key->pkey, identity->cert->at[0], chain,
                                                    NID_aes_256_cbc, NID_aes_256_cbc, PKCS12_ITERATIONS,
                                                    PKCS12_ITERATIONS, 0, backend_context(), NULL);
    unsigned char *der = NULL;
    int len = file == NULL ? 0 : i2d_PKCS12(file, &der);
    int32_t result;

    sk_X509_free(chain);
    PKCS12_free(file);
    if (len <= 0)
        return error_backend(TLSSHIM_E_INTERNAL, "the PKCS#12 cannot be made");
    result = bytes_out(data, cap, der, (size_t)len);
    OPENSSL_clear_free(der, (size_t)len);
    return result;
}

int32_t identity_to_pkcs12(struct identity *identity, struct bytes passphrase, struct bytes friendly_name, void *data,
                           int32_t cap)
{
    char *text;
    char *name;
    size_t bound;
    int32_t result = key_needs_private(identity->key);

    if (result < 0)
        return result;
    if (cap < 0 || (cap > 0 && data == NULL))
        return error_new(TLSSHIM_E_ARGUMENT, "data has a negative capacity, or no address");
    bound = bound_of(identity, friendly_name.len);
    if ((size_t)cap < bound)
        return (int32_t)bound;
    text = bytes_dup_text(passphrase);
    name = bytes_dup_text(friendly_name);
    if (text == NULL || name == NULL)
        result = TLSSHIM_E_MEMORY;
    else
        result = encrypt(identity, text, friendly_name.len > 0 ? name : NULL, data, cap);
    if (text != NULL)
        bytes_wipe(text, passphrase.len);
    free(text);
    free(name);
    return result;
}
