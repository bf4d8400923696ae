/* What the chains of wrong peers are made with: the shim as far as it makes such things, OpenSSL from there on. */
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "support/pair.h"
#include "support/pki.h"
#include "chains.h"

int64_t wrong_intermediate, wrong_leaf_key, wrong_rsa_key;

static int64_t made_first(int64_t handle)
{
    if (handle < 0)
        abort();
    return handle;
}

void wrong_chains_begin(void)
{
    wrong_intermediate = certs_intermediate(certs()->ca, "CN=Wrong Intermediate");
    wrong_leaf_key = made_first(tlsshim_identity_key(certs()->server));
    wrong_rsa_key = made_first(tlsshim_identity_key(certs()->server_rsa));
}

/* --- into OpenSSL's own objects --- */

X509 *x509_of(int64_t cert)
{
    struct blob der;
    const uint8_t *at = der.data;
    X509 *x509 = X509_new_ex(support_context(), NULL);

    blob_fill(&der, tlsshim_cert_export, cert, TLSSHIM_FORMAT_DER);
    ck_assert_ptr_nonnull(d2i_X509(&x509, &at, der.len));
    return x509;
}

EVP_PKEY *pkey_of(int64_t key)
{
    struct blob der;
    const uint8_t *at = der.data;
    EVP_PKEY *pkey;

    blob_fill(&der, tlsshim_key_export, key, TLSSHIM_FORMAT_DER, "", 0);
    pkey = d2i_AutoPrivateKey_ex(NULL, &at, der.len, support_context(), NULL);
    ck_assert_ptr_nonnull(pkey);
    return pkey;
}

void show(struct shown *shown, int64_t cert, int64_t key)
{
    shown->rest = sk_X509_new_null();
    for (int i = 1; i < tlsshim_cert_count(cert); i++)
        sk_X509_push(shown->rest, x509_of(keep(tlsshim_cert_at(cert, i))));
    shown->leaf = x509_of(cert);
    shown->key = pkey_of(key);
}

void sign_with(X509 *cert, EVP_PKEY *key, const EVP_MD *digest)
{
    ck_assert_int_gt(X509_sign(cert, key, digest), 0);
}

void sign_again(X509 *cert, int64_t ca)
{
    EVP_PKEY *key = pkey_of(keep(tlsshim_identity_key(ca)));

    sign_with(cert, key, EVP_sha256());
    EVP_PKEY_free(key);
}

X509 *the_intermediate(const struct shown *shown)
{
    ck_assert_int_ge(sk_X509_num(shown->rest), 1);
    return sk_X509_value(shown->rest, 0);
}

/* In place of the one it has, if it has one. */
void put_extension(X509 *cert, const char *oid, int critical, const void *data, size_t len)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 0);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;
    int at = X509_get_ext_by_OBJ(cert, object, -1);

    if (at >= 0)
        X509_EXTENSION_free(X509_delete_ext(cert, at));
    ASN1_OCTET_STRING_set(value, data, (int)len);
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, value);
    ck_assert_int_eq(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

/* --- by the shim --- */

int64_t a_leaf_template(bool client, const char *names)
{
    int64_t tmpl = keep(a_template(names));
    int64_t now = the_time();

    ck_assert_ok(tlsshim_template_set_subject(tmpl, str(client ? "CN=wrong client" : "CN=wrong server")));
    ck_assert_ok(tlsshim_template_set_usage(tmpl, client ? TLSSHIM_USAGE_CLIENT : TLSSHIM_USAGE_SERVER));
    ck_assert_ok(tlsshim_template_set_validity(tmpl, now - DAY, now + 300 * DAY));
    return tmpl;
}

int64_t issue_for(struct shown *shown, int64_t tmpl, int64_t key, int64_t ca)
{
    int64_t cert = keep(tlsshim_template_issue(tmpl, key, ca));

    show(shown, cert, key);
    return cert;
}

int64_t issue(struct shown *shown, int64_t tmpl, int64_t ca)
{
    return issue_for(shown, tmpl, wrong_leaf_key, ca);
}

int64_t issue_from(struct shown *shown, bool client, int64_t ca)
{
    return issue(shown, a_leaf_template(client, "www.test"), ca);
}

void good(struct shown *shown, bool client)
{
    issue_from(shown, client, certs()->ca);
}

/* The backend of a wrong server shows no EC key that its certificate does not let sign; it is not so strict with RSA.
 */
void good_rsa(struct shown *shown, bool client)
{
    issue_for(shown, a_leaf_template(client, "www.test"), wrong_rsa_key, certs()->ca);
}
