/* What a cipher is made of. */
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "context.h"

enum { NAME_LIMIT = 128 };

static const struct part {
    int nid;
    const char *name;
} parts[] = {
    {NID_kx_rsa, "RSA"},
    {NID_kx_ecdhe, "ECDHE"},
    {NID_kx_dhe, "DHE"},
    {NID_kx_ecdhe_psk, "ECDHE-PSK"},
    {NID_kx_dhe_psk, "DHE-PSK"},
    {NID_kx_rsa_psk, "RSA-PSK"},
    {NID_kx_psk, "PSK"},
    {NID_kx_srp, "SRP"},
    {NID_kx_gost, "GOST"},
    {NID_kx_any, "any"},
    {NID_auth_rsa, "RSA"},
    {NID_auth_ecdsa, "ECDSA or EdDSA"},
    {NID_auth_psk, "PSK"},
    {NID_auth_dss, "DSS"},
    {NID_auth_gost01, "GOST 2001"},
    {NID_auth_gost12, "GOST 2012"},
    {NID_auth_srp, "SRP"},
    {NID_auth_null, "none"},
    {NID_auth_any, "any"},
};

static const char *part_name(int nid)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].nid == nid)
            return parts[i].name;
    return nid == NID_undef ? "none" : OBJ_nid2ln(nid);
}

/* "0x1301", any case. */
static bool is_number(struct bytes name, int number)
{
    char text[7];

    if (name.len != 6)
        return false;
    memcpy(text, name.data, name.len);
    text[6] = 0;
    return text[0] == '0' && (text[1] | 32) == 'x' && strspn(text + 2, "0123456789abcdefABCDEF") == 4 &&
           strtol(text + 2, NULL, 16) == number;
}

static const SSL_CIPHER *find(const SSL_CTX *ctx, struct bytes name)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);

    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        const char *iana = SSL_CIPHER_standard_name(cipher);

        if (bytes_equal_text(name, SSL_CIPHER_get_name(cipher)) || (iana != NULL && bytes_equal_text(name, iana)) ||
            is_number(name, SSL_CIPHER_get_protocol_id(cipher)))
            return cipher;
    }
    return NULL;
}

static void describe(const SSL_CIPHER *cipher, struct buffer *out)
{
    const char *iana = SSL_CIPHER_standard_name(cipher);
    const char *version = SSL_CIPHER_get_version(cipher);

    buffer_format(out, "%s (%s, %#06x): %s, key exchange %s, authentication %s, encryption %s, MAC %s, %d bits",
                  iana != NULL ? iana : "no IANA name", SSL_CIPHER_get_name(cipher),
                  (unsigned)SSL_CIPHER_get_protocol_id(cipher), version, part_name(SSL_CIPHER_get_kx_nid(cipher)),
                  part_name(SSL_CIPHER_get_auth_nid(cipher)), part_name(SSL_CIPHER_get_cipher_nid(cipher)),
                  SSL_CIPHER_is_aead(cipher) ? "AEAD" : part_name(SSL_CIPHER_get_digest_nid(cipher)),
                  SSL_CIPHER_get_bits(cipher, NULL));
}

static int32_t cipher_text(struct bytes name, void *text, int32_t text_cap)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(backend_context(), NULL, TLS_method());
    const SSL_CIPHER *cipher;
    struct buffer out = {0};

    error_forget_backend(); /* of a machine-wide configuration */
    if (ctx == NULL ||
        SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
                                      "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256") != 1 ||
        SSL_CTX_set_cipher_list(ctx, "ALL:COMPLEMENTOFALL") != 1) {
        SSL_CTX_free(ctx);
        return error_backend(TLSSHIM_E_MEMORY, "no memory for a list of ciphers");
    }
    cipher = find(ctx, name);
    if (cipher != NULL)
        describe(cipher, &out);
    SSL_CTX_free(ctx);
    return cipher == NULL ? TLSSHIM_NONE : buffer_out(&out, text, text_cap);
}

int32_t tlsshim_cipher_text(const void *name, int32_t name_len, void *text, int32_t text_cap)
{
    struct visit visit;
    struct bytes in;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = text_in(name, name_len, NAME_LIMIT, "name", &in);
    if (result == TLSSHIM_OK)
        result = cipher_text(in, text, text_cap);
    visit_leave(&visit);
    return result;
}
