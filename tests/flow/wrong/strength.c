/* Chains with weak keys and signatures, and with such as are none. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <string.h>

#include "support/pair.h"
#include "support/pki.h"
#include "chains.h"

/* --- strength and signatures --- */

static EVP_PKEY *short_rsa(void)
{
    return EVP_PKEY_Q_keygen(support_context(), NULL, "RSA", (size_t)1024);
}

void short_rsa_leaf(struct shown *shown, bool client)
{
    good(shown, client);
    EVP_PKEY_free(shown->key);
    shown->key = short_rsa();
    X509_set_pubkey(shown->leaf, shown->key);
    sign_again(shown->leaf, certs()->ca);
}

/* The intermediate has this key, and signs the leaf with this digest. */
static void below_key(struct shown *shown, bool client, EVP_PKEY *key, const EVP_MD *digest)
{
    issue_from(shown, client, wrong_intermediate);
    X509_set_pubkey(the_intermediate(shown), key);
    sign_again(the_intermediate(shown), certs()->ca);
    sign_with(shown->leaf, key, digest);
    EVP_PKEY_free(key);
}

void short_rsa_intermediate(struct shown *shown, bool client)
{
    below_key(shown, client, short_rsa(), EVP_sha256());
}

void sha1_leaf(struct shown *shown, bool client)
{
    below_key(shown, client, pkey_of(wrong_rsa_key), EVP_sha1());
}

void md5_leaf(struct shown *shown, bool client)
{
    below_key(shown, client, pkey_of(wrong_rsa_key), EVP_md5());
}

void sha1_intermediate(struct shown *shown, bool client)
{
    EVP_PKEY *key = pkey_of(keep(tlsshim_identity_key(certs()->ca)));

    issue_from(shown, client, wrong_intermediate);
    sign_with(the_intermediate(shown), key, EVP_sha1());
    EVP_PKEY_free(key);
}

/* One bit of the signature is another. */
static X509 *damaged(X509 *cert)
{
    uint8_t *der = NULL;
    const uint8_t *at;
    int len = i2d_X509(cert, &der);
    X509 *again = X509_new_ex(support_context(), NULL);

    ck_assert_int_gt(len, 0);
    der[len - 1] ^= 1;
    at = der;
    ck_assert_ptr_nonnull(d2i_X509(&again, &at, len));
    OPENSSL_free(der);
    X509_free(cert);
    return again;
}

void damaged_leaf(struct shown *shown, bool client)
{
    good(shown, client);
    shown->leaf = damaged(shown->leaf);
}

void damaged_intermediate(struct shown *shown, bool client)
{
    issue_from(shown, client, wrong_intermediate);
    sk_X509_push(shown->rest, damaged(sk_X509_pop(shown->rest)));
}

/* A pair of which the public half is the certificate's, and the private half is not. */
void wrong_key(struct shown *shown, bool client)
{
    EVP_PKEY *other = pkey_of(keep(a_key("P-256"))), *pair = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(support_context(), "EC", NULL);
    uint8_t point[80], scalar[32];
    OSSL_PARAM params[4];
    BIGNUM *n = NULL;
    size_t len;

    good(shown, client);
    EVP_PKEY_get_octet_string_param(shown->key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len);
    EVP_PKEY_get_bn_param(other, OSSL_PKEY_PARAM_PRIV_KEY, &n);
    BN_bn2lebinpad(n, scalar, sizeof scalar);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t) "P-256", 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, len);
    params[2] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, scalar, sizeof scalar);
    params[3] = OSSL_PARAM_construct_end();
    ck_assert_int_eq(EVP_PKEY_fromdata_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_fromdata(ctx, &pair, EVP_PKEY_KEYPAIR, params), 1);
    EVP_PKEY_free(shown->key);
    shown->key = pair;
    BN_free(n);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
}

/* More than anybody needs: 300,000 bytes. */
void huge_chain(struct shown *shown, bool client)
{
    static uint8_t filler[300000];

    memset(filler, 'x', sizeof filler);
    issue_from(shown, client, wrong_intermediate);
    put_extension(the_intermediate(shown), "1.2.3.4.6", 0, filler, sizeof filler);
    sign_again(the_intermediate(shown), certs()->ca);
}
