#include "key_load.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "pbe.h"

static int32_t passphrase_missing(const char *label)
{
    return error_new(TLSSHIM_E_PASSPHRASE, "%s: the key is encrypted: give its passphrase", label);
}

static bool tells_of_no_cipher(unsigned long error)
{
    int reason = ERR_GET_REASON(error);

    return reason == ERR_R_UNSUPPORTED ||
           (ERR_GET_LIB(error) == ERR_LIB_EVP &&
            (reason == EVP_R_UNSUPPORTED_ALGORITHM || reason == EVP_R_UNKNOWN_PBE_ALGORITHM ||
             reason == EVP_R_UNSUPPORTED_CIPHER || reason == EVP_R_UNKNOWN_CIPHER));
}

/* Decrypting has failed: for want of the cipher, or because the passphrase is wrong. */
static int32_t not_decrypted(const char *label)
{
    if (tells_of_no_cipher(ERR_peek_error()))
        return error_backend(TLSSHIM_E_UNSUPPORTED,
                             "%s: the key is encrypted with a cipher that the backend does not offer: encrypt it anew "
                             "with AES",
                             label);
    return error_backend(TLSSHIM_E_PASSPHRASE, "%s: the passphrase does not open the key", label);
}

static int32_t key_from_pkcs8(PKCS8_PRIV_KEY_INFO *info, const char *label, EVP_PKEY **pkey)
{
    *pkey = EVP_PKCS82PKEY_ex(info, backend_whole(), NULL);
    if (*pkey == NULL)
        return error_backend(TLSSHIM_E_FORMAT, "%s: the private key cannot be read", label);
    return 1;
}

static int32_t key_from_encrypted(struct bytes der, const char *label, struct bytes passphrase, EVP_PKEY **pkey)
{
    const unsigned char *at = der.data;
    X509_SIG *encrypted = d2i_X509_SIG(NULL, &at, (long)der.len);
    PKCS8_PRIV_KEY_INFO *info = NULL;
    const X509_ALGOR *algorithm;
    struct pbe pbe;
    int32_t result;

    if (encrypted == NULL)
        return error_backend(TLSSHIM_E_FORMAT, "%s: the encrypted private key cannot be read", label);
    X509_SIG_get0(encrypted, &algorithm, NULL);
    result = pbe_of(algorithm, label, &pbe);
    if (result == TLSSHIM_OK && passphrase.len == 0)
        result = passphrase_missing(label);
    else if (result == TLSSHIM_OK) {
        info = PKCS8_decrypt_ex(encrypted, (const char *)passphrase.data, (int)passphrase.len, backend_context(), NULL);
        result = info == NULL ? not_decrypted(label) : key_from_pkcs8(info, label, pkey);
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    X509_SIG_free(encrypted);
    return result;
}

static int32_t key_from_plain(struct bytes der, const char *label, EVP_PKEY **pkey)
{
    const unsigned char *at = der.data;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    int32_t result;

    if (info == NULL)
        return error_backend(TLSSHIM_E_FORMAT, "%s: the private key cannot be read", label);
    result = key_from_pkcs8(info, label, pkey);
    PKCS8_PRIV_KEY_INFO_free(info);
    return result;
}

/* SEC1, PKCS#1 and the like. */
static int32_t key_from_traditional(int type, struct bytes der, const char *label, EVP_PKEY **pkey)
{
    const unsigned char *at = der.data;

    *pkey = d2i_PrivateKey_ex(type, NULL, &at, (long)der.len, backend_whole(), NULL);
    if (*pkey == NULL)
        return error_backend(TLSSHIM_E_FORMAT, "%s: the private key cannot be read", label);
    return 1;
}

static int give_passphrase(char *buf, int size, int writing, void *user)
{
    const struct bytes *passphrase = user;

    (void)writing;
    if (passphrase->len == 0 || passphrase->len > (size_t)size)
        return -1;
    memcpy(buf, passphrase->data, passphrase->len);
    return (int)passphrase->len;
}

/* The encryption that PEM itself has, told by headers; decrypts in place. */
static int32_t open_header(struct pem_block *block, const char *label, struct bytes passphrase)
{
    EVP_CIPHER_INFO cipher;
    long len = block->len;

    if (block->header[0] == 0)
        return TLSSHIM_OK;
    if (PEM_get_EVP_CIPHER_INFO(block->header, &cipher) != 1)
        return error_backend(TLSSHIM_E_UNSUPPORTED, "%s: the encryption of the private key is not known", label);
    if (cipher.cipher == NULL)
        return TLSSHIM_OK;
    if (passphrase.len == 0)
        return passphrase_missing(label);
    if (PEM_do_header(&cipher, block->data, &len, give_passphrase, &passphrase) != 1)
        return not_decrypted(label);
    /* What follows the shortened plaintext is wiped with the block: its length stays. */
    bytes_wipe(block->data + len, (size_t)(block->len - len));
    return (int32_t)len;
}

int32_t key_from_block(struct pem_block *block, const char *label, struct bytes passphrase, EVP_PKEY **pkey)
{
    static const char ending[] = " PRIVATE KEY";
    struct bytes der = {block->data, (size_t)block->len};
    size_t name_len = strlen(block->name);
    int32_t opened;
    int type;

    if (pem_is(block, PEM_STRING_PKCS8))
        return key_from_encrypted(der, label, passphrase, pkey);
    if (pem_is(block, "OPENSSH PRIVATE KEY"))
        return error_new(TLSSHIM_E_FORMAT,
                         "%s: the key is in OpenSSH's own format: rewrite it with ssh-keygen -p -m PKCS8", label);
    if (pem_is(block, PEM_STRING_PKCS8INF))
        return key_from_plain(der, label, pkey);
    if (name_len < sizeof ending || strcmp(block->name + name_len - (sizeof ending - 1), ending) != 0)
        return 0;
    opened = open_header(block, label, passphrase);
    if (opened < 0)
        return opened;
    if (opened > 0)
        der.len = (size_t)opened;
    if (pem_is(block, PEM_STRING_ECPRIVATEKEY))
        type = EVP_PKEY_EC;
    else if (pem_is(block, PEM_STRING_RSA))
        type = EVP_PKEY_RSA;
    else if (pem_is(block, PEM_STRING_DSA))
        type = EVP_PKEY_DSA;
    else
        return error_new(TLSSHIM_E_UNSUPPORTED, "%s: private keys of this kind are not known; PKCS#8 is", label);
    return key_from_traditional(type, der, label, pkey);
}

/* What stood in the source in place of a private key. */
static int32_t no_key(struct source *source, int certificates, int public_keys, int blocks)
{
    if (public_keys > 0)
        return error_new(TLSSHIM_E_FORMAT, "%s holds a public key: the private key is needed", source->label);
    if (certificates > 0)
        return error_new(TLSSHIM_E_EMPTY, "%s holds %d certificate%s, but no private key", source->label, certificates,
                         certificates == 1 ? "" : "s");
    if (blocks > 0)
        return error_new(TLSSHIM_E_EMPTY, "%s holds no private key", source->label);
    if (source->bytes.len == 0)
        return error_new(TLSSHIM_E_EMPTY, "%s is empty: a private key is needed", source->label);
    return error_new(TLSSHIM_E_FORMAT, "%s is neither PEM nor DER", source->label);
}

static int32_t key_from_pem(struct source *source, struct bytes passphrase, EVP_PKEY **pkey)
{
    struct pem_reader reader;
    struct pem_block block;
    int certificates = 0;
    int public_keys = 0;
    int32_t found = 0;
    int32_t result = pem_start(&reader, source);

    while (result >= 0 && found == 0) {
        result = pem_next(&reader, &block);
        if (result <= 0)
            break;
        certificates += pem_is_certificate(&block);
        public_keys += pem_is(&block, PEM_STRING_PUBLIC) || pem_is(&block, PEM_STRING_RSA_PUBLIC);
        found = key_from_block(&block, source->label, passphrase, pkey);
        pem_block_end(&block);
    }
    pem_end(&reader);
    if (found != 0)
        return found < 0 ? found : TLSSHIM_OK;
    return result < 0 ? result : no_key(source, certificates, public_keys, reader.number);
}

/* The tag of each of the first fields of a SEQUENCE tells its kind. */
static int first_tags(struct bytes der, int tags[3])
{
    const unsigned char *at = der.data;
    long len = 0;
    int tag = 0;
    int class = 0;
    int n = 0;
    const unsigned char *end;

    if ((ASN1_get_object(&at, &len, &tag, &class, (long)der.len) & 0x80) != 0)
        return 0;
    end = at + len;
    while (n < 3 && at < end && (ASN1_get_object(&at, &len, &tag, &class, (long)(end - at)) & 0x80) == 0) {
        tags[n++] = class == V_ASN1_UNIVERSAL ? tag : -1;
        at += len;
    }
    return n;
}

static int32_t key_from_der(struct source *source, struct bytes passphrase, EVP_PKEY **pkey)
{
    struct bytes der = source->bytes;
    const char *label = source->label;
    int tags[3] = {-1, -1, -1};
    int n = first_tags(der, tags);
    int32_t result;

    error_forget_backend();
    if (n >= 2 && tags[0] == V_ASN1_SEQUENCE && tags[1] == V_ASN1_OCTET_STRING)
        result = key_from_encrypted(der, label, passphrase, pkey);
    else if (n >= 2 && tags[0] == V_ASN1_SEQUENCE && tags[1] == V_ASN1_BIT_STRING)
        result = no_key(source, 0, 1, 0);
    else if (n >= 2 && tags[0] == V_ASN1_SEQUENCE && tags[1] == V_ASN1_SEQUENCE)
        result = no_key(source, 1, 0, 0);
    else if (n >= 3 && tags[0] == V_ASN1_INTEGER && tags[1] == V_ASN1_SEQUENCE)
        result = key_from_plain(der, label, pkey);
    else if (n >= 2 && tags[0] == V_ASN1_INTEGER && tags[1] == V_ASN1_OCTET_STRING)
        result = key_from_traditional(EVP_PKEY_EC, der, label, pkey);
    else if (n >= 3 && tags[0] == V_ASN1_INTEGER && tags[1] == V_ASN1_INTEGER && tags[2] == V_ASN1_INTEGER)
        result = key_from_traditional(EVP_PKEY_RSA, der, label, pkey);
    else
        result = error_new(TLSSHIM_E_FORMAT, "%s is DER, but no private key", label);
    return result < 0 ? result : TLSSHIM_OK;
}

int32_t key_from_source(struct source *source, struct bytes passphrase, EVP_PKEY **pkey)
{
    return der_shaped(source->bytes) ? key_from_der(source, passphrase, pkey) : key_from_pem(source, passphrase, pkey);
}
